//! Random ids in AWS's forms.

/// Letters and digits of API Gateway's ids.
pub const LOWER_ALNUM: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Letters and digits of IVS's ids.
pub const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A source of random bytes; the system's in the server, a seeded one in tests.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides randomness");
    }
}

/// `length` characters of `alphabet`, each equally likely.
pub fn random(entropy: &dyn Entropy, alphabet: &[u8], length: usize) -> String {
    // Bytes at or above the largest multiple of the alphabet's length would favour its first letters.
    let fair = 256 - 256 % alphabet.len();
    let mut id = String::with_capacity(length);
    let mut bytes = [0; 64];
    while id.len() < length {
        entropy.fill(&mut bytes);
        let fair_bytes = bytes.iter().map(|&byte| usize::from(byte)).filter(|&byte| byte < fair);
        id.extend(fair_bytes.map(|byte| char::from(alphabet[byte % alphabet.len()])).take(length - id.len()));
    }
    id
}

/// A random UUID (version 4), as request ids are.
pub fn uuid(entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 16];
    entropy.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        let id = random(&SystemEntropy, LOWER_ALNUM, 10);
        assert!(id.len() == 10 && id.bytes().all(|byte| LOWER_ALNUM.contains(&byte)), "{id}");
        assert_ne!(id, random(&SystemEntropy, LOWER_ALNUM, 10));
        let uuid = uuid(&SystemEntropy);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }
}
