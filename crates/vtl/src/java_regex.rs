//! Java's regular expressions: those of templates, and of everything else in an API's configuration that AWS holds
//! against a text.
//!
//! Nearly all run on the `regex` crate, in linear time. Those with look-around, back references, possessive quantifiers
//! or atomic groups need to go back in the text (`fancy-regex`), which is bounded twice: by the steps back, and by the
//! length of the text. Java bounds neither. `.` stops at `\n` only, and `$` matches at the very end only.

use std::fmt;
use std::ops::Range;

use regex::RegexBuilder;

/// Bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a pattern's text.
const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// Groups inside each other.
const NEST_MAX: u32 = 64;
/// Bytes of a text that a pattern is held against which goes back in it: such a pattern may look at all of the text from
/// every place in it.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// How often one search goes back.
const BACKTRACKS_MAX: usize = 50_000;

/// A pattern, compiled.
#[derive(Clone, Debug)]
pub struct JavaRegex {
    source: Box<str>,
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// The text is no pattern, or one that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPattern;

/// A pattern that goes back in a text would have to do so too often, or in too long a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooCostly;

impl JavaRegex {
    /// A pattern to search for, as `Matcher.find` does.
    ///
    /// # Errors
    /// It is none, or too large.
    pub fn part(java: &str) -> Result<Self, InvalidPattern> {
        Self::compile(java, translated(java))
    }

    /// A pattern that must match all of a text, as `String.matches` asks.
    ///
    /// # Errors
    /// As of [`Self::part`].
    pub fn whole(java: &str) -> Result<Self, InvalidPattern> {
        Self::compile(java, format!(r"\A(?:{})\z", translated(java)))
    }

    fn compile(java: &str, pattern: String) -> Result<Self, InvalidPattern> {
        if java.len() > PATTERN_BYTES_MAX {
            return Err(InvalidPattern);
        }
        let linear = RegexBuilder::new(&pattern).size_limit(COMPILED_BYTES_MAX).nest_limit(NEST_MAX).build();
        let engine = match linear {
            Ok(regex) if !is_possessive(&pattern) => Engine::Linear(regex),
            _ => Engine::Backtracking(Box::new(backtracking(&pattern)?)),
        };
        Ok(Self { source: java.into(), engine })
    }

    /// Whether the pattern is in the text, or matches all of it.
    ///
    /// # Errors
    /// When finding that out would cost too much.
    pub fn is_match(&self, text: &str) -> Result<bool, TooCostly> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(bounded(text)?).map_err(|_| TooCostly),
        }
    }

    /// How many steps of a template a search in a text of this length counts, beyond reading it.
    pub(crate) fn steps(&self, text_bytes: usize) -> u64 {
        const BYTES_PER_STEP: usize = 64;
        match &self.engine {
            Engine::Linear(_) => 0,
            Engine::Backtracking(_) => (text_bytes.saturating_mul(text_bytes) / BYTES_PER_STEP) as u64,
        }
    }

    /// Where the pattern is found, one place after the other.
    pub(crate) fn spans<'p>(
        &'p self,
        text: &'p str,
    ) -> Box<dyn Iterator<Item = Result<Range<usize>, TooCostly>> + 'p> {
        match &self.engine {
            Engine::Linear(regex) => Box::new(regex.find_iter(text).map(|found| Ok(found.range()))),
            Engine::Backtracking(regex) => match bounded(text) {
                Ok(text) => {
                    let found = regex.find_iter(text);
                    Box::new(found.map(|found| found.map(|found| found.range()).map_err(|_| TooCostly)))
                }
                Err(costly) => Box::new(std::iter::once(Err(costly))),
            },
        }
    }

    /// As [`Self::spans`], with what the groups matched.
    pub(crate) fn groups<'p>(
        &'p self,
        text: &'p str,
    ) -> Box<dyn Iterator<Item = Result<Groups<'p>, TooCostly>> + 'p> {
        let of = move |names: Vec<Option<&'p str>>, spans| Groups { text, spans, names };
        match &self.engine {
            Engine::Linear(regex) => Box::new(regex.captures_iter(text).map(move |found| {
                let spans = found.iter().map(|group| group.map(|group| group.range())).collect();
                Ok(of(regex.capture_names().collect(), spans))
            })),
            Engine::Backtracking(regex) => match bounded(text) {
                Ok(text) => Box::new(regex.captures_iter(text).map(move |found| {
                    let found = found.map_err(|_| TooCostly)?;
                    let spans = found.iter().map(|group| group.map(|group| group.range())).collect();
                    Ok(of(regex.capture_names().collect(), spans))
                })),
                Err(costly) => Box::new(std::iter::once(Err(costly))),
            },
        }
    }
}

