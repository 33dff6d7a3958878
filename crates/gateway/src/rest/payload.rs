//! A whole body between the client and an integration, as templates and mappings take it.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

use crate::body::Body;
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::mapping::{self, BodyView, Source};

/// A body that has been read.
#[derive(Default)]
pub(crate) struct Payload {
    pub(crate) bytes: Bytes,
}

impl Payload {
    /// The client's body.
    ///
    /// # Errors
    /// When it is too long or breaks off.
    pub(crate) async fn of_request(body: Body) -> Result<Self, GatewayFault> {
        Ok(Self { bytes: http_proxy::request_body(body).await? })
    }

    /// The body as text; bytes that are no UTF-8 are replaced (recorded).
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
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
