//! A request's body as a member of an event: text, or bytes in base64. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

/// `body` and `isBase64Encoded`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// `None` if there is no body.
    pub(super) text: Option<String>,
    pub(super) is_base64: bool,
}

/// REST APIs: the binary media types decide. Bytes that are no UTF-8 are replaced in text.
pub(super) fn of_rest(body: &[u8], is_binary: bool) -> Told {
    match (body.is_empty(), is_binary) {
        (true, _) => Told { text: None, is_base64: false },
        (false, true) => base64(body),
        (false, false) => Told { text: Some(String::from_utf8_lossy(body).into_owned()), is_base64: false },
    }
}

/// HTTP APIs: the body's own type decides.
pub(super) fn of_http(body: &[u8], headers: &HeaderMap) -> Told {
    if body.is_empty() {
        return Told { text: None, is_base64: false };
    }
    let is_text = !headers.contains_key(header::CONTENT_ENCODING) && is_text(headers);
    match std::str::from_utf8(body) {
        Ok(text) if is_text => Told { text: Some(text.to_owned()), is_base64: false },
        _ => base64(body),
    }
}

fn base64(body: &[u8]) -> Told {
    Told { text: Some(STANDARD.encode(body)), is_base64: true }
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&media_type)
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_type_decides_in_http_apis() {
        let check = |content_type: &'static str, body: &[u8], expected: &str, is_base64: bool| {
            let mut headers = HeaderMap::new();
            if !content_type.is_empty() {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
            let told = of_http(body, &headers);
            assert_eq!((told.text.as_deref(), told.is_base64), (Some(expected), is_base64), "{content_type}");
        };
        check("text/plain", b"a", "a", false);
        check("application/json; charset=utf-8", b"{}", "{}", false);
        check("application/problem+json", b"{}", "{}", false);
        check("image/svg+xml", b"<a/>", "<a/>", false);
        check("", b"a", "a", false);
        check("application/x-www-form-urlencoded", b"a=1", "YT0x", true);
        check("image/png", b"a", "YQ==", true);
        check("text/plain", b"\xff", "/w==", true);
    }

    #[test]
    fn text_of_rest_apis_has_replacements() {
        let told = |body, binary| of_rest(body, binary).text.unwrap_or_default();
        assert_eq!(told(b"a\xffb", false), "a\u{FFFD}b");
        assert_eq!(told(b"a\xffb", true), "Yf9i");
        assert_eq!(of_rest(b"", true), Told { text: None, is_base64: false });
    }
}
