//! Publishing by WHIP (RFC 9725), receiving by WHEP (draft-ietf-wish-whep-04) and, by the same exchange, at
//! `/whip/subscribe/{participantId}`, as AWS's sample programs do it. Here are the HTTP semantics; what they mean for
//! a stage is decided in [`crate::presence`].
//!
//! | request | answer |
//! |---|---|
//! | `OPTIONS` | 204, CORS, `Accept-Post`; with a token also the ICE servers, for clients that need them early |
//! | `POST` to an address that several nodes have | 307 to this node's own, see [`redirect`] |
//! | `POST /whip` | 201 with the SDP answer, `Location`, `ETag` |
//! | `POST /whip/subscribe/{participantId}`, `POST /whep/{stageId}/{participantId}` | the same; `?layer=` is a first choice of layer |
//! | `PATCH` of the location | 204 for candidates, 200 for an ICE restart, see [`patch`] |
//! | `POST` of the location's `/layer` | 200: another simulcast layer, see [`crate::choice`] |
//! | `DELETE` of the location | 200, also when it is gone already |
//!
//! Whoever is not publishing is answered for with 409 and `Retry-After`. The address of the layer resource is in the
//! `Link` of the 201, as WHEP's layer extension has it.
//!
//! The server is ICE-lite and learns every path from the peer's checks, so trickled candidates change nothing.
//!
//! The location is an unguessable URL and is its own authorization: clients differ in whether they send their token
//! with `DELETE` and `PATCH`.

mod connect;
mod patch;
pub(crate) mod redirect;
mod reply;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use stagedoor_auth::participant_token;
use stagedoor_sfu::Choice;

use crate::choice;
use crate::ice_servers;
use crate::ledger::Protocol;
use crate::presence::Purpose;
use crate::refusals::Door;
use crate::sdp::OFFER_BYTES_MAX;
use crate::service::{Handle, Inner};
use crate::shard::End;
use redirect::Way;
use reply::Problem;

/// What a POST is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Publish,
    Subscribe {
        remote: String,
        choice: Choice,
        /// The stage that a WHEP address names; the token must be for it.
        stage_id: Option<String>,
    },
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Endpoint(Target),
    Session(String),
    Layer(String),
}

impl Handle {
    /// Answers a request whose path is `/whip`, or starts with `/whip/` or `/whep/`.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let Some(mut place) = place(head.uri.path()) else {
            return Problem::new(StatusCode::NOT_FOUND, "There is nothing at this path.").into();
        };
        if let Place::Endpoint(Target::Subscribe { choice, .. }) = &mut place {
            match choice::from_query(head.uri.query()) {
                Ok(wish) => *choice = wish,
                Err(problem) => return Problem::bad(problem).into(),
            }
        }
        let answered = match (&head.method, place) {
            (&Method::OPTIONS, Place::Endpoint(_)) => Ok(reply::options(true, self.servers(&head.headers))),
            (&Method::OPTIONS, _) => Ok(reply::options(false, Vec::new())),
            (&Method::POST, Place::Endpoint(target)) => self.post_to(&head, target, body).await,
            (&Method::DELETE, Place::Session(id)) => Ok(self.inner.delete(&id)),
            (&Method::POST, Place::Layer(id)) => self.post_layer(&head.headers, &id, body).await,
            (&Method::PATCH, Place::Session(id)) => self.patch(&head.headers, &id, body).await,
            (_, Place::Endpoint(_) | Place::Layer(_)) => Err(Problem::method("POST, OPTIONS")),
            (_, Place::Session(_)) => Err(Problem::method("PATCH, DELETE, OPTIONS")),
        };
        answered.unwrap_or_else(|problem| {
            self.inner.refusals.note(Door::Whip);
            problem.into()
        })
    }

    /// A POST to any of the addresses that lead here.
    async fn post_to<B>(
        &self,
        head: &Parts,
        target: Target,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let node = self.inner.config.node.as_ref();
        match node.map_or(Way::Here, |node| node.way(head)) {
            Way::Here => self.post(&head.headers, target, body).await,
            Way::Taken => {
                let mut answer = self.post(&head.headers, target, body).await?;
                node.into_iter().for_each(|node| node.own(answer.headers_mut()));
                Ok(answer)
            }
            Way::Sent(location) => {
                // Read, or the connection could not be used again and its reset might overtake the answer.
                self.read(body).await?;
                Err(redirect::elsewhere(location))
            }
        }
    }

    /// What clients are told on asking: browsers ask without a token whether they may, others with it.
    fn servers(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let inner = &self.inner;
        let bearer = bearer_token(headers).ok();
        let bearer = bearer.and_then(|token| inner.bearer(token, "", Protocol::Unknown).ok());
        let participant_id = bearer.as_ref().map(|bearer| &*bearer.visitor.participant_id);
        ice_servers::links(&inner.config.ice_servers, participant_id, inner.world.wall().as_second())
    }

    async fn post<B>(
        &self,
        headers: &HeaderMap,
        target: Target,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let protocol = if target == Target::Publish { Protocol::Whip } else { Protocol::Unknown };
        let agent = text(headers, &USER_AGENT).unwrap_or_default();
        let bearer = self.inner.bearer(bearer_token(headers)?, agent, protocol)?;
        if !is_type(headers, "application/sdp") {
            return Err(Problem::unsupported("application/sdp"));
        }
        let body = self.read(body).await?;
        self.inner.connect(bearer, target, &body)
    }

    async fn post_layer<B>(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !is_type(headers, "application/json") {
            return Err(Problem::unsupported("application/json"));
        }
        let body = self.read(body).await?;
        let wish = serde_json::from_slice(&body).map_err(|_| Problem::bad("The body is not JSON."))?;
        let choice = choice::from_json(&wish).map_err(Problem::bad)?;
        let subscription = self.inner.look(|presence| {
            let (key, connection) = presence.resource(id)?;
            matches!(connection.purpose, Purpose::Subscribe { .. }).then_some(key)
        });
        let Some(key) = subscription else {
            return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such subscription."));
        };
        if !self.inner.choose([key], &choice) {
            let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The server is overloaded.");
            return Err(busy.retry_after(1));
        }
        Ok(reply::ok())
    }

    async fn read<B>(&self, body: B) -> Result<Vec<u8>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let whole = tokio::time::timeout(
            self.inner.config.timeouts.body,
            Limited::new(body, OFFER_BYTES_MAX).collect(),
        );
        match whole.await {
            Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 65536 bytes."))
            }
            Ok(Err(_)) => Err(Problem::bad("The body could not be read.")),
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")),
        }
    }
}

