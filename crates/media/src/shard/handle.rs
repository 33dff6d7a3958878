//! What the rest of the media plane holds of the shards: bounded queues of commands, reports, and counters.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use stagedoor_sfu::room::Figures;
use stagedoor_sfu::{Choice, Demand, PeerKey, Rooms, Rules};
use tokio::sync::{mpsc, oneshot, watch};

use super::links::Links;
use super::peer::{End, Role};
use super::threads::Threads;
use super::{Shard, home};
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

/// What flows through a shard.
pub struct Measured {
    /// By stage.
    pub rooms: Vec<(Arc<str>, Figures)>,
    /// The share that subscribers report as lost, from 0 to 1, of those that report.
    pub losses: Vec<(PeerKey, f32)>,
}

/// What those of the subscriptions that a shard has would have.
pub type Demands = Vec<(PeerKey, Demand)>;

/// What a shard is told.
pub enum Command {
    Add(Box<Seat>),
    Remove(PeerKey),
    /// A subscriber asks for another simulcast layer.
    Choose(PeerKey, Choice),
    /// A subscriber may have no higher simulcast layer than this; any, if there is none.
    Cap(PeerKey, Option<u8>),
    /// A peer has been given new ICE credentials.
    Restart(PeerKey, Arc<IceRestart>),
    /// A publisher whose packets come by no socket of the shard has some.
    Look(PeerKey),
    /// A publisher takes the place of another one, whose name it gets.
    Rename(PeerKey, Arc<str>),
    /// Somebody wants to know what flows.
    Measure(oneshot::Sender<Measured>),
    /// Somebody wants to know what these subscriptions would have.
    Weigh(Arc<[PeerKey]>, oneshot::Sender<Demands>),
    Stop,
}

