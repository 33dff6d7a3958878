//! One media thread: its socket, its connections, its rooms, its timers. No async, no lock, no log line per packet.
//!
//! A packet's way: socket → [`crate::demux`] → the publisher's connection (decrypt) → [`stagedoor_sfu::Room`] → each
//! follower's connection (encrypt) → socket. A batch of datagrams is taken whole; what it brings from a publisher is
//! then written follower by follower, so that each follower's connection moves once and its datagrams leave together.
//!
//! Reading order: here is the loop; `intake` is what comes to it, `connections` what becomes of one connection, `forward`
//! how packets get to followers, `timers` what time brings, `outgoing` what leaves.
//!
//! A connection that fails ends alone. Rooms, tokens and sessions are decided elsewhere: a shard is told which
//! connections exist, and reports when they connect and end.

mod checks;
mod connections;
mod forward;
mod group;
mod handle;
mod intake;
mod outgoing;
mod peer;
mod timers;

pub use handle::{Command, Full, Report, Seat, ShardHandle};
pub use peer::{End, Role};

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use stagedoor_sfu::{PeerKey, PeerMap, Room, Rules};
use tokio::sync::{mpsc, watch};

use crate::config::Timeouts;
use crate::demux::Demux;
use crate::engine::Packet;
use crate::metrics::Counters;
use crate::tcp;
use crate::udp::{Inbox, Outbox, Socket};
use crate::world::World;
use peer::Peer;

/// How often connections are looked at for silence, key-frame requests are repeated and counters published while
/// anything is connected.
const TICK: Duration = Duration::from_millis(100);
/// No connection is woken sooner than this, so that one that is never content cannot hold up the others.
const TIMER_MIN: Duration = Duration::from_micros(200);
/// Errors of the socket in a row after which the thread gives up. Single ones pass: an interface went down and up.
const SOCKET_ERRORS_MAX: u32 = 100;

/// The thread's state.
struct Shard {
    socket: Socket,
    commands: Receiver<Command>,
    reports: mpsc::Sender<Report>,
    /// Reports that did not fit into the channel; at most two for each connection.
    unreported: VecDeque<Report>,
    counters: Counters,
    published: watch::Sender<Counters>,
    world: Arc<dyn World>,
    timeouts: Timeouts,
    rules: Rules,
    /// The start of the rooms' time.
    epoch: Instant,
    peers: PeerMap<Peer>,
    rooms: HashMap<Arc<str>, Room>,
    demux: Demux,
    /// Connections over TCP by the client's address, and whose they are.
    tcp: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    tcp_inputs: mpsc::Receiver<tcp::Input>,
    tcp_demux: Demux,
    timers: BinaryHeap<Reverse<(Instant, PeerKey)>>,
    next_tick: Option<Instant>,
    outbox: Outbox,
    /// What the present batch brought, in order of arrival.
    burst: Vec<(PeerKey, Packet)>,
    stopping: bool,
}

impl Shard {
    fn run(mut self) -> io::Result<()> {
        let mut inbox = Inbox::new();
        let mut errors = 0;
        let mut more = false;
        while !self.stopping {
            let patience = if more { Some(Duration::ZERO) } else { self.patience() };
            self.socket.wait(patience)?;
            self.take_commands();
            more = self.take_tcp();
            match self.take_datagrams(&mut inbox) {
                Ok(()) => errors = 0,
                Err(error) if errors < SOCKET_ERRORS_MAX => {
                    tracing::warn!(%error, "the media socket failed");
                    errors += 1;
                }
                Err(error) => return Err(error),
            }
            let now = self.world.now();
            self.fire_timers(now);
            self.tick(now);
            self.flush();
        }
        self.end_all();
        Ok(())
    }

    /// How long there is nothing to do; `None` while nobody is connected.
    fn patience(&self) -> Option<Duration> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let next = timer.into_iter().chain(self.next_tick).min()?;
        Some(next.saturating_duration_since(self.world.now()))
    }
}
