//! Percent-encoding as AWS signs it: only `A-Z a-z 0-9 - _ . ~` stay, hexadecimal digits are upper case.
//!
//! Not here: which parts of a URI are encoded how often; that is `sigv4`'s canonical form.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but RFC 3986 section 2.3's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes one label or one query key or value; `/` becomes `%2F`.
pub fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

/// Encodes a path: like [`encode`], but `/` stays.
pub fn encode_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, RESERVED_IN_PATH).into()
}

/// Decodes a path label: `+` stays a plus sign. A `%` that two hexadecimal digits do not follow stays as it
/// is. `None` if the result is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Decodes a query key or value: like [`decode`], but `+` means a space.
pub fn decode_query(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decode(text);
    }
    let spaced = text.replace('+', " ");
    Some(Cow::Owned(decode(&spaced)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_aws_calls_reserved() {
        let cases = [
            ("", "", ""),
            ("azAZ09-_.~", "azAZ09-_.~", "azAZ09-_.~"),
            ("a/b", "a%2Fb", "a/b"),
            ("a b+c", "a%20b%2Bc", "a%20b%2Bc"),
            ("%3A", "%253A", "%253A"),
            ("!'()*:@$,;=&", "%21%27%28%29%2A%3A%40%24%2C%3B%3D%26", "%21%27%28%29%2A%3A%40%24%2C%3B%3D%26"),
            ("ሴ", "%E1%88%B4", "%E1%88%B4"),
        ];
        for (text, label, path) in cases {
            assert_eq!(encode(text), label, "{text:?} as a label");
            assert_eq!(encode_path(text), path, "{text:?} as a path");
            assert_eq!(decode(label).as_deref(), Some(text), "{label:?} back");
        }
    }

    #[test]
    fn decodes_leniently_but_only_to_utf8() {
        let cases = [
            ("a+b", Some("a+b"), Some("a b")),
            ("a%2Bb%20c", Some("a+b c"), Some("a+b c")),
            ("%", Some("%"), Some("%")),
            ("%zz%4", Some("%zz%4"), Some("%zz%4")),
            ("%ff", None, None),
            ("+%ff", None, None),
        ];
        for (text, plain, query) in cases {
            assert_eq!(decode(text).as_deref(), plain, "{text:?}");
            assert_eq!(decode_query(text).as_deref(), query, "{text:?} in a query");
        }
    }
}
