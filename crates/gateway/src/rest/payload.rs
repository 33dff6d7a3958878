//! A whole body between the client and an integration: bytes or text, as `binaryMediaTypes` and `contentHandling` say,
//! and as templates and mappings take it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>, every
//! combination recorded.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::Value;
use stagedoor_api::apigateway::ContentHandlingStrategy;

use super::call::Call;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::mapping::{self, BodyView, Source};

/// `contentHandling`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Handling {
    #[default]
    AsItIs,
    ToBinary,
    ToText,
}

impl From<Option<ContentHandlingStrategy>> for Handling {
    fn from(stored: Option<ContentHandlingStrategy>) -> Self {
        match stored {
            None => Self::AsItIs,
            Some(ContentHandlingStrategy::ConvertToBinary) => Self::ToBinary,
            Some(ContentHandlingStrategy::ConvertToText) => Self::ToText,
        }
    }
}

/// A body that has been read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) bytes: Bytes,
    /// No template takes it.
    pub(crate) is_binary: bool,
}

impl Payload {
    /// The client's body, as the integration asks for it.
    ///
    /// # Errors
    /// When it is too long or breaks off; a configuration error when it must be base64 and is none.
    pub(crate) async fn of_request(
        body: Body,
        call: &Call<'_>,
        handling: Handling,
    ) -> Result<Self, GatewayFault> {
        let bytes = http_proxy::request_body(body).await?;
        let is_binary = call.stage.deployed.binary.contain(&call.head.headers, header::CONTENT_TYPE);
        Self::sent(bytes, handling, is_binary)
    }

    fn sent(bytes: Bytes, handling: Handling, is_binary: bool) -> Result<Self, GatewayFault> {
        Ok(match (is_binary, handling) {
            (true, Handling::AsItIs | Handling::ToBinary) => Self { bytes, is_binary },
            (true, Handling::ToText) => encoded(&bytes),
            (false, Handling::AsItIs | Handling::ToText) => as_text(bytes),
            (false, Handling::ToBinary) => decoded(&bytes, "request")?,
        })
    }

    /// An integration's answer, as its integration response and the client ask for it.
    ///
    /// # Errors
    /// A configuration error when it must be base64 and is none.
    pub(crate) fn of_answer(
        bytes: Bytes,
        headers: &HeaderMap,
        call: &Call<'_>,
        handling: Handling,
    ) -> Result<Self, GatewayFault> {
        let binary = &call.stage.deployed.binary;
        let is_binary = binary.contain(headers, header::CONTENT_TYPE);
        let accepts_binary = binary.contain(&call.head.headers, header::ACCEPT);
        Self::answered(bytes, handling, is_binary, accepts_binary)
    }

    fn answered(
        bytes: Bytes,
        handling: Handling,
        is_binary: bool,
        accepts_binary: bool,
    ) -> Result<Self, GatewayFault> {
        let to_binary = match handling {
            Handling::AsItIs => accepts_binary,
            Handling::ToBinary => true,
            Handling::ToText => false,
        };
        Ok(match (is_binary, to_binary) {
            (true, true) => Self { bytes, is_binary },
            (true, false) => encoded(&bytes),
            (false, true) if bytes.is_empty() => Self::default(),
            (false, true) => decoded(&bytes, "response")?,
            (false, false) => as_text(bytes),
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// Bytes that are no UTF-8 become U+FFFD.
fn as_text(bytes: Bytes) -> Payload {
    let bytes = match String::from_utf8_lossy(&bytes) {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(replaced) => replaced.into(),
    };
    Payload { bytes, is_binary: false }
}

fn encoded(bytes: &Bytes) -> Payload {
    Payload { bytes: STANDARD.encode(bytes).into(), is_binary: false }
}

fn decoded(bytes: &Bytes, what: &str) -> Result<Payload, GatewayFault> {
    let decoded = STANDARD.decode(bytes.trim_ascii()).map_err(|_| {
        GatewayFault::Configuration(format!("Unable to base64 decode the {what} body").into())
    })?;
    Ok(Payload { bytes: decoded.into(), is_binary: true })
}

/// A body's text and, if one of these mappings asks, its JSON.
pub(crate) struct Readable<'p> {
    text: Cow<'p, str>,
    json: Option<Value>,
}

impl<'p> Readable<'p> {
    /// # Errors
    /// `fault` when a mapping needs JSON and the body, which looks like it, is none.
    pub(crate) fn new<'s>(
        payload: &'p Payload,
        sources: impl Iterator<Item = &'s Source>,
        fault: impl FnOnce() -> GatewayFault,
    ) -> Result<Self, GatewayFault> {
        let text = payload.text();
        let json =
            if mapping::read_json(sources) { mapping::body_json(&text).map_err(|_| fault())? } else { None };
        Ok(Self { text, json })
    }

    pub(crate) fn view(&self) -> BodyView<'_> {
        BodyView { text: &self.text, json: self.json.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = &[0x89, b'P', b'N', b'G'];

    fn told(payload: Result<Payload, GatewayFault>) -> String {
        match payload {
            Ok(payload) => {
                let kind = if payload.is_binary { "bytes" } else { "text" };
                format!("{kind} {}", payload.bytes.escape_ascii())
            }
            Err(_) => "500".to_owned(),
        }
    }

    /// The twelve combinations of the guide's table of requests; recorded.
    #[test]
    fn requests_become_what_the_integration_takes() {
        use Handling::*;
        for (bytes, is_binary, handling, expected) in [
            (PNG, true, AsItIs, r"bytes \x89PNG"),
            (PNG, true, ToBinary, r"bytes \x89PNG"),
            (PNG, true, ToText, "text iVBORw=="),
            (PNG, false, AsItIs, r"text \xef\xbf\xbdPNG"),
            (PNG, false, ToText, r"text \xef\xbf\xbdPNG"),
            (PNG, false, ToBinary, "500"),
            (b"iVBORw==".as_slice(), false, ToBinary, r"bytes \x89PNG"),
            (b"plain".as_slice(), false, AsItIs, "text plain"),
        ] {
            let sent = Payload::sent(Bytes::from_static(bytes), handling, is_binary);
            assert_eq!(told(sent), expected, "{is_binary} {handling:?}");
        }
    }

    #[test]
    fn answers_become_what_the_client_accepts() {
        use Handling::*;
        const TEXT: &[u8] = b"iVBORw==";
        for (bytes, is_binary, accepts_binary, handling, expected) in [
            (PNG, true, true, AsItIs, r"bytes \x89PNG"),
            (PNG, true, false, AsItIs, "text iVBORw=="),
            (TEXT, false, true, AsItIs, r"bytes \x89PNG"),
            (b"{}".as_slice(), false, true, AsItIs, "500"),
            (PNG, false, false, AsItIs, r"text \xef\xbf\xbdPNG"),
            (PNG, true, true, ToText, "text iVBORw=="),
            (PNG, true, false, ToText, "text iVBORw=="),
            (TEXT, false, true, ToText, "text iVBORw=="),
            (TEXT, false, false, ToText, "text iVBORw=="),
            (TEXT, false, false, ToBinary, r"bytes \x89PNG"),
            (PNG, false, true, ToBinary, "500"),
            (PNG, true, false, ToBinary, r"bytes \x89PNG"),
        ] {
            let answered = Payload::answered(Bytes::from_static(bytes), handling, is_binary, accepts_binary);
            assert_eq!(told(answered), expected, "{is_binary} {accepts_binary} {handling:?}");
        }
    }
}
