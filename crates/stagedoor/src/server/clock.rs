//! The one place where the server reads the clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stagedoor_media::world::World;
use stagedoor_model::Timestamp;
use stagedoor_state::ids::{Entropy as _, SystemEntropy};

/// The time since 1970-01-01 UTC.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The present.
pub fn now() -> Timestamp {
    Timestamp::from_micros(i64::try_from(since_epoch().as_micros()).unwrap_or(i64::MAX))
}

/// Clock and randomness of this machine, for the media plane.
pub struct SystemWorld;

impl World for SystemWorld {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> jiff::Timestamp {
        now().to_jiff()
    }

    fn random(&self, bytes: &mut [u8]) {
        SystemEntropy.fill(bytes);
    }
}
