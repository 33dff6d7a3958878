//! The rooms of one shard, and what shards tell each other so that a stage may be spread over all of them.
//!
//! A connection lives on one shard, which alone decrypts or encrypts for it. Every shard knows which participants
//! publish on the others. One that has followers of such a participant asks its shard for the packets, gets one copy of
//! each, and has a mirror of the publisher in its own room: from there on its subscribers are served as if the publisher
//! were here, each with its own layer and its own numbers. Wishes for key frames go to the publisher's shard, which merges
//! them with its own.
//!
//! Nothing is sent from here: notices wait in [`Rooms::take_notices`], and must be delivered to each shard in order,
//! together with the packets. A single shard has nobody to tell and never makes one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::{PeerKey, PeerMap};
use crate::room::{Figures, KeyFrameRequest, Room, Standing, TrackSpec, Wanted};
use crate::rules::{Rules, Violation};
use crate::select::Choice;

/// A shard's number, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShardId(pub u16);

/// What one shard tells another.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A participant publishes from a connection of the teller.
    Published { stage: Arc<str>, participant: Arc<str>, peer: PeerKey },
    /// It does so no more.
    Unpublished { stage: Arc<str>, participant: Arc<str>, peer: PeerKey },
    /// The teller has followers of this publisher and wants its packets.
    Follow(PeerKey),
    /// The answer to it: what the publisher is like so far. Its packets come after this.
    Following(PeerKey, Standing),
    /// The teller wants no more packets of this publisher.
    Unfollow(PeerKey),
    /// A follower on the teller's side needs a key frame.
    KeyFrame(KeyFrameRequest),
}

/// Whom a notice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Everybody,
    One(ShardId),
}

/// What the shard that heard a notice has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// Ask this publisher for a key frame now.
    KeyFrame(KeyFrameRequest),
    /// A shard follows this publisher from now on: give it what a late comer needs, if the publisher makes no key
    /// frames on demand.
    Followed(PeerKey, ShardId),
    /// This publisher of another shard is here now, and its followers need key frames.
    Mirrored(PeerKey),
}

/// The rooms of one shard.
#[derive(Debug)]
pub struct Rooms {
    alone: bool,
    rooms: HashMap<Arc<str>, Room>,
    /// The publishers whose connections are here.
    here: PeerMap<Here>,
    /// The publishers on other shards, by stage.
    elsewhere: HashMap<Arc<str>, Participants>,
    /// Those of them that are followed from here.
    followed: PeerMap<There>,
    notices: Vec<(To, Notice)>,
}

/// The connections from which each participant of a stage publishes, the newest last.
type Participants = HashMap<Arc<str>, Vec<(PeerKey, ShardId)>>;

#[derive(Debug)]
struct Here {
    stage: Arc<str>,
    participant: Arc<str>,
    /// The shards that get its packets.
    audience: Vec<ShardId>,
}

#[derive(Debug)]
struct There {
    stage: Arc<str>,
    participant: Arc<str>,
    shard: ShardId,
}

impl Rooms {
    /// For one of so many shards.
    pub fn new(shards: usize) -> Rooms {
        Rooms {
            alone: shards < 2,
            rooms: HashMap::new(),
            here: PeerMap::default(),
            elsewhere: HashMap::new(),
            followed: PeerMap::default(),
            notices: Vec::new(),
        }
    }

    /// A stage's room, if anybody here publishes or subscribes on it.
    pub fn room(&mut self, stage: &str) -> Option<&mut Room> {
        self.rooms.get_mut(stage)
    }

    pub fn get(&self, stage: &str) -> Option<&Room> {
        self.rooms.get(stage)
    }

    /// Stages with a connection on this shard.
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// The room in which a publisher is, be it here or mirrored.
    pub fn room_of_publisher(&mut self, peer: PeerKey) -> Option<&mut Room> {
        let here = self.here.get(&peer).map(|here| &here.stage);
        let stage = here.or(self.followed.get(&peer).map(|there| &there.stage))?;
        self.rooms.get_mut(stage)
    }

    /// Publishers with a connection here, and subscribers.
    pub fn counts(&self) -> (usize, usize) {
        (self.here.len(), self.rooms.values().map(Room::subscribers).sum())
    }

