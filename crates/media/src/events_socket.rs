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
//! | `x-stagedoor-SET_MUTED`, from a publisher | `audioMuted`, `videoStopped`, or one of them, true or false; the others see it in `STAGE_STATE` until the publication ends |
//! | `x-stagedoor-MUTED`, the answer | `audioMuted`, `videoStopped` |
//! | `x-stagedoor-MUTED_REFUSED`, the answer | `message` |
//! | `x-stagedoor-REPORT_FRAMES`, from the client | `participantId` of somebody whom it receives, `framesReceived` and `framesDropped` since it began; for the metrics |
//! | `x-stagedoor-REPORT_REFUSED`, the answer if that is no good | `message` |
//! | `x-stagedoor-EXCHANGE_TOKEN`, from the client | `token`, a new one in place of that which it has, see [`crate::exchange`] |
//! | `x-stagedoor-TOKEN_EXCHANGED`, the answer | `capabilities`, `userId`, `attributes`, `exp` of the new token |
//! | `x-stagedoor-TOKEN_REFUSED`, the answer | `message`, and `code`, a number as AWS's SDKs have it, if the token by itself is bad |
//!
//! The handshake always succeeds if it is one: browsers show a script nothing of a refused handshake, but they do show
//! close codes. Those are 4401 (bad token), 4403 (not allowed here), 4404 (the stage is gone); and, of RFC 6455, 1001 (no
//! answer to pings), 1008 (what was sent is not read) and 1013 (at capacity).

mod requests;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use stagedoor_auth::participant_token::TokenError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::ledger::Protocol;
use crate::presence::{Farewell, Feed, Visitor};
use crate::refusals::Door;
use crate::service::Handle;
use crate::token::Bearer;

/// Clients send pings and, at the longest, a token.
const MESSAGE_BYTES_MAX: usize = 12 * 1024;
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
    /// RFC 6455: against the rules.
    Slow,
}

/// Why the talk ended; `None`: the client has gone.
type Ending = Option<Closing>;

impl Closing {
    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Closing::BadToken => (4401, "bad token"),
            Closing::NotAllowed => (4403, "not allowed"),
            Closing::StageGone => (4404, "stage deleted"),
            Closing::Full => (1013, "at capacity"),
            Closing::Silent => (1001, "no answer to pings"),
            Closing::Slow => (1008, "messages are not read"),
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
        let bearer = self.socket_bearer(token.as_deref().unwrap_or_default(), &topic, agent);
        let handle = self.clone();
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                handle.run(TokioIo::new(upgraded), bearer).await;
            }
        });
        response
    }

    fn socket_bearer(&self, token: &str, topic: &str, agent: &str) -> Result<Bearer, Closing> {
        let bearer = self.inner.bearer(token, agent, Protocol::Unknown).map_err(closing)?;
        if bearer.visitor.stage_id == topic { Ok(bearer) } else { Err(Closing::NotAllowed) }
    }

    async fn run(&self, io: impl AsyncRead + AsyncWrite + Unpin, bearer: Result<Bearer, Closing>) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let feed = bearer.and_then(|bearer| Ok((self.come_in(&bearer.visitor)?, bearer)));
        let closing = match feed {
            Ok((feed, mut bearer)) => {
                let Visitor { stage_arn, participant_id, .. } = bearer.visitor.clone();
                let guard = Leaving { handle: self, stage_arn, participant_id };
                let closing = self.talk(&mut socket, &mut bearer, feed).await.err().flatten();
                drop(guard);
                closing
            }
            Err(closing) => Some(closing),
        };
        if closing == Some(Closing::Slow) {
            self.inner.slow_sockets.fetch_add(1, Ordering::Relaxed);
        }
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

    /// Sends states and pings and answers the client, until one side ends it.
    async fn talk<S>(
        &self,
        socket: &mut WebSocketStream<S>,
        bearer: &mut Bearer,
        mut feed: Feed,
    ) -> Result<Infallible, Ending>
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
                        return Err(Some(farewell(*feed.farewell.borrow())));
                    }
                    let state = feed.state.borrow_and_update().clone();
                    send(socket, text(&state), patience).await?;
                }
                _ = feed.farewell.changed() => return Err(Some(farewell(*feed.farewell.borrow()))),
                message = socket.next() => {
                    heard = self.inner.world.now();
                    self.answer(socket, bearer, message.ok_or(None)?).await?;
                }
                _ = ping.tick() => {
                    if silent(heard, self.inner.world.now(), period) {
                        return Err(Some(Closing::Silent));
                    }
                    // The frame finds out whether the client lives, the message is what AWS's service sends.
                    send(socket, Message::Ping(Bytes::new()), patience).await?;
                    send(socket, text(r#"{"type":"PING"}"#), patience).await?;
                }
            }
        }
    }

    /// Answers one message of the client.
    async fn answer<S>(
        &self,
        socket: &mut WebSocketStream<S>,
        bearer: &mut Bearer,
        message: Result<Message, Error>,
    ) -> Result<(), Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let message = message.map_err(|error| {
            if matches!(error, Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_)) {
                self.inner.refusals.note(Door::Events);
            }
            None
        })?;
        let message = match message {
            Message::Text(message) => message,
            Message::Close(_) => {
                // Completes the closing handshake.
                drop(socket.close(None).await);
                return Err(None);
            }
            _ => return Ok(()),
        };
        match self.reply(bearer, &message) {
            Some(reply) => send(socket, text(&reply), self.patience()).await,
            None => Ok(()),
        }
    }
}

/// Takes the socket off the stage, also when its task is dropped.
struct Leaving<'a> {
    handle: &'a Handle,
    stage_arn: Arc<str>,
    participant_id: Arc<str>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Leaving { handle, stage_arn, participant_id } = self;
        handle.inner.change(|presence, moment| presence.close_socket(stage_arn, participant_id, moment.now));
    }
}

/// Sends a message, and waits while the client does not read. What waits for a slow client is this one message and the
/// newest state, so memory stays bounded.
async fn send<S>(socket: &mut WebSocketStream<S>, message: Message, patience: Duration) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(patience, socket.send(message)).await.map_err(|_| Some(Closing::Slow))?.map_err(|_| None)
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
        assert_eq!(send(&mut socket, text(&long), Duration::from_millis(20)).await, Err(Some(Closing::Slow)));
        drop(theirs);
    }
}
