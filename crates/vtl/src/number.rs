//! Arithmetic as Velocity does it over Java's numbers: integers grow instead of overflowing, division of integers
//! drops the fraction, and whatever has no answer is null.

use std::cmp::Ordering;

use crate::ast::Operator;
use crate::value::Value;

/// A number out of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// With whether Java would hold it in an `int`.
    Integer(i128, bool),
    Double(f64),
}

impl Number {
    pub(crate) fn of(value: &Value) -> Option<Number> {
        match value {
            Value::Int(number) => Some(Number::Integer(i128::from(*number), true)),
            Value::Long(number) => Some(Number::Integer(i128::from(*number), false)),
            Value::Double(number) => Some(Number::Double(*number)),
            Value::Big(digits) => Some(match digits.parse() {
                Ok(number) => Number::Integer(number, false),
                Err(_) => Number::Double(digits.parse().unwrap_or(f64::NAN)),
            }),
            _ => None,
        }
    }

    pub(crate) fn as_double(self) -> f64 {
        match self {
            Number::Integer(number, _) => number as f64,
            Number::Double(number) => number,
        }
    }

    /// Java's `longValue`.
    pub(crate) fn as_long(self) -> i64 {
        match self {
            Number::Integer(number, _) => number as i64,
            Number::Double(number) => number as i64,
        }
    }

    /// Java's `intValue`: an integer loses its upper bits, a double saturates.
    pub(crate) fn as_int(self) -> i32 {
        match self {
            Number::Integer(number, _) => number as i32,
            Number::Double(number) => number as i32,
        }
    }
}

/// A literal or a JSON number. Text that is no number gives nothing.
pub(crate) fn parse(text: &str, is_integer: bool) -> Option<Value> {
    if !is_integer {
        return text.parse().ok().map(Value::Double);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or_else(|_| Value::Big(without_leading_zeros(text).into()), Value::integer))
}

fn without_leading_zeros(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    format!("{sign}{}", digits.trim_start_matches('0'))
}

/// The result of an arithmetic operator on two numbers; null where there is none.
pub(crate) fn calculate(left: Number, operator: Operator, right: Number) -> Value {
    match (left, right) {
        (Number::Integer(a, a_is_int), Number::Integer(b, b_is_int)) => {
            integers(a, operator, b).map_or(Value::Null, |result| wrap(result, a_is_int && b_is_int))
        }
        _ => doubles(left.as_double(), operator, right.as_double()).map_or(Value::Null, Value::Double),
    }
}

fn integers(a: i128, operator: Operator, b: i128) -> Option<i128> {
    match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        // Velocity divides longs as Java does, where the smallest by -1 is itself.
        Operator::Divide if a == i128::from(i64::MIN) && b == -1 => Some(a),
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
        _ => None,
    }
}

fn doubles(a: f64, operator: Operator, b: f64) -> Option<f64> {
    match operator {
        Operator::Add => Some(a + b),
        Operator::Subtract => Some(a - b),
        Operator::Multiply => Some(a * b),
        Operator::Divide if b != 0.0 => Some(a / b),
        Operator::Remainder if b != 0.0 => Some(a % b),
        _ => None,
    }
}

/// As narrow as the wider operand, wider if it must be.
fn wrap(result: i128, fits_int: bool) -> Value {
    if let (true, Ok(number)) = (fits_int, i32::try_from(result)) {
        return Value::Int(number);
    }
    i64::try_from(result).map_or_else(|_| Value::Big(result.to_string().into()), Value::Long)
}

pub(crate) fn compare(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Integer(a, _), Number::Integer(b, _)) => Some(a.cmp(&b)),
        _ => left.as_double().partial_cmp(&right.as_double()),
    }
}

/// `Double.toString`: at least one digit behind the point; an exponent below 10⁻³ and from 10⁷.
pub(crate) fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{number:?}");
    }
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let fraction = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{fraction}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_java() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.5, "100.5"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.234e10, "1.234E10"),
            (-123_456_789.0, "-1.23456789E8"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in cases {
            assert_eq!(double_text(number), expected);
        }
    }
}
