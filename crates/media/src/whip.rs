//! Publishing by WHIP (RFC 9725) and receiving by the same exchange at `/whip/subscribe/{participantId}`, as AWS's
//! sample programs do it. Here are the HTTP semantics; what they mean for a stage is decided in [`crate::presence`].
//!
//! | request | answer |
//! |---|---|
//! | `OPTIONS` | 204, CORS, `Accept-Post` |
//! | `POST /whip`, `POST /whip/subscribe/{id}` | 201 with the SDP answer, `Location`, `ETag` |
//! | `PATCH` of the location | 204: the server is ICE-lite and learns every path from the checks, so trickled candidates change nothing; 422 for an ICE restart, which a new POST does better |
//! | `DELETE` of the location | 200, also when it is gone already |
//!
//! The location is an unguessable URL and is its own authorization: clients differ in whether they send their token
//! with `DELETE` and `PATCH`.

mod reply;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use stagedoor_auth::participant_token::{self, TokenError};
use stagedoor_sfu::{Codec, PeerKey, TrackSpec, Wanted};

use crate::engine::{Answer, Direction, Terms};
use crate::ledger::{Attempt, ErrorCode, Protocol};
use crate::presence::{Connection, Purpose, Remote, Visitor};
use crate::sdp::{self, OFFER_BYTES_MAX, Offer, Refused};
use crate::service::{Handle, Inner};
use crate::shard::{Command, Role, Seat};
use crate::token::Bearer;
use crate::world::{first_sequence, random_name};
use reply::Problem;

/// Characters of a session URL's secret part: 130 bits.
const RESOURCE_CHARS: usize = 22;
/// ICE credentials: RFC 8839 §5.4 wants at least 4 and 22 characters.
const UFRAG_CHARS: usize = 10;
const PASSWORD_CHARS: usize = 24;

/// What a POST is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Publish,
    Subscribe { remote: String },
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Endpoint(Target),
    Session(String),
}

