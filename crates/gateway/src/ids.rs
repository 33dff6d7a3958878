//! Ids of requests, in the two forms that answers carry.
//!
//! They are unique, not secret: one random seed, then a counter run through a mixing function.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use stagedoor_state::ids::Entropy;

use crate::digits::{push_ascii, push_hex, write_hex};

/// Makes the ids of one server.
pub(crate) struct RequestIds {
    seeds: [u64; 2],
    next: AtomicU64,
}

/// The id of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId([u64; 2]);

impl RequestIds {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 16];
        entropy.fill(&mut seed);
        let both = u128::from_le_bytes(seed);
        Self { seeds: [both as u64, (both >> 64) as u64], next: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(self.seeds.map(|seed| mixed(seed.wrapping_add(number.wrapping_mul(STEP)))))
    }
}

/// Length of an extended id.
const EXTENDED_LETTERS: usize = 16;

/// 2^64 divided by the golden ratio, odd: multiples of it visit every number before one comes again.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): one to one, and similar numbers come out dissimilar.
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

impl RequestId {
    /// A version 4 UUID: `x-amzn-RequestId`.
    pub(crate) fn uuid(self) -> HeaderValue {
        header(&self.uuid_text())
    }

    /// The same as text: `context.requestId`.
    pub(crate) fn uuid_text(self) -> String {
        let [high, low] = self.0;
        let high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000;
        let low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
        let mut text = String::with_capacity(36);
        push_hex(&mut text, high >> 32, 8);
        for (number, width) in [(high >> 16, 4), (high, 4), (low >> 48, 4), (low, 12)] {
            text.push('-');
            push_hex(&mut text, number, width);
        }
        text
    }

    /// Fifteen letters and `=`, as in `x-amz-apigw-id: Mc7UVioPPHcEKPA=` and `apigw-requestid`.
    pub(crate) fn extended(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.extended_letters()).expect("letters of base64")
    }

    /// The same as text: `context.extendedRequestId`.
    pub(crate) fn extended_text(self) -> String {
        let mut text = String::with_capacity(EXTENDED_LETTERS);
        self.push_extended(&mut text);
        text
    }

    /// Appends [`Self::extended_text`] to a text.
    pub(crate) fn push_extended(self, text: &mut String) {
        push_ascii(text, &self.extended_letters());
    }

    /// Eleven bytes in URL-safe base64 (RFC 4648, section 5): made for each request, so not by an engine for any length.
    fn extended_letters(self) -> [u8; EXTENDED_LETTERS] {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let [high, low] = self.0.map(u128::from);
        let sixes = (high << 24 | low >> 40) << 2;
        let mut letters = [b'='; EXTENDED_LETTERS];
        for (place, letter) in letters[..EXTENDED_LETTERS - 1].iter_mut().rev().enumerate() {
            *letter = ALPHABET[(sixes >> (6 * place)) as usize & 0x3F];
        }
        letters
    }

    /// A number from 0 on and below 1, as good as random.
    pub(crate) fn fraction(self) -> f64 {
        // As many bits as the fraction of a number of this type has.
        (self.0[1] >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The 96 random bits of a trace root, in hexadecimal.
    pub(crate) fn trace(self) -> String {
        let mut digits = [0; 24];
        self.write_trace(&mut digits);
        String::from_utf8_lossy(&digits).into_owned()
    }

    /// Writes [`Self::trace`] over as many letters.
    pub(crate) fn write_trace(self, digits: &mut [u8]) {
        let [high, low] = self.0;
        write_hex(&mut digits[..16], low);
        write_hex(&mut digits[16..], high >> 32);
    }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids are made of letters, digits and hyphens")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;
    use proptest::prelude::*;

    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn ids_are_unique_and_have_their_form() {
        let ids = RequestIds::new(&Sevens);
        let made: HashSet<String> = (0..10_000).map(|_| ids.next().uuid_text()).collect();
        assert_eq!(made.len(), 10_000);
        for uuid in &made {
            assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
            assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        }
        let extended = ids.next().extended_text();
        assert!(
            extended.len() == 16 && extended.ends_with('=') && !extended[..15].contains('='),
            "{extended}"
        );
        assert_eq!(ids.next().trace().len(), 24);
    }

    proptest! {
        #[test]
        fn extended_ids_are_base64(high: u64, low: u64) {
            let bytes = [high.to_be_bytes(), low.to_be_bytes()].concat();
            prop_assert_eq!(RequestId([high, low]).extended_text(), URL_SAFE.encode(&bytes[..11]));
        }
    }
}
