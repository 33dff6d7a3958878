//! From a good token and an offer to a media connection: what a POST means for the stage.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use stagedoor_auth::participant_token::TokenError;
use stagedoor_sfu::{Codec, Kind, PeerKey, TrackSpec, Wanted};

use super::Target;
use super::reply::{self, Problem};
use crate::engine::{Answer, Direction, Terms};
use crate::ice_servers;
use crate::ledger::{Attempt, ErrorCode};
use crate::presence::{Connection, Purpose, Remote, Visitor};
use crate::sdp::{self, Offer, Refused};
use crate::service::Inner;
use crate::shard::{Command, End, Role, Seat};
use crate::token::Bearer;
use crate::world::{first_sequence, random_name};

/// Characters of a session URL's secret part: 130 bits.
const RESOURCE_CHARS: usize = 22;
/// ICE credentials: RFC 8839 §5.4 wants at least 4 and 22 characters.
pub(super) const UFRAG_CHARS: usize = 10;
pub(super) const PASSWORD_CHARS: usize = 24;

impl Inner {
    /// From a good token and a body to a connection. A body that is no offer changes nothing on the stage; an offer
    /// brings the participant in, even if what it wants, or how, is then refused.
    pub(super) fn connect(
        &self,
        bearer: Bearer,
        target: Target,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let Bearer { visitor, claims, .. } = bearer;
        let fail = |code, problem| {
            let attempt = target.attempt();
            self.change(|presence, moment| presence.failed(&visitor, attempt, code, moment));
            Err(problem)
        };
        if let Target::Subscribe { stage_id: Some(stage_id), .. } = &target
            && *stage_id != visitor.stage_id
        {
            return Err(Problem::new(StatusCode::FORBIDDEN, "The token is for another stage."));
        }
        let offer = parse(body, &target);
        if let Err(refused @ Refused::Malformed(_)) = offer {
            return fail(refused.code(), refused.into());
        }
        if self.change(|presence, moment| presence.enter(&visitor, moment)).is_err() {
            return Err(Problem::quota("The stage has as many participants as it may have."));
        }
        let capabilities = self.look(|presence| presence.capabilities(&visitor, claims.capabilities));
        let allowed = match target {
            Target::Publish => capabilities.allow_publish,
            Target::Subscribe { .. } => capabilities.allow_subscribe,
        };
        if !allowed {
            let problem = Problem::new(StatusCode::FORBIDDEN, "The token does not allow this.");
            return fail(ErrorCode::InsufficientCapabilities, problem);
        }
        let offer = match offer {
            Ok(offer) => offer,
            Err(refused) => return fail(refused.code(), refused.into()),
        };
        let video = match self.video(&visitor, &target, &offer) {
            Ok(video) => video,
            Err((code, problem)) => return fail(code, problem),
        };
        match self.open(&visitor, &target, &offer, video) {
            Ok(response) => Ok(response),
            Err((code, problem)) => fail(code, problem),
        }
    }