    /// What flows through each stage's room; of publishers those that are here.
    pub fn figures(&self, now: Duration) -> Vec<(Arc<str>, Figures)> {
        let here = |peer| self.here.contains_key(&peer);
        self.rooms.iter().map(|(stage, room)| (stage.clone(), room.figures(here, now))).collect()
    }

    /// The notices since the last call, in order.
    pub fn take_notices(&mut self) -> Vec<(To, Notice)> {
        std::mem::take(&mut self.notices)
    }

    // === Connections of this shard ===

    /// See [`Room::publish`]; the connection that is replaced is one of this shard.
    pub fn publish(
        &mut self,
        stage: &Arc<str>,
        peer: PeerKey,
        participant: Arc<str>,
        tracks: &[TrackSpec],
    ) -> Option<PeerKey> {
        let room = self.rooms.entry(stage.clone()).or_default();
        let replaced = room.publish(peer, participant.clone(), tracks);
        let here = Here { stage: stage.clone(), participant: participant.clone(), audience: Vec::new() };
        self.here.insert(peer, here);
        let published = Notice::Published { stage: stage.clone(), participant: participant.clone(), peer };
        self.tell(To::Everybody, published);
        self.settle(stage, &participant);
        replaced.filter(|old| self.here.contains_key(old))
    }

    pub fn unpublish(&mut self, peer: PeerKey) {
        let Some(Here { stage, participant, .. }) = self.here.remove(&peer) else { return };
        if let Some(room) = self.rooms.get_mut(&stage) {
            room.unpublish(peer);
        }
        let gone = Notice::Unpublished { stage: stage.clone(), participant: participant.clone(), peer };
        self.tell(To::Everybody, gone);
        self.settle(&stage, &participant);
    }

    /// See [`Room::subscribe`].
    pub fn subscribe(
        &mut self,
        stage: &Arc<str>,
        peer: PeerKey,
        participant: Arc<str>,
        wanted: Vec<Wanted>,
        choice: Choice,
        now: Duration,
    ) {
        let room = self.rooms.entry(stage.clone()).or_default();
        room.subscribe(peer, participant.clone(), wanted, choice, now);
        self.settle(stage, &participant);
    }

    pub fn unsubscribe(&mut self, stage: &Arc<str>, peer: PeerKey) {
        let Some(room) = self.rooms.get_mut(stage) else { return };
        if let Some(participant) = room.unsubscribe(peer) {
            self.settle(stage, &participant);
        }
    }

    /// Publishers of this shard that have broken a rule. To be called some times a second.
    pub fn violations(&self, rules: &Rules) -> Vec<(PeerKey, Violation)> {
        let broken = self.rooms.values().flat_map(|room| room.violations(rules));
        broken.filter(|(peer, _)| self.here.contains_key(peer)).collect()
    }

    // === Key frames ===

    /// Layers that are to change and key frames that are due, in all rooms. Returns the requests to send.
    pub fn adjust(&mut self, now: Duration) -> Vec<KeyFrameRequest> {
        let mut requests = Vec::new();
        for room in self.rooms.values_mut() {
            requests.extend(room.adjust(now));
            requests.extend(room.due(now));
        }
        requests.into_iter().filter_map(|request| self.route(request)).collect()
    }

    /// A request that a room of this shard made: it is returned if its publisher is here, else told to its shard.
    pub fn route(&mut self, request: KeyFrameRequest) -> Option<KeyFrameRequest> {
        let Some(there) = self.followed.get(&request.publisher) else { return Some(request) };
        let to = To::One(there.shard);
        self.tell(to, Notice::KeyFrame(request));
        None
    }

    // === Other shards ===

    /// The other shards that get the packets of a publisher of this one.
    pub fn audience(&self, peer: PeerKey) -> &[ShardId] {
        self.here.get(&peer).map_or(&[], |here| &here.audience)
    }

    /// The stage of a publisher whose packets another shard sends here.
    pub fn stage_of_mirror(&self, peer: PeerKey) -> Option<&Arc<str>> {
        self.followed.get(&peer).map(|there| &there.stage)
    }

