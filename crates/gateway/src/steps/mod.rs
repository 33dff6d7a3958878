//! The steps of a request's way, one file each, in the order in which the pipelines call them.

pub(crate) mod limits;
pub(crate) mod route;
pub(crate) mod stage;
pub(crate) mod throttle;

// REST APIs.
pub(crate) mod cache;
pub(crate) mod client;
pub(crate) mod function_request;
pub(crate) mod integration_request;
pub(crate) mod integration_response;
pub(crate) mod method_response;
pub(crate) mod request_template;
pub(crate) mod validate;

// HTTP APIs.
pub(crate) mod cors;
pub(crate) mod proxy_request;
pub(crate) mod proxy_response;

// Functions behind both.
pub(crate) mod function_answer;

pub(crate) mod content_coding;
pub(crate) mod execution;
pub(crate) mod finish;