    /// The video codecs that may be answered: the publisher's best one; for a subscriber, what its publisher sends,
    /// and whether that has layers to choose from.
    fn video(
        &self,
        visitor: &Visitor,
        target: &Target,
        offer: &Offer,
    ) -> Result<(Vec<Codec>, bool), (ErrorCode, Problem)> {
        let Target::Subscribe { remote, stage_id, .. } = target else {
            return Ok((offer.video_codec().into_iter().collect(), false));
        };
        let missing = |status, message| Err((ErrorCode::PublisherNotFound, Problem::new(status, message)));
        let published = match self.look(|presence| presence.remote(&visitor.stage_arn, remote)) {
            Remote::Unknown if stage_id.is_none() => {
                return missing(StatusCode::NOT_FOUND, "There is no such participant on the stage.");
            }
            // The draft for WHEP wants 409 and a time for the next try.
            Remote::Unknown | Remote::NotPublishing => {
                let problem =
                    Problem::new(StatusCode::CONFLICT, "The participant is not publishing.").retry_after(1);
                return Err((ErrorCode::PublisherNotFound, problem));
            }
            Remote::Publishing { video } => video,
        };
        let wanted = offer.section(Kind::Video).map(|section| section.codecs.as_slice());
        match (published, wanted) {
            (Some(track), Some(wanted)) if !wanted.contains(&track.codec) => Err((
                ErrorCode::InvalidVideoCodec,
                Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "The offer lacks the publisher's video codec.",
                ),
            )),
            (Some(track), _) => Ok((vec![track.codec], track.rids.len() > 1)),
            (None, _) => Ok((vec![Codec::H264, Codec::Vp8], false)),
        }
    }

    fn open(
        &self,
        visitor: &Visitor,
        target: &Target,
        offer: &Offer,
        (video, estimate): (Vec<Codec>, bool),
    ) -> Result<Response<Full<Bytes>>, (ErrorCode, Problem)> {
        let key = self.new_key();
        let terms = Terms {
            direction: target.direction(),
            video,
            estimate,
            candidates: self.candidates.clone(),
            tcp_candidates: if self.config.tcp { self.candidates.clone() } else { Vec::new() },
            ice_ufrag: self.shards.ice_ufrag(key, &*self.world, UFRAG_CHARS),
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
            fragment_head: offer.fragment_head(),
            purpose: target.purpose(&answer.tracks),
        };
        let now = self.world.wall().as_second();
        let servers = ice_servers::links(&self.config.ice_servers, Some(&visitor.participant_id), now);
        let created =
            reply::created(&connection, target.base(), sdp::spread_candidates(&answer.sdp), servers);
        let unfinished =
            self.change(|presence, _| presence.attach(visitor, key, connection)).map_err(|_| {
                let problem = match target {
                    Target::Publish => "The stage, or its region, has as many publishers as it may have.",
                    Target::Subscribe { .. } => "The region has as many subscriptions as it may have.",
                };
                (ErrorCode::QuotaExceeded, Problem::quota(problem))
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
        self.shards.send(Command::Add(Box::new(seat))).map_err(|full| {
            tracing::warn!(%full, "a media connection was refused");
            self.change(|presence, moment| presence.ended(key, End::Removed, moment));
            let busy =
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The server is overloaded.").retry_after(1);
            (ErrorCode::InternalServerException, busy)
        })
    }

    fn role(&self, visitor: &Visitor, target: &Target, tracks: &[TrackSpec]) -> Role {
        match target {
            Target::Publish => {
                Role::Publisher { participant: visitor.participant_id.clone(), tracks: tracks.to_vec() }
            }
            Target::Subscribe { remote, choice, .. } => Role::Subscriber {
                participant: remote.as_str().into(),
                wanted: tracks
                    .iter()
                    .map(|track| Wanted { codec: track.codec, first_sequence: first_sequence(&*self.world) })
                    .collect(),
                choice: choice.clone(),
            },
        }
    }
}

impl Target {
    fn direction(&self) -> Direction {
        match self {
            Target::Publish => Direction::Publish,
            Target::Subscribe { .. } => Direction::Subscribe,
        }
    }

    /// The path below which its sessions are.
    fn base(&self) -> &'static str {
        match self {
            Target::Subscribe { stage_id: Some(_), .. } => "/whep",
            Target::Publish | Target::Subscribe { .. } => "/whip",
        }
    }

    fn attempt(&self) -> Attempt {
        match self {
            Target::Publish => Attempt::Publish,
            Target::Subscribe { remote, .. } => Attempt::Subscribe { remote: remote.as_str().into() },
        }
    }

    fn purpose(&self, tracks: &[TrackSpec]) -> Purpose {
        match self {
            Target::Publish => Purpose::Publish { tracks: tracks.to_vec() },
            Target::Subscribe { remote, .. } => Purpose::Subscribe { remote: Arc::from(remote.as_str()) },
        }
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
