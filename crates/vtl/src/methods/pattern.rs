//! Java's regular expressions on the `regex` crate, which never backtracks and so takes linear time.
//!
//! What Java has and this has not: look-around, back-references, possessive quantifiers and atomic groups; a template
//! that uses one fails. `.` stops at `\n` only, and `$` matches at the very end only.

use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use crate::error::RenderError;
use crate::render::Renderer;

/// Bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Groups inside each other.
const NEST_MAX: u32 = 64;
/// Bytes of a pattern's text.
const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// Steps that compiling one pattern counts.
const COMPILE_STEPS: u64 = 5_000;

/// A pattern ready for use.
pub(super) enum Pattern {
    /// Without operators: what it matches.
    Literal(String),
    Regex(Regex),
}

impl Renderer<'_> {
    /// Compiles a pattern, or finds it compiled.
    pub(super) fn pattern(&mut self, java: &Arc<str>) -> Result<Pattern, RenderError> {
        if let Some(literal) = literal(java) {
            return Ok(Pattern::Literal(literal));
        }
        if let Some(regex) = self.patterns.get(java) {
            return Ok(Pattern::Regex(regex.clone()));
        }
        self.meter.steps(COMPILE_STEPS)?;
        let unusable = |what: &str| RenderError::method(format!("pattern {java}: {what}"));
        if java.len() > PATTERN_BYTES_MAX {
            return Err(unusable("too long"));
        }
        let regex = RegexBuilder::new(&translated(java))
            .size_limit(COMPILED_BYTES_MAX)
            .nest_limit(NEST_MAX)
            .build()
            .map_err(|_| unusable("not supported"))?;
        self.meter.allocate(COMPILED_BYTES_MAX / 16)?;
        self.patterns.insert(Arc::clone(java), regex.clone());
        Ok(Pattern::Regex(regex))
    }
}

impl Pattern {
    /// `String.matches`: the pattern matches the whole text.
    pub(super) fn matches_all(&self, java: &str, text: &str) -> Result<bool, RenderError> {
        match self {
            Pattern::Literal(literal) => Ok(text == literal),
            // Anchored anew: the leftmost match alone need not be the one that reaches the end.
            Pattern::Regex(_) => RegexBuilder::new(&format!(r"\A(?:{})\z", translated(java)))
                .size_limit(COMPILED_BYTES_MAX)
                .nest_limit(NEST_MAX + 1)
                .build()
                .map(|regex| regex.is_match(text))
                .map_err(|_| RenderError::method(format!("pattern {java}: not supported"))),
        }
    }

    /// `replaceAll`, or `replaceFirst` with a count of 1.
    pub(super) fn replace(&self, text: &str, replacement: &str, count: usize) -> Result<String, RenderError> {
        match self {
            Pattern::Literal(literal) => {
                let replacement = expand(replacement, None)?;
                Ok(text.replacen(literal.as_str(), &replacement, count))
            }
            Pattern::Regex(regex) => {
                let mut out = String::new();
                let mut end = 0;
                for captures in regex.captures_iter(text).take(count) {
                    let Some(whole) = captures.get(0) else { continue };
                    out.push_str(&text[end..whole.start()]);
                    out.push_str(&expand(replacement, Some(&captures))?);
                    end = whole.end();
                }
                out.push_str(&text[end..]);
                Ok(out)
            }
        }
    }

    /// `split`: no empty piece from a match of nothing at the start; a limit of 0 drops empty pieces at the end.
    pub(super) fn split<'t>(&self, text: &'t str, limit: i32) -> Vec<&'t str> {
        let mut pieces = Vec::new();
        let mut end = 0;
        for (start, stop) in self.spans(text) {
            if limit > 0 && pieces.len() + 1 >= limit as usize {
                break;
            }
            if stop == 0 || (start == stop && start == text.len()) {
                continue;
            }
            pieces.push(&text[end..start]);
            end = stop;
        }
        if pieces.is_empty() {
            return vec![text];
        }
        pieces.push(&text[end..]);
        if limit == 0 {
            while pieces.last().is_some_and(|piece| piece.is_empty()) {
                pieces.pop();
            }
        }
        pieces
    }

    fn spans(&self, text: &str) -> Vec<(usize, usize)> {
        match self {
            Pattern::Literal(literal) => text
                .match_indices(literal.as_str())
                .map(|(start, found)| (start, start + found.len()))
                .collect(),
            Pattern::Regex(regex) => {
                regex.find_iter(text).map(|found| (found.start(), found.end())).collect()
            }
        }
    }
}

/// What a pattern without operators matches.
fn literal(java: &str) -> Option<String> {
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

/// A replacement with `$1`, `${name}` and backslash escapes, as `Matcher.appendReplacement` reads it.
fn expand(replacement: &str, captures: Option<&Captures<'_>>) -> Result<String, RenderError> {
    let mut out = String::new();
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push(
                characters.next().ok_or_else(|| RenderError::method("character to be escaped is missing"))?,
            ),
            '$' if characters.peek() == Some(&'{') => {
                characters.next();
                let name: String = characters.by_ref().take_while(|character| *character != '}').collect();
                let group = captures.and_then(|captures| captures.name(&name));
                out.push_str(group.ok_or_else(|| no_group(&name))?.as_str());
            }
            '$' => {
                let digit = characters.next().and_then(|digit| digit.to_digit(10));
                let mut group = digit.ok_or_else(|| RenderError::method("illegal group reference"))? as usize;
                let groups = captures.map_or(1, |captures| captures.len());
                while let Some(digit) = characters.peek().and_then(|digit| digit.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= groups {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if group >= groups || captures.is_none() && group > 0 {
                    return Err(no_group(&group.to_string()));
                }
                out.push_str(
                    captures.and_then(|captures| captures.get(group)).map_or("", |found| found.as_str()),
                );
            }
            plain => out.push(plain),
        }
    }
    Ok(out)
}

fn no_group(name: &str) -> RenderError {
    RenderError::method(format!("no group {name}"))
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
