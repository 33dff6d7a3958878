//! How long the body of an answer is (RFC 9112, section 6.3).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version};

use crate::Malformed;
use crate::fields;

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// After so many bytes.
    Length(u64),
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Framing {
    /// That of an answer to a request with this method.
    ///
    /// # Errors
    /// [`Malformed::Length`] where lengths differ or are none, [`Malformed::Coding`] of a coding in HTTP/1.0.
    pub(crate) fn of_answer(
        method: &Method,
        status: StatusCode,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Self, Malformed> {
        let tunnels = *method == Method::CONNECT && status.is_success();
        if *method == Method::HEAD || tunnels || matches!(status.as_u16(), 100..=199 | 204 | 304) {
            return Ok(Self::None);
        }
        if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
            return match version {
                Version::HTTP_10 => Err(Malformed::Coding),
                _ if fields::last_is(coding, "chunked") => Ok(Self::Chunked),
                _ => Ok(Self::UntilClose),
            };
        }
        match fields::content_length(headers)? {
            Some(0) => Ok(Self::None),
            Some(length) => Ok(Self::Length(length)),
            None => Ok(Self::UntilClose),
        }
    }

    /// Whether lines say both a length and a coding, so that somebody else may see the body end elsewhere.
    pub(crate) fn is_ambiguous(headers: &HeaderMap) -> bool {
        headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH)
    }
}
