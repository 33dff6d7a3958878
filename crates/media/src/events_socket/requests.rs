//! What clients ask for on the events socket, and the answers. All but `PING` are messages of our own, as the table in
//! [`super`] has them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::choice;
use crate::exchange::Refused;
use crate::presence::{Remote, Visitor};
use crate::service::Handle;
use crate::token::Bearer;

/// What a client's message is.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum FromClient {
    #[serde(rename = "PING")]
    Ping,
    #[serde(rename = "x-stagedoor-CHOOSE_LAYER")]
    ChooseLayer { payload: Value },
    #[serde(rename = "x-stagedoor-SET_MUTED")]
    SetMuted { payload: Value },
    #[serde(rename = "x-stagedoor-REPORT_FRAMES")]
    ReportFrames { payload: Value },
    #[serde(rename = "x-stagedoor-EXCHANGE_TOKEN")]
    ExchangeToken { payload: Value },
}

/// Whether one sends sound and picture; what is missing stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Muted {
    audio_muted: Option<bool>,
    video_stopped: Option<bool>,
}

/// Pictures of somebody since the subscription began, as a browser's `getStats` counts them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frames {
    participant_id: String,
    frames_received: u64,
    frames_dropped: u64,
}

impl Handle {
    /// The answer to one message of a client; `None` to what we do not know, as AWS's service is free to have messages
    /// of its own. A token that was exchanged takes the place of the socket's.
    pub(super) fn reply(&self, bearer: &mut Bearer, message: &str) -> Option<String> {
        let reply = match serde_json::from_str(message).ok()? {
            FromClient::Ping => return Some(r#"{"type":"PONG"}"#.to_owned()),
            FromClient::ChooseLayer { payload } => self.choose_layer(&bearer.visitor, &payload),
            FromClient::SetMuted { payload } => self.set_muted(&bearer.visitor, payload),
            FromClient::ReportFrames { payload } => return self.take_frames(&bearer.visitor, payload),
            FromClient::ExchangeToken { payload } => self.take_token(bearer, &payload),
        };
        Some(reply.to_string())
    }

    /// The participant wants another simulcast layer of somebody whom it receives.
    fn choose_layer(&self, visitor: &Visitor, payload: &Value) -> Value {
        let remote = payload["participantId"].as_str().unwrap_or_default();
        let refused = |problem: &str| {
            let payload = json!({"participantId": remote, "message": problem});
            json!({"type": "x-stagedoor-LAYER_REFUSED", "payload": payload})
        };
        let choice = match choice::from_json(payload) {
            Ok(choice) => choice,
            Err(problem) => return refused(problem),
        };
        let (subscriptions, published) = self.inner.look(|presence| {
            let Visitor { stage_arn, participant_id, .. } = visitor;
            (presence.subscriptions(stage_arn, participant_id, remote), presence.remote(stage_arn, remote))
        });
        if subscriptions.is_empty() {
            return refused("the participant is not being received");
        }
        if !self.inner.choose(subscriptions, &choice) {
            return refused("the server is overloaded");
        }
        let layers = match published {
            Remote::Publishing { video: Some(track) } => track.rids,
            _ => Vec::new(),
        };
        let layers: Vec<&str> = layers.iter().map(|rid| &**rid).collect();
        json!({"type": "x-stagedoor-LAYER_CHOSEN", "payload": {"participantId": remote, "layers": layers}})
    }

    /// The participant says whether it sends sound and picture, for the others to show.
    fn set_muted(&self, visitor: &Visitor, payload: Value) -> Value {
        let refused =
            |problem: &str| json!({"type": "x-stagedoor-MUTED_REFUSED", "payload": {"message": problem}});
        let Ok(Muted { audio_muted, video_stopped }) = serde_json::from_value(payload) else {
            return refused("audioMuted and videoStopped must be true or false");
        };
        let Visitor { stage_arn, participant_id, .. } = visitor;
        let set = self
            .inner
            .change(|presence, _| presence.set_muted(stage_arn, participant_id, audio_muted, video_stopped));
        match set {
            Some(muted) => {
                let payload = json!({"audioMuted": muted.audio, "videoStopped": muted.video});
                json!({"type": "x-stagedoor-MUTED", "payload": payload})
            }
            None => refused("the participant is not publishing"),
        }
    }

    /// The participant says how well it sees somebody, for the metrics. There is an answer only if that is no good.
    fn take_frames(&self, visitor: &Visitor, payload: Value) -> Option<String> {
        let refused = |problem: &str| {
            let payload = json!({"message": problem});
            Some(json!({"type": "x-stagedoor-REPORT_REFUSED", "payload": payload}).to_string())
        };
        let Ok(Frames { participant_id: remote, frames_received, frames_dropped }) =
            serde_json::from_value(payload)
        else {
            return refused("participantId must be text, framesReceived and framesDropped whole numbers");
        };
        let Visitor { stage_arn, participant_id, .. } = visitor;
        let taken = self.inner.change(|presence, _| {
            presence.report_frames(stage_arn, participant_id, &remote, frames_received, frames_dropped)
        });
        if taken { None } else { refused("the participant is not being received") }
    }

    fn take_token(&self, bearer: &mut Bearer, payload: &Value) -> Value {
        let token = payload["token"].as_str().unwrap_or_default();
        match self.inner.exchange(bearer, token) {
            Ok(()) => {
                let claims = &bearer.claims;
                let payload = json!({
                    "capabilities": {
                        "allow_publish": claims.capabilities.allow_publish,
                        "allow_subscribe": claims.capabilities.allow_subscribe,
                    },
                    "userId": claims.user_id.as_deref().unwrap_or_default(),
                    "attributes": claims.attributes.clone().unwrap_or_default(),
                    "exp": claims.exp,
                });
                json!({"type": "x-stagedoor-TOKEN_EXCHANGED", "payload": payload})
            }
            Err(refused) => {
                let mut payload = json!({"message": refused.to_string()});
                if let Refused::Token(error) = refused {
                    payload["code"] = error.code().into();
                }
                json!({"type": "x-stagedoor-TOKEN_REFUSED", "payload": payload})
            }
        }
    }
}
