//! Packets from one shard to another: one copy of a publisher's burst for each shard that has followers of it. The copy
//! is in one piece and unpacked by its reader, so that no two cores count references to a payload.

use std::time::Instant;

use stagedoor_sfu::{Codec, Heard, Incoming, Notice, PeerKey, ShardId};

use super::Shard;
use super::group::Group;
use super::links::Letter;
use crate::engine::{Extensions, Packet};

/// Letters taken before the socket gets its turn.
const LETTERS_AT_ONCE: usize = 1024;

/// Packets of one publisher, in order, described by its shard.
pub struct Burst {
    publisher: PeerKey,
    heads: Vec<Head>,
    payloads: Vec<u8>,
    /// Packets before these found no room on the way.
    after_loss: bool,
    /// What came before the reader followed, for late comers.
    backlog: bool,
}

struct Head {
    incoming: Incoming,
    codec: Codec,
    marker: bool,
    received: Instant,
    extensions: Extensions,
    /// Where its payload ends.
    end: usize,
}

impl Burst {
    pub fn copy<'a>(
        publisher: PeerKey,
        packets: impl Iterator<Item = (&'a Incoming, &'a Packet)> + Clone,
    ) -> Burst {
        let bytes = packets.clone().map(|(_, packet)| packet.payload.len()).sum();
        let mut payloads = Vec::with_capacity(bytes);
        let heads = packets.map(|(incoming, packet)| {
            payloads.extend_from_slice(&packet.payload);
            Head {
                incoming: *incoming,
                codec: packet.codec,
                marker: packet.marker,
                received: packet.received,
                extensions: packet.extensions,
                end: payloads.len(),
            }
        });
        let heads = heads.collect();
        Burst { publisher, heads, payloads, after_loss: false, backlog: false }
    }

    fn unpack(&self) -> Vec<(Incoming, Packet)> {
        let mut start = 0;
        let packets = self.heads.iter().map(|head| {
            let payload = &self.payloads[start..head.end];
            start = head.end;
            let packet = Packet {
                kind: head.incoming.kind,
                codec: head.codec,
                layer: head.incoming.layer,
                sequence: head.incoming.sequence,
                time: head.incoming.time,
                marker: head.marker,
                payload: payload.into(),
                received: head.received,
                extensions: head.extensions,
            };
            (head.incoming, packet)
        });
        packets.collect()
    }
}

impl Shard {
    /// Sends what a publisher brought to the shards that have followers of it.
    pub(super) fn send_mirrors(&mut self, publisher: PeerKey, packets: &[(Incoming, &Packet)]) {
        if packets.is_empty() || self.rooms.audience(publisher).is_empty() {
            return;
        }
        for shard in self.rooms.audience(publisher).to_vec() {
            let copied = packets.iter().map(|(incoming, packet)| (incoming, *packet));
            let mut burst = Burst::copy(publisher, copied);
            burst.after_loss = self.lost.contains(&(publisher, shard));
            let after_loss = burst.after_loss;
            match (self.links.send(shard, burst), after_loss) {
                (true, false) => {}
                (true, true) => drop(self.lost.remove(&(publisher, shard))),
                (false, _) => {
                    self.counters.dropped_between += packets.len() as u64;
                    self.lost.insert((publisher, shard));
                }
            }
        }
    }

    /// Takes what the other shards sent, about a queue of it, and says whether there may be more.
    pub(super) fn take_letters(&mut self, now: Instant) -> bool {
        for _ in 0..LETTERS_AT_ONCE {
            let Some((from, letter)) = self.links.next_letter() else { return false };
            match letter {
                Letter::Notice(notice) => self.hear(from, notice, now),
                Letter::Burst(burst) => self.take_burst(&burst, now),
                Letter::Command(command) => self.obey(command),
                Letter::Moved(moved) => self.arrive(*moved, now),
                Letter::Learn { peer, ufrag, path } => self.learn(from, peer, ufrag, path),
                Letter::Forget(peer) => self.forget(peer),
                Letter::TcpClosed(client) => self.tcp_closed(client),
            }
        }
        true
    }

    fn hear(&mut self, from: ShardId, notice: Notice, now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        match self.rooms.hear(from, notice, at) {
            Heard::Nothing => {}
            Heard::KeyFrame(request) => self.request_key_frame(request, now),
            Heard::Followed(publisher, shard) => self.send_backlog(publisher, shard),
            Heard::Mirrored(publisher) => self.want_key_frames_of(publisher, now),
        }
        self.tell_notices();
    }

    /// Gives the followers on another shard what they missed of a publisher that makes no key frames on demand.
    fn send_backlog(&mut self, publisher: PeerKey, shard: ShardId) {
        let Some(group) = self.peers.get(&publisher).and_then(|peer| peer.group()) else { return };
        let mut burst = Burst::copy(publisher, group.packets());
        burst.backlog = true;
        let packets = burst.heads.len() as u64;
        // What stands about the publisher must come first.
        self.tell_notices();
        if !self.links.send(shard, burst) {
            self.counters.dropped_between += packets;
        }
    }

    fn take_burst(&mut self, burst: &Burst, now: Instant) {
        let publisher = burst.publisher;
        // Nobody follows it any more: this crossed the letter that says so.
        if self.rooms.stage_of_mirror(publisher).is_none() {
            return;
        }
        let packets = burst.unpack();
        if burst.backlog {
            let mut group = Group::default();
            packets.iter().for_each(|(incoming, packet)| group.note(incoming, packet));
            self.groups.insert(publisher, group);
            let followers = self.followers_of_mirror(publisher);
            self.replays.extend(followers);
            return;
        }
        if burst.after_loss {
            self.want_key_frames_of(publisher, now);
        }
        if let Some(group) = self.groups.get_mut(&publisher) {
            packets.iter().for_each(|(incoming, packet)| group.note(incoming, packet));
        }
        let packets: Vec<(Incoming, &Packet)> =
            packets.iter().map(|(incoming, packet)| (*incoming, packet)).collect();
        self.write_to_followers(publisher, &packets, now);
    }

    fn want_key_frames_of(&mut self, publisher: PeerKey, now: Instant) {
        for follower in self.followers_of_mirror(publisher) {
            self.want_key_frame(follower, now);
        }
    }

    fn followers_of_mirror(&mut self, publisher: PeerKey) -> Vec<PeerKey> {
        let room = self.rooms.room_of_publisher(publisher);
        room.map(|room| room.followers(publisher).to_vec()).unwrap_or_default()
    }

    /// Tells the other shards what the rooms have to say.
    pub(super) fn tell_notices(&mut self) {
        for (to, notice) in self.rooms.take_notices() {
            self.links.notify(to, notice);
        }
    }

    /// Forgets what belonged to publishers that are followed no more.
    pub(super) fn tidy_mirrors(&mut self) {
        let rooms = &self.rooms;
        self.groups.retain(|publisher, _| rooms.stage_of_mirror(*publisher).is_some());
        self.lost.retain(|(publisher, shard)| rooms.audience(*publisher).contains(shard));
    }
}
