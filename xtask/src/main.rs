//! `cargo xtask`: the project's own tools behind one command.
//!
//! Owns the list of subcommands and how each is called. What a subcommand does stands in the module of its name.
//! Nothing here is shipped: the server is `stagedoor`, and no crate of the product depends on this one.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user on standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "build tools read the clock and the environment; the product's crates do not"
)]

mod bench;
mod ci;
mod codegen;
mod fuzz;
mod process;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

/// What every subcommand answers: nothing, or why it failed.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask <command>

  codegen [--check]     write the files made from models/ (or only say which are stale)
  tidy                  check our own rules: crate arrows, file heads, licences, lists
  test [options]        install what the tests need, then run all of them
        --no-install    install nothing; fail where something is missing
        --install-only  install what is missing, run nothing
        --only PARTS    only these, by commas: rust,doc,demo,clients,browser
  fuzz [targets] [--seconds N]
                        run fuzz targets, all or these, each for N seconds (30); 0 runs what is kept
  ci                    everything that continuous integration runs (.ci/run)
  bench [names]         measure the figures of docs/performance.md
  traces                record what a browser sends, for the load generator";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result {
    let Some((command, options)) = arguments.split_first() else {
        return Err(USAGE.into());
    };
    match command.as_str() {
        "codegen" => codegen::run(only_flag(options, "--check")?),
        "tidy" => tidy::run(),
        "test" => test::run(&test::Options::parse(options)?),
        "fuzz" => fuzz::run(&fuzz::Options::parse(options)?),
        "ci" => ci::run(),
        "bench" => bench::run(options),
        "traces" => test::traces(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("no such command: {command}\n\n{USAGE}").into()),
    }
}

/// Whether the one flag that a subcommand knows was given; anything else is an error.
fn only_flag(options: &[String], flag: &str) -> Result<bool> {
    match options {
        [] => Ok(false),
        [given] if given == flag => Ok(true),
        _ => Err(format!("expected nothing or {flag}, found: {}", options.join(" ")).into()),
    }
}
