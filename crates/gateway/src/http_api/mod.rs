//! Stages of HTTP APIs (API Gateway v2): what they are compiled to, and the way of a request through one.

pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod expression;
mod mapped;
mod parameters;
pub(crate) mod pipeline;
pub(crate) mod plan;
mod service;
pub(crate) mod tuning;
