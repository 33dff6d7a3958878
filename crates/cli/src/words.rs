//! Command-line words into options and the rest, by the rules of Python's argparse, which the AWS CLI uses: any
//! unambiguous beginning of an option will do, `--option=value` is one word, and a value cannot look like an option.

use crate::failure::{Failure, Result};

/// How many words an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    None,
    One,
    Optional,
    Many,
}

/// An option that a level of the command line knows, without its dashes.
#[derive(Clone, Debug)]
pub struct Known {
    pub name: String,
    pub arity: Arity,
}

impl Known {
    pub fn new(name: impl Into<String>, arity: Arity) -> Self {
        Self { name: name.into(), arity }
    }
}

/// Words in the order in which they were given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Index into the known options, and the words that came with it.
    pub given: Vec<(usize, Vec<String>)>,
    /// Positional words and unknown options.
    pub rest: Vec<String>,
}

/// Takes the known options out of `words`.
///
/// # Errors
/// [`Failure::Usage`] for an ambiguous option, a missing value, or a value where none belongs.
pub fn split(words: &[String], known: &[Known]) -> Result<Split> {
    let mut split = Split::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let Some((option, explicit)) = find(word, known)? else {
            split.rest.push(word.clone());
            continue;
        };
        let Known { name, arity } = &known[option];
        let following = words[at..].iter().take_while(|word| is_value(word, known)).count();
        let values = match (arity, explicit) {
            (Arity::None, Some(value)) => {
                return Err(Failure::Usage(format!(
                    "argument --{name}: ignored explicit argument '{value}'"
                )));
            }
            (_, Some(value)) => vec![value.to_owned()],
            (Arity::None, None) => Vec::new(),
            (Arity::One, None) if following == 0 => {
                return Err(Failure::Usage(format!("argument --{name}: expected one argument")));
            }
            (Arity::One | Arity::Optional, None) => {
                words[at..].iter().take(following.min(1)).cloned().collect()
            }
            (Arity::Many, None) => words[at..].iter().take(following).cloned().collect(),
        };
        if explicit.is_none() {
            at += values.len();
        }
        split.given.push((option, values));
    }
    Ok(split)
}

/// The option that a word names, and the value behind its `=`.
fn find<'w>(word: &'w str, known: &[Known]) -> Result<Option<(usize, Option<&'w str>)>> {
    let Some(bare) = word.strip_prefix("--").filter(|bare| !bare.is_empty()) else { return Ok(None) };
    let (bare, explicit) = match bare.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (bare, None),
    };
    if let Some(exact) = known.iter().position(|option| option.name == bare) {
        return Ok(Some((exact, explicit)));
    }
    let begun: Vec<_> = (0..known.len()).filter(|at| known[*at].name.starts_with(bare)).collect();
    match begun.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only, explicit))),
        several => {
            let names: Vec<_> = several.iter().map(|at| format!("--{}", known[*at].name)).collect();
            Err(Failure::Usage(format!("ambiguous option: --{bare} could match {}", names.join(", "))))
        }
    }
}

/// Whether a word can be an option's value: anything that does not look like an option itself.
fn is_value(word: &str, known: &[Known]) -> bool {
    let Some(tail) = word.strip_prefix('-') else { return true };
    if tail.is_empty() || is_number(tail) {
        return true;
    }
    // A known option with a value may contain spaces; an unknown one is text that happens to begin with a dash.
    !matches!(find(word, known), Ok(Some(_)) | Err(_)) && word.contains(' ')
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && !fraction.is_empty() && (text.contains('.') || !whole.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        vec![
            Known::new("name", Arity::One),
            Known::new("tags", Arity::Many),
            Known::new("target", Arity::One),
            Known::new("enabled", Arity::None),
            Known::new("skeleton", Arity::Optional),
        ]
    }

    fn told(line: &[&str]) -> String {
        let words: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        let known = known();
        match split(&words, &known) {
            Err(failure) => failure.to_string().lines().last().unwrap_or_default().to_owned(),
            Ok(split) => {
                let given = split.given.iter().map(|(at, values)| format!("{}={values:?}", known[*at].name));
                format!("{} {:?}", given.collect::<Vec<_>>().join(" "), split.rest)
            }
        }
    }

    #[test]
    fn options_take_the_words_that_argparse_gives_them() {
        let cases: [(&[&str], &str); 12] = [
            (&["--name", "a", "b"], r#"name=["a"] ["b"]"#),
            (&["--tags", "a", "b", "--name", "c"], r#"tags=["a", "b"] name=["c"] []"#),
            (&["--name=a=b"], r#"name=["a=b"] []"#),
            (&["--na", "a"], r#"name=["a"] []"#),
            (&["--ta", "a"], "stagedoor: error: ambiguous option: --ta could match --tags, --target"),
            (&["--name", "--enabled"], "stagedoor: error: argument --name: expected one argument"),
            (&["--name", "-1.5"], r#"name=["-1.5"] []"#),
            (&["--name", "-x"], "stagedoor: error: argument --name: expected one argument"),
            (&["--name", "- a b"], r#"name=["- a b"] []"#),
            (&["--enabled=x"], "stagedoor: error: argument --enabled: ignored explicit argument 'x'"),
            (&["--skeleton", "--name", "a"], r#"skeleton=[] name=["a"] []"#),
            (&["out.json", "--other", "x"], r#" ["out.json", "--other", "x"]"#),
        ];
        for (line, expected) in cases {
            assert_eq!(told(line), expected, "{line:?}");
        }
    }
}
