//! From a publisher's packets to its followers, and the key frames that those need. Which packet a follower gets, and
//! under which numbers, is the room's to say.

use std::time::Instant;

use stagedoor_sfu::{Choice, Incoming, KeyFrameRequest, PeerKey, Room};

use super::Shard;
use super::gather;
use super::group::Group;
use super::peer::{Peer, Role};
use crate::engine::Packet;

/// Replays between two looks at the socket.
const REPLAYS_AT_ONCE: usize = 8;

impl Shard {
    /// Writes the burst to everybody who follows its publishers, but for frames that have only begun to come.
    pub(super) fn forward(&mut self, now: Instant) {
        let mut held = Vec::new();
        // Draining followers can bring packets too, when somebody both publishes and follows on one connection.
        while !self.burst.is_empty() {
            let burst = std::mem::take(&mut self.burst);
            let mut publishers: Vec<PeerKey> = burst.iter().map(|(key, _)| *key).collect();
            publishers.dedup();
            publishers.sort_unstable();
            publishers.dedup();
            let mut ready = Vec::with_capacity(publishers.len());
            for publisher in publishers {
                if gather::waits(publisher, &burst, now) {
                    held.extend(burst.iter().filter(|(key, _)| *key == publisher).cloned());
                } else {
                    ready.push((publisher, self.describe(publisher, &burst)));
                }
            }
            // Other shards write to their followers while this one writes to its own.
            ready.iter().for_each(|(publisher, packets)| self.send_mirrors(*publisher, packets));
            self.wake_others();
            for (publisher, packets) in ready {
                self.write_to_followers(publisher, &packets, now);
            }
        }
        self.burst = held;
    }

    fn describe<'a>(
        &mut self,
        publisher: PeerKey,
        burst: &'a [(PeerKey, Packet)],
    ) -> Vec<(Incoming, &'a Packet)> {
        let packets = burst.iter().filter(|(key, _)| *key == publisher);
        let described: Vec<(Incoming, &Packet)> =
            packets.map(|(_, packet)| (packet.describe(), packet)).collect();
        self.counters.packets_in += described.len() as u64;
        if let Some(peer) = self.peers.get_mut(&publisher) {
            described.iter().for_each(|(incoming, packet)| peer.keep(incoming, packet));
        }
        described
    }

    /// Writes packets of a publisher, here or mirrored, to its followers on this shard.
    pub(super) fn write_to_followers(
        &mut self,
        publisher: PeerKey,
        packets: &[(Incoming, &Packet)],
        now: Instant,
    ) {
        let at = now.saturating_duration_since(self.epoch);
        let Some(room) = self.rooms.room_of_publisher(publisher) else { return };
        let mut described = Vec::with_capacity(packets.len());
        for (incoming, packet) in packets {
            match room.receive(publisher, incoming, at) {
                Some(source) => described.push((source, *incoming, *packet)),
                None => self.counters.dropped_unwanted += 1,
            }
        }
        let followers = room.followers(publisher).to_vec();
        // Each follower's connection is written to, moved and emptied while the processor's caches still hold it.
        for follower in followers {
            let Some(room) = self.rooms.room_of_publisher(publisher) else { return };
            let Some(peer) = self.peers.get_mut(&follower) else { continue };
            let mut written = 0;
            for (source, incoming, packet) in &described {
                if let Some(numbers) = room.forward(follower, *source, incoming, at) {
                    peer.write(now, packet, &numbers);
                    written += 1;
                }
            }
            self.counters.packets_forwarded += written;
            self.counters.dropped_unwanted += described.len() as u64 - written;
            if written > 0 {
                self.advance(follower, now);
                self.flush_if_long();
            }
        }
    }

    /// Gets a new subscriber its first key frame; for a new publisher, the followers that were waiting for it.
    pub(super) fn greet(&mut self, key: PeerKey, now: Instant) {
        let Some(room) = self.room_of(key) else { return };
        let waiting: Vec<PeerKey> = room.followers(key).iter().copied().chain([key]).collect();
        for subscriber in waiting {
            self.want_key_frame(subscriber, now);
        }
        self.replay(key, now);
    }

    /// Brings a subscriber without a picture up to date if its publisher makes no key frames on demand.
    pub(super) fn replay(&mut self, subscriber: PeerKey, now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        let Some(publisher) = self.room_of(subscriber).and_then(|room| room.publisher_of(subscriber)) else {
            return;
        };
        let group = self.peers.get(&publisher).and_then(Peer::group).or(self.groups.get(&publisher));
        let Some(replay) = group.map(Group::replay) else { return };
        let Some(peer) = self.peers.get_mut(&subscriber) else { return };
        let Some(room) = self.rooms.room(&peer.stage).filter(|room| room.waits(subscriber)) else { return };
        let mut written = 0;
        for (kept, ago) in replay {
            let Some(source) = room.source(publisher, &kept.incoming) else { continue };
            // The newest one is of now, so that what was received before goes on in time.
            let at = at.saturating_sub(ago);
            if let Some(numbers) = room.forward(subscriber, source, &kept.incoming, at) {
                peer.write(now, &kept.packet, &numbers);
                written += 1;
            }
        }
        self.counters.packets_forwarded += written;
        self.advance(subscriber, now);
    }

    /// Does some of the replays that wait, and says whether there are more. A stage with many followers must not hold
    /// up the others; who has got a key frame in the meantime needs none.
    pub(super) fn take_replays(&mut self, now: Instant) -> bool {
        for _ in 0..REPLAYS_AT_ONCE {
            let Some(subscriber) = self.replays.pop_front() else { return false };
            self.replay(subscriber, now);
            self.flush_if_long();
        }
        !self.replays.is_empty()
    }

    pub(super) fn want_key_frame(&mut self, subscriber: PeerKey, now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        let request = self.room_of(subscriber).and_then(|room| room.want_key_frame(subscriber, at));
        if let Some(request) = request {
            self.request_key_frame(request, now);
        }
    }

    pub(super) fn choose(&mut self, subscriber: PeerKey, choice: Choice) {
        let now = self.world.now();
        if let Some(Peer { role: Role::Subscriber { choice: first, .. }, .. }) =
            self.peers.get_mut(&subscriber)
        {
            // For one that is not connected yet.
            first.clone_from(&choice);
        }
        let at = now.saturating_duration_since(self.epoch);
        let request = self.room_of(subscriber).and_then(|room| room.choose(subscriber, choice, at));
        if let Some(request) = request {
            self.request_key_frame(request, now);
        }
    }

    /// The layers follow with the next tick.
    pub(super) fn take_bandwidth(&mut self, subscriber: PeerKey, rate: u64) {
        if let Some(room) = self.room_of(subscriber) {
            room.set_budget(subscriber, rate);
        }
    }

    /// Asks the publisher, which may be on another shard.
    pub(super) fn request_key_frame(&mut self, request: KeyFrameRequest, now: Instant) {
        let Some(request) = self.rooms.route(request) else { return self.tell_notices() };
        let Some(peer) = self.peers.get_mut(&request.publisher) else { return };
        peer.request_key_frame(request.kind, request.layer);
        self.counters.key_frame_requests += 1;
        self.advance(request.publisher, now);
    }

    pub(super) fn room_of(&mut self, key: PeerKey) -> Option<&mut Room> {
        self.rooms.room(&self.peers.get(&key)?.stage)
    }
}
