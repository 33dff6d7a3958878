//! The options that every command has.

use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::input::BinaryFormat;
use crate::output::Format;
use crate::words::{Arity, Known, Split};

/// Global options as given; what was not given comes from the environment or the profile.
#[derive(Debug, Default)]
pub struct Globals {
    pub debug: bool,
    pub version: bool,
    pub unsigned: bool,
    /// Whoever answers at the endpoint is believed.
    pub unverified: bool,
    pub no_paginate: bool,
    pub no_pager: bool,
    /// Ask for what the command line leaves open.
    pub prompt: bool,
    pub endpoint: Option<String>,
    pub output: Option<Format>,
    pub query: Option<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub color: Color,
    pub ca_bundle: Option<String>,
    pub read_timeout: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub binary_format: Option<BinaryFormat>,
}

/// When tables are painted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    #[default]
    Auto,
    On,
    Off,
}

/// Name, words it takes, and what it does.
pub const OPTIONS: [(&str, Arity, &str); 18] = [
    ("debug", Arity::None, "Show requests and answers on standard error"),
    ("endpoint-url", Arity::One, "Where to send the call"),
    ("no-verify-ssl", Arity::None, "Believe every certificate"),
    ("no-paginate", Arity::None, "Ask for the first page only"),
    ("output", Arity::One, "json, text, table, yaml or yaml-stream"),
    ("query", Arity::One, "JMESPath expression that selects from the answer"),
    ("profile", Arity::One, "Profile of ~/.aws/config and ~/.aws/credentials"),
    ("region", Arity::One, "Region to call"),
    ("version", Arity::None, "Print the program's version"),
    ("color", Arity::One, "Paint tables: on, off or auto"),
    ("no-sign-request", Arity::None, "Send the request without a signature"),
    ("ca-bundle", Arity::One, "File of certificates to trust instead of the system's"),
    ("cli-read-timeout", Arity::One, "Seconds to wait for an answer; 0 waits for ever"),
    ("cli-connect-timeout", Arity::One, "Seconds to wait for a connection; 0 waits for ever"),
    ("cli-binary-format", Arity::One, "How text stands for bytes: base64 or raw-in-base64-out"),
    ("no-cli-pager", Arity::None, "Print directly, not through a pager"),
    ("cli-auto-prompt", Arity::None, "Ask for what the command line leaves open"),
    ("no-cli-auto-prompt", Arity::None, "Ask nothing"),
];

/// The options as [`crate::words::split`] wants them.
pub fn known() -> Vec<Known> {
    OPTIONS.iter().map(|(name, arity, _)| Known::new(*name, *arity)).collect()
}

impl Globals {
    pub fn read(split: &Split) -> Result<Self> {
        let mut globals = Self::default();
        for (at, words) in &split.given {
            globals.set(OPTIONS[*at].0, words.first().map_or("", String::as_str))?;
        }
        Ok(globals)
    }

    fn set(&mut self, name: &str, word: &str) -> Result<()> {
        let text = || Some(word.to_owned());
        match name {
            "debug" => self.debug = true,
            "version" => self.version = true,
            "no-sign-request" => self.unsigned = true,
            "no-verify-ssl" => self.unverified = true,
            "no-paginate" => self.no_paginate = true,
            "no-cli-pager" => self.no_pager = true,
            "cli-auto-prompt" => self.prompt = true,
            "endpoint-url" => self.endpoint = text(),
            "query" => self.query = text(),
            "profile" => self.profile = text(),
            "region" => self.region = text(),
            "ca-bundle" => self.ca_bundle = text(),
            "output" => {
                self.output = Some(
                    Format::parse(word)
                        .ok_or_else(|| choice(name, &["json", "text", "table", "yaml", "yaml-stream"]))?,
                );
            }
            "color" => {
                self.color = match word {
                    "on" => Color::On,
                    "off" => Color::Off,
                    "auto" => Color::Auto,
                    _ => return Err(choice(name, &["on", "off", "auto"])),
                };
            }
            "cli-binary-format" => self.binary_format = Some(binary_format(word)?),
            "cli-read-timeout" => self.read_timeout = Some(seconds(name, word)?),
            "cli-connect-timeout" => self.connect_timeout = Some(seconds(name, word)?),
            _ => {}
        }
        Ok(())
    }
}

pub fn binary_format(word: &str) -> Result<BinaryFormat> {
    match word {
        "base64" => Ok(BinaryFormat::Base64),
        "raw-in-base64-out" => Ok(BinaryFormat::Raw),
        _ => Err(choice("cli-binary-format", &["base64", "raw-in-base64-out"])),
    }
}

/// 0 stands for no limit.
fn seconds(name: &str, word: &str) -> Result<Duration> {
    let seconds: u64 = word
        .parse()
        .map_err(|_| Failure::Usage(format!("argument --{name}: invalid int value: '{word}'")))?;
    Ok(if seconds == 0 { Duration::MAX } else { Duration::from_secs(seconds) })
}

fn choice(name: &str, choices: &[&str]) -> Failure {
    Failure::Usage(format!(
        "argument --{name}: Invalid choice, valid choices are:\n\n{}",
        choices.join(" | ")
    ))
}
