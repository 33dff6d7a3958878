//! From a stream key to a seat on a media thread: what a `publish` command means for the stage.

use stagedoor_sfu::{Codec, PeerKey, TrackSpec};
use tokio::sync::mpsc;

use super::feed::Feed;
use crate::engine::Packet;
use crate::ledger::{Attempt, Client, ErrorCode, Ingest, IngestRefusal, Protocol};
use crate::presence::{Connection, Purpose, Visitor};
use crate::service::Inner;
use crate::shard::{Command, End, Role, Seat};
use crate::world::{random_name, session_id};

/// Characters of names that nobody is told.
const SECRET_CHARS: usize = 22;

/// An encoder that may publish.
pub struct Admitted {
    pub visitor: Visitor,
    pub key: PeerKey,
    /// The way to the media thread. The publication begins with the first packet and ends when it is dropped.
    pub packets: mpsc::Sender<Packet>,
}

/// The text is for the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl Inner {
    /// Whether the bearer of a stream key may publish now. What is wrong with a good key's use is an event of its
    /// participant, which comes to the stage for it, as it does with a WHIP offer that is refused.
    pub(super) fn admit_encoder(&self, stream_key: &str, secure: bool) -> Result<Admitted, Refused> {
        let ingest = match self.ledger.ingest(stream_key) {
            Ok(ingest) => ingest,
            Err(IngestRefusal::Detached) => {
                return Err(Refused("The ingest configuration is not attached to a stage."));
            }
            Err(IngestRefusal::WrongKey { of }) => {
                if let Some((stage_arn, participant_id)) = of {
                    let somebody = Ingest { stage_arn, participant_id, ..Ingest::default() };
                    self.fail(&self.encoder(somebody, secure), ErrorCode::InvalidStreamKey);
                }
                return Err(Refused("The stream key is not valid."));
            }
        };
        let insecure = ingest.insecure;
        let visitor = self.encoder(ingest, secure);
        if self.change(|presence, moment| presence.enter(&visitor, moment)).is_err() {
            return Err(Refused("The stage has as many participants as it may have."));
        }
        if !secure && !insecure {
            self.fail(&visitor, ErrorCode::InvalidProtocol);
            return Err(Refused("The ingest configuration takes RTMPS only."));
        }
        if self.look(|presence| presence.publishes(&visitor)) {
            self.fail(&visitor, ErrorCode::ReuseOfStreamKey);
            return Err(Refused("The stream key is in use."));
        }
        self.seat_encoder(visitor)
    }

    /// Notes that the participant's publication failed.
    pub(super) fn fail(&self, visitor: &Visitor, code: ErrorCode) {
        self.change(|presence, moment| presence.failed(visitor, Attempt::Publish, code, moment));
    }

    fn encoder(&self, ingest: Ingest, secure: bool) -> Visitor {
        Visitor {
            stage_arn: ingest.stage_arn.into(),
            stage_id: ingest.stage_id,
            participant_id: ingest.participant_id.into(),
            user_id: ingest.user_id,
            attributes: ingest.attributes,
            issued: 0,
            protocol: if secure { Protocol::Rtmps } else { Protocol::Rtmp },
            client: Client::default(),
            ingest_configuration_arn: Some(ingest.configuration_arn.into()),
            stands_for: ingest.stands_for.map(Into::into),
            active_session: ingest.active_session,
            new_session: session_id(&*self.world),
        }
    }

    fn seat_encoder(&self, visitor: Visitor) -> Result<Admitted, Refused> {
        let tracks = vec![TrackSpec::single(Codec::H264), TrackSpec::single(Codec::Opus)];
        let key = self.new_key();
        let connection = Connection {
            // Nothing is to be changed or ended by a URL.
            resource: random_name(&*self.world, SECRET_CHARS),
            etag: String::new(),
            peer_ufrag: String::new(),
            fragment_head: String::new(),
            purpose: Purpose::Publish { tracks: tracks.clone() },
        };
        let participant = self.change(|presence, _| {
            let name = presence.name_of_publication(&visitor.stage_arn, &visitor.participant_id);
            presence.attach(&visitor, key, connection).map(|_| name)
        });
        let Ok(participant) = participant else {
            self.fail(&visitor, ErrorCode::QuotaExceeded);
            return Err(Refused("The stage, or its region, has as many publishers as it may have."));
        };
        let (packets, feed) = Feed::new(self.world.now());
        let seat = Seat {
            key,
            stage: visitor.stage_arn.clone(),
            role: Role::Publisher { participant, tracks },
            // No datagram can be meant for it.
            ice_ufrag: random_name(&*self.world, SECRET_CHARS),
            connection: Box::new(feed),
        };
        if self.shards.send(Command::Add(Box::new(seat))).is_err() {
            self.change(|presence, moment| presence.ended(key, End::Removed, moment));
            self.fail(&visitor, ErrorCode::InternalServerException);
            return Err(Refused("The server is overloaded."));
        }
        Ok(Admitted { visitor, key, packets })
    }
}
