//! The Velocity Template Language as API Gateway's mapping templates speak it.
//!
//! Owns the language (parsing and rendering), the objects a template sees (`$input`, `$context`, `$stageVariables`,
//! `$util`), the Java methods templates call on strings, lists, maps and numbers, JSONPath in Jayway's dialect, and the syntax
//! of HTTP APIs' mapping expressions.
//! Does not choose templates by content type and applies no override: the gateway does both.
//!
//! Pure: no I/O, no clock, no randomness. A template is parsed once and rendered any number of times, from any thread;
//! whatever the template and the request hold, rendering ends within [`Limits`] and never panics.
//!
//! ```
//! use stagedoor_vtl::{Limits, Scope, Template};
//!
//! let template = Template::parse(r#"{"hello": $input.json('$.name')}"#).unwrap();
//! let rendered = template.render(&Scope { body: r#"{"name": "Ada"}"#, ..Scope::default() }, &Limits::default()).unwrap();
//! assert_eq!(rendered.text, r#"{"hello": "Ada"}"#);
//! ```

mod error;
mod limits;
mod overrides;
mod scope;
mod template;

mod ast;
mod parse;
mod render;
mod symbols;

pub mod expression;
mod heap;
mod java_regex;
mod json;
pub mod jsonpath;
mod methods;
mod number;
mod objects;
mod print;
mod value;

pub use error::{Failure, ParseError, RenderError};
pub use java_regex::{InvalidPattern, JavaRegex, TooCostly};
pub use limits::Limits;
pub use overrides::{Overrides, RequestOverride, ResponseOverride};
pub use scope::{Pairs, Params, Scope};
pub use template::{Dialect, Rendered, TEMPLATE_BYTES_MAX, Template};
