//! A publisher that takes the place of another: of two encoders with the same content the one that goes on.

use std::sync::Arc;

use stagedoor_sfu::PeerKey;

use super::Shard;
use super::peer::Role;

impl Shard {
    /// The publisher on `key` is received under another name from now on. Whoever follows that name goes on with this
    /// publisher's present group of pictures, if it has kept that, else with its next key frame.
    pub(super) fn rename(&mut self, key: PeerKey, name: Arc<str>) {
        let now = self.world.now();
        let Some(peer) = self.peers.get_mut(&key) else { return };
        let Role::Publisher { participant, tracks } = &mut peer.role else { return };
        participant.clone_from(&name);
        let tracks = tracks.clone();
        if !peer.connected {
            return;
        }
        let stage = peer.stage.clone();
        self.rooms.unpublish(key);
        let replaced = self.rooms.publish(&stage, key, name, &tracks);
        self.tell_notices();
        if let Some(old) = replaced {
            self.close(old);
        }
        self.greet(key, now);
        if let Some(room) = self.rooms.room(&stage) {
            self.replays.extend(room.followers(key));
        }
    }
}
