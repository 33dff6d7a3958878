//! Which words can stand at the end of a command line that is not finished.

use stagedoor_model::{Kind, SERVICES, Service, ShapeTable};

use crate::command::Command;
use crate::environment::Environment;
use crate::globals::OPTIONS;
use crate::words::Arity;
use crate::{help, names, profile};

/// A word that fits, and what it means, in a few words on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub word: String,
    pub what: String,
}

impl Candidate {
    fn new(word: impl Into<String>, what: impl Into<String>) -> Self {
        Self { word: word.into(), what: what.into() }
    }
}

/// Words for the place of the last of `words`, which may be empty or begun. The program's name is not among them.
pub fn candidates(root: &clap::Command, words: &[String]) -> Vec<Candidate> {
    let Some((current, before)) = words.split_last() else { return Vec::new() };
    let found = match positional(before).first().and_then(|word| service(word)) {
        Some(service) => of_call(service, before, current),
        None => of_tools(root, before, current),
    };
    found.into_iter().filter(|candidate| candidate.word.starts_with(current.as_str())).collect()
}

fn service(name: &str) -> Option<&'static Service> {
    SERVICES.into_iter().find(|service| service.name == name)
}

/// Words that are neither options nor the values of global options.
fn positional(before: &[String]) -> Vec<&str> {
    let mut words = Vec::new();
    let mut skip = false;
    for word in before {
        if std::mem::take(&mut skip) {
            continue;
        }
        match word.strip_prefix("--") {
            Some(name) => skip = takes_word(name),
            None => words.push(word.as_str()),
        }
    }
    words
}

fn takes_word(name: &str) -> bool {
    OPTIONS.iter().any(|(known, arity, _)| *known == name && *arity != Arity::None)
}

// === Calls ===

fn of_call(service: &'static Service, before: &[String], current: &str) -> Vec<Candidate> {
    let words = positional(before);
    let command = words.get(1).and_then(|operation| Command::find(service, operation));
    // The option whose value may be under way: the last one before the current word.
    let last = before.iter().rposition(|word| word.starts_with("--"));
    if let Some(at) = last
        && !current.starts_with("--")
    {
        let name = before[at].trim_start_matches("--");
        let taken = before.len() - at - 1;
        if let Some(values) = values(command.as_ref(), name, taken) {
            return values;
        }
    }
    match command {
        None if words.len() > 1 => Vec::new(),
        None if current.starts_with('-') => globals(before),
        None => {
            let operations = service.operations.iter();
            let shown =
                operations.map(|operation| Candidate::new(names::kebab(operation.name), operation.name));
            shown.chain([Candidate::new("help", "operations and global options")]).collect()
        }
        Some(command) if current.starts_with('-') => options(&command, before),
        Some(command) if words.len() == 2 && before.last().is_some_and(|word| !word.starts_with("--")) => {
            let help = Candidate::new("help", "options of the operation");
            options(&command, before).into_iter().chain([help]).collect()
        }
        Some(command) => options(&command, before),
    }
}

/// Values of an option that has taken `taken` words already; `None` if it takes no more.
fn values(command: Option<&Command>, name: &str, taken: usize) -> Option<Vec<Candidate>> {
    let member = command.and_then(|command| {
        command.options().find(|(known, ..)| *known == name).map(|(_, member, _)| member)
    });
    match member {
        Some(Some(member)) => match &member.shape.kind {
            Kind::Boolean => None,
            Kind::List(item) if taken == 0 => Some(enumeration(item)),
            // More of a list, or the next option: with nothing to list, the latter is meant.
            Kind::List(item) => Some(enumeration(item)).filter(|values| !values.is_empty()),
            _ => (taken == 0).then(|| enumeration(member.shape)),
        },
        Some(None) if name == "generate-cli-skeleton" => {
            (taken == 0).then(|| plain(&["input", "yaml-input", "output"]))
        }
        Some(None) => (taken == 0).then(Vec::new),
        None if takes_word(name) && taken == 0 => Some(global_values(name)),
        None => None,
    }
}

fn enumeration(shape: &ShapeTable) -> Vec<Candidate> {
    plain(shape.constraint.values)
}

