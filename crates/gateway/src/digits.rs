//! Numbers, times and addresses as text, for every request's headers and log lines: what `format!` does at several times the
//! cost. Pure.

use std::cell::RefCell;
use std::net::IpAddr;

use jiff::Timestamp;

/// Appends a number in decimal, with zeros before it up to `width` digits.
pub(crate) fn push_decimal(text: &mut String, number: u64, width: usize) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(number);
    for _ in digits.len()..width {
        text.push('0');
    }
    text.push_str(digits);
}

/// Appends the last `width` digits of a number in hexadecimal.
pub(crate) fn push_hex(text: &mut String, number: u64, width: usize) {
    let mut digits = [0; 16];
    let digits = &mut digits[..width.min(16)];
    write_hex(digits, number);
    push_ascii(text, digits);
}

/// Writes as many of the last digits of a number in hexadecimal as there is room for, up to 16.
pub(crate) fn write_hex(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[number as usize & 0xF];
        number >>= 4;
    }
}

/// Appends letters that are all of ASCII.
pub(crate) fn push_ascii(text: &mut String, letters: &[u8]) {
    text.push_str(str::from_utf8(letters).expect("all of ASCII"));
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

/// The time of a log in Common Log Format, in seconds since 1970: `01/Jan/2024:12:00:00 +0000`.
pub(crate) fn push_common_log_time(text: &mut String, seconds: u64) {
    thread_local! {
        /// The last one made, and of which second: requests come many to a second.
        static LAST: RefCell<(u64, String)> = RefCell::new((0, common_log_time(0)));
    }
    LAST.with_borrow_mut(|(second, last)| {
        if *second != seconds {
            (*second, *last) = (seconds, common_log_time(seconds));
        }
        text.push_str(last);
    });
}

fn common_log_time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
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

    #[test]
    fn times_are_those_of_logs() {
        for (seconds, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (1_704_110_400, "01/Jan/2024:12:00:00 +0000"),
            (1_704_110_401, "01/Jan/2024:12:00:01 +0000"),
            (951_782_399, "28/Feb/2000:23:59:59 +0000"),
        ] {
            let mut text = String::new();
            push_common_log_time(&mut text, seconds);
            assert_eq!(text, expected);
        }
    }

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
