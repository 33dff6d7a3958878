//! AWS Signature Version 4, both sides: [`verify()`] for servers, [`sign()`] and [`presign()`] for clients.
//!
//! The request is taken as it stood on the wire: path and query undecoded. Streaming payloads
//! (`STREAMING-…`, used by S3 alone) and Signature Version 4A are refused. Where keys come from, and the
//! caching of derived keys, is the caller's ([`Keys`]).
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

mod canonical;
mod date;
mod hash;
mod key;
mod parse;
mod refusal;
mod request;
mod scope;
mod sign;
mod verify;

pub use key::{Key, Keys, SigningKey};
pub use parse::malformed;
pub use refusal::Refusal;
pub use request::{Payload, Request};
pub use scope::{Scope, peek_scope};
pub use sign::{SignError, presign, sign};
pub use verify::{CLOCK_SKEW, Expected, Identity, verify};

/// The only algorithm spoken here.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last element of every credential scope.
pub(crate) const TERMINATOR: &str = "aws4_request";
/// Longest life of a presigned URL: seven days.
pub const PRESIGNED_SECONDS_MAX: u32 = 604_800;
