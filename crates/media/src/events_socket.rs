//! The events socket, `ws …/events/{topic}`: a participant offers its token as the WebSocket subprotocol and is sent
//! the whole state of its stage, on connecting and after every change. It carries no decisions about the stage.
//!
//! Messages of our own have a type that starts with `x-stagedoor-`, and a `payload`:
//!
//! | type | payload |
//! |---|---|
//! | `x-stagedoor-CHOOSE_LAYER`, from the client | `participantId` of somebody whom it receives, and a choice as in [`crate::choice`] |
//! | `x-stagedoor-LAYER_CHOSEN`, the answer | `participantId`, and the `layers` that it offered, by name |
//! | `x-stagedoor-LAYER_REFUSED`, the answer | `participantId`, `message` |
//!
//! The handshake always succeeds if it is one: browsers show a script nothing of a refused handshake, but they do show
//! close codes. Those are 4401 (bad token), 4403 (not allowed here), 4404 (the stage is gone).

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use stagedoor_auth::participant_token::TokenError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::choice;
use crate::ledger::Protocol;
use crate::presence::{Farewell, Feed, Remote, Visitor};
use crate::refusals::Door;
use crate::service::Handle;

/// Clients send pings and little else.
const MESSAGE_BYTES_MAX: usize = 4096;
/// Pings that may go unanswered.
const PINGS_MISSED_MAX: u32 = 3;

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    BadToken,
    NotAllowed,
    StageGone,
    /// RFC 6455: "try again later", as registered.
    Full,
    Silent,
}

impl Closing {
    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Closing::BadToken => (4401, "bad token"),
            Closing::NotAllowed => (4403, "not allowed"),
            Closing::StageGone => (4404, "stage deleted"),
            Closing::Full => (1013, "at capacity"),
            Closing::Silent => (1001, "no answer to pings"),
        };
        CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static(reason) }
    }
}

impl Handle {
    /// Answers a request whose path is `/events/{topic}`; the socket then runs in a task of its own.
    pub fn events<B>(&self, mut request: Request<B>) -> Response<Full<Bytes>> {
        let handshake = create_response(&bodiless(&request));
        let Ok(mut response) = handshake.map(|response| response.map(|()| Full::default())) else {
            let mut refused = Response::new(Full::from(r#"{"message":"This is a WebSocket endpoint."}"#));
            *refused.status_mut() = StatusCode::BAD_REQUEST;
            return refused;
        };
        let token = offered_token(request.headers()).map(str::to_owned);
        // Strict clients fail the handshake unless the very string that they offered comes back.
        if let Some(value) = token.as_deref().and_then(|token| HeaderValue::from_str(token).ok()) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        let topic =
            request.uri().path().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let agent =
            request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let visitor = self.visitor(token.as_deref().unwrap_or_default(), &topic, agent);
        let handle = self.clone();
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                handle.run(TokioIo::new(upgraded), visitor).await;
            }
        });
        response
    }

    fn visitor(&self, token: &str, topic: &str, agent: &str) -> Result<Visitor, Closing> {
        let bearer = self.inner.bearer(token, agent, Protocol::Unknown).map_err(closing)?;
        if bearer.visitor.stage_id == topic { Ok(bearer.visitor) } else { Err(Closing::NotAllowed) }
    }

    async fn run(&self, io: impl AsyncRead + AsyncWrite + Unpin, visitor: Result<Visitor, Closing>) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let feed = visitor.and_then(|visitor| Ok((self.come_in(&visitor)?, visitor)));
        let closing = match feed {
            Ok((feed, visitor)) => {
                let guard = Leaving { handle: self, visitor: &visitor };
                let closing = self.talk(&mut socket, &visitor, feed).await;
                drop(guard);
                closing
            }
            Err(closing) => Some(closing),
        };
        if let Some(closing) = closing {
            self.inner.refusals.note(Door::Events);
            let ping = self.inner.config.timeouts.ping;
            // A client that does not take the farewell is left without it.
            drop(timeout(ping, say_goodbye(&mut socket, closing)).await);
        }
    }

    fn come_in(&self, visitor: &Visitor) -> Result<Feed, Closing> {
        let feed = self.inner.change(|presence, moment| {
            presence.enter(visitor, moment)?;
            presence.open_socket(visitor)
        });
        feed.map_err(|_| Closing::Full)
    }

    /// How long a client may take to read a message, and to say something.
    fn patience(&self) -> Duration {
        self.inner.config.timeouts.ping * PINGS_MISSED_MAX
    }

    /// Sends states and pings and answers pings, until one side ends it. `None`: the client has gone.
    async fn talk<S>(
        &self,
        socket: &mut WebSocketStream<S>,
        visitor: &Visitor,
        mut feed: Feed,
    ) -> Option<Closing>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let period = self.inner.config.timeouts.ping;
        let patience = self.patience();
        let mut ping = interval(period);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let mut heard = self.inner.world.now();
        let state = feed.state.borrow_and_update().clone();
        send(socket, text(&state), patience).await?;
        loop {
            tokio::select! {
                changed = feed.state.changed() => {
                    // The sender goes when the stage does; the farewell says why.
                    if changed.is_err() {
                        return Some(farewell(*feed.farewell.borrow()));
                    }
                    let state = feed.state.borrow_and_update().clone();
                    send(socket, text(&state), patience).await?;
                }
                _ = feed.farewell.changed() => return Some(farewell(*feed.farewell.borrow())),
                message = socket.next() => {
                    heard = self.inner.world.now();
                    self.answer(socket, visitor, message?).await?;
                }
                _ = ping.tick() => {
                    if silent(heard, self.inner.world.now(), period) {
                        return Some(Closing::Silent);
                    }
                    // The frame finds out whether the client lives, the message is what AWS's service sends.
                    send(socket, Message::Ping(Bytes::new()), patience).await?;
                    send(socket, text(r#"{"type":"PING"}"#), patience).await?;
                }
            }
        }
    }
}

