//! `String.format`: `%[argument$][flags][width][.precision]conversion`, with `s d f e x o c b n %`.

use super::string::int_of;
use crate::error::RenderError;
use crate::number::Number;
use crate::render::Renderer;
use crate::value::Value;

/// Characters a width or a precision may ask for.
const WIDTH_MAX: usize = 1000;

/// One `%…`.
struct Directive<'f> {
    argument: Option<usize>,
    flags: &'f str,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Renderer<'_> {
    pub(super) fn formatted(&mut self, format: &str, args: &[Value]) -> Result<String, RenderError> {
        // One list stands for the arguments: how Velocity passes a variable number of them.
        let listed =
            if let [Value::List(id)] = args { Some(self.heap.list(*id).items.clone()) } else { None };
        let args = listed.as_deref().unwrap_or(args);
        let mut out = String::new();
        let mut rest = format;
        let mut next = 0;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let (directive, length) = directive(&rest[at + 1..])?;
            rest = &rest[at + 1 + length..];
            match directive.conversion {
                '%' => out.push_str(&padded("%".into(), &directive)),
                'n' => out.push('\n'),
                _ => {
                    let index = directive.argument.unwrap_or(next);
                    next += usize::from(directive.argument.is_none());
                    let missing =
                        || RenderError::method(format!("format specifier '%{}'", directive.conversion));
                    let value = args.get(index).ok_or_else(missing)?;
                    let text = self.converted(value, &directive)?;
                    self.meter.allocate(text.len() + directive.width)?;
                    out.push_str(&padded(text, &directive));
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn converted(&mut self, value: &Value, directive: &Directive<'_>) -> Result<String, RenderError> {
        let illegal =
            || RenderError::method(format!("%{} does not go with its argument", directive.conversion));
        let upper = directive.conversion.is_ascii_uppercase();
        let text = match directive.conversion.to_ascii_lowercase() {
            's' => truncated(&self.text_of(value)?, directive.precision),
            'b' => {
                let truth = if let Value::Bool(truth) = value { *truth } else { !value.is_null() };
                truncated(if truth { "true" } else { "false" }, directive.precision)
            }
            _ if value.is_null() => "null".to_owned(),
            'd' => {
                let Some(Number::Integer(number, _)) = Number::of(value) else { return Err(illegal()) };
                signed(number < 0, grouped(&number.unsigned_abs().to_string(), directive), directive)
            }
            'x' | 'o' => {
                let Some(Number::Integer(number, is_int)) = Number::of(value) else { return Err(illegal()) };
                let bits = if is_int { u64::from(number as u32) } else { number as u64 };
                if directive.conversion == 'o' { format!("{bits:o}") } else { format!("{bits:x}") }
            }
            'f' | 'e' => {
                let Value::Double(number) = value else { return Err(illegal()) };
                let precision = directive.precision.unwrap_or(6);
                let text = if directive.conversion == 'f' {
                    grouped(&format!("{:.precision$}", number.abs()), directive)
                } else {
                    exponent(number.abs(), precision)
                };
                signed(number.is_sign_negative(), text, directive)
            }
            'c' => {
                let code = int_of(value).and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                code.ok_or_else(illegal)?.to_string()
            }
            _ => {
                return Err(RenderError::method(format!(
                    "unknown format conversion '{}'",
                    directive.conversion
                )));
            }
        };
        Ok(if upper { text.to_uppercase() } else { text })
    }
}

/// Reads what follows a percent sign, and how long it is.
fn directive(text: &str) -> Result<(Directive<'_>, usize), RenderError> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut at = 0;
    let index = digits(text);
    let mut argument = None;
    if index > 0 && text[index..].starts_with('$') {
        argument = text[..index].parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        at = index + 1;
    }
    let flags = text[at..].bytes().take_while(|byte| b"-+ 0,#(".contains(byte)).count();
    let (flags, mut at) = (&text[at..at + flags], at + flags);
    let width = digits(&text[at..]);
    let width_text = &text[at..at + width];
    at += width;
    let mut precision = None;
    if text[at..].starts_with('.') {
        let length = digits(&text[at + 1..]);
        precision = Some(number(&text[at + 1..at + 1 + length])?);
        at += 1 + length;
    }
    let conversion =
        text[at..].chars().next().ok_or_else(|| RenderError::method("unknown format conversion '%'"))?;
    let width = if width_text.is_empty() { 0 } else { number(width_text)? };
    Ok((Directive { argument, flags, width, precision, conversion }, at + conversion.len_utf8()))
}

fn number(digits: &str) -> Result<usize, RenderError> {
    let number = digits.parse().ok().filter(|number| *number <= WIDTH_MAX);
    number.ok_or_else(|| RenderError::method(format!("format width or precision '{digits}'")))
}

fn truncated(text: &str, precision: Option<usize>) -> String {
    text.chars().take(precision.unwrap_or(usize::MAX)).collect()
}

fn signed(negative: bool, digits: String, directive: &Directive<'_>) -> String {
    let sign = match (negative, directive.flags) {
        (true, _) => "-",
        (false, flags) if flags.contains('+') => "+",
        (false, flags) if flags.contains(' ') => " ",
        _ => "",
    };
    let zeros = if directive.flags.contains('0') {
        directive.width.saturating_sub(sign.len() + digits.len())
    } else {
        0
    };
    format!("{sign}{}{digits}", "0".repeat(zeros))
}

/// Commas between thousands, if the flags ask for them.
fn grouped(digits: &str, directive: &Directive<'_>) -> String {
    if !directive.flags.contains(',') {
        return digits.to_owned();
    }
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// Java writes exponents with a sign and two digits.
fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn padded(text: String, directive: &Directive<'_>) -> String {
    let missing = directive.width.saturating_sub(text.chars().count());
    if directive.flags.contains('-') { text + &" ".repeat(missing) } else { " ".repeat(missing) + &text }
}