impl Command {
    /// The connection that it is about.
    pub fn peer(&self) -> Option<PeerKey> {
        match self {
            Command::Add(seat) => Some(seat.key),
            Command::Remove(peer)
            | Command::Choose(peer, _)
            | Command::Cap(peer, _)
            | Command::Restart(peer, _)
            | Command::Rename(peer, _)
            | Command::Look(peer) => Some(*peer),
            Command::Measure(_) | Command::Weigh(..) | Command::Stop => None,
        }
    }
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

/// What the shards are started with.
pub struct Setup {
    /// How many there are, at least one. Several work on Linux only.
    pub shards: usize,
    /// Of the media socket, which all of them share.
    pub address: SocketAddr,
    pub timeouts: Timeouts,
    pub rules: Rules,
    pub world: Arc<dyn World>,
    pub reports: mpsc::Sender<Report>,
}

/// The running shards.
#[derive(Clone)]
pub struct Shards {
    shards: Arc<[Remote]>,
    address: SocketAddr,
}

/// The ways to one of them.
struct Remote {
    commands: SyncSender<Command>,
    tcp: mpsc::Sender<tcp::Input>,
    waker: Arc<Waker>,
    counters: watch::Receiver<Counters>,
}

/// Their other ends.
struct Ends {
    commands: Receiver<Command>,
    tcp: mpsc::Receiver<tcp::Input>,
    published: watch::Sender<Counters>,
}

impl Shards {
    /// Binds the sockets and starts the threads. They end on [`Command::Stop`].
    pub fn start(setup: Setup) -> io::Result<(Shards, Threads)> {
        if !(1..=home::SHARDS_MAX).contains(&setup.shards) {
            let problem = format!("there can be 1 to {} media threads", home::SHARDS_MAX);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let sockets = Socket::bind_all(setup.address, setup.shards)?;
        let address = sockets[0].local_address()?;
        let wakers = sockets.iter().map(|socket| Ok(Arc::new(socket.waker()?)));
        let wakers: Vec<Arc<Waker>> = wakers.collect::<io::Result<_>>()?;
        let epoch = setup.world.now();
        let (mut remotes, mut works) = (Vec::new(), Vec::new());
        for ((socket, links), waker) in sockets.into_iter().zip(Links::among(&wakers)).zip(&wakers) {
            let (remote, ends) = ways(waker.clone());
            remotes.push(remote);
            let shard = Shard::new(&setup, socket, links, ends, epoch);
            works.push(move || shard.run());
        }
        let shards = Shards { shards: remotes.into(), address };
        let threads = Threads::start(works).inspect_err(|_| _ = shards.stop())?;
        Ok((shards, threads))
    }

    /// The address that the media sockets are bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts media over TCP for the shards in turn, for ever.
    pub async fn serve_tcp(self, listener: TcpListener) -> io::Result<()> {
        let threads = self.shards.iter().map(|shard| {
            let waker = shard.waker.clone();
            (shard.tcp.clone(), move || waker.wake())
        });
        tcp::serve(listener, threads.collect()).await
    }

    /// What all of them have counted.
    pub fn counters(&self) -> Counters {
        Counters::sum(self.each().into_iter())
    }

    /// What each of them has counted.
    pub fn each(&self) -> Vec<Counters> {
        self.shards.iter().map(|shard| *shard.counters.borrow()).collect()
    }

    /// An ICE user name for a connection, by which its first datagrams find it, with so many random characters.
    pub fn ice_ufrag(&self, key: PeerKey, world: &dyn World, random_chars: usize) -> String {
        home::ufrag(world, home::of_key(key, self.shards.len()), random_chars)
    }

    /// Sends a command to the home of its connection.
    pub fn send(&self, command: Command) -> Result<(), Full> {
        let Some(peer) = command.peer() else {
            let told = matches!(command, Command::Stop) && self.stop();
            return if told { Ok(()) } else { Err(Full) };
        };
        let shard = &self.shards[home::of_key(peer, self.shards.len())];
        shard.commands.try_send(command).map_err(|_| Full)?;
        shard.waker.wake();
        Ok(())
    }

    /// Asks all of them what flows through the rooms that they have. One that is overloaded does not answer.
    pub fn measure(&self) -> Vec<oneshot::Receiver<Measured>> {
        self.ask(Command::Measure)
    }

    /// Asks all of them what subscriptions would have, which may be on any. One that is overloaded does not answer.
    pub fn weigh(&self, subscriptions: &Arc<[PeerKey]>) -> Vec<oneshot::Receiver<Demands>> {
        self.ask(|answer| Command::Weigh(subscriptions.clone(), answer))
    }

    fn ask<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Command) -> Vec<oneshot::Receiver<T>> {
        let ask = |shard: &Remote| {
            let (answer, answered) = oneshot::channel();
            drop(shard.commands.try_send(question(answer)));
            shard.waker.wake();
            answered
        };
        self.shards.iter().map(ask).collect()
    }

    /// Has all threads end. `false`: one of them could not be told for now.
    pub fn stop(&self) -> bool {
        let mut told = true;
        for shard in self.shards.iter() {
            let sent = shard.commands.try_send(Command::Stop);
            told &= !matches!(sent, Err(TrySendError::Full(_)));
            shard.waker.wake();
        }
        told
    }
}

fn ways(waker: Arc<Waker>) -> (Remote, Ends) {
    let (commands, command_queue) = sync_channel(COMMANDS_MAX);
    let (tcp, tcp_inputs) = tcp::channel();
    let (published, counters) = watch::channel(Counters::default());
    let remote = Remote { commands, tcp, waker, counters };
    (remote, Ends { commands: command_queue, tcp: tcp_inputs, published })
}

impl Shard {
    fn new(setup: &Setup, socket: Socket, links: Links, ends: Ends, epoch: Instant) -> Shard {
        Shard {
            socket,
            commands: ends.commands,
            reports: setup.reports.clone(),
            unreported: Default::default(),
            counters: Counters::default(),
            published: ends.published,
            epoch,
            world: setup.world.clone(),
            timeouts: setup.timeouts.clone(),
            rules: setup.rules,
            peers: Default::default(),
            rooms: Rooms::new(setup.shards),
            demux: Default::default(),
            tcp: Default::default(),
            tcp_inputs: ends.tcp,
            timers: Default::default(),
            next_tick: None,
            outbox: Outbox::default(),
            burst: Vec::new(),
            stopping: false,
            links,
            owners: Default::default(),
            groups: Default::default(),
            replays: Default::default(),
            lost: Default::default(),
        }
    }
}
