//! Why a request is not let in, in AWS's error types and words.

use std::fmt;

use http::StatusCode;

/// A refusal. AWS's REST services answer all of them with status 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request is not signed at all.
    MissingAuthenticationToken,
    /// The signature cannot be read; says why.
    IncompleteSignature(String),
    /// The signature can be read and is not good for this request; says why.
    InvalidSignature(String),
    /// No such access key, or a session token that does not belong to it.
    UnrecognizedClient,
    /// The temporary key has expired.
    ExpiredToken,
}

impl Refusal {
    /// The error type, as in `x-amzn-ErrorType`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::InvalidSignature(_) => "InvalidSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    /// The message of the answer. May quote the request, so it belongs to whoever sent that, not in a log.
    pub fn message(&self) -> &str {
        match self {
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::IncompleteSignature(why) | Self::InvalidSignature(why) => why,
            Self::UnrecognizedClient => "The security token included in the request is invalid.",
            Self::ExpiredToken => "The security token included in the request is expired",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl std::error::Error for Refusal {}

/// Refuses a signature that does not match; shows what it should have covered, as AWS does.
///
/// Requests of extraordinary size get the first sentence alone, so that an answer stays small.
pub(super) fn mismatch(canonical_request: &[u8], string_to_sign: &str) -> Refusal {
    const CANONICAL_BYTES_MAX: usize = 16 * 1024;
    let mut message = "The request signature we calculated does not match the signature you provided. \
                       Check your AWS Secret Access Key and signing method. Consult the service documentation \
                       for details."
        .to_owned();
    if canonical_request.len() <= CANONICAL_BYTES_MAX {
        message.push_str(&format!(
            "\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should \
             have been\n'{string_to_sign}'\n",
            String::from_utf8_lossy(canonical_request)
        ));
    }
    Refusal::InvalidSignature(message)
}
