//! `cargo xtask test`: installs what the tests need and is missing, then runs all of them.
//!
//! Every install step looks first and does nothing when nothing is missing, so a second run starts testing at once.
//! The parts run from the cheapest to the dearest; the first that fails ends the run.

pub(crate) mod debian;
mod node;
pub(crate) mod parts;
pub(crate) mod python;
mod tally;

use crate::Result;
use crate::process;

use parts::Part;
use tally::Tally;

/// How `cargo xtask test` was called.
pub(crate) struct Options {
    install: bool,
    run: bool,
    parts: Vec<Part>,
}

impl Options {
    /// Reads the options after `cargo xtask test`.
    pub(crate) fn parse(options: &[String]) -> Result<Options> {
        let mut parsed = Options { install: true, run: true, parts: Part::ALL.to_vec() };
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            match option.as_str() {
                "--no-install" => parsed.install = false,
                "--install-only" => parsed.run = false,
                "--only" => {
                    let names = rest.next().ok_or("--only wants the names of parts, by commas")?;
                    parsed.parts = names.split(',').map(Part::named).collect::<Result<_>>()?;
                }
                _ => return Err(format!("no such option of test: {option}").into()),
            }
        }
        Ok(parsed)
    }
}

/// Installs and runs what the options say, and prints how many tests passed and failed as the last line.
pub(crate) fn run(options: &Options) -> Result {
    if options.install {
        process::step("install what the tests need", || install(&options.parts))?;
    }
    if !options.run {
        return Ok(());
    }
    let mut tally = Tally::default();
    let mut outcome = Ok(());
    for part in &options.parts {
        outcome = process::step(part.title(), || part.run(&mut tally));
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_err() && tally.failed == 0 {
        // A part that could not even run is a failure too.
        tally.failed = 1;
    }
    tally.keep()?;
    println!("{tally}");
    outcome
}

/// `cargo xtask traces`: records what a browser sends when it publishes, for the load generator.
pub(crate) fn traces() -> Result {
    process::step("install what the browser needs", || install(&[Part::Browser]))?;
    let mut node = process::command("node", &["tests/browser/record.mjs"]);
    process::run(node.env("STAGEDOOR_BIN", parts::server()?))
}

fn install(parts: &[Part]) -> Result {
    let needs = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
    let mut programs: Vec<debian::Program> = Vec::new();
    if needs(&[Part::Clients]) {
        programs.extend(debian::FOR_CLIENTS);
        programs.extend(debian::FOR_GSTREAMER);
    }
    if needs(&[Part::Browser]) {
        programs.extend(debian::FOR_BROWSER);
    }
    debian::install_missing(&programs)?;
    if needs(&[Part::Rust]) {
        parts::install_nextest();
    }
    if needs(&[Part::Clients]) {
        python::install()?;
        node::install(&node::FOR_CLIENTS)?;
    }
    if needs(&[Part::Browser]) {
        node::install(&node::FOR_BROWSER)?;
    }
    Ok(())
}