/// Takes the socket off the stage, also when its task is dropped.
struct Leaving<'a> {
    handle: &'a Handle,
    visitor: &'a Visitor,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Visitor { stage_arn, participant_id, .. } = self.visitor;
        self.handle
            .inner
            .change(|presence, moment| presence.close_socket(stage_arn, participant_id, moment.now));
    }
}

/// What a client's message is.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum FromClient {
    #[serde(rename = "PING")]
    Ping,
    #[serde(rename = "x-stagedoor-CHOOSE_LAYER")]
    ChooseLayer { payload: Value },
}

impl Handle {
    /// Answers one message of the client; `None` when it has gone. What we do not know is ignored, as AWS's service
    /// is free to have messages of its own.
    async fn answer<S>(
        &self,
        socket: &mut WebSocketStream<S>,
        visitor: &Visitor,
        message: Result<Message, Error>,
    ) -> Option<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                if matches!(error, Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_)) {
                    self.inner.refusals.note(Door::Events);
                }
                return None;
            }
        };
        let message = match message {
            Message::Text(message) => message,
            Message::Close(_) => {
                // Completes the closing handshake.
                drop(socket.close(None).await);
                return None;
            }
            _ => return Some(()),
        };
        let reply = match serde_json::from_str(&message) {
            Ok(FromClient::Ping) => r#"{"type":"PONG"}"#.to_owned(),
            Ok(FromClient::ChooseLayer { payload }) => self.choose_layer(visitor, &payload).to_string(),
            Err(_) => return Some(()),
        };
        send(socket, text(&reply), self.patience()).await
    }

    /// `x-stagedoor-CHOOSE_LAYER`: the participant wants another simulcast layer of somebody whom it receives.
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
}

/// Sends a message, and waits while the client does not read. `None`: it has gone, or has not read in time. What
/// waits for a slow client is this one message and the newest state, so memory stays bounded.
async fn send<S>(socket: &mut WebSocketStream<S>, message: Message, patience: Duration) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(patience, socket.send(message)).await.ok()?.ok()
}

async fn say_goodbye<S>(socket: &mut WebSocketStream<S>, closing: Closing)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if socket.close(Some(closing.frame())).await.is_ok() {
        // Until the client has confirmed; whoever closes TCP first may lose the close frame.
        while let Some(Ok(_)) = socket.next().await {}
    }
}

fn silent(heard: Instant, now: Instant, period: Duration) -> bool {
    now.saturating_duration_since(heard) >= period * PINGS_MISSED_MAX
}

fn farewell(farewell: Option<Farewell>) -> Closing {
    match farewell {
        Some(Farewell::NotAllowed) => Closing::NotAllowed,
        Some(Farewell::StageDeleted) | None => Closing::StageGone,
    }
}

fn closing(error: TokenError) -> Closing {
    match error {
        TokenError::Malformed(_) | TokenError::Expired => Closing::BadToken,
        TokenError::StageDeleted => Closing::StageGone,
        TokenError::StageAtCapacity => Closing::Full,
        TokenError::NotAllowed | TokenError::ParticipantDisconnected => Closing::NotAllowed,
    }
}

/// The first subprotocol offered.
fn offered_token(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').next().map(str::trim).filter(|token| !token.is_empty())
}

fn text(message: &str) -> Message {
    Message::Text(Utf8Bytes::from(message))
}

/// The request without its body, which the handshake's check wants.
fn bodiless<B>(request: &Request<B>) -> Request<()> {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(1024);
        let mut socket = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
        let long = "x".repeat(64 * 1024);
        assert_eq!(send(&mut socket, text(&long), Duration::from_millis(20)).await, None);
        drop(theirs);
    }
}
