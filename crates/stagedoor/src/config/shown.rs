//! `stagedoor config`: every option of the server with its value and where that came from. Secrets are starred.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueEnum};
use serde::Serialize;

use super::options::Options;
use super::{Config, ConfigError};

const STARS: &str = "****";
/// Keys of tables in the file whose values nobody should see.
const SECRET_KEYS: [&str; 4] = ["secret", "session-token", "environment", "credential"];

/// Show the server's options with their values and where these came from
#[derive(Args)]
pub struct Arguments {
    /// Only say whether a server can run with them
    #[arg(long)]
    check: bool,
    /// How to show them
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
    #[command(flatten)]
    options: Box<Options>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Text,
    Json,
}

/// An option as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    option: String,
    /// `None` is what the server does without being told.
    value: Option<String>,
    source: String,
}

/// What the command prints, and then why no server can run, if so. `matches` are those of the subcommand.
pub fn run(arguments: Arguments, matches: &ArgMatches) -> (String, Result<(), ConfigError>) {
    let resolved = Config::resolve((*arguments.options).clone());
    if arguments.check {
        let text = if resolved.is_ok() { "the options are fine\n" } else { "" };
        return (text.to_owned(), resolved.map(drop));
    }
    let (file, unread) = match file(&arguments.options) {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let rows = rows(matches, file.as_ref());
    let text = match arguments.output {
        Form::Json => format!("{}\n", serde_json::to_string_pretty(&rows).unwrap_or_default()),
        Form::Text => table(&rows),
    };
    (text, unread.map_or(resolved.map(drop), Err))
}

fn file(options: &Options) -> Result<Option<(PathBuf, toml::Table)>, ConfigError> {
    let path = match &options.config {
        Some(path) => path.clone(),
        None if Path::new("stagedoor.toml").exists() => PathBuf::from("stagedoor.toml"),
        None => return Ok(None),
    };
    let wrong = |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(&error))?;
    let table = toml::from_str(&text).map_err(|error| wrong(&error))?;
    Ok(Some((path, table)))
}

fn rows(matches: &ArgMatches, file: Option<&(PathBuf, toml::Table)>) -> Vec<Row> {
    let command = Options::augment_args(clap::Command::new("serve"));
    let mut rows = Vec::new();
    let mut known = Vec::new();
    for argument in command.get_arguments() {
        let Some(long) = argument.get_long() else { continue };
        let key = if long == "keys" { "key" } else { long };
        known.push(key.to_owned());
        let id = argument.get_id().as_str();
        let secret = argument.is_hide_env_values_set();
        let given = matches.get_raw(id).map(|words| {
            let words = words.map(|word| word.to_string_lossy().into_owned());
            words.map(|word| if secret { starred_word(&word) } else { word }).collect::<Vec<_>>().join(",")
        });
        let in_file = file.and_then(|(path, table)| Some((path, table.get(key)?)));
        let row = match (given, in_file) {
            (Some(value), _) => Row {
                option: long.to_owned(),
                value: Some(value),
                source: match matches.value_source(id) {
                    Some(ValueSource::EnvVariable) => {
                        argument.get_env().unwrap_or_default().to_string_lossy().into_owned()
                    }
                    _ => "flag".to_owned(),
                },
            },
            (None, Some((path, value))) => of_file(long, path, value, secret),
            (None, None) => {
                let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string);
                let value = help.as_deref().and_then(default);
                Row { option: long.to_owned(), value, source: "default".to_owned() }
            }
        };
        rows.push(row);
    }
    if let Some((path, table)) = file {
        let only_there = table.iter().filter(|(key, _)| !known.contains(key));
        rows.extend(only_there.map(|(key, value)| of_file(key, path, value, false)));
    }
    rows
}

fn of_file(option: &str, path: &Path, value: &toml::Value, secret: bool) -> Row {
    let value = match starred(value.clone()) {
        toml::Value::String(text) if secret => starred_word(&text),
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    Row { option: option.to_owned(), value: Some(value), source: path.display().to_string() }
}

/// What a help text says in `[default: …]`, unless that says there is none.
fn default(help: &str) -> Option<String> {
    let (_, rest) = help.split_once("[default: ")?;
    let (value, _) = rest.split_once(']')?;
    (value != "none").then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `ID:SECRET[:ACCOUNT]` without the secret; of another secret nothing stays.
fn starred_word(word: &str) -> String {
    let mut parts = word.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(_), Some(account)) => format!("{id}:{STARS}:{account}"),
        (Some(id), Some(_), None) => format!("{id}:{STARS}"),
        _ => STARS.to_owned(),
    }
}

fn starred(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Array(items) => toml::Value::Array(items.into_iter().map(starred).collect()),
        toml::Value::Table(table) => toml::Value::Table(
            table
                .into_iter()
                .map(|(key, value)| {
                    let value =
                        if SECRET_KEYS.contains(&key.as_str()) { hidden(value) } else { starred(value) };
                    (key, value)
                })
                .collect(),
        ),
        other => other,
    }
}

fn hidden(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(key, value)| (key, hidden(value))).collect())
        }
        _ => toml::Value::String(STARS.to_owned()),
    }
}

fn table(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (options, sources) = (width(|row| row.option.len()), width(|row| row.source.len()));
    let mut out = String::new();
    for Row { option, value, source } in rows {
        let value = value.as_deref().unwrap_or("-");
        let _ = writeln!(out, "{option:<options$}  {source:<sources$}  {value}");
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        _arguments: Arguments,
    }

    #[test]
    fn values_come_with_their_source_and_without_secrets() {
        let words = ["config", "--region", "eu-west-1", "--keys", "A:secret,B:secret:111122223333"];
        let matches = <Line as clap::CommandFactory>::command().get_matches_from(words);
        let file = "log = 'warn'\nregion = 'us-west-2'\n[[function]]\nname = 'f'\nenvironment = { A = 'secret' }\n\
                    [lambda-key]\nid = 'C'\nsecret = 'secret'\n";
        let file = (PathBuf::from("s.toml"), toml::from_str(file).expect("valid"));
        let rows = rows(&matches, Some(&file));
        let row = |option: &str| rows.iter().find(|row| row.option == option).expect("there");
        let shown = |option| (row(option).value.clone().unwrap_or_default(), row(option).source.as_str());
        assert_eq!(shown("region"), ("eu-west-1".to_owned(), "flag"));
        assert_eq!(shown("log"), ("warn".to_owned(), "s.toml"));
        assert_eq!(shown("listen"), ("127.0.0.1:4566".to_owned(), "default"));
        assert_eq!(shown("keys"), (format!("A:{STARS},B:{STARS}:111122223333"), "flag"));
        assert_eq!(shown("function").1, "s.toml");
        assert!(
            !table(&rows).contains("secret,") && !table(&rows).contains("\"secret\""),
            "{}",
            table(&rows)
        );
        assert_eq!(row("public-url").value, None);
    }
}
