//! Ids of requests, in the two forms that answers carry.
//!
//! They are unique, not secret: one random seed, then a counter run through a mixing function.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::HeaderValue;
use stagedoor_state::ids::Entropy;

use crate::digits::push_hex;

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
        header(&self.extended_text())
    }

    /// The same as text: `context.extendedRequestId`.
    pub(crate) fn extended_text(self) -> String {
        let [high, low] = self.0.map(u64::to_be_bytes);
        let mut bytes = [0; 11];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low[..3]);
        URL_SAFE.encode(bytes)
    }

    /// A number from 0 on and below 1, as good as random.
    pub(crate) fn fraction(self) -> f64 {
        // As many bits as the fraction of a number of this type has.
        (self.0[1] >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The 96 random bits of a trace root, in hexadecimal.
    pub(crate) fn trace(self) -> String {
        let mut text = String::with_capacity(24);
        self.push_trace(&mut text);
        text
    }

    /// Appends [`Self::trace`] to a text.
    pub(crate) fn push_trace(self, text: &mut String) {
        let [high, low] = self.0;
        push_hex(text, low, 16);
        push_hex(text, high >> 32, 8);
    }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids are made of letters, digits and hyphens")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
}
