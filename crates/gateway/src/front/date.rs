//! The `Date` of answers (RFC 9110, section 6.6.1), made once a second.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

static PRINTER: DateTimePrinter = DateTimePrinter::new();

#[derive(Default)]
pub(super) struct Date {
    /// What it was made for, in seconds since 1970.
    seconds: u64,
    text: String,
}

impl Date {
    /// At this time since 1970-01-01T00:00:00Z.
    pub(super) fn at(&mut self, now: Duration) -> &[u8] {
        if self.seconds != now.as_secs() || self.text.is_empty() {
            self.seconds = now.as_secs();
            let time =
                i64::try_from(self.seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            let text = PRINTER.timestamp_to_rfc9110_string(&time.unwrap_or(Timestamp::UNIX_EPOCH));
            self.text = text.unwrap_or_default();
        }
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        let mut date = Date::default();
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778, "Sun, 06 Nov 1994 08:49:38 GMT"),
        ] {
            assert_eq!(date.at(Duration::from_secs(seconds)), expected.as_bytes());
        }
    }
}
