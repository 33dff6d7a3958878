//! What a shard answers to those who ask: what flows, and what subscriptions would have.

use stagedoor_sfu::{Demand, PeerKey};

use super::Shard;
use super::handle::Measured;
use super::peer::Role;

impl Shard {
    pub(super) fn measure(&self) -> Measured {
        let at = self.world.now().saturating_duration_since(self.epoch);
        let subscribers = self.peers.iter().filter(|(_, peer)| matches!(peer.role, Role::Subscriber { .. }));
        let losses = subscribers.filter_map(|(key, peer)| Some((*key, peer.loss()?))).collect();
        Measured { rooms: self.rooms.figures(at), losses }
    }

    /// Of those that are here.
    pub(super) fn weigh(&self, subscriptions: &[PeerKey]) -> Vec<(PeerKey, Demand)> {
        let at = self.world.now().saturating_duration_since(self.epoch);
        let demand = |key: &PeerKey| {
            let peer = self.peers.get(key)?;
            Some((*key, self.rooms.get(&peer.stage)?.demand(*key, at)?))
        };
        subscriptions.iter().filter_map(demand).collect()
    }

    pub(super) fn cap(&mut self, subscriber: PeerKey, layer: Option<u8>) {
        let now = self.world.now();
        let at = now.saturating_duration_since(self.epoch);
        let request = self.room_of(subscriber).and_then(|room| room.cap(subscriber, layer, at));
        if let Some(request) = request {
            self.request_key_frame(request, now);
        }
    }
}
