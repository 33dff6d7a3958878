//! What one HTTP/2 connection holds in memory of answers that its client has not taken.
//!
//! A client may have many requests under way and take nothing of their answers; those that the gateway has whole, such
//! as a function's, are then all in memory. New requests wait until most of that is taken; what nevertheless comes
//! together beyond the bound, from requests that were under way already, ends with its stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Most of it, in bytes: a MiB for each request that may be under way.
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// Requests wait while so many bytes are held.
const WAIT_FROM_BYTES: usize = BYTES_MAX / 4;

/// What a connection holds.
#[derive(Debug, Default)]
pub struct Held {
    bytes: AtomicUsize,
    freed: Notify,
}

/// Something that is held until this is dropped.
#[derive(Debug)]
pub struct Kept {
    held: Arc<Held>,
    bytes: usize,
}

impl Held {
    /// Waits until another request may be answered.
    pub async fn room(&self) {
        while self.bytes.load(Ordering::Acquire) >= WAIT_FROM_BYTES {
            let freed = self.freed.notified();
            // It may have been freed before this began to wait.
            if self.bytes.load(Ordering::Acquire) >= WAIT_FROM_BYTES {
                freed.await;
            }
        }
    }

    /// Holds more; `None` if that is too much.
    pub fn keep(self: &Arc<Self>, bytes: usize) -> Option<Kept> {
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= BYTES_MAX);
        self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok()?;
        Some(Kept { held: Arc::clone(self), bytes })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let before = self.held.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        if before >= WAIT_FROM_BYTES && before - self.bytes < WAIT_FROM_BYTES {
            self.held.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn requests_wait_for_what_is_held() {
        let held = Arc::new(Held::default());
        let mut cx = Context::from_waker(Waker::noop());
        let some = held.keep(WAIT_FROM_BYTES - 1).expect("there is room");
        assert!(pin!(held.room()).poll(&mut cx).is_ready());
        let more = held.keep(BYTES_MAX - WAIT_FROM_BYTES).expect("there is room");
        let mut waiting = pin!(held.room());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        assert!(held.keep(2).is_none() && held.keep(usize::MAX).is_none());
        let last = held.keep(1).expect("what did not fit holds nothing");
        drop(some);
        assert!(waiting.as_mut().poll(&mut cx).is_pending(), "most is held still");
        drop(more);
        assert!(waiting.as_mut().poll(&mut cx).is_ready());
        drop(last);
        assert_eq!(held.bytes.load(Ordering::Relaxed), 0);
    }
}
