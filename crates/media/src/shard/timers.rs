//! What a shard does because time has passed: timers of connections, and some times a second a look at everything.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use stagedoor_sfu::PeerKey;

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
        // Also a shard without connections counts: strangers' datagrams, clients over TCP that others serve.
        if self.next_tick.is_none() && *self.published.borrow() != self.counters {
            self.next_tick = Some(now + TICK);
        }
        if self.next_tick.is_none_or(|at| at > now) {
            return;
        }
        let silent: Vec<(PeerKey, End)> = self
            .peers
            .iter()
            .filter_map(|(key, peer)| Some((*key, peer.overdue(now, &self.timeouts)?)))
            .collect();
        let broken = self.rooms.violations(&self.rules);
        let broken = broken.into_iter().map(|(key, rule)| (key, End::Violated(rule)));
        for (key, end) in silent.into_iter().chain(broken) {
            if matches!(end, End::Expired | End::Violated(_)) {
                self.farewell(key);
            }
            self.end(key, end);
        }
        let at = now.saturating_duration_since(self.epoch);
        for request in self.rooms.adjust(at) {
            self.request_key_frame(request, now);
        }
        self.tell_notices();
        self.tidy_mirrors();
        self.plan(at);
        self.publish_counters();
        let busy = !self.peers.is_empty() || !self.unreported.is_empty() || self.links.flush();
        self.next_tick = busy.then(|| now + TICK);
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
        let (publishers, subscribers) = self.rooms.counts();
        self.counters.rooms = self.rooms.len() as u64;
        (self.counters.publishers, self.counters.subscribers) = (publishers as u64, subscribers as u64);
        let counters = self.counters;
        self.published.send_if_modified(|published| std::mem::replace(published, counters) != counters);
    }
}
