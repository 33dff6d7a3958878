//! IAM policies: what a document says of a request. Identity policies, resource policies and the policies that Lambda
//! authorizers return are the same language; how several of them are combined is the caller's.
//!
//! Pure. A document that cannot be read entirely is refused, so a condition that nobody understands never widens it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

mod arn;
mod condition;
mod document;
mod network;
mod operator;
mod pattern;
mod principal;
mod request;

pub use document::{DOCUMENT_BYTES_MAX, Malformed, Policy};
pub use request::{Context, Principal, Request};

/// What one policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    Neither,
}
