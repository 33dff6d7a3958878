//! A connection's life on a shard: it is added, moved on in time, heard, and ended. Who is told of that.

use std::cmp::Reverse;
use std::time::Instant;

use stagedoor_sfu::PeerKey;
use tokio::sync::mpsc;

use super::links::Letter;
use super::peer::{End, Peer, Role};
use super::{Report, Seat, Shard, TICK, TIMER_MIN};
use crate::engine::{IceRestart, Output};

impl Shard {
    pub(super) fn add(&mut self, seat: Seat) {
        let now = self.world.now();
        let key = seat.key;
        self.demux.insert(key, seat.ice_ufrag.clone());
        self.peers.insert(key, Peer::new(seat, now));
        self.next_tick.get_or_insert(now + TICK);
        // The first timeout starts the ICE agent.
        self.advance(key, now);
    }

    pub(super) fn restart_ice(&mut self, key: PeerKey, restart: &IceRestart) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        if let Err(end) = peer.restart_ice(restart) {
            return self.end(key, end);
        }
        self.advance(key, self.world.now());
    }

    /// Moves one connection's time and takes what it has to say.
    pub(super) fn advance(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        match peer.advance(now) {
            Ok(()) => self.drain(key, now),
            Err(end) => self.end(key, end),
        }
    }

    /// A publisher without datagrams has something to say.
    pub(super) fn look(&mut self, key: PeerKey) {
        let now = self.world.now();
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.heard(now);
        }
        self.advance(key, now);
    }

    pub(super) fn drain(&mut self, key: PeerKey, now: Instant) {
        loop {
            let Some(peer) = self.peers.get_mut(&key) else { return };
            match peer.poll() {
                Ok(Output::Datagram { to, contents }) => self.post(to, contents),
                Ok(Output::Packet(packet)) => self.burst.push((key, packet)),
                Ok(Output::Connected) if peer.via.is_some() => peer.departs = peer.via,
                Ok(Output::Connected) => self.connected(key, now),
                Ok(Output::KeyFrameWanted) => self.want_key_frame(key, now),
                Ok(Output::Bandwidth(rate)) => self.take_bandwidth(key, rate),
                Ok(Output::Closed) => return self.end(key, End::Left),
                Ok(Output::Wait(at)) => {
                    if let Some(to) = peer.departs {
                        return self.depart(key, to);
                    }
                    if let Some(at) = peer.schedule(at.max(now + TIMER_MIN)) {
                        self.timers.push(Reverse((at, key)));
                    }
                    return;
                }
                Err(end) => return self.end(key, end),
            }
        }
    }

    pub(super) fn connected(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        if std::mem::replace(&mut peer.connected, true) {
            return;
        }
        let (rooms, stage) = (&mut self.rooms, &peer.stage);
        let replaced = match &peer.role {
            Role::Publisher { participant, tracks } => rooms.publish(stage, key, participant.clone(), tracks),
            Role::Subscriber { participant, wanted, choice } => {
                let at = now.saturating_duration_since(self.epoch);
                rooms.subscribe(stage, key, participant.clone(), wanted.clone(), choice.clone(), at);
                None
            }
        };
        self.tell_notices();
        self.report(Report::Connected(key));
        if let Some(old) = replaced {
            self.close(old);
        }
        self.greet(key, now);
    }

    /// Ends a connection from our side, with a farewell to the peer.
    pub(super) fn close(&mut self, key: PeerKey) {
        if self.peers.contains_key(&key) {
            self.farewell(key);
            self.end(key, End::Removed);
        }
    }

    pub(super) fn farewell(&mut self, key: PeerKey) {
        if let Some(peer) = self.peers.get_mut(&key) {
            let mut farewell = Vec::new();
            peer.farewell(|to, contents| farewell.push((to, contents)));
            farewell.into_iter().for_each(|(to, contents)| self.post(to, contents));
        }
    }

    pub(super) fn end(&mut self, key: PeerKey, end: End) {
        let Some(peer) = self.peers.remove(&key) else { return };
        self.demux.remove(key);
        if end == End::Failed {
            self.counters.failures += 1;
        }
        match peer.role {
            Role::Publisher { .. } => self.rooms.unpublish(key),
            Role::Subscriber { .. } => self.rooms.unsubscribe(&peer.stage, key),
        }
        self.tell_notices();
        if peer.known_elsewhere {
            self.links.tell_all(|| Letter::Forget(key));
        }
        self.report(Report::Ended(key, end));
    }

    pub(super) fn end_all(&mut self) {
        let keys: Vec<PeerKey> = self.peers.keys().copied().collect();
        for key in keys {
            self.close(key);
        }
        self.flush();
        self.publish_counters();
    }

    fn report(&mut self, report: Report) {
        self.unreported.push_back(report);
        self.send_reports();
    }

    pub(super) fn send_reports(&mut self) {
        while let Some(report) = self.unreported.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(report)) = self.reports.try_send(report) {
                self.unreported.push_front(report);
                return;
            }
        }
    }
}
