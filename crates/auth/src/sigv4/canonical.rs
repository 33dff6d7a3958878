//! The canonical request: the one string that both sides derive from a request and then sign.
//!
//! SDKs and HTTP libraries disagree on small points of a path or query, so a verifier may have to try a few
//! forms. Each further form is accepted only where it cannot stand for a different resource; their number
//! does not depend on the request's length.

use std::borrow::Cow;

use http::HeaderMap;

use super::hash::{hex, sha256};
use super::request::Request;
use super::{ALGORITHM, Scope};
use crate::percent;

/// A canonical request, but for path and query.
pub(super) struct Canonical<'a> {
    method: &'a str,
    /// `name:value\n` per signed header, a blank line, the names; header values need not be UTF-8.
    headers: Vec<u8>,
    payload: Cow<'a, str>,
}

impl<'a> Canonical<'a> {
    /// `signed_headers` must be in lower case and sorted.
    pub(super) fn new(request: &Request<'a>, signed_headers: &[String], payload: Cow<'a, str>) -> Self {
        Self { method: request.method.as_str(), headers: headers(request, signed_headers), payload }
    }

    /// The canonical request with this canonical path and query.
    pub(super) fn with(&self, path: &str, query: &str) -> Vec<u8> {
        let mut text = Vec::with_capacity(path.len() + query.len() + self.headers.len() + 128);
        for line in [self.method, path, query] {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        text.extend_from_slice(&self.headers);
        text.push(b'\n');
        text.extend_from_slice(self.payload.as_bytes());
        text
    }
}

/// The string to sign over a canonical request; `time` is in ISO 8601 basic format.
pub(super) fn string_to_sign(canonical_request: &[u8], time: &str, scope: &Scope) -> String {
    format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&sha256(canonical_request)))
}

fn headers(request: &Request<'_>, signed_headers: &[String]) -> Vec<u8> {
    let mut block = Vec::new();
    for name in signed_headers {
        block.extend_from_slice(name.as_bytes());
        block.push(b':');
        match request.host {
            Some(host) if name == "host" => push_trimmed(&mut block, host.as_bytes()),
            _ => push_values(&mut block, request.headers, name),
        }
        block.push(b'\n');
    }
    block.push(b'\n');
    block.extend_from_slice(signed_headers.join(";").as_bytes());
    block
}

fn push_values(block: &mut Vec<u8>, headers: &HeaderMap, name: &str) {
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            block.push(b',');
        }
        push_trimmed(block, value.as_bytes());
    }
}

/// Drops outer white space and makes each inner run of it one space, also inside quotes, as all SDKs do.
fn push_trimmed(block: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            block.push(b' ');
        }
        block.extend_from_slice(word);
    }
}

/// The canonical paths that known clients derive from one path on the wire, likeliest first; at most four.
pub(super) fn path_forms(path: &str) -> Vec<String> {
    // botocore, JavaScript, Java, Rust: the path without dot segments and double slashes, encoded once more.
    let mut forms = vec![path_form(path)];
    // Go: the same, but nothing taken out of the path.
    push_new(&mut forms, percent::encode_path(path).into_owned());
    // A client that signed `%3A` behind an HTTP library or proxy that then sent `:`. Each segment is brought
    // to its fully encoded form first, which decodes to the same text.
    if let Some(encoded) = encoded_once(&normalized(path)) {
        push_new(&mut forms, percent::encode_path(&encoded).into_owned());
        // curl before 8.0 and hand-written signers do not encode again. Not where the path bears `%25`:
        // there the same string is also the canonical form of another resource's path.
        if !path.contains("%25") {
            push_new(&mut forms, if path.is_empty() { "/".to_owned() } else { path.to_owned() });
        }
    }
    forms
}

/// The canonical path that we sign, and try first.
pub(super) fn path_form(path: &str) -> String {
    percent::encode_path(&normalized(path)).into_owned()
}

/// The canonical path of Amazon S3, whose keys may have any segments: nothing is taken out, nothing encoded again.
pub(super) fn s3_path_form(path: &str) -> String {
    encoded_once(path).unwrap_or_else(|| path.to_owned())
}

fn push_new(forms: &mut Vec<String>, form: String) {
    if !forms.contains(&form) {
        forms.push(form);
    }
}

/// RFC 3986 section 5.2.4 without dot segments, and AWS's addition: no empty segments either. Like botocore's
/// `remove_dot_segments` (`botocore/utils.py`), a final slash stays unless nothing else does.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    let last = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{last}", segments.join("/"))
}

