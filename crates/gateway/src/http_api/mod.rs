//! Stages of HTTP APIs (API Gateway v2): what they are compiled to, and the way of a request through one.

pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod expression;
mod mapped;
pub(crate) mod parameters;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod service;
pub(crate) mod tuning;
