//! An answer's values as the formats show them: times and bytes become strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use stagedoor_model::{Kind, ShapeTable, TimeFormat, Timestamp, Value};

/// How times are shown (`cli_timestamp_format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// ISO 8601 with an offset, as AWS CLI v2 shows them.
    #[default]
    Iso8601,
    /// As they travelled.
    Wire,
}

/// `value` with strings in place of times and bytes.
///
/// A time that travels as a number is shown in the zone of this machine, one that travels as text in its own: the
/// AWS CLI parses both and prints what it got.
pub fn shown(shape: Option<&ShapeTable>, value: Value, times: Times) -> Value {
    let kind = shape.map(|shape| &shape.kind);
    match (kind, value) {
        (Some(Kind::Structure { members, .. }), Value::Map(entries)) => {
            let shape_of =
                |key: &str| members.iter().find(|member| member.name == key).map(|member| member.shape);
            let entries = entries.into_iter().map(|(key, value)| {
                let value = shown(shape_of(&key), value, times);
                (key, value)
            });
            Value::Map(entries.collect())
        }
        (Some(Kind::Map { value: shape, .. }), Value::Map(entries)) => Value::Map(
            entries.into_iter().map(|(key, value)| (key, shown(Some(shape), value, times))).collect(),
        ),
        (Some(Kind::List(item)), Value::List(items)) => {
            Value::List(items.into_iter().map(|value| shown(Some(item), value, times)).collect())
        }
        (Some(Kind::Timestamp(format)), Value::Time(time)) => time_shown(time, *format, times),
        (_, Value::Time(time)) => time_shown(time, TimeFormat::Iso8601, times),
        (_, Value::Blob(bytes)) => Value::String(STANDARD.encode(bytes)),
        (_, value) => value,
    }
}

fn time_shown(time: Timestamp, format: TimeFormat, times: Times) -> Value {
    match (times, format) {
        (Times::Wire, TimeFormat::Iso8601) => Value::String(time.to_string()),
        (Times::Wire, TimeFormat::EpochSeconds) if time == time.whole_seconds() => {
            Value::Int(time.as_seconds())
        }
        (Times::Wire, TimeFormat::EpochSeconds) => Value::Float(time.as_seconds_f64()),
        (Times::Iso8601, TimeFormat::Iso8601) => Value::String(isoformat(time, TimeZone::UTC)),
        (Times::Iso8601, TimeFormat::EpochSeconds) => Value::String(isoformat(time, TimeZone::system())),
    }
}

/// As Python's `datetime.isoformat`: microseconds only where there are any.
fn isoformat(time: Timestamp, zone: TimeZone) -> String {
    let micros = time.as_micros().rem_euclid(1_000_000);
    let format = if micros == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S.%6f%:z" };
    time.to_jiff().to_zoned(zone).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_in_python() {
        let berlin = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(isoformat(Timestamp::from_seconds(0), TimeZone::UTC), "1970-01-01T00:00:00+00:00");
        assert_eq!(isoformat(Timestamp::from_micros(250_000), berlin), "1970-01-01T02:00:00.250000+02:00");
    }
}
