//! What the rest of the media plane holds of a shard: a bounded queue of commands, reports, and counters.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use stagedoor_sfu::{Choice, PeerKey, Rules};
use tokio::sync::{mpsc, watch};

use super::Shard;
use super::peer::{End, Role};
use crate::config::Timeouts;
use crate::engine::{Connection, IceRestart};
use crate::metrics::Counters;
use crate::tcp;
use crate::udp::{Outbox, Socket, Waker};
use crate::world::World;

/// Commands that may wait. A shard takes all of them in one turn of its loop, so this many never gather unless it is
/// badly overloaded; new connections are then refused.
const COMMANDS_MAX: usize = 1024;

/// A connection for a shard to run.
pub struct Seat {
    pub key: PeerKey,
    pub stage: Arc<str>,
    pub role: Role,
    pub ice_ufrag: String,
    pub connection: Box<dyn Connection>,
}

/// What a shard is told.
pub enum Command {
    Add(Box<Seat>),
    Remove(PeerKey),
    /// A subscriber asks for another simulcast layer.
    Choose(PeerKey, Choice),
    /// A peer has been given new ICE credentials.
    Restart(PeerKey, Arc<IceRestart>),
    /// A publisher whose packets come by no socket of the shard has some.
    Look(PeerKey),
    Stop,
}

/// What a shard tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    Connected(PeerKey),
    Ended(PeerKey, End),
}

/// The command queue is full: the shard is overloaded.
#[derive(Debug, thiserror::Error)]
#[error("the media thread is overloaded")]
pub struct Full;

/// A running shard.
#[derive(Clone)]
pub struct ShardHandle {
    commands: SyncSender<Command>,
    tcp: mpsc::Sender<tcp::Input>,
    waker: Arc<Waker>,
    address: SocketAddr,
    counters: watch::Receiver<Counters>,
}

impl ShardHandle {
    /// Binds the socket and starts the thread. It ends on [`Command::Stop`].
    pub fn start(
        address: SocketAddr,
        timeouts: Timeouts,
        rules: Rules,
        world: Arc<dyn World>,
        reports: mpsc::Sender<Report>,
    ) -> io::Result<(ShardHandle, JoinHandle<io::Result<()>>)> {
        let socket = Socket::bind(address)?;
        let (commands, queue) = sync_channel(COMMANDS_MAX);
        let (tcp, tcp_inputs) = tcp::channel();
        let (published, counters) = watch::channel(Counters::default());
        let waker = Arc::new(socket.waker()?);
        let handle = ShardHandle { commands, tcp, waker, address: socket.local_address()?, counters };
        let shard = Shard {
            socket,
            commands: queue,
            reports,
            unreported: Default::default(),
            counters: Counters::default(),
            published,
            epoch: world.now(),
            world,
            timeouts,
            rules,
            peers: Default::default(),
            rooms: Default::default(),
            demux: Default::default(),
            tcp: Default::default(),
            tcp_inputs,
            tcp_demux: Default::default(),
            timers: Default::default(),
            next_tick: None,
            outbox: Outbox::default(),
            burst: Vec::new(),
            stopping: false,
        };
        let thread = std::thread::Builder::new().name("media-0".into()).spawn(move || shard.run())?;
        Ok((handle, thread))
    }

    /// The address that the media socket is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts media over TCP for this shard, for ever.
    pub async fn serve_tcp(self, listener: TcpListener) -> io::Result<()> {
        let waker = self.waker;
        tcp::serve(listener, self.tcp, move || waker.wake()).await
    }

    pub fn counters(&self) -> Counters {
        *self.counters.borrow()
    }

    pub fn send(&self, command: Command) -> Result<(), Full> {
        self.commands.try_send(command).map_err(|_| Full)?;
        self.waker.wake();
        Ok(())
    }
}
