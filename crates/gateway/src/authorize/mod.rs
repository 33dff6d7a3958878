//! Who asks, and whether they may: the step between routing and everything else, of REST and HTTP APIs.
//!
//! Reading order: `rest` and `http` are the step itself; `rest_compile` and `http_compile` make guards (`guard`) of documents;
//! `lambda` asks functions, `token` verifies tokens with the keys of an `issuer`, `signature` verifies AWS's own;
//! `permission` combines what policies say. [`Caller`] is what was found out; [`Denial`] is every way to be turned away.

mod access_key;
pub(crate) mod answer;
mod cache;
mod caller;
mod claims;
mod denial;
mod guard;
mod issuer;
mod lambda;
pub(crate) mod permission;
mod signature;
pub(crate) mod source;
mod token;
mod told;

pub(crate) mod http;
pub(crate) mod http_compile;
pub(crate) mod rest;
pub(crate) mod rest_compile;

pub use self::access_key::AccessKey;
pub(crate) use self::access_key::AccessKeys;
pub(crate) use self::caller::{Caller, text};
pub use self::denial::Denial;
pub(crate) use self::guard::Guard;
pub(crate) use self::issuer::Documents;
pub(crate) use self::lambda::Answers;
pub(crate) use self::rest::{Tried, may_invalidate_cache, try_out};