impl Inner {
    fn delete(&self, id: &str) -> Response<Full<Bytes>> {
        let key = self.look(|presence| presence.resource(id).map(|(key, _)| key));
        if let Some(key) = key {
            self.change(|presence, moment| presence.ended(key, End::Left, moment));
            self.close([key]);
        }
        reply::ok()
    }
}

fn place(path: &str) -> Option<Place> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let subscribe = |stage_id: Option<&str>, remote: &str| {
        let remote = participant_token::is_jti(remote).then(|| remote.to_owned())?;
        let stage_id = stage_id.map(str::to_owned);
        Some(Place::Endpoint(Target::Subscribe { remote, choice: Choice::default(), stage_id }))
    };
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["whip"] => Some(Place::Endpoint(Target::Publish)),
        ["whip", "subscribe", remote] => subscribe(None, remote),
        ["whip" | "whep", "session", id] => Some(Place::Session(id.to_owned())),
        ["whip" | "whep", "session", id, "layer"] => Some(Place::Layer(id.to_owned())),
        ["whep", stage_id, remote] => subscribe(Some(stage_id), remote),
        _ => None,
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let (scheme, token) =
        text(headers, &AUTHORIZATION).and_then(|value| value.split_once(' ')).unwrap_or_default();
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token)
    } else {
        Err(Problem::unauthorized("The participant token is missing; it goes into Authorization: Bearer."))
    }
}

fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = text(headers, &CONTENT_TYPE).unwrap_or_default();
    given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let subscribe = |remote: &str| {
            let (remote, choice) = (remote.into(), Choice::Automatic);
            Some(Place::Endpoint(Target::Subscribe { remote, choice, stage_id: None }))
        };
        let whep = |stage_id: &str, remote: &str| {
            let (remote, choice, stage_id) = (remote.into(), Choice::Automatic, Some(stage_id.into()));
            Some(Place::Endpoint(Target::Subscribe { remote, choice, stage_id }))
        };
        for (path, expected) in [
            ("/whip", Some(Place::Endpoint(Target::Publish))),
            ("/whip/", Some(Place::Endpoint(Target::Publish))),
            ("/whip/subscribe/abc-_9", subscribe("abc-_9")),
            ("/whip/subscribe/abc/", subscribe("abc")),
            ("/whip/subscribe/a%20c", None),
            ("/whip/subscribe/", None),
            ("/whip/session/xyz", Some(Place::Session("xyz".into()))),
            ("/whip/session/xyz/more", None),
            ("/whep/session/xyz/layer", Some(Place::Layer("xyz".into()))),
            ("/whep/AbCdEf123456/abc", whep("AbCdEf123456", "abc")),
            ("/whep/AbCdEf123456/a%20c", None),
            ("/whep/AbCdEf123456", None),
            ("/whep", None),
            ("/whipped", None),
            ("/other", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
