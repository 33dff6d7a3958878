//! Which shard is told about a connection first: its home. A connection's key names its home, and so does its ICE user
//! name, so that every shard can tell from a client's first datagram where to hand it, without a table or a lock.
//! The connection may then move; its home remembers where to.

use stagedoor_sfu::{PeerKey, ShardId};

use crate::world::{World, random_name};

/// The characters before the random ones: ICE allows letters and digits (RFC 8839 §5.4).
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PREFIX_CHARS: usize = 2;
/// As many shards as two digits can name.
pub const SHARDS_MAX: usize = DIGITS.len() * DIGITS.len();

/// One shard's place among all.
#[derive(Debug, Clone, Copy)]
pub struct Home {
    here: usize,
    shards: usize,
}

impl Home {
    pub fn new(here: usize, shards: usize) -> Home {
        Home { here, shards }
    }

    pub fn here(&self) -> ShardId {
        ShardId(self.here as u16)
    }

    pub fn shards(&self) -> usize {
        self.shards
    }

    /// The home that a user name names, if there is such a shard.
    pub fn of_ufrag(&self, ufrag: &str) -> Option<ShardId> {
        let (prefix, _) = ufrag.as_bytes().split_first_chunk::<PREFIX_CHARS>()?;
        let digit = |character: &u8| DIGITS.iter().position(|known| known == character);
        let index = digit(&prefix[0])? * DIGITS.len() + digit(&prefix[1])?;
        (index < self.shards).then_some(ShardId(index as u16))
    }
}

/// Connections take turns: keys are handed out one after the other.
pub fn of_key(key: PeerKey, shards: usize) -> usize {
    (key.0 % shards as u64) as usize
}

/// A user name for a connection of that home, with so many random characters.
pub fn ufrag(world: &dyn World, home: usize, random_chars: usize) -> String {
    let digit = |index: usize| char::from(DIGITS[index % DIGITS.len()]);
    let prefix: String = [digit(home / DIGITS.len()), digit(home)].into_iter().collect();
    prefix + &random_name(world, random_chars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    struct Fixed;

    impl World for Fixed {
        fn now(&self) -> Instant {
            unreachable!("names need no clock")
        }

        fn wall(&self) -> jiff::Timestamp {
            unreachable!("names need no clock")
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn user_names_lead_home() {
        for shards in [1, 2, 31, 33, SHARDS_MAX] {
            let home = Home::new(0, shards);
            for index in 0..shards {
                let name = ufrag(&Fixed, index, 8);
                assert_eq!(name.len(), PREFIX_CHARS + 8);
                assert_eq!(home.of_ufrag(&name), Some(ShardId(index as u16)), "{name}");
            }
        }
        for stranger in ["", "a", "AB123456", "é123456", "ab123456", "77"] {
            assert_eq!(Home::new(0, 1).of_ufrag(stranger), None, "{stranger}");
        }
    }
}
