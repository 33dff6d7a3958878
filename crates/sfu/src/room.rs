//! One stage's publishers and subscribers on one shard, and which packet goes to whom.
//!
//! A subscriber follows a participant, not a connection: if the participant publishes again from a new connection,
//! its subscribers go on with the new one. A room knows nothing of tokens, sessions or sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Codec, Kind};
use crate::forward::{Forward, Source};
use crate::keys::{PeerKey, PeerMap};
use crate::packet::{Incoming, Outgoing};
use crate::pli::Gate;

/// A track that a publisher brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSpec {
    pub codec: Codec,
    /// Number of simulcast layers, lowest first; 1 without simulcast.
    pub layers: u8,
}

/// What a subscriber can take, and the random number with which its packets start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub codec: Codec,
    pub first_sequence: u16,
}

/// Ask this publisher for a key frame of this layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFrameRequest {
    pub publisher: PeerKey,
    pub kind: Kind,
    pub layer: u8,
}

/// The publishers and subscribers of one stage.
#[derive(Debug, Default)]
pub struct Room {
    publishers: PeerMap<Publisher>,
    subscribers: PeerMap<Subscriber>,
    /// The present connection of each publishing participant, and everybody who follows it.
    participants: HashMap<Arc<str>, Followed>,
    sources: u64,
}

#[derive(Debug)]
struct Publisher {
    participant: Arc<str>,
    tracks: Vec<Track>,
}

#[derive(Debug)]
struct Track {
    codec: Codec,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    source: Source,
    key_frames: Gate,
}

#[derive(Debug, Default)]
struct Followed {
    connection: Option<PeerKey>,
    followers: Vec<PeerKey>,
}

#[derive(Debug)]
struct Subscriber {
    participant: Arc<str>,
    wanted: Vec<Wanted>,
    tracks: Vec<Forward>,
}

impl Room {
    pub fn is_empty(&self) -> bool {
        self.publishers.is_empty() && self.subscribers.is_empty()
    }

    pub fn publishers(&self) -> usize {
        self.publishers.len()
    }

    pub fn subscribers(&self) -> usize {
        self.subscribers.len()
    }

    /// `participant` publishes from `peer` now. Returns the connection that this one replaces.
    pub fn publish(&mut self, peer: PeerKey, participant: Arc<str>, tracks: &[TrackSpec]) -> Option<PeerKey> {
        let tracks = tracks.iter().map(|spec| self.new_track(*spec)).collect();
        let publisher = Publisher { participant: participant.clone(), tracks };
        let followed = self.participants.entry(participant).or_default();
        let replaced = followed.connection.replace(peer).filter(|old| *old != peer);
        for follower in &followed.followers {
            if let Some(subscriber) = self.subscribers.get_mut(follower) {
                subscriber.follow(&publisher);
            }
        }
        self.publishers.insert(peer, publisher);
        if let Some(old) = replaced {
            self.publishers.remove(&old);
        }
        replaced
    }

    /// The publisher on `peer` is gone. Its followers stay, in case it comes back.
    pub fn unpublish(&mut self, peer: PeerKey) {
        let Some(publisher) = self.publishers.remove(&peer) else {
            return;
        };
        if let Some(followed) = self.participants.get_mut(&publisher.participant) {
            followed.connection = followed.connection.filter(|present| *present != peer);
        }
        self.forget_if_unused(&publisher.participant);
    }

    /// `peer` follows `participant` from now on; it receives nothing before the next key frame.
    pub fn subscribe(&mut self, peer: PeerKey, participant: Arc<str>, wanted: Vec<Wanted>) {
        self.unsubscribe(peer);
        let mut subscriber = Subscriber { participant: participant.clone(), wanted, tracks: Vec::new() };
        let followed = self.participants.entry(participant).or_default();
        followed.followers.push(peer);
        if let Some(publisher) = followed.connection.and_then(|key| self.publishers.get(&key)) {
            subscriber.follow(publisher);
        }
        self.subscribers.insert(peer, subscriber);
    }

    pub fn unsubscribe(&mut self, peer: PeerKey) {
        let Some(subscriber) = self.subscribers.remove(&peer) else {
            return;
        };
        if let Some(followed) = self.participants.get_mut(&subscriber.participant) {
            followed.followers.retain(|follower| *follower != peer);
        }
        self.forget_if_unused(&subscriber.participant);
    }

