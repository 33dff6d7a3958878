//! Texts of a policy with wildcards (`*`, `?`) and variables (`${aws:username}`), and whether they match.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use super::request::Context;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `${key}` or `${key, 'default'}`
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Pattern {
    /// Reads a text. `variables` says whether `${…}` means anything, which depends on the document's version;
    /// `wildcards` whether `*` and `?` do, which depends on the operator.
    pub(super) fn parse(text: &str, variables: bool, wildcards: bool) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            if variables && let Some((piece, after)) = variable(rest) {
                pieces.push(piece);
                rest = after;
                continue;
            }
            pieces.push(match char {
                '*' if wildcards => Piece::Any,
                '?' if wildcards => Piece::One,
                char => Piece::Char(char),
            });
            rest = &rest[char.len_utf8()..];
        }
        Self(pieces)
    }

    /// Whether the whole text matches. Variables stand for their value in the context; one without a value and
    /// without a default matches nothing. Takes time in proportion to both lengths multiplied, at most.
    pub(super) fn matches(&self, text: &str, context: &Context, ignore_case: bool) -> bool {
        let Some(pieces) = self.resolved(context) else { return false };
        glob(&pieces, &text.chars().collect::<Vec<_>>(), ignore_case)
    }

    /// This pattern as a plain text with its variables replaced; wildcards stand as they were written.
    pub(super) fn text(&self, context: &Context) -> Option<String> {
        let pieces = self.resolved(context)?;
        let chars = pieces.iter().map(|piece| match piece {
            Glob::Char(char) => *char,
            Glob::One => '?',
            Glob::Any => '*',
        });
        Some(chars.collect())
    }

    fn resolved(&self, context: &Context) -> Option<Vec<Glob>> {
        let mut pieces = Vec::with_capacity(self.0.len());
        for piece in &self.0 {
            match piece {
                Piece::Char(char) => pieces.push(Glob::Char(*char)),
                Piece::One => pieces.push(Glob::One),
                Piece::Any => pieces.push(Glob::Any),
                Piece::Variable { key, default } => {
                    let value = match context.values(key) {
                        [value] => value.as_str(),
                        _ => default.as_deref()?,
                    };
                    pieces.extend(value.chars().map(Glob::Char));
                }
            }
        }
        Some(pieces)
    }
}

/// A piece whose variables are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glob {
    Char(char),
    One,
    Any,
}

/// `${*}`, `${?}` and `${$}` stand for themselves.
fn variable(text: &str) -> Option<(Piece, &str)> {
    let (inner, after) = text.strip_prefix("${")?.split_once('}')?;
    let piece = match inner {
        "*" | "?" | "$" => Piece::Char(inner.chars().next()?),
        _ => {
            let (key, default) = inner.split_once(',').map_or((inner, None), |(key, default)| {
                (key, Some(default.trim().trim_matches('\'').to_owned()))
            });
            Piece::Variable { key: key.trim().to_owned(), default }
        }
    };
    Some((piece, after))
}

/// The usual one: go on greedily, and back to the last `*` when that fails.
fn glob(pieces: &[Glob], text: &[char], ignore_case: bool) -> bool {
    let same = |a: char, b: char| a == b || ignore_case && a.to_lowercase().eq(b.to_lowercase());
    let (mut piece, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pieces.get(piece) {
            Some(Glob::Any) => {
                star = Some((piece, at));
                piece += 1;
            }
            Some(Glob::One) => (piece, at) = (piece + 1, at + 1),
            Some(Glob::Char(char)) if same(*char, text[at]) => (piece, at) = (piece + 1, at + 1),
            _ => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    (piece, at) = (back + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pieces[piece..].iter().all(|piece| *piece == Glob::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut context = Context::default();
        context.add("aws:username", "al*ce");
        Pattern::parse(pattern, true, true).matches(text, &context, false)
    }

    #[test]
    fn wildcards_and_variables() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("**", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*c", "xxaxbxc", true),
            ("/${aws:username}/*", "/al*ce/x", true),
            ("/${aws:username}/*", "/alice/x", false),
            ("/${AWS:UserName}", "/al*ce", true),
            ("${aws:none}", "", false),
            ("${aws:none, 'dflt'}x", "dfltx", true),
            ("${*}a${?}${$}", "*a?$", true),
            ("${*}", "a", false),
            ("${open", "${open", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
