//! Numbers and addresses as text, for every request's headers and log lines: what `format!` does at several times the
//! cost. Pure.

use std::net::IpAddr;

/// Appends a number in decimal, with zeros before it up to `width` digits.
pub(crate) fn push_decimal(text: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut at, mut rest) = (digits.len(), number);
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let from = at.min(digits.len() - width.clamp(1, digits.len()));
    text.extend(digits[from..].iter().map(|&digit| char::from(digit)));
}

/// Appends the last `width` digits of a number in hexadecimal.
pub(crate) fn push_hex(text: &mut String, number: u64, width: usize) {
    for digit in (0..width).rev() {
        let digit = (number >> (4 * digit)) & 0xF;
        text.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}

/// Appends an address as it stands in logs, IPv6 without brackets.
pub(crate) fn push_address(text: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    text.push('.');
                }
                push_decimal(text, octet.into(), 1);
            }
        }
        IpAddr::V6(address) => text.push_str(&address.to_string()),
    }
}

/// A number in decimal.
pub(crate) fn decimal(number: u64) -> String {
    let mut text = String::with_capacity(8);
    push_decimal(&mut text, number, 1);
    text
}

/// An address as [`push_address`] has it.
pub(crate) fn address(address: IpAddr) -> String {
    let mut text = String::with_capacity(16);
    push_address(&mut text, address);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_those_of_format(number: u64, small in 0_u64..2000, width in 0_usize..20, ip: IpAddr) {
            for number in [number, small] {
                let mut text = String::new();
                push_decimal(&mut text, number, width);
                prop_assert_eq!(&text, &format!("{number:0width$}"));
                text.clear();
                push_hex(&mut text, number, 16);
                prop_assert_eq!(&text, &format!("{number:016x}"));
            }
            prop_assert_eq!(address(ip), ip.to_string());
        }
    }
}
