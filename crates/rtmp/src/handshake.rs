//! The handshake, server's side (RTMP 1.0 §5.2): C0 C1 in, S0 S1 S2 out, C2 in.
//!
//! Encoders are content with the plain form. The digests that Flash players added to it prove the vendor of a player
//! and protect nothing, so they are neither checked nor made; what a peer sends in their place is echoed like any
//! random bytes.

use bytes::{Buf, Bytes, BytesMut};

use crate::Error;

/// Bytes of C1, C2, S1 and S2.
pub const PART_BYTES: usize = 1536;
/// Random bytes in C1 and S1.
pub const RANDOM_BYTES: usize = PART_BYTES - 8;
/// The protocol version, C0 and S0.
pub const VERSION: u8 = 3;

/// A handshake under way.
#[derive(Debug)]
pub struct Handshake {
    random: Bytes,
    answered: bool,
}

impl Handshake {
    /// `random` fills S1.
    pub fn new(random: &[u8; RANDOM_BYTES]) -> Handshake {
        Handshake { random: Bytes::copy_from_slice(random), answered: false }
    }

    /// Takes from `input` what belongs to the handshake and appends answers to `output`. `true`: it is done, the rest
    /// of the input is chunks.
    ///
    /// # Errors
    /// [`Error::Version`] at the first byte that is not version 3 (6 would be the encrypted form, 71 is HTTP).
    pub fn advance(&mut self, input: &mut BytesMut, output: &mut Vec<u8>) -> Result<bool, Error> {
        if !self.answered {
            if input.first().is_some_and(|version| *version != VERSION) {
                return Err(Error::Version);
            }
            if input.len() < 1 + PART_BYTES {
                return Ok(false);
            }
            output.push(VERSION);
            output.extend_from_slice(&[0; 8]);
            output.extend_from_slice(&self.random);
            output.extend_from_slice(&input[1..=PART_BYTES]);
            input.advance(1 + PART_BYTES);
            self.answered = true;
        }
        if input.len() < PART_BYTES {
            return Ok(false);
        }
        // C2 should echo S1. Encoders that echo something else exist, and nothing depends on it.
        input.advance(PART_BYTES);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cut: usize) {
        let hello: Vec<u8> = [&[VERSION][..], &[7; PART_BYTES], &[8; PART_BYTES], b"rest"].concat();
        let mut handshake = Handshake::new(&[9; RANDOM_BYTES]);
        let (mut input, mut output, mut done) = (BytesMut::new(), Vec::new(), false);
        for piece in hello.chunks(cut) {
            input.extend_from_slice(piece);
            done = done || handshake.advance(&mut input, &mut output).expect("good");
        }
        assert!(done && input == b"rest"[..], "cut by {cut}");
        assert_eq!(output.len(), 1 + 2 * PART_BYTES);
        assert_eq!(output[9..1 + PART_BYTES], [9; RANDOM_BYTES]);
        assert_eq!(output[1 + PART_BYTES..], [7; PART_BYTES]);
    }

    #[test]
    fn every_cut_gives_the_same() {
        [1, 2, 1535, 1536, 1537, 4000].into_iter().for_each(check);
    }

    #[test]
    fn other_versions_end_it_at_once() {
        for first in [0, 6, b'G', 0x16] {
            let mut input = BytesMut::from(&[first][..]);
            let mut handshake = Handshake::new(&[0; RANDOM_BYTES]);
            assert_eq!(handshake.advance(&mut input, &mut Vec::new()), Err(Error::Version), "{first}");
        }
    }
}
