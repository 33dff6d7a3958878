//! A load of one publisher and many subscribers for `cargo xtask bench`, against a server that is running already.
//!
//! Reads `{"whip", "publisher": {"participantId", "token"}, "subscribers": [token…], "seconds"}` on standard input,
//! connects everybody, prints `ready`, sends for that long, and prints `{"sent", "received", "missing"}`, all packets.
//!
//! Subscribers are light: once connected they count the sequence numbers of what arrives and decrypt nothing, so that
//! the load does not take the processor that the server needs.
#![expect(clippy::print_stdout, reason = "a command-line tool talks through standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a load generator is an edge of the system: it lives by the clock"
)]

mod http;
mod publisher;
mod subscriber;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagedoor_media::world::World;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long connecting one client may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);

fn main() -> Result {
    let task: Value = serde_json::from_reader(std::io::stdin())?;
    let whip = text(&task["whip"])?;
    let publisher = &task["publisher"];
    let id = text(&publisher["participantId"])?;
    let tokens = task["subscribers"].as_array().ok_or("no subscribers")?;
    let seconds = task["seconds"].as_u64().ok_or("no seconds")?;
    let world: Arc<dyn World> = Arc::new(Machine);
    let over = Arc::new(AtomicBool::new(false));

    let sender = publisher::connect(whip, text(&publisher["token"])?, &world)?;
    let warm = Arc::new(AtomicBool::new(true));
    let sending = {
        let (warm, over) = (Arc::clone(&warm), Arc::clone(&over));
        thread::spawn(move || publisher::run(sender, &warm, &over))
    };
    let mut receiving = Vec::new();
    for token in tokens {
        let url = format!("{whip}/subscribe/{id}");
        receiving.push(subscriber::start(&url, text(token)?, &world, &over)?);
    }
    // What was counted while others still connected is no part of the measurement.
    receiving.iter().for_each(subscriber::Running::begin);
    warm.store(false, Ordering::Relaxed);
    println!("ready");
    thread::sleep(Duration::from_secs(seconds));
    over.store(true, Ordering::Relaxed);
    let sent = sending.join().map_err(|_| "the publisher failed")??;
    let mut totals = subscriber::Counts::default();
    for running in receiving {
        totals.add(&running.finish()?);
    }
    println!("{}", json!({"sent": sent, "received": totals.received, "missing": totals.missing}));
    Ok(())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("expected text, found {value}").into())
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
