//! One stage's publishers and subscribers on one shard, and which packet goes to whom.
//!
//! A subscriber follows a participant, not a connection: if the participant publishes again from a new connection,
//! its subscribers go on with the new one. A room knows nothing of tokens, sessions or sockets.

mod demand;
mod figures;
mod mirror;

pub use figures::{Figures, LayerFigures};
pub use mirror::Standing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Codec, Kind};
use crate::forward::{Forward, Source};
use crate::keys::{PeerKey, PeerMap};
use crate::layer::Layer;
use crate::packet::{Incoming, Outgoing};
use crate::rules::{Record, Rules, Violation};
use crate::select::{Choice, Named, Selection};

/// A track that a publisher brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackSpec {
    pub codec: Codec,
    /// The names of its simulcast layers, in the order of the offer; empty without simulcast.
    pub rids: Vec<Arc<str>>,
}

impl TrackSpec {
    /// A track without simulcast.
    pub fn single(codec: Codec) -> TrackSpec {
        TrackSpec { codec, rids: Vec::new() }
    }
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

/// Bits per second that concern one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of what it is sent.
    pub present: u64,
    /// Of what it could be sent at most.
    pub top: u64,
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
    record: Record,
}

#[derive(Debug, Clone)]
struct Track {
    codec: Codec,
    layers: Vec<Layer>,
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
    selection: Selection,
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
        let tracks = tracks.iter().map(|spec| self.new_track(spec)).collect();
        let publisher = Publisher { participant: participant.clone(), tracks, record: Record::default() };
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
    pub fn subscribe(
        &mut self,
        peer: PeerKey,
        participant: Arc<str>,
        wanted: Vec<Wanted>,
        choice: Choice,
        now: Duration,
    ) {
        self.unsubscribe(peer);
        let selection = Selection::new(choice);
        let mut subscriber =
            Subscriber { participant: participant.clone(), wanted, tracks: Vec::new(), selection };
        let followed = self.participants.entry(participant).or_default();
        followed.followers.push(peer);
        if let Some(publisher) = followed.connection.and_then(|key| self.publishers.get(&key)) {
            subscriber.meet(publisher, now);
        }
        self.subscribers.insert(peer, subscriber);
    }

    /// `peer` follows nobody any more. Returns the participant that it followed.
    pub fn unsubscribe(&mut self, peer: PeerKey) -> Option<Arc<str>> {
        let subscriber = self.subscribers.remove(&peer)?;
        if let Some(followed) = self.participants.get_mut(&subscriber.participant) {
            followed.followers.retain(|follower| *follower != peer);
        }
        self.forget_if_unused(&subscriber.participant);
        Some(subscriber.participant)
    }

    /// The connections that follow the publisher on `peer`.
    pub fn followers(&self, peer: PeerKey) -> &[PeerKey] {
        self.publishers
            .get(&peer)
            .and_then(|publisher| self.participants.get(&publisher.participant))
            .map_or(&[], |followed| &followed.followers)
    }

    /// The connection that `subscriber` receives, if there is one.
    pub fn publisher_of(&self, subscriber: PeerKey) -> Option<PeerKey> {
        self.participants.get(&self.subscribers.get(&subscriber)?.participant)?.connection
    }