impl Handle {
    /// Answers a request whose path is `/whip` or starts with `/whip/`.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let Some(place) = place(head.uri.path()) else {
            return Problem::new(StatusCode::NOT_FOUND, "There is nothing at this path.").into();
        };
        let answered = match (&head.method, place) {
            (&Method::OPTIONS, place) => Ok(reply::options(matches!(place, Place::Endpoint(_)))),
            (&Method::POST, Place::Endpoint(target)) => self.post(&head.headers, target, body).await,
            (&Method::DELETE, Place::Session(id)) => Ok(self.inner.delete(&id)),
            (&Method::PATCH, Place::Session(id)) => self.patch(&head.headers, &id, body).await,
            (_, Place::Endpoint(_)) => Err(Problem::method("POST, OPTIONS")),
            (_, Place::Session(_)) => Err(Problem::method("PATCH, DELETE, OPTIONS")),
        };
        answered.unwrap_or_else(Into::into)
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

    async fn patch<B>(&self, headers: &HeaderMap, id: &str, body: B) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !is_type(headers, "application/trickle-ice-sdpfrag") {
            return Err(Problem::unsupported("application/trickle-ice-sdpfrag"));
        }
        let body = self.read(body).await?;
        let fragment =
            String::from_utf8(body).map_err(|_| Problem::bad("The fragment is not UTF-8 text."))?;
        let session =
            self.inner.look(|presence| presence.resource(id).map(|(_, connection)| connection.clone()));
        let Some(session) = session else {
            return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such session."));
        };
        let if_match = text(headers, &IF_MATCH);
        let restart = sdp::fragment_ufrag(&fragment).is_some_and(|ufrag| ufrag != session.peer_ufrag);
        match if_match {
            _ if restart => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "ICE cannot be restarted; connect again with a new POST.",
            )),
            None => Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "The If-Match header is missing.")),
            Some(tag) if tag == "*" || tag == session.etag => Ok(reply::no_content()),
            Some(_) => Err(Problem::new(StatusCode::PRECONDITION_FAILED, "The ETag is not this session's.")),
        }
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
    /// From a good token and a body to a connection. A body that is no usable offer changes nothing on the stage;
    /// a good offer brings the participant in, even if what it wants is then refused.
    fn connect(&self, bearer: Bearer, target: Target, body: &[u8]) -> Result<Response<Full<Bytes>>, Problem> {
        let Bearer { visitor, capabilities } = bearer;
        let fail = |code, problem| {
            let attempt = target.attempt();
            self.change(|presence, moment| presence.failed(&visitor, attempt, code, moment));
            Err(problem)
        };
        let offer = match parse(body, &target) {
            Ok(offer) => offer,
            Err(refused) => return fail(refused.code(), refused.into()),
        };
        if self.change(|presence, moment| presence.enter(&visitor, moment)).is_err() {
            return Err(Problem::quota("The stage has as many participants as it may have."));
        }
        let allowed = match target {
            Target::Publish => capabilities.allow_publish,
            Target::Subscribe { .. } => capabilities.allow_subscribe,
        };
        if !allowed {
            let problem = Problem::new(StatusCode::FORBIDDEN, "The token does not allow this.");
            return fail(ErrorCode::InsufficientCapabilities, problem);
        }
        let video = match self.video(&visitor, &target, &offer) {
            Ok(video) => video,
            Err((code, problem)) => return fail(code, problem),
        };
        match self.open(&visitor, &target, &offer, video) {
            Ok(response) => Ok(response),
            Err((code, problem)) => fail(code, problem),
        }
    }

    /// The video codecs that may be answered: the publisher's best one; for a subscriber, what its publisher sends.
    fn video(
        &self,
        visitor: &Visitor,
        target: &Target,
        offer: &Offer,
    ) -> Result<Vec<Codec>, (ErrorCode, Problem)> {
        let Target::Subscribe { remote } = target else {
            return Ok(offer.video_codec().into_iter().collect());
        };
        let missing = |status, message| Err((ErrorCode::PublisherNotFound, Problem::new(status, message)));
        let published = match self.look(|presence| presence.remote(&visitor.stage_arn, remote)) {
            Remote::Unknown => {
                return missing(StatusCode::NOT_FOUND, "There is no such participant on the stage.");
            }
            // The draft for WHEP wants 409 and a time for the next try.
            Remote::NotPublishing => {
                let problem =
                    Problem::new(StatusCode::CONFLICT, "The participant is not publishing.").retry_after(1);
                return Err((ErrorCode::PublisherNotFound, problem));
            }
            Remote::Publishing { video } => video,
        };
        let wanted = offer.section(stagedoor_sfu::Kind::Video).map(|section| section.codecs.as_slice());
        match (published, wanted) {
            (Some(codec), Some(wanted)) if !wanted.contains(&codec) => Err((
                ErrorCode::InvalidVideoCodec,
                Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "The offer lacks the publisher's video codec.",
                ),
            )),
            (Some(codec), _) => Ok(vec![codec]),
            (None, _) => Ok(vec![Codec::H264, Codec::Vp8]),
        }
    }

    fn open(
        &self,
        visitor: &Visitor,
        target: &Target,
        offer: &Offer,
        video: Vec<Codec>,
    ) -> Result<Response<Full<Bytes>>, (ErrorCode, Problem)> {
        let terms = Terms {
            direction: target.direction(),
            video,
            candidates: self.candidates.clone(),
            ice_ufrag: random_name(&*self.world, UFRAG_CHARS),
            ice_password: random_name(&*self.world, PASSWORD_CHARS),
        };
        let ice_ufrag = terms.ice_ufrag.clone();
        let answer = self.engine.answer(self.world.now(), offer, terms).map_err(|failure| {
            tracing::info!(%failure, participant = %visitor.participant_id, "an SDP offer could not be answered");
            (ErrorCode::InvalidInput, Problem::bad("The SDP offer cannot be used."))
        })?;
        let connection = Connection {
            resource: random_name(&*self.world, RESOURCE_CHARS),
            etag: format!("\"{ice_ufrag}\""),
            peer_ufrag: offer.ice_ufrag.clone(),
            purpose: target.purpose(&answer.tracks),
        };
        let created = reply::created(&connection, sdp::spread_candidates(&answer.sdp));
        let key = self.new_key();
        let unfinished =
            self.change(|presence, _| presence.attach(visitor, key, connection)).map_err(|_| {
                (ErrorCode::QuotaExceeded, Problem::quota("The stage has as many publishers as it may have."))
            })?;
        self.close(unfinished);
        self.seat(visitor, target, key, ice_ufrag, answer).map(|()| created)
    }

    /// Gives the connection to the media thread.
    fn seat(
        &self,
        visitor: &Visitor,
        target: &Target,
        key: PeerKey,
        ice_ufrag: String,
        answer: Answer,
    ) -> Result<(), (ErrorCode, Problem)> {
        let stage = visitor.stage_arn.clone();
        let role = self.role(visitor, target, &answer.tracks);
        let seat = Seat { key, stage, role, ice_ufrag, connection: answer.connection };
        self.shard.send(Command::Add(Box::new(seat))).map_err(|full| {
            tracing::warn!(%full, "a media connection was refused");
            self.change(|presence, moment| presence.ended(key, crate::shard::End::Removed, moment));
            let busy =
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The server is overloaded.").retry_after(1);
            (ErrorCode::InternalServerException, busy)
        })
    }

    fn role(&self, visitor: &Visitor, target: &Target, tracks: &[Codec]) -> Role {
        match target {
            Target::Publish => Role::Publisher {
                participant: visitor.participant_id.clone(),
                tracks: tracks.iter().map(|codec| TrackSpec { codec: *codec, layers: 1 }).collect(),
            },
            Target::Subscribe { remote } => Role::Subscriber {
                participant: remote.as_str().into(),
                wanted: tracks
                    .iter()
                    .map(|codec| Wanted { codec: *codec, first_sequence: first_sequence(&*self.world) })
                    .collect(),
            },
        }
    }

    fn delete(&self, id: &str) -> Response<Full<Bytes>> {
        let key = self.look(|presence| presence.resource(id).map(|(key, _)| key));
        if let Some(key) = key {
            self.change(|presence, moment| presence.ended(key, crate::shard::End::Left, moment));
            self.close([key]);
        }
        reply::ok()
    }
}

