//! The two ways a signing time is written: ISO 8601 basic format, and the HTTP `Date` header's.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// `20150830T123600Z`
pub(super) fn format(time: Timestamp) -> String {
    let utc = TimeZone::UTC.to_datetime(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        utc.year(),
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

/// Reads `20150830T123600Z`, the only form that `x-amz-date` may have.
pub(super) fn parse_basic(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let small = |from: usize, to: usize| number(from, to).and_then(|value| i8::try_from(value).ok());
    let civil = DateTime::new(
        number(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        small(9, 11)?,
        small(11, 13)?,
        small(13, 15)?,
        0,
    );
    TimeZone::UTC.to_timestamp(civil.ok()?).ok()
}

/// Reads a `Date` header: RFC 9110 section 5.6.7, or basic format, which AWS takes there as well.
pub(super) fn parse_http(text: &str) -> Option<Timestamp> {
    parse_basic(text).or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_signing_times() {
        let cases = [
            ("20150830T123600Z", Some(1_440_938_160)),
            ("19700101T000000Z", Some(0)),
            ("20240229T235959Z", Some(1_709_251_199)),
            ("20230229T000000Z", None),
            ("20150830T246000Z", None),
            ("20150830T123600", None),
            ("2015-08-30T12:36:00Z", None),
            ("2015083012:3600Z", None),
            ("+0150830T123600Z", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            let time = parse_basic(text);
            assert_eq!(time.map(Timestamp::as_second), seconds, "{text:?}");
            if let Some(time) = time {
                assert_eq!(format(time), text);
            }
        }
    }

    #[test]
    fn reads_date_headers() {
        let cases = [
            ("Sun, 30 Aug 2015 12:36:00 GMT", Some(1_440_938_160)),
            ("20150830T123600Z", Some(1_440_938_160)),
            ("yesterday", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_http(text).map(Timestamp::as_second), seconds, "{text:?}");
        }
    }
}
