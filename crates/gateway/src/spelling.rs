//! How header names are written back to those who asked for them: the server reads names without their case. Pure.

use http::{HeaderName, Version};

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

/// A header's name, spelt for clients of this version of HTTP: over HTTP/1 as nearly every client writes it,
/// `Content-Type`; over HTTP/2 in lower case, but for those that AWS itself writes.
pub(crate) fn header(name: &HeaderName, version: Version) -> String {
    if version < Version::HTTP_2 || AWS_WRITES.contains(&name.as_str()) {
        capitalised(name.as_str())
    } else {
        name.as_str().to_owned()
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
    let mut begins = true;
    for letter in name.chars() {
        spelt.push(if begins { letter.to_ascii_uppercase() } else { letter });
        begins = letter == '-';
    }
    spelt
}
