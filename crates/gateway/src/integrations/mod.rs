//! What stands behind a method or route, one file per kind.

mod actions;
pub(crate) mod function;
pub(crate) mod http_proxy;
pub(crate) mod mock;
pub(crate) mod service;
pub(crate) mod streamed_function;