    /// Notes a packet of the publisher on `peer`; call it once per packet, before [`Room::forward`]. Returns the
    /// source of the packet, `None` if it belongs to no known track.
    pub fn receive(&mut self, peer: PeerKey, packet: &Incoming, now: Duration) -> Option<Source> {
        let publisher = self.publishers.get_mut(&peer)?;
        let track = publisher.tracks.iter_mut().find(|track| track.codec.kind() == packet.kind)?;
        let layer = track.layers.get_mut(usize::from(packet.layer))?;
        layer.note(packet, now);
        publisher.record.note(packet, now);
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

    /// Whether `subscriber` needs a key frame for the video that it is to have.
    pub fn waits(&self, subscriber: PeerKey) -> bool {
        let tracks = self.subscribers.get(&subscriber).map_or(&[][..], |subscriber| &subscriber.tracks);
        tracks.iter().any(|track| track.codec().kind() == Kind::Video && track.waits())
    }

    /// `subscriber` lost the picture or has none yet. Returns the request to send, if one is to be sent now.
    pub fn want_key_frame(&mut self, subscriber: PeerKey, now: Duration) -> Option<KeyFrameRequest> {
        let Subscriber { participant, tracks, .. } = self.subscribers.get(&subscriber)?;
        let key = self.participants.get(participant)?.connection?;
        let video = self.publishers.get_mut(&key)?.video_mut()?;
        let forward = tracks.iter().find(|track| track.codec() == video.codec);
        // A subscriber on its way to another layer is helped by that one's key frame.
        let index = forward.and_then(|forward| video.index(forward.sources().0)).unwrap_or_default();
        video.ask(key, index, now)
    }

    /// Publishers that have broken a rule. To be called some times a second.
    pub fn violations(&self, rules: &Rules) -> Vec<(PeerKey, Violation)> {
        let broken =
            |(key, publisher): (&PeerKey, &Publisher)| Some((*key, rules.broken(&publisher.record)?));
        self.publishers.iter().filter_map(broken).collect()
    }

    // === Layers ===

    /// `subscriber` asks for another layer; it gets it with that layer's next key frame. Returns the request for one,
    /// if it is to be sent now.
    pub fn choose(&mut self, subscriber: PeerKey, choice: Choice, now: Duration) -> Option<KeyFrameRequest> {
        let chooser = self.subscribers.get_mut(&subscriber)?;
        chooser.selection.choice = choice;
        let key = self.participants.get(&chooser.participant)?.connection?;
        let publisher = self.publishers.get_mut(&key)?;
        let audio = publisher.audio_rate(now);
        let video = publisher.video_mut()?;
        let index = chooser.retarget(video, &video.views(now), audio, now)?;
        video.ask(key, index, now)
    }

    /// What `subscriber`'s network carries, in bits per second. [`Room::adjust`] acts on it.
    pub fn set_budget(&mut self, subscriber: PeerKey, budget: u64) {
        if let Some(subscriber) = self.subscribers.get_mut(&subscriber) {
            subscriber.selection.budget = Some(budget);
        }
    }

    /// Gives every subscriber of a simulcast track the layer that it should have now: layers come and go, sizes and
    /// rates change. To be called some times a second. Returns requests for the key frames that switches need.
    pub fn adjust(&mut self, now: Duration) -> Vec<KeyFrameRequest> {
        let mut requests = Vec::new();
        for (key, publisher) in &mut self.publishers {
            if publisher.video().is_none_or(|video| video.layers.len() < 2) {
                continue;
            }
            let audio = publisher.audio_rate(now);
            let followed = self.participants.get(&publisher.participant);
            let Some(video) = publisher.video_mut() else { continue };
            let views = video.views(now);
            for follower in followed.map_or(&[][..], |followed| &followed.followers) {
                let Some(subscriber) = self.subscribers.get_mut(follower) else { continue };
                let index = subscriber.retarget(video, &views, audio, now);
                requests.extend(index.and_then(|index| video.ask(*key, index, now)));
            }
        }
        requests
    }

    /// What goes to `subscriber` and what could, for the estimate of its bandwidth; `None` if there is no choice.
    pub fn rates(&self, subscriber: PeerKey, now: Duration) -> Option<Rates> {
        let subscriber = self.subscribers.get(&subscriber)?;
        let publisher = self.publishers.get(&self.participants.get(&subscriber.participant)?.connection?)?;
        let video = publisher.video().filter(|video| video.layers.len() > 1)?;
        let (audio, views) = (publisher.audio_rate(now), video.views(now));
        let forward = subscriber.tracks.iter().find(|track| track.codec() == video.codec);
        let current = forward.and_then(|forward| video.index(forward.sources().1?));
        let present = current.map_or(0, |index| views[index].1.rate);
        Some(Rates { present: audio + present, top: audio + subscriber.selection.top_rate(&views) })
    }

    // === Key frames ===

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

    fn new_track(&mut self, spec: &TrackSpec) -> Track {
        let nameless = [Arc::from("")];
        let rids = if spec.rids.is_empty() { &nameless[..] } else { &spec.rids };
        let first = self.sources;
        self.sources += rids.len() as u64;
        let layers = rids.iter().zip(first..).map(|(rid, source)| Layer::new(Source(source), rid.clone()));
        Track { codec: spec.codec, layers: layers.collect() }
    }

    fn forget_if_unused(&mut self, participant: &Arc<str>) {
        let unused = |followed: &Followed| followed.connection.is_none() && followed.followers.is_empty();
        if self.participants.get(participant).is_some_and(unused) {
            self.participants.remove(participant);
        }
    }
}

impl Publisher {
    /// Its layers, each with the kind of its track.
    fn layers(&self) -> impl Iterator<Item = (Kind, &Layer)> {
        self.tracks.iter().flat_map(|track| track.layers.iter().map(|layer| (track.codec.kind(), layer)))
    }

    fn video(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| track.codec.kind() == Kind::Video)
    }

    fn video_mut(&mut self) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.codec.kind() == Kind::Video)
    }

    fn audio_rate(&self, now: Duration) -> u64 {
        let audio = self.tracks.iter().filter(|track| track.codec.kind() == Kind::Audio);
        audio.flat_map(|track| &track.layers).map(|layer| layer.meter.rate(now)).sum()
    }
}

impl Track {
    fn views(&self, now: Duration) -> Vec<Named> {
        self.layers.iter().map(|layer| (layer.rid.clone(), layer.view(now))).collect()
    }

    fn index(&self, source: Source) -> Option<usize> {
        self.layers.iter().position(|layer| layer.source == source)
    }

    fn ask(&mut self, publisher: PeerKey, index: usize, now: Duration) -> Option<KeyFrameRequest> {
        let request = KeyFrameRequest { publisher, kind: self.codec.kind(), layer: index as u8 };
        self.layers.get_mut(index)?.key_frames.ask(now).then_some(request)
    }
}

impl Subscriber {
    /// Points the video at the layer that it should have. Returns its index if a key frame of it is needed, now that
    /// it has become the target.
    fn retarget(&mut self, video: &Track, views: &[Named], overhead: u64, now: Duration) -> Option<usize> {
        let forward = self.tracks.iter_mut().find(|track| track.codec() == video.codec)?;
        let (target, current) = forward.sources();
        let present = current.and_then(|source| video.index(source));
        let index = self.selection.pick(views, present, overhead, now)?;
        let source = video.layers[index].source;
        if source == target {
            return None;
        }
        forward.switch_to(source);
        forward.waits().then_some(index)
    }

    /// Points every track at the first layer of `publisher`, keeping the numbering of tracks that already run. A
    /// track whose codec the subscriber cannot take is not forwarded.
    fn follow(&mut self, publisher: &Publisher) {
        // It was for the layers of the one before.
        self.selection.cap = None;
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
mod tests;

#[cfg(test)]
mod weather;
