//! Answers kept for a time, by a text that a request brings: a token, an identity. Bounded in number and in bytes.
//!
//! Texts are compared whole, never by a hash alone, so nobody is served what belongs to another's.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Parts with a lock each, so that requests rarely meet.
const SHARDS: usize = 16;

pub(crate) struct Cache<V> {
    hasher: RandomState,
    shards: [Mutex<Shard<V>>; SHARDS],
    /// Most entries of a shard.
    entries_max: usize,
    /// Most bytes of the texts and values of a shard.
    bytes_max: usize,
}

struct Shard<V> {
    entries: HashMap<Box<str>, Entry<V>>,
    bytes: usize,
}

struct Entry<V> {
    value: V,
    /// Since 1970-01-01T00:00:00Z.
    until: Duration,
    bytes: usize,
}

impl<V> std::fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl<V: Clone> Cache<V> {
    /// A cache of at most about so many entries, and so many bytes of texts and values.
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::new(Shard { entries: HashMap::new(), bytes: 0 })),
            entries_max: entries_max.div_ceil(SHARDS),
            bytes_max: bytes_max.div_ceil(SHARDS),
        }
    }

    /// What is kept for this text, unless its time is over.
    pub(crate) fn get(&self, key: &str, now: Duration) -> Option<V> {
        let shard = self.shard(key);
        shard.entries.get(key).filter(|entry| now < entry.until).map(|entry| entry.value.clone())
    }

    /// Keeps a value of about so many bytes until then. One that is too large for the cache is not kept.
    pub(crate) fn put(&self, key: &str, value: V, value_bytes: usize, until: Duration, now: Duration) {
        let bytes = key.len() + value_bytes;
        if until <= now || bytes > self.bytes_max {
            return;
        }
        let mut shard = self.shard(key);
        shard.remove(key);
        if shard.entries.len() >= self.entries_max || shard.bytes + bytes > self.bytes_max {
            shard.make_room(now, self.entries_max, self.bytes_max - bytes);
        }
        shard.bytes += bytes;
        shard.entries.insert(key.into(), Entry { value, until, bytes });
    }

    fn shard(&self, key: &str) -> std::sync::MutexGuard<'_, Shard<V>> {
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        // A shard is whole at every moment: nothing in here panics between two changes.
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Shard<V> {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }

    /// Drops what is over, and if that is not enough, every second entry until it is: which one does not matter much,
    /// and nothing has to be kept in order for it.
    fn make_room(&mut self, now: Duration, entries_max: usize, bytes_max: usize) {
        self.entries.retain(|_, entry| now < entry.until);
        while self.entries.len() >= entries_max
            || self.entries.values().map(|entry| entry.bytes).sum::<usize>() > bytes_max
        {
            let mut keep = false;
            self.entries.retain(|_, _| {
                keep = !keep;
                !keep
            });
        }
        self.bytes = self.entries.values().map(|entry| entry.bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn entries_end() {
        let cache = Cache::new(100, 10_000);
        cache.put("a", 1, 8, at(10), at(0));
        assert_eq!(cache.get("a", at(9)), Some(1));
        assert_eq!(cache.get("a", at(10)), None);
        cache.put("b", 2, 8, at(5), at(5));
        assert_eq!(cache.get("b", at(5)), None);
        cache.put("c", 3, 100_000, at(10), at(0));
        assert_eq!(cache.get("c", at(1)), None);
    }

    proptest! {
        /// However much is kept, a text gets its own value or none, and the bounds hold.
        #[test]
        fn nobody_gets_anothers(puts in prop::collection::vec(("[a-d]{0,3}", 0usize..400, 1u64..50), 0..300)) {
            let cache = Cache::new(32, 2_000);
            for (now, (key, bytes, life)) in (0..).zip(&puts) {
                cache.put(key, key.clone(), *bytes, at(now + life), at(now));
                for (other, ..) in &puts {
                    prop_assert!(cache.get(other, at(now)).is_none_or(|found| found == *other));
                }
                for shard in &cache.shards {
                    let shard = shard.lock().expect("nobody panicked");
                    prop_assert!(shard.entries.len() <= cache.entries_max);
                    prop_assert!(shard.bytes <= cache.bytes_max);
                    prop_assert_eq!(shard.bytes, shard.entries.values().map(|entry| entry.bytes).sum::<usize>());
                }
            }
        }
    }
}
