//! Which ICE checks of one connection have been seen, so that nobody can repeat them from elsewhere.
//!
//! A check is proof of the connection's password, but not of who sends it: a copy has the same proof. Whoever sees the
//! datagrams of a session could send copies from an address of its own, and the media would go there, since the
//! newest nomination counts (RFC 8445 §7.3.1.5). A client gives each check a transaction of its own for each pair of
//! addresses and repeats it only there (RFC 8489 §6.2.1), so the same transaction from another address is a copy.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::demux;
use crate::engine::Path;

/// Checks remembered: those of more than twenty minutes, as browsers check. It takes 8 KiB.
const CHECKS_MAX: usize = 512;

/// The checks that one connection has accepted.
#[derive(Debug, Default)]
pub struct Checks {
    seen: VecDeque<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    transaction: u64,
    path: u64,
}

impl Checks {
    /// Whether the datagram is a check that came from another address before.
    pub fn is_copy(&self, from: Path, datagram: &[u8]) -> bool {
        let Some(check) = seen(from, datagram) else { return false };
        let known = self.seen.iter().find(|known| known.transaction == check.transaction);
        known.is_some_and(|known| *known != check)
    }

    /// The datagram was accepted.
    pub fn note(&mut self, from: Path, datagram: &[u8]) {
        let Some(check) = seen(from, datagram) else { return };
        if self.seen.contains(&check) {
            return;
        }
        if self.seen.len() == CHECKS_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(check);
    }
}

fn seen(from: Path, datagram: &[u8]) -> Option<Seen> {
    let transaction = demux::check_transaction(datagram)?;
    let path = BuildHasherDefault::<DefaultHasher>::default().hash_one(from);
    Some(Seen { transaction, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn check(transaction: u16) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend(transaction.to_be_bytes());
        bytes.resize(20, 0);
        bytes
    }

    fn udp(port: u16) -> Path {
        Path::Udp(SocketAddr::from(([192, 0, 2, 1], port)))
    }

    #[test]
    fn copies_come_from_elsewhere() {
        let mut checks = Checks::default();
        assert!(!checks.is_copy(udp(1), &check(1)));
        checks.note(udp(1), &check(1));
        checks.note(udp(1), &check(1));
        assert!(!checks.is_copy(udp(1), &check(1)), "a client repeats what was not answered");
        assert!(checks.is_copy(udp(2), &check(1)));
        assert!(checks.is_copy(Path::Tcp(SocketAddr::from(([192, 0, 2, 1], 1))), &check(1)));
        assert!(!checks.is_copy(udp(2), &check(2)), "a client may move");
        assert_eq!(checks.seen.len(), 1);
    }

    #[test]
    fn only_checks_are_remembered_and_no_more_than_some() {
        let mut checks = Checks::default();
        for other in [&[0x80; 100][..], &[22; 60], &[0, 1], &check(1)[..19]] {
            checks.note(udp(1), other);
            assert!(!checks.is_copy(udp(2), other));
        }
        assert!(checks.seen.is_empty());
        for transaction in 0..2000 {
            checks.note(udp(1), &check(transaction));
        }
        assert_eq!(checks.seen.len(), CHECKS_MAX);
        assert!(checks.is_copy(udp(2), &check(1999)));
    }
}
