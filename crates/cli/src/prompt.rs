//! `--cli-auto-prompt`: asks for what a command line leaves open, shows the whole line, and runs it.
//!
//! Questions are drawn on standard error, so that the answer of the call alone is on standard output.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};

use inquire::{InquireError, MultiSelect, Select, Text};
use stagedoor_model::{Kind, Member, SERVICES, Service};

use crate::command::Command;
use crate::failure::{Failure, Result};
use crate::{help, names};

/// Lines of a list that are shown at once.
const PAGE: usize = 12;

/// Something to choose, with a word on it.
struct Choice<T> {
    value: T,
    name: String,
    what: String,
}

impl<T> fmt::Display for Choice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.what.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}  ({})", self.name, self.what)
        }
    }
}

/// The words of a whole command line, from the positional words and options that were given.
///
/// # Errors
/// Without a terminal, or when the user leaves.
pub fn complete(given: &[String]) -> Result<Vec<String>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::Usage(
            "--cli-auto-prompt asks questions, so it needs a terminal for input and error output".to_owned(),
        ));
    }
    let mut words = given.to_vec();
    if words.is_empty() {
        words.push(service()?.name.to_owned());
    }
    let found = SERVICES.into_iter().find(|service| service.name == words[0]);
    let service = found.ok_or_else(|| Failure::Usage(format!("Invalid choice: '{}'", words[0])))?;
    if words.len() == 1 {
        words.push(operation(service)?);
    }
    if let Some(command) = Command::find(service, &words[1]) {
        options(&command, &mut words)?;
    }
    let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(std::io::stderr(), "> stagedoor {}", line.join(" "));
    Ok(words)
}

fn service() -> Result<&'static Service> {
    let choices = SERVICES.into_iter().map(|service| Choice {
        value: service,
        name: service.name.to_owned(),
        what: help::title(service).to_owned(),
    });
    Ok(select("Service", choices.collect())?.value)
}

fn operation(service: &'static Service) -> Result<String> {
    let choices = service.operations.iter().map(|operation| Choice {
        value: (),
        name: names::kebab(operation.name),
        what: String::new(),
    });
    Ok(select("Operation", choices.collect())?.name)
}

/// Asks for what is required, then for more options until there are enough.
fn options(command: &Command, words: &mut Vec<String>) -> Result<()> {
    let given = |words: &[String], name: &str| words.iter().any(|word| word.strip_prefix("--") == Some(name));
    for (name, member, _) in command.options().filter(|(.., required)| *required) {
        if !given(words, name) {
            option(name, member, words)?;
        }
    }
    if command.has_outfile() {
        words.push(answered(Text::new("outfile").with_help_message("file for the answer's body").prompt())?);
    }
    loop {
        let done = Choice { value: None, name: "run".to_owned(), what: "no more options".to_owned() };
        let open = command.options().filter(|(name, ..)| !given(words, name));
        let open = open.map(|(name, member, _)| Choice {
            value: Some((name, member)),
            name: format!("--{name}"),
            what: member
                .map_or_else(|| help::own(name).1.to_owned(), |member| help::kind(member.shape).to_owned()),
        });
        let choices = std::iter::once(done).chain(open).collect();
        let Some((name, member)) = select("Option", choices)?.value else { return Ok(()) };
        option(name, member, words)?;
    }
}

fn option(name: &str, member: Option<&'static Member>, words: &mut Vec<String>) -> Result<()> {
    let kind = member.map(|member| &member.shape.kind);
    let values = |values: &[&'static str]| {
        let choices =
            values.iter().map(|value| Choice { value: (), name: (*value).to_owned(), what: String::new() });
        choices.collect::<Vec<_>>()
    };
    words.push(format!("--{name}"));
    match (member, kind) {
        (_, Some(Kind::Boolean)) => {}
        (_, Some(Kind::List(item))) if !item.constraint.values.is_empty() => {
            let chosen = answered(MultiSelect::new(name, values(item.constraint.values)).prompt())?;
            words.extend(chosen.into_iter().map(|choice| choice.name));
        }
        (Some(member), _) if !member.shape.constraint.values.is_empty() => {
            words.push(select(name, values(member.shape.constraint.values))?.name);
        }
        (member, _) => {
            let hint = member.map_or_else(|| help::own(name).0.to_owned(), |member| help::hint(member.shape));
            words.push(answered(Text::new(name).with_help_message(&hint).prompt())?);
        }
    }
    Ok(())
}

fn select<T>(question: &str, choices: Vec<Choice<T>>) -> Result<Choice<T>> {
    let asked = Select::new(question, choices).with_page_size(PAGE);
    answered(
        asked.with_help_message("type to search, arrows to move, enter to choose, escape to leave").prompt(),
    )
}

fn answered<T>(answer: std::result::Result<T, InquireError>) -> Result<T> {
    answer.map_err(|error| match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Failure::Interrupted,
        other => Failure::Other(other.to_string()),
    })
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_given_to_a_shell() {
        assert_eq!(quoted("--arn"), "--arn");
        assert_eq!(quoted("it's a b"), r"'it'\''s a b'");
        assert_eq!(quoted(""), "''");
    }
}
