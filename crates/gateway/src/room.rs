//! Room in memory for the bodies of requests, over all connections. Bodies that came with their heads are not counted:
//! they are short, and one per connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all bodies share.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_max: usize,
    taken: AtomicUsize,
}

/// What one request has taken of it, given back at the end.
#[derive(Debug)]
pub struct Share {
    room: Arc<Room>,
    bytes: AtomicUsize,
}

impl Room {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, taken: AtomicUsize::new(0) }
    }

    /// Nothing yet, for a request that has begun.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { room: Arc::clone(self), bytes: AtomicUsize::new(0) }
    }
}

impl Share {
    /// Takes more; whether there was so much. Nobody waits for others: who has room could wait for more of it as well.
    pub fn take(&self, bytes: usize) -> bool {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.room.bytes_max);
        let taken = self.room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if taken {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    /// Whether more than half is taken, by whomever.
    pub(crate) fn is_tight(&self) -> bool {
        self.room.taken.load(Ordering::Relaxed) > self.room.bytes_max / 2
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let room = Arc::new(Room::new(10));
        let (one, other) = (room.share(), room.share());
        assert!(one.take(5) && !one.is_tight());
        assert!(other.take(3) && one.is_tight());
        assert!(!other.take(3), "that would be too much");
        assert!(!other.take(usize::MAX));
        assert!(one.take(2), "what did not fit has taken nothing");
        drop(one);
        assert!(!other.is_tight() && other.take(7) && !other.take(1));
        drop(other);
        assert_eq!(room.taken.load(Ordering::Relaxed), 0);
    }
}
