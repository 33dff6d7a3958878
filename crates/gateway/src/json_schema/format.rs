//! `format` of JSON Schema draft 4, as the library behind API Gateway checks it. Formats that draft 4 does not have, such
//! as `date` and `int32`, mean nothing.
//!
//! <https://datatracker.ietf.org/doc/html/draft-fge-json-schema-validation-00#section-7.3>

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::civil::DateTime;

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
}

impl Format {
    /// A format by its name; `None` if it is none that is checked.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    /// What is wrong with a text; `None` if nothing is.
    pub(super) fn error(self, text: &str) -> Option<String> {
        let (holds, says) = match self {
            Self::DateTime => (
                is_time(text),
                "is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.SSSZ]",
            ),
            Self::Email => (is_email(text), "is not a valid email address"),
            Self::Hostname => (is_hostname(text), "is not a valid hostname"),
            Self::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "is not a valid IPv4 address"),
            Self::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "is not a valid IPv6 address"),
            Self::Uri => (is_uri(text), "is not a valid URI"),
        };
        (!holds).then(|| format!("string \"{text}\" {says}"))
    }
}

/// `2024-01-31T12:00:00Z`, with a fraction or without, with `Z` or an offset (`+01:00`, `+0100`).
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(offset_at) = time.find(['Z', '+', '-']) else { return false };
    let (clock, offset) = time.split_at(offset_at);
    let whole = clock.split('.').next().is_some_and(|clock| clock.len() == "12:00:00".len());
    whole && is_offset(offset) && format!("{date}T{clock}").parse::<DateTime>().is_ok()
}

fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let digits: Vec<u8> = text.bytes().skip(1).filter(|byte| *byte != b':').collect();
    let has_form = [5, 6].contains(&text.len()) && digits.iter().all(u8::is_ascii_digit);
    let colon = text.as_bytes().get(3) == Some(&b':');
    has_form
        && digits.len() == 4
        && colon == (text.len() == 6)
        && digits[..2] < b"24"[..]
        && digits[2..] < b"60"[..]
}

/// A local part and a domain, without blanks (RFC 5321 without quotes, which hardly anybody has).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_part = |part: &str| !part.is_empty() && part.split('.').all(|atom| !atom.is_empty());
    let is_atom =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && !"()<>,;:\\\"[]@".contains(letter);
    is_part(local) && local.chars().all(is_atom) && is_part(domain) && domain.chars().all(is_atom)
}

/// RFC 1123, section 2.1.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Absolute or relative: only letters that a URI can have (RFC 3986, section 2), and whole percent encodings.
fn is_uri(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    text.bytes().all(allowed)
        && escapes
            .all(|rest| rest.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, good: &[&str], bad: &[&str]) {
        let format = Format::parse(format).expect("a format that is checked");
        for text in good {
            assert_eq!(format.error(text), None);
        }
        for text in bad {
            assert!(format.error(text).is_some_and(|error| error.contains(text)), "{format:?} {text}");
        }
    }

    #[test]
    fn texts_have_their_format() {
        check(
            "date-time",
            &[
                "2024-01-31T12:00:00Z",
                "2024-01-31T12:00:00.123Z",
                "2024-02-29T23:59:59+01:00",
                "2024-01-31T12:00:00-0730",
            ],
            &[
                "2024-01-31",
                "2023-02-29T12:00:00Z",
                "2024-01-31T12:00Z",
                "2024-01-31T12:00:00",
                "banana",
                "2024-01-31T12:00:00+25:00",
                "2024-01-31T12:00:00+1:000",
            ],
        );
        check(
            "email",
            &["a@b.example", "a.b+c@localhost"],
            &["a", "@b", "a@", "a b@c", "a@b@c", "a..b@c", "a@b..c"],
        );
        check("hostname", &["example.com", "a-1"], &["", "-a", "a_b", "a..b", "a b"]);
        check("ipv4", &["192.0.2.1"], &["192.0.2", "192.0.2.256", "x"]);
        check("ipv6", &["2001:db8::1", "::"], &["192.0.2.1", "2001:db8:::1"]);
        check(
            "uri",
            &["https://example.com/a?b#c", "/relative", "a%20b"],
            &["a b", "a%2", "a%zz", "\u{e9}", "<a>"],
        );
        assert_eq!(Format::Email.error("me"), Some("string \"me\" is not a valid email address".to_owned()));
        for unknown in ["date", "int32", "int64", "uuid", "password", ""] {
            assert_eq!(Format::parse(unknown), None);
        }
    }
}
