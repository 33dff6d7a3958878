//! A compiled template: what the gateway keeps, and renders for every request.

use crate::ast::{Block, Macros};
use crate::error::{ParseError, RenderError};
use crate::limits::Limits;
use crate::overrides::Overrides;
use crate::parse::Parser;
use crate::render::Renderer;
use crate::scope::Scope;
use crate::symbols::Symbols;

/// API Gateway's quota "Mapping template size". Not adjustable.
pub const TEMPLATE_BYTES_MAX: usize = 300 * 1024;

/// Whose Velocity. They differ where API Gateway was recorded to answer otherwise than Apache's engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// A reference without a value is the empty string: it prints nothing and is true.
    #[default]
    ApiGateway,
    /// Apache Velocity 1.7 as it comes: a reference without a value prints its source and is false. For holding the
    /// language against the original.
    Velocity,
}

/// A template, ready to render.
#[derive(Debug)]
pub struct Template {
    pub(crate) body: Block,
    pub(crate) macros: Macros,
    pub(crate) symbols: Symbols,
    pub(crate) dialect: Dialect,
}

/// The outcome of a rendering.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    pub text: String,
    /// What `$context.requestOverride` and `$context.responseOverride` hold at the end.
    pub overrides: Overrides,
}

impl Template {
    /// Compiles a mapping template.
    ///
    /// # Errors
    /// The text is not Velocity, is longer than [`TEMPLATE_BYTES_MAX`], nests too deeply, or has `#include` or `#parse`.
    pub fn parse(source: &str) -> Result<Template, ParseError> {
        Template::parse_as(source, Dialect::ApiGateway)
    }

    /// As [`Template::parse`], in the dialect given.
    pub fn parse_as(source: &str, dialect: Dialect) -> Result<Template, ParseError> {
        if source.len() > TEMPLATE_BYTES_MAX {
            return Err(ParseError::at(source, 0, "a template has at most 300 KB"));
        }
        let mut symbols = Symbols::new();
        let mut macros = Macros::new();
        let body = Parser::new(source, dialect, &mut symbols, &mut macros).template()?;
        Ok(Template { body, macros, symbols, dialect })
    }

    /// Renders once.
    ///
    /// # Errors
    /// A limit, invalid JSON where JSON is asked for, or a method that fails as its Java original would throw.
    pub fn render(&self, scope: &Scope<'_>, limits: &Limits) -> Result<Rendered, RenderError> {
        Renderer::new(self, scope, limits).finish()
    }
}

/// A template is shared by all threads that serve its stage.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Template>();
};
