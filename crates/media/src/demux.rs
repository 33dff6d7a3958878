//! Whose datagram is it? By the sender's address if that is known, else by the user name in an ICE check.
//!
//! An address is learnt only after the connection has accepted a check from it, that is, after the check's integrity
//! was proved with the connection's password: a stranger can neither take over an address nor fill the table.

use stagedoor_sfu::{PeerKey, PeerMap};
use std::collections::HashMap;

use crate::engine::Path;

/// Addresses kept for one connection. A peer moves between networks now and then; more is not honest.
const ADDRESSES_MAX: usize = 8;

/// The addresses and user names of a shard's connections.
#[derive(Debug, Default)]
pub struct Demux {
    by_address: HashMap<Path, PeerKey>,
    by_ufrag: HashMap<String, PeerKey>,
    peers: PeerMap<Known>,
}

/// What leads to one connection.
#[derive(Debug)]
struct Known {
    ufrag: String,
    addresses: Vec<Path>,
}

impl Demux {
    /// A connection that is known already keeps its addresses.
    pub fn insert(&mut self, peer: PeerKey, ufrag: String) {
        if self.peers.contains_key(&peer) {
            return self.rename(peer, &ufrag);
        }
        self.by_ufrag.insert(ufrag.clone(), peer);
        self.peers.insert(peer, Known { ufrag, addresses: Vec::new() });
    }

    /// After an ICE restart: addresses stay known, the old user name does not.
    pub fn rename(&mut self, peer: PeerKey, ufrag: &str) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let old = std::mem::replace(&mut known.ufrag, ufrag.to_owned());
        self.by_ufrag.remove(&old);
        self.by_ufrag.insert(ufrag.to_owned(), peer);
    }

    /// The user name of a connection, and the addresses from which it has accepted datagrams.
    pub fn known(&self, peer: PeerKey) -> Option<(&str, &[Path])> {
        self.peers.get(&peer).map(|known| (known.ufrag.as_str(), known.addresses.as_slice()))
    }

    pub fn remove(&mut self, peer: PeerKey) {
        let Some(known) = self.peers.remove(&peer) else { return };
        self.by_ufrag.remove(&known.ufrag);
        for address in known.addresses {
            if self.by_address.get(&address) == Some(&peer) {
                self.by_address.remove(&address);
            }
        }
    }

    /// The connection that a datagram is probably for. A check names its connection itself, and that counts more
    /// than its address: after a reload a browser may come from the same port with new credentials.
    pub fn find(&self, source: Path, datagram: &[u8]) -> Option<PeerKey> {
        match stun_ufrag(datagram) {
            Some(ufrag) => self.by_ufrag.get(ufrag).copied(),
            None => self.by_address.get(&source).copied(),
        }
    }

    /// `peer` has accepted a datagram from `source`. `true`: that is news.
    pub fn learn(&mut self, peer: PeerKey, source: Path) -> bool {
        if self.by_address.get(&source) == Some(&peer) {
            return false;
        }
        let Some(Known { addresses, .. }) = self.peers.get_mut(&peer) else { return false };
        if addresses.len() == ADDRESSES_MAX {
            let oldest = addresses.remove(0);
            if self.by_address.get(&oldest) == Some(&peer) {
                self.by_address.remove(&oldest);
            }
        }
        addresses.push(source);
        self.by_address.insert(source, peer);
        true
    }
}

const STUN_HEADER_BYTES: usize = 20;
const STUN_BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const STUN_MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const STUN_USERNAME: [u8; 2] = [0x00, 0x06];

/// What tells one STUN binding request from the next: the first 64 of the 96 random bits of its transaction id.
pub fn check_transaction(datagram: &[u8]) -> Option<u64> {
    let (header, _) = datagram.split_at_checked(STUN_HEADER_BYTES)?;
    if header[..2] != STUN_BINDING_REQUEST || header[4..8] != STUN_MAGIC_COOKIE {
        return None;
    }
    Some(u64::from_be_bytes(*header[8..].first_chunk()?))
}

/// The receiver's part of the user name in a STUN binding request (RFC 8445 §7.2.2: `receiver:sender`).
pub fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    let (header, mut attributes) = datagram.split_at_checked(STUN_HEADER_BYTES)?;
    if header[..2] != STUN_BINDING_REQUEST || header[4..8] != STUN_MAGIC_COOKIE {
        return None;
    }
    while let [t0, t1, l0, l1, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = rest.get(..length)?;
        if [*t0, *t1] == STUN_USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn check(user: &str) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.resize(STUN_HEADER_BYTES, 7);
        // An attribute of 3 bytes, padded to 4, comes first.
        bytes.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
        bytes.extend([0, 6, 0, user.len() as u8]);
        bytes.extend(user.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn user_names() {
        assert_eq!(stun_ufrag(&check("mine:yours")), Some("mine"));
        assert_eq!(stun_ufrag(&check("")), Some(""));
        let whole = check("mine:yours");
        for length in 0..whole.len() {
            // Cut anywhere: no user name, or the right one, never a panic.
            assert!(matches!(stun_ufrag(&whole[..length]), None | Some("mine")));
        }
        let mut response = check("mine:yours");
        response[0] = 1;
        assert_eq!(stun_ufrag(&response), None);
        assert_eq!(stun_ufrag(&[0x80; 200]), None);
    }

    #[test]
    fn addresses_follow_what_connections_accept() {
        let (one, two) = (PeerKey(1), PeerKey(2));
        let address = |port| Path::Udp(SocketAddr::from(([127, 0, 0, 1], port)));
        let mut demux = Demux::default();
        demux.insert(one, "one".into());
        demux.insert(two, "two".into());
        let media = [0x80; 40];
        assert_eq!(demux.find(address(1), &media), None);
        assert_eq!(demux.find(address(1), &check("one:x")), Some(one));
        demux.learn(one, address(1));
        assert_eq!(demux.find(address(1), &media), Some(one));
        // The same port comes back with another connection's credentials.
        assert_eq!(demux.find(address(1), &check("two:x")), Some(two));
        demux.learn(two, address(1));
        demux.remove(one);
        assert_eq!(demux.find(address(1), &media), Some(two));
        assert_eq!(demux.find(address(1), &check("one:x")), None);
        demux.rename(two, "three");
        assert_eq!(demux.find(address(9), &check("two:x")), None);
        assert_eq!(demux.find(address(9), &check("three:x")), Some(two));
        assert_eq!(demux.find(address(1), &media), Some(two));
        for port in 100..200 {
            demux.learn(two, address(port));
        }
        assert_eq!(demux.by_address.len(), ADDRESSES_MAX);
        demux.remove(two);
        assert!(demux.by_address.is_empty() && demux.by_ufrag.is_empty() && demux.peers.is_empty());
    }
}
