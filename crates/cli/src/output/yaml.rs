//! `--output yaml`: block style with sorted keys. Which strings are quoted, and where long ones break, follows the
//! emitter of PyYAML, whose descendant the second version of the AWS CLI uses.

use std::sync::LazyLock;

use regex::Regex;
use stagedoor_model::Value;

use crate::python;

/// Columns after which a line breaks at the next space.
const WIDTH: usize = 80;
const INDENT: usize = 2;

/// Nothing for an empty object, which is what operations without an answer give.
pub fn yaml(value: &Value) -> String {
    if matches!(value, Value::Map(entries) if entries.is_empty()) {
        return String::new();
    }
    let mut emitter = Emitter::default();
    emitter.node(value, 0, true);
    // A document that is one plain scalar is ended explicitly.
    if !matches!(value, Value::Map(_) | Value::List(_)) && !emitter.out.ends_with(['\'', '"']) {
        emitter.out.push_str("\n...");
    }
    emitter.out.push('\n');
    emitter.out
}

/// A scalar or empty value as it stands behind a key.
pub fn yaml_scalar(value: &Value) -> String {
    let mut emitter = Emitter::default();
    emitter.node(value, INDENT, true);
    emitter.out
}

#[derive(Default)]
struct Emitter {
    out: String,
    column: usize,
}

impl Emitter {
    /// `indent` is that of the block that the node is, if it is one; `open` says that its first line has begun.
    fn node(&mut self, value: &Value, indent: usize, open: bool) {
        match value {
            Value::List(items) if items.is_empty() => self.write("[]"),
            Value::Map(entries) if entries.is_empty() => self.write("{}"),
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.begin_line(indent, open && at == 0);
                    self.write("- ");
                    self.node(item, indent + INDENT, true);
                }
            }
            Value::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
                for (at, (key, value)) in sorted.into_iter().enumerate() {
                    self.begin_line(indent, open && at == 0);
                    self.string(key, indent, false);
                    self.write(":");
                    self.member(value, indent);
                }
            }
            Value::String(text) => self.string(text, if indent == 0 { INDENT } else { indent }, true),
            scalar => self.write(&plain_scalar(scalar)),
        }
    }

    /// What stands behind a key: blocks begin on the next line, lists in their parent's column.
    fn member(&mut self, value: &Value, indent: usize) {
        match value {
            Value::List(items) if !items.is_empty() => self.node(value, indent, false),
            Value::Map(entries) if !entries.is_empty() => self.node(value, indent + INDENT, false),
            inline => {
                self.write(" ");
                self.node(inline, indent + INDENT, true);
            }
        }
    }

    fn begin_line(&mut self, indent: usize, open: bool) {
        if !open {
            self.break_line(indent);
        }
    }

    fn break_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    /// `splits` allows line breaks within the text; keys stay on one line.
    fn string(&mut self, text: &str, indent: usize, splits: bool) {
        match style(text, splits) {
            Style::Plain => self.words(text, indent, splits, false),
            Style::Single => self.words(text, indent, splits, true),
            Style::Double => self.escaped(text, indent, splits),
        }
    }

    /// Plain or in single quotes: lines break at single spaces, and line feeds become empty lines.
    fn words(&mut self, text: &str, indent: usize, splits: bool, quoted: bool) {
        if quoted {
            self.write("'");
        }
        let letters: Vec<char> = text.chars().collect();
        let mut at = 0;
        while at < letters.len() {
            let kind = |letter: char| (letter == ' ', is_break(letter));
            let end = (at..letters.len())
                .find(|end| kind(letters[*end]) != kind(letters[at]))
                .unwrap_or(letters.len());
            let run: String = letters[at..end].iter().collect();
            let inside = at > 0 && end < letters.len();
            if letters[at] == ' ' && end - at == 1 && self.column > WIDTH && splits && (inside || !quoted) {
                self.break_line(indent);
            } else if is_break(letters[at]) {
                // A line feed alone would be read as a space.
                self.out.push_str(if letters[at] == '\n' { "\n" } else { "" });
                self.out.push_str(&run);
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.column = indent;
            } else {
                self.write(&if quoted { run.replace('\'', "''") } else { run });
            }
            at = end;
        }
        if quoted {
            self.write("'");
        }
    }

    /// In double quotes, with escapes.
    fn escaped(&mut self, text: &str, indent: usize, splits: bool) {
        self.write("\"");
        let letters: Vec<char> = text.chars().collect();
        let (mut start, mut end) = (0, 0);
        while end <= letters.len() {
            let letter = letters.get(end).copied();
            if letter.is_none_or(needs_escape) {
                let run: String = letters[start..end].iter().collect();
                self.write(&run);
                start = end;
                if let Some(letter) = letter {
                    self.write(&escape(letter));
                    start = end + 1;
                }
            }
            let far = self.column + end.saturating_sub(start) > WIDTH;
            if 0 < end && end + 1 < letters.len() && (letter == Some(' ') || start >= end) && far && splits {
                let run: String = letters[start.min(end)..end].iter().collect();
                self.write(&format!("{run}\\"));
                start = start.max(end);
                self.break_line(indent);
                if letters[start] == ' ' {
                    self.write("\\");
                }
            }
            end += 1;
        }
        self.write("\"");
    }
}