    /// Takes what another shard told.
    pub fn hear(&mut self, from: ShardId, notice: Notice, now: Duration) -> Heard {
        match notice {
            Notice::Published { stage, participant, peer } => {
                // Copies: counting references over two cores is slower than names are long.
                let (stage, participant): (Arc<str>, Arc<str>) =
                    (Arc::from(&*stage), Arc::from(&*participant));
                let publishers = self.elsewhere.entry(stage.clone()).or_default();
                publishers.entry(participant.clone()).or_default().push((peer, from));
                self.settle(&stage, &participant);
            }
            Notice::Unpublished { stage, participant, peer } => {
                self.forget(&stage, &participant, peer);
                self.settle(&stage, &participant);
            }
            Notice::Follow(peer) => return self.admit(peer, from),
            Notice::Following(peer, standing) => {
                let Some(There { stage, participant, .. }) = self.followed.get(&peer) else {
                    return Heard::Nothing;
                };
                if let Some(room) = self.rooms.get_mut(stage) {
                    room.mirror(peer, participant.clone(), standing, now);
                    return Heard::Mirrored(peer);
                }
            }
            Notice::Unfollow(peer) => {
                if let Some(here) = self.here.get_mut(&peer) {
                    here.audience.retain(|shard| *shard != from);
                }
            }
            Notice::KeyFrame(request) => {
                let stage = self.here.get(&request.publisher).map(|here| here.stage.clone());
                let room = stage.and_then(|stage| self.rooms.get_mut(&stage));
                if let Some(request) = room.and_then(|room| room.ask(request, now)) {
                    return Heard::KeyFrame(request);
                }
            }
        }
        Heard::Nothing
    }

    fn admit(&mut self, peer: PeerKey, from: ShardId) -> Heard {
        // One that has ended: the shard that asked will hear of it.
        let Some(here) = self.here.get_mut(&peer) else { return Heard::Nothing };
        let Some(standing) = self.rooms.get(&here.stage).and_then(|room| room.standing(peer)) else {
            return Heard::Nothing;
        };
        if !here.audience.contains(&from) {
            here.audience.push(from);
        }
        self.tell(To::One(from), Notice::Following(peer, standing));
        Heard::Followed(peer, from)
    }

    fn forget(&mut self, stage: &Arc<str>, participant: &Arc<str>, peer: PeerKey) {
        self.followed.remove(&peer);
        if let Some(room) = self.rooms.get_mut(stage) {
            room.unpublish(peer);
        }
        let Some(publishers) = self.elsewhere.get_mut(stage) else { return };
        if let Some(list) = publishers.get_mut(participant) {
            list.retain(|(known, _)| *known != peer);
            if list.is_empty() {
                publishers.remove(participant);
            }
        }
        if publishers.is_empty() {
            self.elsewhere.remove(stage);
        }
    }

    /// Follows the participant on another shard if it publishes there, has followers here and does not publish here;
    /// stops following otherwise. To be called after every change of these.
    fn settle(&mut self, stage: &Arc<str>, participant: &Arc<str>) {
        let publishers = self.elsewhere.get(stage).and_then(|publishers| publishers.get(participant));
        let publishers = publishers.map_or(&[][..], Vec::as_slice);
        let room = self.rooms.get(stage);
        let wanted = room.is_some_and(|room| room.is_followed(participant))
            && !room
                .and_then(|room| room.connection_of(participant))
                .is_some_and(|peer| self.here.contains_key(&peer));
        let wanted = publishers.last().copied().filter(|_| wanted);
        let present = publishers.iter().copied().find(|(peer, _)| self.followed.contains_key(peer));
        if wanted != present {
            if let Some((peer, shard)) = present {
                self.followed.remove(&peer);
                self.tell(To::One(shard), Notice::Unfollow(peer));
                if let Some(room) = self.rooms.get_mut(stage) {
                    room.unpublish(peer);
                }
            }
            if let Some((peer, shard)) = wanted {
                let there = There { stage: stage.clone(), participant: participant.clone(), shard };
                self.followed.insert(peer, there);
                self.tell(To::One(shard), Notice::Follow(peer));
            }
        }
        if self.rooms.get(stage).is_some_and(Room::is_empty) {
            self.rooms.remove(stage);
        }
    }

    fn tell(&mut self, to: To, notice: Notice) {
        if !self.alone {
            self.notices.push((to, notice));
        }
    }
}

#[cfg(test)]
mod tests;
