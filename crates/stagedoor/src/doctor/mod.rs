//! `stagedoor doctor`: looks at everything that a server needs of this machine, and says what to do about the rest.
//!
//! Each file looks at one thing and gives [`Finding`]s. Nothing is changed; a server that runs meanwhile is not
//! disturbed.

mod certificates;
mod limits;
mod ports;
mod reach;
mod storage;

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use crate::config::Config;
use crate::config::options::Options;
use crate::config::shown::Form;

/// Look for what would keep the server from working here, and say what to do
#[derive(Args)]
pub struct Arguments {
    /// How to tell
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
    #[command(flatten)]
    options: Box<Options>,
}

/// What one look gave.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    what: String,
    /// What to do, if there is anything to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// Works, but not as well as it could.
    Warning,
    /// The server cannot do this.
    Error,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, what: what.into(), advice: None }
    }

    fn warning(check: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, what: what.into(), advice: Some(advice.into()) }
    }

    fn error(check: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Error, what: what.into(), advice: Some(advice.into()) }
    }
}

/// What the command prints, and whether a server can run.
pub fn run(arguments: Arguments) -> (String, bool) {
    let findings = match Config::resolve(*arguments.options) {
        Ok(config) => examine(&config),
        Err(error) => {
            vec![Finding::error(
                "configuration",
                error.to_string(),
                "stagedoor config shows where each option came from",
            )]
        }
    };
    let healthy = findings.iter().all(|finding| finding.level != Level::Error);
    let text = match arguments.output {
        Form::Json => format!("{}\n", serde_json::to_string_pretty(&findings).unwrap_or_default()),
        Form::Text => told(&findings),
    };
    (text, healthy)
}

fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "the options are fine")];
    let running = reach::own_server(config.listen);
    findings.extend(ports::examine(config, running));
    findings.extend(limits::examine());
    findings.extend(storage::examine(config, running));
    findings.extend(certificates::examine(config));
    findings.extend(reach::examine(config));
    findings
}

fn told(findings: &[Finding]) -> String {
    let mut out = String::new();
    for Finding { check, level, what, advice } in findings {
        let mark = match level {
            Level::Ok => "ok     ",
            Level::Warning => "warning",
            Level::Error => "ERROR  ",
        };
        let _ = writeln!(out, "{mark}  {check}: {what}");
        if let Some(advice) = advice {
            let _ = writeln!(out, "         -> {advice}");
        }
    }
    out
}