fn plain_scalar(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Float(number) => {
            let text = python::float(*number);
            if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
        }
        Value::Int(number) => number.to_string(),
        _ => "null".to_owned(),
    }
}

// === Which style a string takes ===

enum Style {
    Plain,
    Single,
    Double,
}

/// Plain text that YAML would read as something other than a string: null, booleans, numbers, times, `=` and `<<`.
static NOT_A_STRING: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "~|null|Null|NULL|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|=|<<";
    let integers = "[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|\
                    [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+";
    let floats = r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?";
    let odd_floats = r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)";
    let days = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
    let moments =
        r"[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?";
    let zones = r"(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?";
    let numbers = format!("{integers}|{floats}|{odd_floats}");
    Regex::new(&format!("^(?:{words}|{numbers}|{days}|{moments}{zones})?$")).expect("a constant, tested")
});

fn style(text: &str, splits: bool) -> Style {
    let letters: Vec<char> = text.chars().collect();
    let (mut special, mut breaks, mut space_then_break, mut break_then_space) = (false, false, false, false);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        special |= is_special(*letter);
        breaks |= is_break(*letter);
        space_then_break |= is_break(*letter) && before == Some(' ');
        break_then_space |= *letter == ' ' && before.is_some_and(is_break);
    }
    let at_edge = |letter: Option<&char>| letter.is_some_and(|letter| *letter == ' ' || is_break(*letter));
    if special || space_then_break || (breaks && !splits) {
        return Style::Double;
    }
    let edges = at_edge(letters.first()) || at_edge(letters.last());
    if !breaks && !edges && !has_indicator(&letters) && !NOT_A_STRING.is_match(text) {
        return Style::Plain;
    }
    if break_then_space { Style::Double } else { Style::Single }
}

/// Whether a character has a meaning for YAML where it stands.
fn has_indicator(letters: &[char]) -> bool {
    let is_space = |letter: Option<&char>| {
        letter.is_none_or(|letter| "\0 \t\r\n\u{85}\u{2028}\u{2029}".contains(*letter))
    };
    if letters.starts_with(&['-', '-', '-']) || letters.starts_with(&['.', '.', '.']) {
        return true;
    }
    letters.iter().enumerate().any(|(at, letter)| {
        let followed = is_space(letters.get(at + 1));
        match (at, letter) {
            (0, letter) if "#,[]{}&*!|>'\"%@`".contains(*letter) => true,
            (0, '?' | ':' | '-') | (_, ':') => followed,
            (at, '#') => is_space(at.checked_sub(1).and_then(|before| letters.get(before))),
            _ => false,
        }
    })
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && letter != '\u{feff}'
}

fn is_special(letter: char) -> bool {
    !(is_printable(letter) || matches!(letter, '\n' | '\u{85}' | '\u{10000}'..))
}

fn needs_escape(letter: char) -> bool {
    !is_printable(letter) || matches!(letter, '"' | '\\' | '\u{2028}' | '\u{2029}')
}

fn escape(letter: char) -> String {
    let short = match letter {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => letter,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(letter);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values and what PyYAML's `safe_dump` makes of them, written by `tests/yaml/make.py`.
    #[test]
    fn values_are_dumped_as_pyyaml_dumps_them() {
        let cases: Value =
            serde_json::from_str(include_str!("../../tests/yaml/cases.json")).expect("valid JSON");
        assert!(cases.items().len() > 50);
        for case in cases.items() {
            let value = case.get("value").cloned().unwrap_or_default();
            assert_eq!(Some(yaml(&value).as_str()), case.get("yaml").and_then(Value::as_str), "{value:?}");
        }
    }
}