    /// The connections that follow the publisher on `peer`.
    pub fn followers(&self, peer: PeerKey) -> &[PeerKey] {
        self.publishers
            .get(&peer)
            .and_then(|publisher| self.participants.get(&publisher.participant))
            .map_or(&[], |followed| &followed.followers)
    }

    /// Notes a packet of the publisher on `peer`; call it once per packet, before [`Room::forward`]. Returns the
    /// source of the packet, `None` if it belongs to no known track.
    pub fn receive(&mut self, peer: PeerKey, packet: &Incoming) -> Option<Source> {
        let layer = self.layer_mut(peer, packet.kind, packet.layer)?;
        if packet.starts_key_frame {
            layer.key_frames.key_frame();
        }
        Some(layer.source)
    }

    /// The numbers under which `subscriber` gets a packet of `source`, or `None` if it does not get it.
    pub fn forward(
        &mut self,
        subscriber: PeerKey,
        source: Source,
        packet: &Incoming,
        now: Duration,
    ) -> Option<Outgoing> {
        let tracks = &mut self.subscribers.get_mut(&subscriber)?.tracks;
        let track = tracks.iter_mut().find(|track| track.codec().kind() == packet.kind)?;
        track.accept(source, packet, now)
    }

    /// `subscriber` lost the picture or has none yet. Returns the request to send, if one is to be sent now.
    pub fn want_key_frame(&mut self, subscriber: PeerKey, now: Duration) -> Option<KeyFrameRequest> {
        let participant = &self.subscribers.get(&subscriber)?.participant;
        let publisher = self.participants.get(participant)?.connection?;
        self.layer_mut(publisher, Kind::Video, 0)?.key_frames.ask(now).then_some(KeyFrameRequest {
            publisher,
            kind: Kind::Video,
            layer: 0,
        })
    }

    /// Delayed and repeated key-frame requests whose time has come.
    pub fn due(&mut self, now: Duration) -> Vec<KeyFrameRequest> {
        let mut requests = Vec::new();
        for (peer, publisher) in &mut self.publishers {
            for track in &mut publisher.tracks {
                for (index, layer) in track.layers.iter_mut().enumerate() {
                    if layer.key_frames.due(now) {
                        let kind = track.codec.kind();
                        requests.push(KeyFrameRequest { publisher: *peer, kind, layer: index as u8 });
                    }
                }
            }
        }
        requests
    }

    /// When [`Room::due`] is worth calling.
    pub fn next_due(&self) -> Option<Duration> {
        let tracks = self.publishers.values().flat_map(|publisher| &publisher.tracks);
        tracks.flat_map(|track| &track.layers).filter_map(|layer| layer.key_frames.next_due()).min()
    }

    fn new_track(&mut self, spec: TrackSpec) -> Track {
        let first = self.sources;
        self.sources += u64::from(spec.layers);
        let layers = (first..self.sources)
            .map(|source| Layer { source: Source(source), key_frames: Gate::default() })
            .collect();
        Track { codec: spec.codec, layers }
    }

    fn layer_mut(&mut self, peer: PeerKey, kind: Kind, layer: u8) -> Option<&mut Layer> {
        let tracks = &mut self.publishers.get_mut(&peer)?.tracks;
        let track = tracks.iter_mut().find(|track| track.codec.kind() == kind)?;
        track.layers.get_mut(usize::from(layer))
    }

    fn forget_if_unused(&mut self, participant: &Arc<str>) {
        let unused = |followed: &Followed| followed.connection.is_none() && followed.followers.is_empty();
        if self.participants.get(participant).is_some_and(unused) {
            self.participants.remove(participant);
        }
    }
}

