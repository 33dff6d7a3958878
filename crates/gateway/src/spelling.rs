//! How header names are written back to those who asked for them: hyper reads names without their case. Pure.

use std::sync::Arc;

use http::{HeaderName, Method, Version};

use crate::heads::{Heads, Lines, Written};

/// Names that AWS writes in this way whatever the client sent.
const AWS_WRITES: [&str; 7] = [
    "authorization",
    "host",
    "user-agent",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// How the names of a client's headers are spelt.
#[derive(Debug)]
pub(crate) struct Spelling {
    version: Version,
    written: Option<Written>,
}

impl Spelling {
    /// That of a client of this version of HTTP, whose head was this if that is known.
    pub(crate) fn new(version: Version, written: Option<Written>) -> Self {
        Self { version, written }
    }

    /// A header's name: over HTTP/1 as the client wrote it, else as nearly every client does, `Content-Type`; over
    /// HTTP/2 in lower case; but for those that AWS itself writes.
    pub(crate) fn of(&self, name: &HeaderName) -> String {
        if AWS_WRITES.contains(&name.as_str()) {
            return capitalised(name.as_str());
        }
        if let Some(written) = self.written.as_ref().and_then(|written| written.spelling(name)) {
            return written.to_owned();
        }
        if self.version < Version::HTTP_2 { capitalised(name.as_str()) } else { name.as_str().to_owned() }
    }
}

/// How names of headers are written to a backend: as the client wrote them, but for those that AWS itself writes; in
/// lower case where that is not known.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The client's method.
    pub(crate) method: Method,
    pub(crate) heads: Option<Arc<Heads>>,
}

impl Names {
    /// Calls `write` with what appends a name.
    pub(crate) fn write(&self, write: impl FnOnce(&mut dyn FnMut(&mut Vec<u8>, &HeaderName))) {
        let with = |mut lines: Option<Lines<'_>>| {
            write(&mut |bytes, name| {
                if AWS_WRITES.contains(&name.as_str()) {
                    // Names have no letters but those of ASCII.
                    bytes.extend(capital_letters(name.as_str()).map(|letter| letter as u8));
                    return;
                }
                let written = lines.as_mut().and_then(|lines| lines.spelling(name));
                bytes.extend_from_slice(written.unwrap_or(name.as_str().as_bytes()));
            });
        };
        match &self.heads {
            Some(heads) => heads.show(&self.method, with),
            None => with(None),
        }
    }
}

/// A header of an answer, as AWS writes it.
pub(crate) fn answered(name: &HeaderName) -> String {
    match name.as_str() {
        "x-amzn-errortype" => "x-amzn-ErrorType".to_owned(),
        "x-amzn-requestid" => "x-amzn-RequestId".to_owned(),
        "x-amzn-apigateway-api-id" => "x-amzn-apigateway-api-id".to_owned(),
        "x-amzn-lambda-integration-tag" => "x-amzn-lambda-integration-tag".to_owned(),
        other => match other.strip_prefix("x-amzn-remapped-") {
            Some(remapped) => format!("x-amzn-Remapped-{}", capitalised(remapped)),
            None => capitalised(other),
        },
    }
}

/// `Content-Type`
pub(crate) fn capitalised(name: &str) -> String {
    let mut spelt = String::with_capacity(name.len());
    spelt.extend(capital_letters(name));
    spelt
}

fn capital_letters(name: &str) -> impl Iterator<Item = char> {
    let mut begins = true;
    name.chars().map(move |letter| {
        let capital = std::mem::replace(&mut begins, letter == '-');
        if capital { letter.to_ascii_uppercase() } else { letter }
    })
}