/// The pattern as it was written.
impl fmt::Display for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// One match: what all of the pattern matched, then its groups.
pub(crate) struct Groups<'t> {
    text: &'t str,
    spans: Vec<Option<Range<usize>>>,
    names: Vec<Option<&'t str>>,
}

impl<'t> Groups<'t> {
    /// How many there are, the whole match among them.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Where the whole pattern matched.
    pub(crate) fn span(&self) -> Range<usize> {
        self.spans.first().cloned().flatten().unwrap_or_default()
    }

    /// What a group matched; `None` if it has no part in the match.
    pub(crate) fn get(&self, group: usize) -> Option<&'t str> {
        self.text.get(self.spans.get(group)?.clone()?)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&'t str> {
        self.get(self.names.iter().position(|known| *known == Some(name))?)
    }
}

fn backtracking(pattern: &str) -> Result<fancy_regex::Regex, InvalidPattern> {
    fancy_regex::RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACKS_MAX)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .max_prog_size(COMPILED_BYTES_MAX)
        .build()
        .map_err(|_| InvalidPattern)
}

fn bounded(text: &str) -> Result<&str, TooCostly> {
    if text.len() > TEXT_BYTES_MAX { Err(TooCostly) } else { Ok(text) }
}

/// Whether a quantifier is followed by `+`, which the `regex` crate takes for another quantifier.
fn is_possessive(pattern: &str) -> bool {
    let (mut classes, mut after_quantifier) = (0_usize, false);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let quantifies = classes == 0 && matches!(character, '*' | '+' | '?' | '}');
        match character {
            '+' if after_quantifier => return true,
            '\\' => drop(characters.next()),
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            _ => {}
        }
        after_quantifier = quantifies && !after_quantifier;
    }
    false
}

/// What a pattern without operators matches.
pub(crate) fn literal(java: &str) -> Option<String> {
    let mut out = String::with_capacity(java.len());
    let mut characters = java.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                escaped if escaped.is_ascii_alphanumeric() => return None,
                escaped => out.push(escaped),
            },
            '.' | '$' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '?' | '*' | '+' => return None,
            plain => out.push(plain),
        }
    }
    Some(out)
}

