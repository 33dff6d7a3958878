//! How header names are written back to those who asked for them: hyper reads names without their case. Pure.

use std::sync::Arc;

use http::{HeaderName, Method, Version};

use crate::heads::{Heads, Lines, Written};

/// A name that AWS writes in its own way whatever the client sent.
fn aws_writes(name: &HeaderName) -> Option<&'static str> {
    Some(match name.as_str() {
        "authorization" => "Authorization",
        "host" => "Host",
        "user-agent" => "User-Agent",
        "x-amzn-trace-id" => "X-Amzn-Trace-Id",
        "x-forwarded-for" => "X-Forwarded-For",
        "x-forwarded-port" => "X-Forwarded-Port",
        "x-forwarded-proto" => "X-Forwarded-Proto",
        _ => return None,
    })
}

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
        if let Some(aws) = aws_writes(name) {
            return aws.to_owned();
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
                let written = aws_writes(name).map(str::as_bytes);
                let written = written.or_else(|| lines.as_mut().and_then(|lines| lines.spelling(name)));
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
    let mut begins = true;
    let letter = |letter: char| {
        let capital = std::mem::replace(&mut begins, letter == '-');
        if capital { letter.to_ascii_uppercase() } else { letter }
    };
    name.chars().map(letter).collect()
}
