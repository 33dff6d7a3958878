//! Ranges of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.

use std::net::IpAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(longest), |bits| bits.trim().parse().ok())?;
        (bits <= longest).then_some(Self { address, bits })
    }

    pub(super) fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                same_prefix(u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32 - self.bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                same_prefix(ours.to_bits(), theirs.to_bits(), 128 - self.bits)
            }
            _ => false,
        }
    }
}

fn same_prefix(ours: u128, theirs: u128, ignored_bits: u32) -> bool {
    (ours ^ theirs).checked_shr(ignored_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, address, expected) in [
            ("192.0.2.0/24", "192.0.2.200", true),
            ("192.0.2.0/24", "192.0.3.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("::/0", "8.8.8.8", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ] {
            let network = Network::parse(range).expect("a range");
            assert_eq!(network.contains(address.parse().expect("an address")), expected, "{range} {address}");
        }
        for wrong in ["", "192.0.2.0/33", "192.0.2/24", "x", "::/129", "1.2.3.4/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
