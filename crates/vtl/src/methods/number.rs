//! `java.lang.Integer`, `Long` and `Double`, with the static methods that templates reach through any number:
//! `$n.parseInt("5")`.

use std::cmp::Ordering;

use crate::error::RenderError;
use crate::number::{self, Number};
use crate::render::Renderer;
use crate::value::Value;

impl Renderer<'_> {
    /// `None` if numbers have no such method.
    pub(super) fn number_method(
        &mut self,
        value: &Value,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let Some(number) = Number::of(value) else { return Ok(None) };
        if let Some(converted) = converted(number, name, args) {
            return Ok(Some(converted));
        }
        if let Value::Double(double) = value {
            return double_method(*double, name, args);
        }
        let is_int = matches!(value, Value::Int(_));
        Ok(Some(match (name, args) {
            ("parseInt", [Value::Str(text)]) if is_int => parsed(text, 10, true)?,
            ("parseInt", [Value::Str(text), Value::Int(radix)]) if is_int => parsed(text, *radix, true)?,
            ("parseLong", [Value::Str(text)]) if !is_int => parsed(text, 10, false)?,
            ("parseLong", [Value::Str(text), Value::Int(radix)]) if !is_int => parsed(text, *radix, false)?,
            ("valueOf", [Value::Str(text)]) => parsed(text, 10, is_int)?,
            ("valueOf", [other @ (Value::Int(_) | Value::Long(_))]) => other.clone(),
            ("toString", [other @ (Value::Int(_) | Value::Long(_))]) => Value::Str(self.text_of(other)?),
            ("toString", [other, Value::Int(radix)]) => in_radix(other, *radix),
            ("toHexString", [other]) => bits(other, is_int, |bits| format!("{bits:x}")),
            ("toBinaryString", [other]) => bits(other, is_int, |bits| format!("{bits:b}")),
            ("toOctalString", [other]) => bits(other, is_int, |bits| format!("{bits:o}")),
            ("max" | "min" | "sum" | "compare", [a, b]) => two_integers(name, a, b, is_int),
            ("signum", [other]) => signum(other),
            ("hashCode", []) if is_int => value.clone(),
            ("hashCode", []) => {
                let long = number.as_long();
                Value::Int((long ^ ((long as u64) >> 32) as i64) as i32)
            }
            _ => return Ok(None),
        }))
    }
}

fn converted(number: Number, name: &str, args: &[Value]) -> Option<Value> {
    Some(match (name, args) {
        ("intValue", []) => Value::Int(number.as_int()),
        ("longValue", []) => Value::Long(number.as_long()),
        ("shortValue", []) => Value::Int(i32::from(number.as_int() as i16)),
        ("byteValue", []) => Value::Int(i32::from(number.as_int() as i8)),
        ("doubleValue" | "floatValue", []) => Value::Double(number.as_double()),
        ("compareTo", [other]) => {
            let order = number::compare(number, Number::of(other)?)?;
            Value::Int(order as i32)
        }
        _ => return None,
    })
}

fn double_method(double: f64, name: &str, args: &[Value]) -> Result<Option<Value>, RenderError> {
    let two =
        |a: &Value, b: &Value| Number::of(a).zip(Number::of(b)).map(|(a, b)| (a.as_double(), b.as_double()));
    Ok(Some(match (name, args) {
        ("isNaN", []) => Value::Bool(double.is_nan()),
        ("isInfinite", []) => Value::Bool(double.is_infinite()),
        ("parseDouble" | "valueOf", [Value::Str(text)]) => Value::Double(parsed_double(text)?),
        ("valueOf", [other]) => {
            Number::of(other).map_or(Value::Null, |other| Value::Double(other.as_double()))
        }
        ("toString", [Value::Double(other)]) => Value::str(number::double_text(*other)),
        ("max", [a, b]) => two(a, b).map_or(Value::Null, |(a, b)| Value::Double(a.max(b))),
        ("min", [a, b]) => two(a, b).map_or(Value::Null, |(a, b)| Value::Double(a.min(b))),
        ("sum", [a, b]) => two(a, b).map_or(Value::Null, |(a, b)| Value::Double(a + b)),
        ("compare", [a, b]) => {
            let order = two(a, b).and_then(|(a, b)| a.partial_cmp(&b)).unwrap_or(Ordering::Equal);
            Value::Int(order as i32)
        }
        _ => return Ok(None),
    }))
}

fn parsed(text: &str, radix: i32, is_int: bool) -> Result<Value, RenderError> {
    let not_a_number = || RenderError::method(format!("for input string: \"{text}\""));
    let radix =
        u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix)).ok_or_else(not_a_number)?;
    if is_int {
        i32::from_str_radix(text, radix).map(Value::Int).map_err(|_| not_a_number())
    } else {
        i64::from_str_radix(text, radix).map(Value::Long).map_err(|_| not_a_number())
    }
}

fn parsed_double(text: &str) -> Result<f64, RenderError> {
    let trimmed = text.trim();
    let number = match trimmed.strip_prefix('-').unwrap_or(trimmed) {
        "Infinity" | "NaN" => trimmed.parse().ok(),
        _ if trimmed.contains(['i', 'n', 'I', 'N']) => None,
        _ => trimmed.trim_end_matches(['d', 'D', 'f', 'F']).parse().ok(),
    };
    number.ok_or_else(|| RenderError::method(format!("for input string: \"{text}\"")))
}

fn in_radix(value: &Value, radix: i32) -> Value {
    let Some(number) = Number::of(value).map(Number::as_long) else { return Value::Null };
    let radix = if (2..=36).contains(&radix) { radix as u64 } else { 10 };
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    loop {
        digits.push(char::from_digit((rest % radix) as u32, radix as u32).unwrap_or('0'));
        rest /= radix;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    Value::str(digits.into_iter().rev().collect::<String>())
}

/// The two's complement of a number in some notation.
fn bits(value: &Value, is_int: bool, notation: impl Fn(u64) -> String) -> Value {
    let Some(number) = Number::of(value) else { return Value::Null };
    let bits = if is_int { u64::from(number.as_int() as u32) } else { number.as_long() as u64 };
    Value::str(notation(bits))
}

fn two_integers(name: &str, a: &Value, b: &Value, is_int: bool) -> Value {
    let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) else { return Value::Null };
    let (a, b) = (a.as_long(), b.as_long());
    let result = match name {
        "max" => a.max(b),
        "min" => a.min(b),
        "sum" => a.wrapping_add(b),
        _ => return Value::Int(a.cmp(&b) as i32),
    };
    if is_int { Value::Int(result as i32) } else { Value::Long(result) }
}

fn signum(value: &Value) -> Value {
    Number::of(value).map_or(Value::Null, |number| Value::Int(number.as_long().signum() as i32))
}
