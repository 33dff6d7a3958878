//! Publishers whose connections are on another shard, and what that shard's room has to know and to say for it. A room
//! serves the followers of such a mirror as it does those of its own publishers. Who tells whom is [`crate::rooms`]'s.

use std::sync::Arc;
use std::time::Duration;

use super::{KeyFrameRequest, Publisher, Room, Subscriber, Track};
use crate::forward::Source;
use crate::keys::PeerKey;
use crate::packet::Incoming;
use crate::pli::Gate;
use crate::rules::Record;

/// What a publisher is like: its tracks, and how each of their layers has flowed so far.
#[derive(Debug, Clone)]
pub struct Standing {
    tracks: Vec<Track>,
}

impl Room {
    /// What a room of another shard needs to know of the publisher on `peer` in order to forward as this one does.
    pub fn standing(&self, peer: PeerKey) -> Option<Standing> {
        let publisher = self.publishers.get(&peer)?;
        Some(Standing { tracks: publisher.tracks.clone() })
    }

    /// `participant` publishes from `peer`, a connection of another shard, and has done so before. Its followers here
    /// go on with it.
    pub fn mirror(&mut self, peer: PeerKey, participant: Arc<str>, standing: Standing, now: Duration) {
        let tracks = standing.tracks.into_iter().map(|track| self.mirrored(track)).collect();
        let publisher = Publisher { participant: participant.clone(), tracks, record: Record::default() };
        let followed = self.participants.entry(participant).or_default();
        let replaced = followed.connection.replace(peer).filter(|old| *old != peer);
        for follower in &followed.followers {
            if let Some(subscriber) = self.subscribers.get_mut(follower) {
                subscriber.meet(&publisher, now);
            }
        }
        self.publishers.insert(peer, publisher);
        if let Some(old) = replaced {
            self.publishers.remove(&old);
        }
    }

    /// The connection from which `participant` publishes, as far as this room knows.
    pub fn connection_of(&self, participant: &str) -> Option<PeerKey> {
        self.participants.get(participant)?.connection
    }

    /// Whether anybody follows `participant`.
    pub fn is_followed(&self, participant: &str) -> bool {
        self.participants.get(participant).is_some_and(|followed| !followed.followers.is_empty())
    }

    /// Another shard's room needs a key frame. Returns the request, if it is to be sent now.
    pub fn ask(&mut self, request: KeyFrameRequest, now: Duration) -> Option<KeyFrameRequest> {
        let publisher = self.publishers.get_mut(&request.publisher)?;
        let track = publisher.tracks.iter_mut().find(|track| track.codec.kind() == request.kind)?;
        track.ask(request.publisher, usize::from(request.layer), now)
    }

    /// The source of a packet, without noting it.
    pub fn source(&self, peer: PeerKey, packet: &Incoming) -> Option<Source> {
        let publisher = self.publishers.get(&peer)?;
        let track = publisher.tracks.iter().find(|track| track.codec.kind() == packet.kind)?;
        track.layers.get(usize::from(packet.layer)).map(|layer| layer.source)
    }

    /// A track with this room's sources and names, and the wishes of this room's followers alone.
    fn mirrored(&mut self, track: Track) -> Track {
        let first = self.sources;
        self.sources += track.layers.len() as u64;
        let layers = track.layers.into_iter().zip(first..).map(|(mut layer, source)| {
            layer.source = Source(source);
            // A copy: counting references over two cores is slower than the name is long.
            layer.rid = Arc::from(&*layer.rid);
            layer.key_frames = Gate::default();
            layer
        });
        Track { codec: track.codec, layers: layers.collect() }
    }
}

impl Subscriber {
    /// Turns to a publisher whose layers may have flowed before.
    pub(super) fn meet(&mut self, publisher: &Publisher, now: Duration) {
        self.follow(publisher);
        if let Some(video) = publisher.video() {
            self.retarget(video, &video.views(now), publisher.audio_rate(now), now);
        }
    }
}