impl Target {
    fn direction(&self) -> Direction {
        match self {
            Target::Publish => Direction::Publish,
            Target::Subscribe { .. } => Direction::Subscribe,
        }
    }

    fn attempt(&self) -> Attempt {
        match self {
            Target::Publish => Attempt::Publish,
            Target::Subscribe { remote } => Attempt::Subscribe { remote: remote.as_str().into() },
        }
    }

    fn purpose(&self, codecs: &[Codec]) -> Purpose {
        match self {
            Target::Publish => Purpose::Publish { codecs: codecs.to_vec() },
            Target::Subscribe { remote } => Purpose::Subscribe { remote: Arc::from(remote.as_str()) },
        }
    }
}

fn place(path: &str) -> Option<Place> {
    let rest = path.strip_prefix("/whip")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    match rest.split('/').collect::<Vec<_>>()[..] {
        [""] => Some(Place::Endpoint(Target::Publish)),
        ["", "subscribe", remote] if participant_token::is_jti(remote) => {
            Some(Place::Endpoint(Target::Subscribe { remote: remote.to_owned() }))
        }
        ["", "session", id] => Some(Place::Session(id.to_owned())),
        _ => None,
    }
}

fn parse(body: &[u8], target: &Target) -> Result<Offer, Refused> {
    let text = std::str::from_utf8(body).map_err(|_| Refused::Malformed("it is not UTF-8 text"))?;
    let offer = Offer::parse(text)?;
    if *target == Target::Publish {
        offer.require_video()?;
    }
    Ok(offer)
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

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        let status = match refused {
            Refused::Malformed(_) => StatusCode::BAD_REQUEST,
            Refused::NoAudioCodec | Refused::NoVideoCodec => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem::new(status, refused.to_string())
    }
}

impl Refused {
    fn code(self) -> ErrorCode {
        match self {
            Refused::Malformed(_) => ErrorCode::InvalidInput,
            Refused::NoAudioCodec => ErrorCode::InvalidAudioCodec,
            Refused::NoVideoCodec => ErrorCode::InvalidVideoCodec,
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Problem {
        match error {
            TokenError::Malformed(_) | TokenError::Expired => {
                Problem::unauthorized(format!("The participant token is refused: {error}."))
            }
            TokenError::StageDeleted => Problem::new(StatusCode::NOT_FOUND, "There is no such stage."),
            TokenError::StageAtCapacity => Problem::quota("The stage is full."),
            TokenError::NotAllowed | TokenError::ParticipantDisconnected => {
                Problem::new(StatusCode::FORBIDDEN, format!("The participant is not admitted: {error}."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let subscribe = |remote: &str| Some(Place::Endpoint(Target::Subscribe { remote: remote.into() }));
        for (path, expected) in [
            ("/whip", Some(Place::Endpoint(Target::Publish))),
            ("/whip/", Some(Place::Endpoint(Target::Publish))),
            ("/whip/subscribe/abc-_9", subscribe("abc-_9")),
            ("/whip/subscribe/abc/", subscribe("abc")),
            ("/whip/subscribe/a%20c", None),
            ("/whip/subscribe/", None),
            ("/whip/session/xyz", Some(Place::Session("xyz".into()))),
            ("/whip/session/xyz/more", None),
            ("/whipped", None),
            ("/other", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
