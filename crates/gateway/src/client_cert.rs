//! The certificate of a client of a domain with mutual TLS, as events and `$context` tell it.

use std::borrow::Cow;

use serde_json::{Value, json};

/// What is told of a client's certificate. The listener that verified it puts it into the request's extensions, in an
/// [`std::sync::Arc`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCert {
    /// The domain whose truststore vouches for it, in lower case.
    pub domain: String,
    pub pem: String,
    /// `CN=client,O=Example`
    pub subject: String,
    pub issuer: String,
    /// Hexadecimal bytes with colons between them.
    pub serial: String,
    /// `May 28 12:30:02 2019 GMT`
    pub not_before: String,
    pub not_after: String,
}

impl ClientCert {
    /// A variable below `$context.identity.clientCert`.
    pub(crate) fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = match name {
            "clientCertPem" => &self.pem,
            "subjectDN" => &self.subject,
            "issuerDN" => &self.issuer,
            "serialNumber" => &self.serial,
            "validity.notBefore" => &self.not_before,
            "validity.notAfter" => &self.not_after,
            _ => return None,
        };
        Some(text.into())
    }

    /// `clientCert` as functions and templates see it.
    pub(crate) fn told(&self) -> Value {
        json!({
            "clientCertPem": self.pem,
            "subjectDN": self.subject,
            "issuerDN": self.issuer,
            "serialNumber": self.serial,
            "validity": {"notBefore": self.not_before, "notAfter": self.not_after},
        })
    }
}
