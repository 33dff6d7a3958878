//! A load of publishers and subscribers for `cargo xtask bench media`, against a server that is running already:
//! Stagedoor, or Janus with the same packets.
//!
//! Reads a [`Task`] on standard input, connects everybody, prints `ready`, sends for as long as the task says, prints
//! `over`, and then a line of JSON with what was counted in between ([`report::Report`]).
//!
//! Subscribers are light unless the task wants full ones: once connected they count the sequence numbers of what
//! arrives and decrypt nothing, so that the load does not take the processor that the server needs. All subscribers
//! share one socket and one thread; each publisher has its own.
#![expect(clippy::print_stdout, reason = "a command-line tool talks through standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a load generator is an edge of the system: it lives by the clock"
)]
#![cfg_attr(
    not(target_os = "linux"),
    expect(unused, reason = "the socket that all subscribers share is Linux's")
)]

#[cfg(target_os = "linux")]
mod crowd;
mod flood;
mod http;
mod janus;
mod join;
mod member;
mod publisher;
mod report;
#[cfg(target_os = "linux")]
mod socket;
mod stream;
mod task;
mod trace;

use std::error::Error;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use stagedoor_media::world::World;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[cfg(target_os = "linux")]
fn main() -> Result {
    let task: task::Task = serde_json::from_reader(std::io::stdin())?;
    println!("{}", serde_json::to_string(&run(&task)?)?);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> Result {
    Err("the load generator needs Linux".into())
}

/// Connects everybody, lets the load run and counts.
#[cfg(target_os = "linux")]
fn run(task: &task::Task) -> Result<report::Report> {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    let phase = Arc::new(task::Phase::default());
    let world: Arc<dyn World> = Arc::new(Machine);
    let mut publishers = Vec::new();
    for (number, publisher) in task.publishers.iter().enumerate() {
        publishers.push(publisher::start(task, number as u8, publisher, &world, &phase)?);
    }
    let clocks = publishers.iter().map(|running| running.clock.clone()).collect();
    let crowd = crowd::start(task, clocks, &phase)?;
    let joined = crowd.joined()?;
    thread::sleep(Duration::from_secs_f64(task.warm_seconds));
    phase.begin();
    println!("ready");
    let end = Instant::now() + Duration::from_secs_f64(task.seconds);
    let flood = task.flood.as_ref().map(|flood| flood::pour(flood, task.flood_address(), &world));
    thread::sleep(end.saturating_duration_since(Instant::now()));
    phase.end();
    println!("over");
    let mut report = crowd.finish()?;
    report.flood = flood.transpose()?;
    report.join_seconds = joined.as_secs_f64();
    for running in publishers {
        report.sent += running.finish()?;
    }
    Ok(report)
}

/// Nanoseconds of the wall clock, by which the kernel stamps datagrams.
fn wall_nanos() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

/// The machine's own clock and randomness.
struct Machine;

impl World for Machine {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}
