//! The `stagedoor` command: `serve` runs the server, `demo` shows one stage of each kind at work, and the name of an
//! AWS service makes a call, which is `stagedoor_cli`'s business.
#![expect(clippy::disallowed_methods, reason = "the binary is where clock and environment are read")]

mod config;
mod demo;
mod doctor;
mod log;
mod server;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use config::Config;
use config::options::Options;
use server::Server;

/// AWS API Gateway and IVS Real-Time stages on your own machines.
#[derive(Parser)]
#[command(version, max_term_width = 110, after_help = CALLS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What the subcommands above leave out: calls, which have options of their own.
const CALLS: &str = "\
Calls, with the words and options of the AWS CLI:
  stagedoor ivs-realtime <operation> [--member value ...]
  stagedoor apigateway <operation> [--member value ...]
  stagedoor apigatewayv2 <operation> [--member value ...]
  stagedoor apigatewaymanagementapi <operation> [--member value ...]

`stagedoor <service> help` lists a service's operations.";

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<Options>),
    /// Start a server, create one stage of each kind, use them, and print what happened
    Demo(demo::Arguments),
    /// Print the reference of all options as Markdown
    Reference,
    Config(config::shown::Arguments),
    Doctor(doctor::Arguments),
    Token(stagedoor_cli::token::Arguments),
    Keys(stagedoor_cli::keys::Arguments),
    Pull(Box<stagedoor_cli::pull::Arguments>),
    Completion(stagedoor_cli::completion::Arguments),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if stagedoor_cli::is_call(&words) {
        return stagedoor_cli::run(words);
    }
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match arguments.command {
        Command::Serve(options) => serve(*options),
        Command::Demo(arguments) => in_runtime(demo::run(arguments)),
        Command::Reference => print(&config::reference::markdown()),
        Command::Token(arguments) => told(stagedoor_cli::token::run(arguments, jiff::Timestamp::now())),
        Command::Config(arguments) => {
            let matches = matches.subcommand_matches("config").unwrap_or(&matches);
            let (text, outcome) = config::shown::run(arguments, matches);
            print(&text).and(outcome.map_err(Failure::from))
        }
        Command::Doctor(arguments) => {
            let (text, healthy) = doctor::run(arguments);
            match print(&text) {
                Ok(()) if !healthy => return ExitCode::FAILURE,
                printed => printed,
            }
        }
        Command::Pull(arguments) => match stagedoor_cli::pull::run(*arguments) {
            Ok((text, complete)) => match print(&text) {
                Ok(()) if !complete => return ExitCode::FAILURE,
                printed => printed,
            },
            Err(failure) => told(Err(failure)),
        },
        Command::Completion(arguments) => {
            print(&stagedoor_cli::completion::run(arguments, &Arguments::command()))
        }
        Command::Keys(arguments) => told(stagedoor_cli::keys::run(arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what one of the client's tools has to say.
fn told(outcome: Result<String, stagedoor_cli::Failure>) -> Result<(), Failure> {
    print(&outcome.map_err(|failure| failure.to_string().trim().to_owned())?)
}

fn serve(options: Options) -> Result<(), Failure> {
    let config = Config::resolve(options)?;
    log::start(&config.log)?;
    in_runtime(async {
        let stop = stop_signal()?;
        let running = Server::start(config).await?;
        print(&format!("{}\n", serde_json::to_string(&running.addresses)?))?;
        tracing::info!(http = running.addresses.http, media = %running.addresses.media, "ready");
        stop.await;
        tracing::info!("stopping");
        running.stop().await;
        Ok(())
    })
}

fn in_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // Whoever reads a pipe of ours, or a disk, may never be done.
    runtime.shutdown_timeout(THREADS_MAX);
    outcome
}

/// How long threads that write may take when the work is done.
const THREADS_MAX: std::time::Duration = std::time::Duration::from_secs(2);

/// Data goes to standard output, everything else to standard error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Listens for an interrupt or, on Unix, a termination request from now on; the future returns at the first one.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // An error means that no signal can come: the process is then ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