/// The path with every segment decoded and encoded again; `None` if a segment is not UTF-8.
fn encoded_once(path: &str) -> Option<String> {
    let segments: Option<Vec<String>> = path
        .split('/')
        .map(|segment| Some(percent::encode(&percent::decode(segment)?).into_owned()))
        .collect();
    Some(segments?.join("/"))
}

/// The canonical queries that known clients derive from one query on the wire; one or two. Parameters for
/// which `skip` holds (given the raw key) are left out.
pub(super) fn query_forms(query: &str, skip: impl Fn(&str) -> bool) -> Vec<String> {
    let mut decoded = Some(Vec::new());
    let mut raw = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if skip(key) {
            continue;
        }
        raw.push((Cow::Borrowed(key), Cow::Borrowed(value)));
        match (reencoded(key), reencoded(value), &mut decoded) {
            (Some(key), Some(value), Some(pairs)) => pairs.push((Cow::Owned(key), Cow::Owned(value))),
            _ => decoded = None,
        }
    }
    // JavaScript, Rust and servers decode and encode again; botocore signs the pairs of an URL as they stand.
    let mut forms: Vec<String> = decoded.map(joined).into_iter().collect();
    push_new(&mut forms, joined(raw));
    forms
}

fn reencoded(text: &str) -> Option<String> {
    Some(percent::encode(&percent::decode_query(text)?).into_owned())
}

fn joined(mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> String {
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        let cases = [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/a/../../b", "/b"),
            ("/a//b/", "/a/b/"),
            ("/a/./b", "/a/b"),
            ("/tags/arn%3Aaws%3Aivs", "/tags/arn%253Aaws%253Aivs"),
            ("/tags/arn:aws:ivs", "/tags/arn%3Aaws%3Aivs"),
            ("/a b/ሴ", "/a%20b/%E1%88%B4"),
        ];
        for (path, expected) in cases {
            assert_eq!(path_form(path), expected, "{path:?}");
        }
    }

    #[test]
    fn paths_of_s3_are_keys() {
        for (path, expected) in [
            ("/", "/"),
            ("/b/a%20b.png", "/b/a%20b.png"),
            ("/b/test$file", "/b/test%24file"),
            ("/b//a/../c/", "/b//a/../c/"),
            ("/b/%2F", "/b/%2F"),
        ] {
            assert_eq!(s3_path_form(path), expected, "{path:?}");
        }
    }

    #[test]
    fn further_path_forms_are_few_and_name_the_same_resource() {
        let cases: [(&str, &[&str]); 6] = [
            ("/restapis", &["/restapis"]),
            ("/a//b", &["/a/b", "/a//b"]),
            ("/tags/arn:aws", &["/tags/arn%3Aaws", "/tags/arn%253Aaws", "/tags/arn:aws"]),
            ("/tags/arn%3Aaws", &["/tags/arn%253Aaws", "/tags/arn%3Aaws"]),
            // Unencoded this would be the canonical path of `/tags/arn%3Aaws`, so that form is missing.
            ("/tags/arn%253Aaws", &["/tags/arn%25253Aaws"]),
            ("/%ff", &["/%25ff"]),
        ];
        for (path, expected) in cases {
            assert_eq!(path_forms(path), expected, "{path:?}");
        }
    }

    #[test]
    fn queries_are_sorted_by_encoded_key_then_value() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[""]),
            ("b=2&a=1", &["a=1&b=2"]),
            ("a=2&a=1&A=3", &["A=3&a=1&a=2"]),
            ("a", &["a="]),
            ("a=%2f", &["a=%2F", "a=%2f"]),
            ("a=x+y", &["a=x%20y", "a=x+y"]),
            ("tagKeys=b%20c&tagKeys=a", &["tagKeys=a&tagKeys=b%20c"]),
            ("a=%ff&skipped=1", &["a=%ff"]),
        ];
        for (query, expected) in cases {
            assert_eq!(query_forms(query, |key| key == "skipped"), expected, "{query:?}");
        }
    }

    #[test]
    fn header_values_lose_outer_and_repeated_white_space() {
        let cases =
            [("", ""), ("  a  ", "a"), ("a   b\t c", "a b c"), ("\"a   b\"", "\"a b\""), (" \t ", "")];
        for (value, expected) in cases {
            let mut block = Vec::new();
            push_trimmed(&mut block, value.as_bytes());
            assert_eq!(block, expected.as_bytes(), "{value:?}");
        }
    }
}