/// The same pattern in the `regex` crate's words: Java's `\d`, `\w` and `\s` are ASCII, and some escapes are its own.
fn translated(java: &str) -> String {
    const POSIX: [(&str, &str); 8] = [
        ("{Lower}", "a-z"),
        ("{Upper}", "A-Z"),
        ("{Alpha}", "a-zA-Z"),
        ("{Digit}", "0-9"),
        ("{Alnum}", "a-zA-Z0-9"),
        ("{Punct}", "!-/:-@\\[-`{-~"),
        ("{Space}", " \\t\\n\\x0B\\f\\r"),
        ("{XDigit}", "0-9a-fA-F"),
    ];
    let mut out = String::with_capacity(java.len() + 16);
    let mut rest = java;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escaped) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        rest = &rest[escaped.len_utf8()..];
        match escaped {
            'd' => out.push_str("[0-9]"),
            'D' => out.push_str("[^0-9]"),
            'w' => out.push_str("[a-zA-Z_0-9]"),
            'W' => out.push_str("[^a-zA-Z_0-9]"),
            's' => out.push_str("[ \\t\\n\\x0B\\f\\r]"),
            'S' => out.push_str("[^ \\t\\n\\x0B\\f\\r]"),
            'h' => out.push_str("[ \\t\\u{A0}]"),
            'R' => out.push_str("(?:\\r\\n|[\\n\\r\\x0B\\f])"),
            'Z' => out.push_str("\\z"),
            'e' => out.push_str("\\x1B"),
            'p' | 'P' => {
                let negated = if escaped == 'P' { "^" } else { "" };
                let class = POSIX.iter().find(|(name, _)| rest.starts_with(name));
                if let Some((name, class)) = class {
                    out.push_str(&format!("[{negated}{class}]"));
                    rest = &rest[name.len()..];
                } else {
                    out.extend(['\\', escaped]);
                }
            }
            'Q' => {
                let end = rest.find("\\E").unwrap_or(rest.len());
                out.push_str(&regex::escape(&rest[..end]));
                rest = rest[end..].strip_prefix("\\E").unwrap_or_default();
            }
            _ => out.extend(['\\', escaped]),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_java() {
        for (java, text, expected) in [
            (r"4\d{2}", "404", true),
            (r"4\d{2}", "4044", false),
            (".*bad.*", "a bad thing", true),
            (".*bad.*", "line\na bad thing", false),
            (r"(?s).*bad.*", "line\na bad thing", true),
            (r"(.|\n)*bad(.|\n)*", "line\na bad thing", true),
            (r"\Q[400]\E.*", "[400] no", true),
            (r"\p{Alpha}+", "abc", true),
            // What goes back in the text.
            ("(?!200).*", "404", true),
            ("(?!200).*", "200", false),
            (r"^((?!Not Found).)*$", "was Not Found", false),
            (r"^((?!Not Found).)*$", "was found", true),
            (r"(?=.*[A-Z])(?=.*\d).{8,}", "Secret12", true),
            (r"(?=.*[A-Z])(?=.*\d).{8,}", "secret12", false),
            (r"(a+)-\1", "aa-aa", true),
            (r"(a+)-\1", "aa-a", false),
            (r"(?<!x)y", "y", true),
            (r"a*+a", "aaa", false),
            (r"a*a", "aaa", true),
            (r"(?>a*)b", "aab", true),
            (r"[*+]+", "*+", true),
            (r"a\++", "a++", true),
        ] {
            let pattern = JavaRegex::whole(java).expect("a pattern");
            assert_eq!(pattern.is_match(text), Ok(expected), "{java} {text:?}");
            assert_eq!(pattern.to_string(), java);
        }
        assert_eq!(JavaRegex::part("(?<=a)b").expect("a pattern").is_match("xaby"), Ok(true));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for java in ["(", "[", "(?<=a*)b", &"a".repeat(PATTERN_BYTES_MAX + 1), "(?!x)((a{100}){100}){100}"] {
            assert_eq!(
                JavaRegex::part(java).map(|_| ()),
                Err(InvalidPattern),
                "{}",
                &java[..java.len().min(20)]
            );
        }
    }

    #[test]
    fn going_back_is_bounded() {
        let pattern = JavaRegex::whole(r"(?:(a+)\1?)+b(?!c)").expect("a pattern");
        assert_eq!(pattern.is_match(&format!("{}cb", "a".repeat(100))), Err(TooCostly));
        let look = JavaRegex::part("(?=.*x)b").expect("a pattern");
        assert_eq!(look.is_match(&"a".repeat(TEXT_BYTES_MAX)), Ok(false));
        assert_eq!(look.is_match(&"a".repeat(TEXT_BYTES_MAX + 1)), Err(TooCostly));
        assert_eq!(look.spans(&"b".repeat(TEXT_BYTES_MAX + 1)).next(), Some(Err(TooCostly)));
    }
}
