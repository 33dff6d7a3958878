//! One invocation from its words to its exit code.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use stagedoor_model::{Operation, SERVICES, Service, Value};

use crate::client::{Client, Config};
use crate::command::{Command, Invocation, Skeleton};
use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::globals::{self, Color, Globals};
use crate::output::{self, Format};
use crate::page::{self, Paged, Pages};
use crate::query::Query;
use crate::settings::{self, Settings};
use crate::{help, names, prompt, python, skeleton, validate, words};

/// How long a call may take, and a connection, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Whether a command line (without the program's name) is a call of an AWS service. Global options may come first.
pub fn is_call(arguments: &[OsString]) -> bool {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    match words::split(&words, &globals::known()) {
        Ok(split) => match split.rest.first() {
            Some(word) => service(word).is_some(),
            None => Globals::read(&split).is_ok_and(|globals| globals.prompt),
        },
        // What is wrong with it is told in the AWS CLI's words.
        Err(_) => words.iter().any(|word| service(word).is_some()),
    }
}

/// Runs a command line of the form `<service> <operation> [--member value …]`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: std::result::Result<Vec<_>, _> = arguments.into_iter().map(OsString::into_string).collect();
    let words = words.map_err(|word| Failure::Usage(format!("not UTF-8: {}", word.to_string_lossy())));
    match words.and_then(|words| perform(&words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if matches!(failure, Failure::Interrupted) {
                let _ = writeln!(std::io::stdout());
            }
            let _ = write!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn service(name: &str) -> Option<&'static Service> {
    SERVICES.into_iter().find(|service| service.name == name)
}

fn perform(words: &[String]) -> Result<()> {
    let split = words::split(words, &globals::known())?;
    let globals = Globals::read(&split)?;
    if globals.version {
        return print(&format!("stagedoor/{}\n", env!("CARGO_PKG_VERSION")), None);
    }
    let words = if globals.prompt { prompt::complete(&split.rest)? } else { split.rest };
    let (service, rest) = words.split_first().ok_or_else(|| required("command"))?;
    let service =
        self::service(service).ok_or_else(|| Failure::Usage(format!("Invalid choice: '{service}'")))?;
    let (name, rest) = rest.split_first().ok_or_else(|| required("operation"))?;
    if name == "help" {
        return print(&help::service(service), help_pager(&globals).as_deref());
    }
    let command = Command::find(service, name).ok_or_else(|| unknown_operation(service, name))?;
    if rest == ["help"] {
        return print(&help::operation(&command), help_pager(&globals).as_deref());
    }
    let environment = Environment::of_process();
    let settings = Settings::resolve(service, &globals, &environment)?;
    let invocation = command.read(rest, settings.binary_format)?;
    if globals.no_paginate {
        forbid_paging(&invocation)?;
    }
    let query = globals.query.as_deref().map(|text| {
        Query::parse(text).map_err(|error| Failure::Value(format!("Bad value for --query {text}: {error}")))
    });
    let query = query.transpose()?;
    let text = match invocation.skeleton {
        Some(Skeleton::Input) => output::json_whole(&skeleton::input(command.operation.input)),
        Some(Skeleton::InputYaml) => skeleton::input_yaml(command.operation.input),
        Some(Skeleton::Output) => {
            let output = command.operation.output.map_or(Value::Map(Vec::new()), skeleton::output);
            // The AWS CLI holds its own sample against the model, and some do not pass.
            if let Some(shape) = command.operation.output {
                validate::validate(shape, &output)?;
            }
            render(command.operation, Answer::Whole(output), query.as_ref(), &globals, &settings)?
        }
        None => {
            let answer = call_until_interrupted(&command, invocation, &globals, &settings)?;
            render(command.operation, answer, query.as_ref(), &globals, &settings)?
        }
    };
    print(&text, settings.pager.as_deref())
}

/// The pager of help pages: they are shown even where no call could be made.
fn help_pager(globals: &Globals) -> Option<String> {
    settings::pager(globals, &Environment::of_process())
}

fn required(what: &str) -> Failure {
    Failure::Usage(format!("the following arguments are required: {what}"))
}

fn unknown_operation(service: &Service, name: &str) -> Failure {
    let known = service.operations.iter().map(|operation| names::kebab(operation.name)).collect::<Vec<_>>();
    Failure::Usage(format!(
        "argument operation: Found invalid choice '{name}', valid choices are:\n\n{}",
        known.join("\n")
    ))
}

fn forbid_paging(invocation: &Invocation) -> Result<()> {
    let paging = &invocation.paging;
    let used = [
        ("--starting-token", paging.starting_token.is_some()),
        ("--page-size", paging.page_size.is_some()),
        ("--max-items", paging.max_items.is_some()),
    ];
    let used: Vec<_> = used.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect();
    if used.is_empty() {
        return Ok(());
    }
    let message = "Error during pagination: Cannot specify --no-paginate along with pagination arguments:";
    Err(Failure::Other(format!("{message} {}", used.join(", "))))
}

// === The call ===

enum Answer {
    Whole(Value),
    Pages(Pages),
}

fn call_until_interrupted(
    command: &Command,
    invocation: Invocation,
    globals: &Globals,
    settings: &Settings,
) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Other(error.to_string()))?.block_on(async {
        tokio::select! {
            answer = call(command, invocation, globals, settings) => answer,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}

async fn call(
    command: &Command,
    invocation: Invocation,
    globals: &Globals,
    settings: &Settings,
) -> Result<Answer> {
    let (service, operation) = (command.service, command.operation);
    let config = Config {
        connect_timeout: globals.connect_timeout.unwrap_or(TIMEOUT),
        answer_timeout: globals.read_timeout.unwrap_or(TIMEOUT),
        trust: settings.trust.clone(),
        retries: Some(settings.retries),
        trace: globals.debug.then_some(trace),
        ..Config::new(&settings.region, settings.key().await?)
    };
    let failed = |error| Failure::of_call(operation.name, error);
    let client = Client::new(&settings.endpoint, config).map_err(failed)?;
    let paging = &invocation.paging;
    if let Some(paginator) = operation.paginator.as_ref().filter(|_| !globals.no_paginate && !paging.by_hand)
    {
        let pages = Paged { service, operation, paginator, whole: settings.output == Format::YamlStream };
        let pages = page::all(&client, &pages, invocation.input, paging).await?;
        return Ok(Answer::Pages(pages));
    }
    let mut answer = client.call_value(service, operation.name, &invocation.input).await.map_err(failed)?;
    if let Some(path) = &invocation.outfile {
        save_body(operation, &mut answer, path)?;
    }
    Ok(Answer::Whole(answer))
}

fn trace(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Moves the answer's body into a file.
fn save_body(operation: &'static Operation, answer: &mut Value, path: &str) -> Result<()> {
    let Some(stagedoor_model::Kind::Structure { payload: Some(name), .. }) =
        operation.output.map(|shape| &shape.kind)
    else {
        return Ok(());
    };
    let Value::Map(entries) = answer else { return Ok(()) };
    let Some(at) = entries.iter().position(|(key, _)| key == name) else { return Ok(()) };
    if let (_, Value::Blob(bytes)) = entries.remove(at) {
        std::fs::write(path, &bytes)
            .map_err(|error| Failure::Other(python::os_error(&error, std::path::Path::new(path))))?;
    }
    Ok(())
}

// === The answer ===

fn render(
    operation: &'static Operation,
    answer: Answer,
    query: Option<&Query>,
    globals: &Globals,
    settings: &Settings,
) -> Result<String> {
    let select = |value: Value| match query {
        Some(query) => query.search(&value).map_err(Failure::Other),
        None => Ok(value),
    };
    let shown = |value: Value| output::shown(operation.output, value, settings.times);
    let pages = match (answer, &operation.paginator, settings.output) {
        (Answer::Pages(pages), Some(_), Format::YamlStream) => {
            let token =
                pages.next_token.map(|token| Value::Map(vec![("NextToken".into(), Value::String(token))]));
            pages.pages.into_iter().chain(token).collect()
        }
        (Answer::Pages(pages), Some(_), Format::Text) => {
            let token = pages.next_token.map(|token| {
                let token = Value::Map(vec![("NextToken".into(), Value::String(token))]);
                Value::Map(vec![("NextToken".into(), token)])
            });
            pages.pages.into_iter().chain(token).collect()
        }
        (Answer::Pages(pages), Some(paginator), _) => vec![pages.whole(paginator)],
        (Answer::Pages(pages), None, _) => pages.pages,
        (Answer::Whole(Value::Null), ..) => vec![Value::Map(Vec::new())],
        (Answer::Whole(value), ..) => vec![value],
    };
    let mut text = String::new();
    for page in pages {
        let value = select(shown(page))?;
        text.push_str(&match settings.output {
            Format::Json => output::json(&value),
            Format::Text => output::text(&value),
            Format::Yaml => output::yaml(&value),
            Format::YamlStream => output::yaml(&Value::List(vec![value])),
            Format::Table => output::table(operation.name, &value, look(globals)),
        });
    }
    Ok(text)
}

fn look(globals: &Globals) -> output::Look {
    let terminal = std::io::stdout().is_terminal();
    let color = match globals.color {
        Color::Auto => terminal,
        Color::On => true,
        Color::Off => false,
    };
    output::Look { width: output::terminal_width(), color }
}

/// To standard output; on a terminal, through the pager. A reader that went away is no failure.
fn print(text: &str, pager: Option<&str>) -> Result<()> {
    if let Some(command) = pager.filter(|_| std::io::stdout().is_terminal())
        && page_through(command, text).is_ok()
    {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(error.to_string()))
        }
        _ => Ok(()),
    }
}

fn page_through(command: &str, text: &str) -> std::io::Result<()> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or_else(|| std::io::Error::other("no pager"))?;
    let mut pager = std::process::Command::new(program);
    pager.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        pager.env("LESS", "FRX");
    }
    let mut pager = pager.spawn()?;
    if let Some(mut input) = pager.stdin.take() {
        // A pager that is left early reads no further.
        let _ = input.write_all(text.as_bytes());
    }
    pager.wait().map(drop)
}
