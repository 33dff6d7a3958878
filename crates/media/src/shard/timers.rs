//! What a shard does because time has passed: timers of connections, and some times a second a look at everything.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use stagedoor_sfu::{KeyFrameRequest, PeerKey};

use super::peer::{self, End, Role};
use super::{Shard, TICK};

impl Shard {
    pub(super) fn fire_timers(&mut self, now: Instant) {
        while let Some(Reverse((at, key))) = self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.timers.pop();
            let Some(peer) = self.peers.get_mut(&key) else { continue };
            match peer.timer_fired(at, now) {
                peer::Timer::Due => self.advance(key, now),
                peer::Timer::Later(later) => self.timers.push(Reverse((later, key))),
            }
        }
        self.forward(now);
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if self.next_tick.is_none_or(|at| at > now) {
            return;
        }
        let silent: Vec<(PeerKey, End)> = self
            .peers
            .iter()
            .filter_map(|(key, peer)| Some((*key, peer.overdue(now, &self.timeouts)?)))
            .collect();
        let broken = self.rooms.values().flat_map(|room| room.violations(&self.rules));
        let broken: Vec<(PeerKey, End)> = broken.map(|(key, rule)| (key, End::Violated(rule))).collect();
        for (key, end) in silent.into_iter().chain(broken) {
            if matches!(end, End::Expired | End::Violated(_)) {
                self.farewell(key);
            }
            self.end(key, end);
        }
        let at = now.saturating_duration_since(self.epoch);
        let mut requests: Vec<KeyFrameRequest> = Vec::new();
        for room in self.rooms.values_mut() {
            requests.extend(room.adjust(at));
            requests.extend(room.due(at));
        }
        for request in requests {
            self.request_key_frame(request, now);
        }
        self.plan(at);
        self.publish_counters();
        self.next_tick = (!self.peers.is_empty() || !self.unreported.is_empty()).then(|| now + TICK);
    }

    /// Tells the estimates what the subscribers could use.
    fn plan(&mut self, now: Duration) {
        for (key, peer) in &mut self.peers {
            if let Role::Subscriber { .. } = peer.role
                && let Some(rates) = self.rooms.get(&peer.stage).and_then(|room| room.rates(*key, now))
            {
                peer.plan(rates.present, rates.top + rates.top / 4);
            }
        }
    }

    pub(super) fn publish_counters(&mut self) {
        self.send_reports();
        self.counters.connections = self.peers.len() as u64;
        self.counters.rooms = self.rooms.len() as u64;
        self.counters.publishers = self.rooms.values().map(|room| room.publishers() as u64).sum();
        self.counters.subscribers = self.rooms.values().map(|room| room.subscribers() as u64).sum();
        let counters = self.counters;
        self.published.send_if_modified(|published| std::mem::replace(published, counters) != counters);
    }
}
