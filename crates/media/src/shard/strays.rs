//! Datagrams that come to another shard than their connection's, and how a connection gets to the shard where its
//! datagrams come.
//!
//! All shards' sockets have one address, and the kernel gives each client's datagrams to one of them by a hash of both
//! addresses: always the same one, but nobody can say beforehand which. A new connection is therefore made at its home, to
//! which its user name leads every shard. The first datagrams are handed there; when ICE and DTLS are done, the
//! connection moves to the shard that received the last of them, and from then on nothing is handed over. If the client
//! later comes from another address, which falls to another shard, that one hands its datagrams over for as long as the
//! connection lasts.

use std::time::Instant;

use stagedoor_sfu::{PeerKey, ShardId};

use super::links::{Letter, Moved, Stray};
use super::{Shard, TICK, TcpClient};
use crate::demux::stun_ufrag;
use crate::engine::Path;
use crate::udp::BATCH;

impl Shard {
    /// A datagram of nobody here. It may be the first of a connection whose home is another shard.
    pub(super) fn take_stranger(&mut self, from: Path, datagram: &[u8], via: Option<ShardId>) {
        let home = stun_ufrag(datagram).and_then(|ufrag| self.links.home.of_ufrag(ufrag));
        match (home, via) {
            (Some(home), None) if home != self.links.home.here() => self.hand_over(home, from, datagram, via),
            _ => {
                self.counters.dropped_unknown += 1;
                self.turn_out(from, via);
            }
        }
    }

    /// A TCP connection that talks of no session of ours is closed.
    fn turn_out(&mut self, from: Path, via: Option<ShardId>) {
        if let Path::Tcp(client) = from {
            self.tcp.remove(&client);
            if let Some(via) = via {
                self.links.tell(via, Letter::TcpClosed(client));
            }
        }
    }

    pub(super) fn hand_over(&mut self, to: ShardId, from: Path, datagram: &[u8], via: Option<ShardId>) {
        let outputs = match from {
            Path::Udp(_) => None,
            Path::Tcp(client) => self.tcp.get_mut(&client).map(|known| {
                known.lent = Some(to);
                known.outputs.clone()
            }),
        };
        let via = via.unwrap_or(self.links.home.here());
        if self.links.hand_over(to, Stray { via, from, datagram: datagram.to_vec(), outputs }) {
            self.counters.handed_over += 1;
        } else {
            self.counters.dropped_between += 1;
        }
    }

    /// Takes what other shards handed over, no more than a batch of it, and says whether there may be more.
    pub(super) fn take_strays(&mut self, now: Instant) -> bool {
        for _ in 0..BATCH {
            let Some(Stray { via, from, datagram, outputs }) = self.links.next_stray() else {
                self.forward(now);
                return false;
            };
            if let (Path::Tcp(client), Some(outputs)) = (from, outputs) {
                self.tcp.entry(client).or_insert(TcpClient { outputs, lent: None });
            }
            self.take_datagram(now, from, &datagram, Some(via));
        }
        self.forward(now);
        true
    }

    /// Tells the shard that received a datagram whose it is.
    pub(super) fn introduce(&mut self, peer: PeerKey, path: Path, to: ShardId) {
        let Some((ufrag, _)) = self.demux.known(peer) else { return };
        let ufrag = ufrag.to_owned();
        self.links.tell(to, Letter::Learn { peer, ufrag, path });
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.known_elsewhere = true;
        }
    }

    /// A connection of another shard gets datagrams by this one's socket.
    pub(super) fn learn(&mut self, owner: ShardId, peer: PeerKey, ufrag: String, path: Path) {
        if self.peers.contains_key(&peer) {
            return;
        }
        self.demux.insert(peer, ufrag);
        self.demux.learn(peer, path);
        self.owners.insert(peer, owner);
    }

    pub(super) fn forget(&mut self, peer: PeerKey) {
        self.owners.remove(&peer);
        self.demux.remove(peer);
    }

    /// Gives a connection to the shard that receives its datagrams.
    pub(super) fn depart(&mut self, key: PeerKey, to: ShardId) {
        // The end of the handshake must not be overtaken by packets that the other shard sends.
        self.flush();
        let Some(mut peer) = self.peers.remove(&key) else { return };
        let Some((ufrag, paths)) = self.demux.known(key) else { return };
        peer.known_elsewhere = true;
        let moved = Moved { key, ufrag: ufrag.to_owned(), paths: paths.to_vec(), peer };
        self.owners.insert(key, to);
        self.links.tell(to, Letter::Moved(Box::new(moved)));
    }

    pub(super) fn arrive(&mut self, moved: Moved, now: Instant) {
        let Moved { key, ufrag, paths, mut peer } = moved;
        self.owners.remove(&key);
        self.demux.insert(key, ufrag);
        for path in paths {
            self.demux.learn(key, path);
        }
        peer.arrived();
        self.peers.insert(key, peer);
        self.next_tick.get_or_insert(now + TICK);
        self.connected(key, now);
        self.advance(key, now);
    }
}
