//! `stagedoor demo`: one stage of each kind at work, driven from the outside only.
//!
//! Starts a server on a temporary directory, then knows nothing of it but its address: everything is created and
//! asked for through the AWS wire protocol, by the project's own client. The story is [`run`].

mod backend;
mod clip;
mod http_api;
mod realtime;
mod rest_api;
mod stage_client;

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use stagedoor_auth::sigv4::Key;
use stagedoor_cli::Client;
use stagedoor_model::{Service, Value};

use crate::config::Config;
use crate::config::options::{DEFAULT_ACCOUNT, Options};
use crate::server::{Addresses, Server};
use stage_client::{Latencies, StageClient};

/// Options of the demo.
#[derive(Args)]
pub struct Arguments {
    /// Leave the server running afterwards and print the environment that points the AWS CLI at it
    #[arg(long)]
    keep: bool,
    /// Requests to send through each HTTP stage
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    requests: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What every part of the demo works with.
struct Scene {
    addresses: Addresses,
    aws: Client,
    stages: StageClient,
    backend: SocketAddr,
    requests: u32,
    region: String,
}

/// The whole demo.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    crate::log::start("warn")?;
    let directory = tempfile::tempdir()?;
    let config = config(directory.path())?;
    let region = config.region.clone();
    let running = Server::start(config).await?;
    let addresses = running.addresses.clone();
    say(&format!("server      {} (media {})", addresses.http, addresses.media))?;
    let key = Key::long_term("test", "test", DEFAULT_ACCOUNT);
    let scene = Scene {
        aws: Client::new(&addresses.http, stagedoor_cli::Config::new(&region, Some(key)))?,
        stages: StageClient::new(),
        backend: backend::start().await?,
        requests: arguments.requests,
        region,
        addresses,
    };
    say(&format!("backend     http://{}", scene.backend))?;
    rest_api::show(&scene).await?;
    http_api::show(&scene).await?;
    realtime::show(&scene).await?;
    if arguments.keep {
        keep(&scene).await?;
    }
    running.stop().await;
    say("\ndone: everything above went over the wire; nothing was left behind")
}

fn config(directory: &std::path::Path) -> Result<Config, Failure> {
    let any_port: SocketAddr = "127.0.0.1:0".parse()?;
    Ok(Config::resolve(Options {
        listen: Some(any_port),
        media_listen: Some(any_port),
        rtmp_listen: Some(any_port),
        rtmps_listen: Some(any_port),
        data_dir: Some(directory.to_owned()),
        ..Options::default()
    })?)
}

/// Waits for an interrupt while others use the server.
async fn keep(scene: &Scene) -> Result<(), Failure> {
    say("\nThe server keeps running. In another terminal:\n")?;
    say(&format!("  export AWS_ENDPOINT_URL={}", scene.addresses.http))?;
    say("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")?;
    say(&format!("  export AWS_DEFAULT_REGION={}", scene.region))?;
    say("\nEnd it with Ctrl-C.")?;
    Ok(tokio::signal::ctrl_c().await?)
}

// === Words ===

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// The answer to a call, as the AWS CLI prints it, below the command that would ask for it.
fn say_answer(command: &str, service: &Service, operation: &str, answer: Value) -> Result<(), Failure> {
    let operation = present(service.operation(operation), operation)?;
    let json = stagedoor_cli::printed(operation, answer);
    say(&format!("  $ {command}\n    {}", json.replace('\n', "\n    ")))
}

/// One line about requests through a stage.
fn say_figures(url: &str, latencies: &Latencies, elapsed: Duration) -> Result<(), Failure> {
    let per_second = latencies.count() as f64 / elapsed.as_secs_f64();
    say(&format!(
        "  {url}\n    {} requests, {per_second:.0} per second one after another, latency p50 {:.0} µs, p99 {:.0} µs",
        latencies.count(),
        latencies.percentile(50).as_secs_f64() * 1e6,
        latencies.percentile(99).as_secs_f64() * 1e6,
    ))
}

/// A member that the service always answers.
fn present<T>(member: Option<T>, name: &str) -> Result<T, Failure> {
    member.ok_or_else(|| format!("the answer has no {name}").into())
}
