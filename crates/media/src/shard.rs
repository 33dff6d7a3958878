//! One media thread: its socket, its connections, its rooms, its timers. No async, no lock, no log line per packet.
//!
//! A packet's way: socket → [`crate::demux`] → the publisher's connection (decrypt) → [`stagedoor_sfu::Room`] → each
//! follower's connection (encrypt) → socket. A batch of datagrams is taken whole; what it brings from a publisher is
//! then written follower by follower, so that each follower's connection moves once and its datagrams leave together.
//!
//! Reading order: here is the loop; `intake` is what comes to it, `connections` what becomes of one connection, `forward`
//! how packets get to followers, `gather` which of them wait for others, `timers` what time brings, `outgoing` what leaves. Of several threads: `links` are the ways between them, `strays` how a
//! connection gets to the thread that receives its datagrams, `mirror` how packets get to followers on other threads.
//!
//! A connection that fails ends alone. Rooms, tokens and sessions are decided elsewhere: a shard is told which
//! connections exist, and reports when they connect and end.

mod checks;
mod connections;
mod forward;
mod gather;
mod group;
mod handle;
pub mod home;
mod intake;
mod links;
mod measure;
mod mirror;
mod outgoing;
mod peer;
mod rename;
mod strays;
mod threads;
mod timers;

pub use handle::{Command, Full, Measured, Report, Seat, Setup, Shards};
pub use peer::{End, Role};
pub use threads::Threads;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use stagedoor_sfu::{PeerKey, PeerMap, Rooms, Rules, ShardId};
use tokio::sync::{mpsc, watch};

use crate::config::Timeouts;
use crate::demux::Demux;
use crate::engine::Packet;
use crate::metrics::Counters;
use crate::tcp;
use crate::udp::{Inbox, Outbox, Socket};
use crate::world::World;
use group::Group;
use links::Links;
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
    /// The start of the rooms' time, the same for all shards.
    epoch: Instant,
    peers: PeerMap<Peer>,
    rooms: Rooms,
    demux: Demux,
    /// Connections over TCP by the client's address, and whose they are.
    tcp: HashMap<SocketAddr, TcpClient>,
    tcp_inputs: mpsc::Receiver<tcp::Input>,
    timers: BinaryHeap<Reverse<(Instant, PeerKey)>>,
    next_tick: Option<Instant>,
    outbox: Outbox,
    /// What the present batch brought, in order of arrival, and what is held of unfinished frames (`gather`).
    burst: Vec<(PeerKey, Packet)>,
    stopping: bool,
    links: Links,
    /// Connections that live on other shards, of which this one is the home or receives datagrams.
    owners: PeerMap<ShardId>,
    /// The present group of pictures of mirrored publishers that make no key frames on demand.
    groups: PeerMap<Group>,
    /// Subscribers that are to get the group of their publisher, which is another one now or of another shard.
    replays: VecDeque<PeerKey>,
    /// Whose packets found no room on the way to another shard lately.
    lost: HashSet<(PeerKey, ShardId)>,
}

/// A connection over TCP.
struct TcpClient {
    outputs: mpsc::Sender<Vec<u8>>,
    /// The shard that was last given its datagrams, and with them the way back.
    lent: Option<ShardId>,
}

impl Shard {
    fn run(mut self) -> io::Result<()> {
        let mut inbox = Inbox::new();
        let mut errors = 0;
        let mut more = false;
        while !self.stopping {
            let busy = more || !self.replays.is_empty();
            let patience = if busy { Some(Duration::ZERO) } else { self.patience() };
            self.socket.wait(patience)?;
            self.take_commands();
            let now = self.world.now();
            more = self.take_letters(now) | self.take_strays(now) | self.take_tcp() | self.take_replays(now);
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
        let held = gather::until(&self.burst);
        let next = timer.into_iter().chain(self.next_tick).chain(held).min()?;
        Some(next.saturating_duration_since(self.world.now()))
    }
}
