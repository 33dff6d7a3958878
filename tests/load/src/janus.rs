//! Signalling with Janus' video room plugin over its HTTP API
//! (<https://janus.conf.meetecho.com/docs/rest.html>, <https://janus.conf.meetecho.com/docs/videoroom.html>).

use serde_json::{Value, json};

use crate::{Result, http};

/// A session of Janus with one handle of the plugin.
pub(crate) struct Handle {
    session: String,
    handle: String,
}

impl Handle {
    pub(crate) fn attach(url: &str) -> Result<Handle> {
        let made = http::post_json(url, &json!({"janus": "create", "transaction": "create"}))?;
        let session = format!("{url}/{}", id(&made)?);
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.videoroom", "transaction": "attach"});
        let made = http::post_json(&session, &attach)?;
        let handle = format!("{session}/{}", id(&made)?);
        Ok(Handle { session, handle })
    }

    /// Publishes as `feed` of a room; the answer to the offer.
    pub(crate) fn publish(&self, room: u64, feed: u64, offer: &str) -> Result<String> {
        let body = json!({"request": "joinandconfigure", "ptype": "publisher", "room": room, "id": feed});
        self.message(body, Some(json!({"type": "offer", "sdp": offer})))?;
        self.description()
    }

    /// Follows `feed` of a room; Janus' offer.
    pub(crate) fn subscribe(&self, room: u64, feed: u64) -> Result<String> {
        let streams = json!([{"feed": feed}]);
        self.message(
            json!({"request": "join", "ptype": "subscriber", "room": room, "streams": streams}),
            None,
        )?;
        self.description()
    }

    /// Answers the offer.
    pub(crate) fn start(&self, answer: &str) -> Result {
        self.message(json!({"request": "start"}), Some(json!({"type": "answer", "sdp": answer})))
    }

    fn message(&self, body: Value, description: Option<Value>) -> Result {
        let mut message = json!({"janus": "message", "transaction": "message", "body": body});
        if let Some(description) = description {
            message["jsep"] = description;
        }
        let answer = http::post_json(&self.handle, &message)?;
        if answer["janus"] == "ack" { Ok(()) } else { Err(format!("Janus refused: {answer}").into()) }
    }

    /// Waits for the event that brings a session description.
    fn description(&self) -> Result<String> {
        loop {
            let event = http::get_json(&format!("{}?maxev=1", self.session))?;
            if let Some(sdp) = event["jsep"]["sdp"].as_str() {
                return Ok(sdp.to_owned());
            }
            let refused = &event["plugindata"]["data"]["error"];
            if event["janus"] == "error" || !refused.is_null() {
                return Err(format!("Janus refused: {event}").into());
            }
        }
    }
}

fn id(made: &Value) -> Result<u64> {
    made["data"]["id"].as_u64().ok_or_else(|| format!("Janus refused: {made}").into())
}
