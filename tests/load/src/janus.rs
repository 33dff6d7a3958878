//! Signalling with Janus' video room plugin over its HTTP API
//! (<https://janus.conf.meetecho.com/docs/rest.html>, <https://janus.conf.meetecho.com/docs/videoroom.html>).

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Result, http};

/// Janus' error code: the publisher is not there.
const NO_SUCH_FEED: u64 = 428;
const FEED_TRIES_MAX: u32 = 100;
const FEED_WAIT: Duration = Duration::from_millis(50);

/// What follows a message that asks for a session description.
enum Answer {
    Description(String),
    Refused(Value),
}

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
        self.answer()?.description()
    }

    /// Follows `feed` of a room; Janus' offer. A feed is there only some moments after its publisher is connected.
    pub(crate) fn subscribe(&self, room: u64, feed: u64) -> Result<String> {
        let streams = json!([{"feed": feed}]);
        let join = json!({"request": "join", "ptype": "subscriber", "room": room, "streams": streams});
        let mut tries = 0..FEED_TRIES_MAX;
        loop {
            self.message(join.clone(), None)?;
            let answer = self.answer()?;
            if !answer.is_refused_with(NO_SUCH_FEED) || tries.next().is_none() {
                return answer.description();
            }
            std::thread::sleep(FEED_WAIT);
        }
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

    /// Waits for the event that brings a session description, or says that there is none.
    fn answer(&self) -> Result<Answer> {
        loop {
            let event = http::get_json(&format!("{}?maxev=1", self.session))?;
            if let Some(sdp) = event["jsep"]["sdp"].as_str() {
                return Ok(Answer::Description(sdp.to_owned()));
            }
            let refused = &event["plugindata"]["data"]["error"];
            if event["janus"] == "error" || !refused.is_null() {
                return Ok(Answer::Refused(event));
            }
        }
    }
}

impl Answer {
    fn is_refused_with(&self, code: u64) -> bool {
        matches!(self, Self::Refused(event) if event["plugindata"]["data"]["error_code"] == code)
    }

    fn description(self) -> Result<String> {
        match self {
            Self::Description(sdp) => Ok(sdp),
            Self::Refused(event) => Err(format!("Janus refused: {event}").into()),
        }
    }
}

fn id(made: &Value) -> Result<u64> {
    made["data"]["id"].as_u64().ok_or_else(|| format!("Janus refused: {made}").into())
}
