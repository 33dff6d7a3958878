//! Matching, replacing and splitting by Java's regular expressions.

use std::sync::Arc;

use crate::error::{Failure, RenderError};
use crate::java_regex::{Groups, JavaRegex, TooCostly, literal};
use crate::render::Renderer;

/// Bytes that a compiled pattern counts.
const COMPILED_BYTES: usize = 64 * 1024;
/// Steps that compiling one pattern counts.
pub(crate) const COMPILE_STEPS: u64 = 5_000;

/// Compiled patterns of a rendering, by their text and by whether they must match all of it.
pub(crate) type Patterns = std::collections::HashMap<(Arc<str>, bool), JavaRegex>;

/// A pattern ready for use.
pub(super) enum Pattern {
    /// Without operators: what it matches.
    Literal(String),
    Regex(JavaRegex),
}

impl Renderer<'_> {
    /// A pattern to search for in a text.
    pub(super) fn pattern(&mut self, text: &str, java: &Arc<str>) -> Result<Pattern, RenderError> {
        match literal(java) {
            Some(literal) => Ok(Pattern::Literal(literal)),
            None => self.regex(text, java, false).map(Pattern::Regex),
        }
    }

    /// `String.matches`: the pattern matches the whole text.
    pub(super) fn matches(&mut self, text: &str, java: &Arc<str>) -> Result<bool, RenderError> {
        match literal(java) {
            Some(literal) => Ok(text == literal),
            None => self.regex(text, java, true)?.is_match(text).map_err(too_costly),
        }
    }

    /// Compiles a pattern, or finds it compiled; the search in the text is counted.
    fn regex(&mut self, text: &str, java: &Arc<str>, whole: bool) -> Result<JavaRegex, RenderError> {
        let key = (Arc::clone(java), whole);
        if let Some(regex) = self.patterns.get(&key) {
            self.meter.steps(regex.steps(text.len()))?;
            return Ok(regex.clone());
        }
        self.meter.steps(COMPILE_STEPS)?;
        self.meter.allocate(COMPILED_BYTES)?;
        let regex = if whole { JavaRegex::whole(java) } else { JavaRegex::part(java) };
        let regex = regex.map_err(|_| RenderError::method(format!("pattern {java}: not supported")))?;
        self.meter.steps(regex.steps(text.len()))?;
        self.patterns.insert(key, regex.clone());
        Ok(regex)
    }
}

fn too_costly(_: TooCostly) -> RenderError {
    Failure::TooManySteps.into()
}

impl Pattern {
    /// `replaceAll`, or `replaceFirst` with a count of 1.
    pub(super) fn replace(
        &self,
        text: &str,
        replacement: &str,
        count: usize,
        bytes_max: usize,
    ) -> Result<String, RenderError> {
        let mut out = Bounded { text: String::new(), bytes_max };
        let mut end = 0;
        let is_plain = !replacement.contains(['\\', '$']);
        match self {
            Pattern::Literal(literal) => {
                for (start, found) in text.match_indices(literal.as_str()).take(count) {
                    out.push(&text[end..start])?;
                    if is_plain {
                        out.push(replacement)?
                    } else {
                        expand(replacement, None, &mut out)?
                    }
                    end = start + found.len();
                }
            }
            Pattern::Regex(regex) => {
                for groups in regex.groups(text).take(count) {
                    let groups = groups.map_err(too_costly)?;
                    let found = groups.span();
                    out.push(&text[end..found.start])?;
                    if is_plain {
                        out.push(replacement)?
                    } else {
                        expand(replacement, Some(&groups), &mut out)?
                    }
                    end = found.end;
                }
            }
        }
        out.push(&text[end..])?;
        Ok(out.text)
    }

    /// `split`: no empty piece from a match of nothing at the start; a limit of 0 drops empty pieces at the end.
    pub(super) fn split<'t>(
        &self,
        text: &'t str,
        limit: i32,
        pieces_max: usize,
    ) -> Result<Vec<&'t str>, RenderError> {
        let wanted = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let mut pieces = Vec::new();
        let mut end = 0;
        for span in self.spans(text) {
            let (start, stop) = span?;
            if pieces.len() + 1 >= wanted {
                break;
            }
            if pieces.len() >= pieces_max {
                return Err(Failure::TooMuchMemory.into());
            }
            if stop == 0 || (start == stop && start == text.len()) {
                continue;
            }
            pieces.push(&text[end..start]);
            end = stop;
        }
        if pieces.is_empty() {
            return Ok(vec![text]);
        }
        pieces.push(&text[end..]);
        if limit == 0 {
            while pieces.last().is_some_and(|piece| piece.is_empty()) {
                pieces.pop();
            }
        }
        Ok(pieces)
    }

    /// Where the pattern matches, from start to end.
    fn spans<'p>(
        &'p self,
        text: &'p str,
    ) -> Box<dyn Iterator<Item = Result<(usize, usize), RenderError>> + 'p> {
        match self {
            Pattern::Literal(literal) => {
                let found = text.match_indices(literal.as_str());
                Box::new(found.map(|(start, found)| Ok((start, start + found.len()))))
            }
            Pattern::Regex(regex) => {
                let spans = regex.spans(text);
                Box::new(spans.map(|span| span.map(|span| (span.start, span.end)).map_err(too_costly)))
            }
        }
    }
}

/// A text that may not grow beyond the memory that is left.
struct Bounded {
    text: String,
    bytes_max: usize,
}

impl Bounded {
    fn push(&mut self, more: &str) -> Result<(), RenderError> {
        if self.text.len() + more.len() > self.bytes_max {
            return Err(Failure::TooMuchMemory.into());
        }
        self.text.push_str(more);
        Ok(())
    }
}

/// Writes a replacement with `$1`, `${name}` and backslash escapes, as `Matcher.appendReplacement` reads it.
fn expand(replacement: &str, found: Option<&Groups<'_>>, out: &mut Bounded) -> Result<(), RenderError> {
    let mut rest = replacement;
    while let Some(at) = rest.find(['\\', '$']) {
        out.push(&rest[..at])?;
        let is_escape = rest[at..].starts_with('\\');
        rest = &rest[at + 1..];
        if is_escape {
            let escaped = rest.chars().next();
            let escaped = escaped.ok_or_else(|| RenderError::method("character to be escaped is missing"))?;
            out.push(&rest[..escaped.len_utf8()])?;
            rest = &rest[escaped.len_utf8()..];
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|named| named.split_once('}')) {
            let group = found.and_then(|found| found.named(name));
            out.push(group.ok_or_else(|| no_group(name))?)?;
            rest = after;
        } else {
            let groups = found.map_or(0, Groups::len);
            let digits = group_digits(rest, groups);
            let group = rest[..digits]
                .parse::<usize>()
                .map_err(|_| RenderError::method("illegal group reference"))?;
            if group >= groups {
                return Err(no_group(&rest[..digits]));
            }
            out.push(found.and_then(|found| found.get(group)).unwrap_or_default())?;
            rest = &rest[digits..];
        }
    }
    out.push(rest)
}

/// How many digits name a group: the first, and each further one as long as there is such a group.
fn group_digits(text: &str, groups: usize) -> usize {
    let available = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut digits = available.min(1);
    while digits < available && text[..digits + 1].parse::<usize>().is_ok_and(|group| group < groups) {
        digits += 1;
    }
    digits
}

fn no_group(name: &str) -> RenderError {
    RenderError::method(format!("no group {name}"))
}