fn plain(words: &[&str]) -> Vec<Candidate> {
    words.iter().map(|word| Candidate::new(*word, "")).collect()
}

fn global_values(name: &str) -> Vec<Candidate> {
    match name {
        "output" => plain(&["json", "text", "table", "yaml", "yaml-stream"]),
        "color" => plain(&["on", "off", "auto"]),
        "cli-binary-format" => plain(&["base64", "raw-in-base64-out"]),
        "profile" => {
            let names = profile::names(&Environment::of_process());
            names.into_iter().map(|name| Candidate::new(name, "profile")).collect()
        }
        _ => Vec::new(),
    }
}

fn options(command: &Command, before: &[String]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for (name, member, required) in command.options() {
        let word = format!("--{name}");
        let what = match member {
            Some(member) if required => format!("{}, required", help::kind(member.shape)),
            Some(member) => help::kind(member.shape).to_owned(),
            None => help::own(name).1.to_owned(),
        };
        if !before.contains(&word) {
            found.push(Candidate::new(word, what));
        }
    }
    found.extend(globals(before));
    found
}

fn globals(before: &[String]) -> Vec<Candidate> {
    let all = OPTIONS.iter().map(|(name, _, what)| Candidate::new(format!("--{name}"), *what));
    all.filter(|candidate| !before.contains(&candidate.word)).collect()
}

// === The server's own commands ===

fn of_tools(root: &clap::Command, before: &[String], current: &str) -> Vec<Candidate> {
    let mut command = root;
    for word in before {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let awaiting = before.last().and_then(|word| word.strip_prefix("--")).and_then(|name| {
        let mut arguments = command.get_arguments();
        arguments.find(|argument| argument.get_long() == Some(name) && argument.get_action().takes_values())
    });
    if let Some(argument) = awaiting {
        return possible_values(argument);
    }
    if current.starts_with('-') {
        return flags(command, before);
    }
    let mut found: Vec<_> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| Candidate::new(command.get_name(), first_line(command.get_about())))
        .collect();
    found.extend(
        command.get_positionals().filter(|argument| !argument.is_hide_set()).flat_map(possible_values),
    );
    if std::ptr::eq(command, root) {
        found.extend(SERVICES.map(|service| Candidate::new(service.name, help::title(service))));
    }
    found
}

fn flags(command: &clap::Command, before: &[String]) -> Vec<Candidate> {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let named = arguments.filter_map(|argument| {
        Some(Candidate::new(format!("--{}", argument.get_long()?), first_line(argument.get_help())))
    });
    let help = Candidate::new("--help", "Print help");
    named.chain([help]).filter(|candidate| !before.contains(&candidate.word)).collect()
}

fn possible_values(argument: &clap::Arg) -> Vec<Candidate> {
    let values = argument.get_possible_values();
    values.iter().map(|value| Candidate::new(value.get_name(), first_line(value.get_help()))).collect()
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let root = clap::Command::new("stagedoor")
            .subcommand(clap::Command::new("serve").about("Run").arg(clap::Arg::new("store").long("store")));
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        candidates(&root, &words).into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn words_come_from_the_tables() {
        let cases = [
            ("ap", "apigateway apigatewayv2 apigatewaymanagementapi"),
            ("se", "serve"),
            ("serve --st", "--store"),
            ("ivs-realtime get-sta", "get-stage get-stage-session"),
            ("--output text ivs-realtime get-sta", "get-stage get-stage-session"),
            ("ivs-realtime get-stage --a", "--arn"),
            ("ivs-realtime get-stage --arn x --a", ""),
            ("ivs-realtime get-stage --output ta", "table"),
            ("ivs-realtime create-participant-token --capabilities ", "PUBLISH SUBSCRIBE"),
            ("ivs-realtime create-participant-token --capabilities PUBLISH S", "SUBSCRIBE"),
            ("apigatewayv2 create-api --protocol-type H", "HTTP"),
            ("apigateway put-integration --type M", "MOCK"),
            (
                "apigateway create-stage --no-c",
                "--no-cache-cluster-enabled --no-cli-pager --no-cli-auto-prompt",
            ),
            ("apigateway nothing-such ", ""),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).join(" "), expected, "{line}");
        }
    }
}