impl Subscriber {
    /// Points every track at the lowest layer of `publisher`, keeping the numbering of tracks that already run. A
    /// track whose codec the subscriber cannot take is not forwarded.
    fn follow(&mut self, publisher: &Publisher) {
        for track in &publisher.tracks {
            let Some(wanted) = self.wanted.iter().find(|wanted| wanted.codec == track.codec) else {
                continue;
            };
            let Some(source) = track.layers.first().map(|layer| layer.source) else {
                continue;
            };
            match self.tracks.iter_mut().find(|running| running.codec() == track.codec) {
                Some(running) => running.switch_to(source),
                None => self.tracks.push(Forward::new(track.codec, source, wanted.first_sequence)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHER: PeerKey = PeerKey(1);
    const AGAIN: PeerKey = PeerKey(2);
    const SUBSCRIBER: PeerKey = PeerKey(3);
    const TRACKS: [TrackSpec; 2] =
        [TrackSpec { codec: Codec::Opus, layers: 1 }, TrackSpec { codec: Codec::H264, layers: 1 }];

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn wanted(codecs: &[Codec]) -> Vec<Wanted> {
        codecs.iter().map(|codec| Wanted { codec: *codec, first_sequence: 100 }).collect()
    }

    fn key_frame(sequence: u64) -> Incoming {
        Incoming::describe(Codec::H264, 0, sequence, 0, &[0x67])
    }

    fn send(room: &mut Room, from: PeerKey, packet: &Incoming, at: u64) -> Vec<(PeerKey, u64)> {
        let Some(source) = room.receive(from, packet) else {
            return Vec::new();
        };
        let followers = room.followers(from).to_vec();
        let forwarded = followers.into_iter().filter_map(|follower| {
            room.forward(follower, source, packet, ms(at)).map(|out| (follower, out.sequence))
        });
        forwarded.collect()
    }

    #[test]
    fn packets_go_to_followers_only() {
        let mut room = Room::default();
        assert_eq!(room.publish(PUBLISHER, "alice".into(), &TRACKS), None);
        room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::Opus, Codec::H264]));
        room.subscribe(PeerKey(9), "bob".into(), wanted(&[Codec::Opus, Codec::H264]));
        assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 0), [(SUBSCRIBER, 100)]);
        assert_eq!(send(&mut room, PeerKey(77), &key_frame(7), 0), []);
        room.unsubscribe(SUBSCRIBER);
        assert_eq!(send(&mut room, PUBLISHER, &key_frame(8), 0), []);
        room.unpublish(PUBLISHER);
        room.unsubscribe(PeerKey(9));
        assert!(room.is_empty() && room.participants.is_empty());
    }

    #[test]
    fn a_subscriber_without_the_codec_gets_the_other_track() {
        let mut room = Room::default();
        room.publish(PUBLISHER, "alice".into(), &TRACKS);
        room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::Opus, Codec::Vp8]));
        assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 0), []);
        let audio = Incoming::describe(Codec::Opus, 0, 5, 0, &[0xfc]);
        assert_eq!(send(&mut room, PUBLISHER, &audio, 0), [(SUBSCRIBER, 100)]);
    }

    #[test]
    fn the_newest_connection_of_a_participant_replaces_the_old_one() {
        let mut room = Room::default();
        room.publish(PUBLISHER, "alice".into(), &TRACKS);
        room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::H264]));
        send(&mut room, PUBLISHER, &key_frame(7), 0);
        assert_eq!(room.publish(AGAIN, "alice".into(), &TRACKS), Some(PUBLISHER));
        assert_eq!(send(&mut room, PUBLISHER, &key_frame(8), 10), []);
        assert_eq!(send(&mut room, AGAIN, &key_frame(9_000), 20), [(SUBSCRIBER, 101)]);
        room.unpublish(PUBLISHER);
        assert_eq!(send(&mut room, AGAIN, &key_frame(9_001), 30), [(SUBSCRIBER, 102)]);
    }

    #[test]
    fn a_subscriber_may_come_before_its_publisher() {
        let mut room = Room::default();
        room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::H264]));
        assert_eq!(room.want_key_frame(SUBSCRIBER, ms(0)), None);
        room.publish(PUBLISHER, "alice".into(), &TRACKS);
        let request = KeyFrameRequest { publisher: PUBLISHER, kind: Kind::Video, layer: 0 };
        assert_eq!(room.want_key_frame(SUBSCRIBER, ms(0)), Some(request));
        assert_eq!(room.want_key_frame(SUBSCRIBER, ms(1)), None);
        assert_eq!(room.next_due(), Some(ms(1000)));
        assert_eq!(room.due(ms(1000)), [request]);
        assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 1100), [(SUBSCRIBER, 100)]);
        assert_eq!(room.next_due(), None);
    }
}
