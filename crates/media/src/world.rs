//! The clock and the randomness of the media plane, injected so that nothing in here reads either by itself.

use std::time::Instant;

use jiff::Timestamp;

/// What the media plane needs of the machine it runs on. The binary implements it with the real clock and the
/// operating system's generator.
pub trait World: Send + Sync + 'static {
    /// The monotonic clock, for timers.
    fn now(&self) -> Instant;
    /// The wall clock, for what is recorded and for token expiry.
    fn wall(&self) -> Timestamp;
    /// Fills `bytes` from a cryptographic generator: ICE passwords and session URLs come from here.
    fn random(&self, bytes: &mut [u8]);
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub now: Instant,
    pub wall: Timestamp,
}

impl Moment {
    pub fn of(world: &dyn World) -> Moment {
        Moment { now: world.now(), wall: world.wall() }
    }
}

const BASE_62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `length` random characters of `[A-Za-z0-9]`, without bias towards any of them.
pub fn random_name(world: &dyn World, length: usize) -> String {
    let mut name = String::with_capacity(length);
    while name.len() < length {
        let mut bytes = [0; 32];
        world.random(&mut bytes);
        let usable = bytes.iter().filter(|byte| **byte < 248).take(length - name.len());
        name.extend(usable.map(|byte| char::from(BASE_62[usize::from(byte % 62)])));
    }
    name
}

/// A stage session's id: `st-` and 13 characters, 16 in all, as the API model demands.
pub fn session_id(world: &dyn World) -> String {
    format!("st-{}", random_name(world, 13))
}

/// A first RTP sequence number: below 32 768, so that a receiver that misses the first packets cannot take the wrap
/// for an earlier one (RFC 3711 §3.3.1).
pub fn first_sequence(world: &dyn World) -> u16 {
    let mut bytes = [0; 2];
    world.random(&mut bytes);
    u16::from_be_bytes(bytes) & 0x7fff
}
