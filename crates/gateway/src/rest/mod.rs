//! Stages of REST APIs (API Gateway v1): what they are compiled to, and the way of a request through one.

pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod gateway_response;
pub(crate) mod payload;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod rendering;
pub(crate) mod sight;
pub(crate) mod test_authorizer;
pub(crate) mod test_invoke;
pub(crate) mod tuning;
pub(crate) mod validator;
