//! Header fields: where they stand in a head, and what some of them say of their message.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr_iter;
use smallvec::SmallVec;

use crate::Malformed;

/// Most headers of a message.
pub(crate) const HEADERS_MAX: usize = 100;

/// Whether an empty line ends after the first bytes, which were looked at before.
pub(crate) fn ends_head(bytes: &[u8], seen: usize) -> bool {
    let news = &bytes[seen.saturating_sub(3)..];
    memchr_iter(b'\n', news).any(|at| {
        let rest = &news[at + 1..];
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    })
}

/// Where the headers stand in the bytes of a head: these cannot be taken off as long as the parser's headers borrow them.
pub(crate) struct Places(SmallVec<[Place; USUALLY]>);

/// Headers of most messages: places of more are not on the stack.
const USUALLY: usize = 24;

struct Place {
    name: (usize, usize),
    value: (usize, usize),
}

impl Places {
    /// Those of headers that were parsed in these bytes.
    pub(crate) fn of(bytes: &[u8], parsed: &[httparse::Header<'_>]) -> Self {
        let place = |header: &httparse::Header<'_>| Place {
            name: span(bytes, header.name.as_bytes()),
            value: span(bytes, header.value),
        };
        Self(parsed.iter().map(place).collect())
    }

    /// The headers; their values share the memory of the head.
    ///
    /// # Errors
    /// If a name or a value is none.
    pub(crate) fn headers(&self, head: &Bytes) -> Result<HeaderMap, httparse::Error> {
        let mut headers = HeaderMap::with_capacity(self.0.len());
        for Place { name, value } in &self.0 {
            let name = HeaderName::from_bytes(&head[name.0..name.1]);
            let value = HeaderValue::from_maybe_shared(head.slice(value.0..value.1));
            headers.append(
                name.map_err(|_| httparse::Error::HeaderName)?,
                value.map_err(|_| httparse::Error::HeaderValue)?,
            );
        }
        Ok(headers)
    }
}

/// Where a part of some bytes begins and ends in them.
pub(crate) fn span(bytes: &[u8], part: &[u8]) -> (usize, usize) {
    let start = part.as_ptr() as usize - bytes.as_ptr() as usize;
    (start, start + part.len())
}

/// Appends a header.
pub(crate) fn write(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    write_value(bytes, value);
}

/// Appends what follows the name of a header.
pub(crate) fn write_value(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Appends a header whose value is a number.
pub(crate) fn write_length(bytes: &mut Vec<u8>, name: &str, number: u64) {
    write(bytes, name, itoa::Buffer::new().format(number).as_bytes());
}

/// The length that all `Content-Length` fields agree on.
///
/// # Errors
/// [`Malformed::Length`] if they do not, or one is no number (RFC 9112, section 6.3).
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut agreed = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let value = value.to_str().map_err(|_| Malformed::Length)?;
        for part in value.split(',') {
            let length = digits(part.trim().as_bytes()).ok_or(Malformed::Length)?;
            if *agreed.get_or_insert(length) != length {
                return Err(Malformed::Length);
            }
        }
    }
    Ok(agreed)
}

/// Digits and nothing else (RFC 9110, section 8.6).
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    let number = |number: u64, digit: &u8| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    };
    if text.is_empty() { None } else { text.iter().try_fold(0, number) }
}

/// Whether a list has this option (RFC 9110, section 5.6.1), whatever its case.
pub(crate) fn has(list: &HeaderValue, option: &str) -> bool {
    let list = list.to_str().unwrap_or_default();
    list.split(',').any(|part| part.trim().eq_ignore_ascii_case(option))
}

/// Whether this is the last option of a list.
pub(crate) fn last_is(list: &HeaderValue, option: &str) -> bool {
    let list = list.to_str().unwrap_or_default();
    list.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_agree_or_are_refused() {
        for (values, expected) in [
            (&[][..], Ok(None)),
            (&["0"], Ok(Some(0))),
            (&["18446744073709551615"], Ok(Some(u64::MAX))),
            (&["4", "4"], Ok(Some(4))),
            (&["4, 4"], Ok(Some(4))),
            (&["4", "5"], Err(Malformed::Length)),
            (&["4, 5"], Err(Malformed::Length)),
            (&[""], Err(Malformed::Length)),
            (&["+4"], Err(Malformed::Length)),
            (&["-4"], Err(Malformed::Length)),
            (&["0x4"], Err(Malformed::Length)),
            (&["4 4"], Err(Malformed::Length)),
            (&["4,"], Err(Malformed::Length)),
            (&["18446744073709551616"], Err(Malformed::Length)),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_LENGTH, HeaderValue::from_static(value));
            }
            assert_eq!(content_length(&headers), expected, "{values:?}");
        }
    }
}
