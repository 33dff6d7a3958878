//! Keys of connections, and maps by them that are cheap enough to be asked for every packet.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The caller's key of a connection. Keys are handed out by the caller, one after the other; a stranger cannot choose
/// them, which is why a hash without a secret will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub u64);

/// A map by connection.
pub type PeerMap<V> = HashMap<PeerKey, V, BuildHasherDefault<KeyHasher>>;

/// Fibonacci hashing: one multiplication spreads consecutive keys over the table.
#[derive(Debug, Clone, Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        // Tables take their buckets from the low bits and tags from the high ones; the product is best in the middle.
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    #[test]
    fn consecutive_keys_spread() {
        let hash = |key| BuildHasherDefault::<KeyHasher>::default().hash_one(PeerKey(key));
        for bits in [0, 57] {
            let mut buckets = [0_u32; 128];
            (0..12_800).for_each(|key| buckets[(hash(key) >> bits & 127) as usize] += 1);
            assert!(buckets.iter().all(|count| (50..200).contains(count)), "{buckets:?}");
        }
    }
}
