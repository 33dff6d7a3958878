//! The running media plane: [`Media`] does the work until it is told to stop, [`Handle`] is what HTTP requests come to.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagedoor_sfu::{Choice, PeerKey};
use tokio::sync::{Notify, mpsc};

use crate::config::{Config, Node};
use crate::download;
use crate::engine::Engine;
use crate::engine::str0m::Str0m;
use crate::ledger::{Change, Ledger};
use crate::metrics::Counters;
use crate::presence::{Presence, Rename};
use crate::refusals::Refusals;
use crate::shard::{Command, Report, Setup, Shards, Threads};
use crate::world::{Moment, World};

/// How often absent participants and empty stages are looked for.
const TICK: Duration = Duration::from_millis(250);
/// Changes of a stage within this time reach the events sockets as one message.
const STATE_DELAY: Duration = Duration::from_millis(20);
/// Ports tried when any will do.
const PORT_TRIES_MAX: u32 = 32;
/// Reports that may wait between a shard and the service; the shard keeps what does not fit.
const REPORTS_MAX: usize = 1024;

/// The media plane, bound to its port. [`Media::run`] keeps it going.
pub struct Media {
    handle: Handle,
    reports: mpsc::Receiver<Report>,
    changes: mpsc::Receiver<Change>,
    threads: Threads,
    tcp: Option<TcpListener>,
}

/// A cheap reference to the media plane, for the HTTP listener.
#[derive(Clone)]
pub struct Handle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) world: Arc<dyn World>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) shards: Shards,
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) refusals: Refusals,
    presence: Mutex<Presence>,
    changed: Notify,
    /// Closings that did not fit into a shard's queue.
    unsent: Mutex<VecDeque<PeerKey>>,
    keys: AtomicU64,
    /// Events sockets that were dropped because their clients did not read.
    pub(crate) slow_sockets: AtomicU64,
}

impl Media {
    /// Binds the media socket and starts its thread. `changes` tells what others did to stages and participants.
    ///
    /// Fails if the address cannot be bound, or is a wildcard and nothing is advertised.
    pub fn start(
        config: Config,
        ledger: Arc<dyn Ledger>,
        changes: mpsc::Receiver<Change>,
        world: Arc<dyn World>,
    ) -> io::Result<(Media, Handle)> {
        let engine = Str0m::new().ok_or_else(|| io::Error::other("cannot make a DTLS certificate"))?;
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let tcp = config.tcp.then(|| tcp_listener(config.listen)).transpose()?;
        // One port for both.
        let listen = tcp.as_ref().map_or(Ok(config.listen), TcpListener::local_addr)?;
        let setup = Setup {
            shards: config.shards,
            address: listen,
            timeouts: config.timeouts.clone(),
            rules: config.rules,
            world: world.clone(),
            reports: sender,
        };
        let (shards, threads) = Shards::start(setup)?;
        let candidates = candidates(shards.address(), &config.advertise);
        if candidates.is_empty() {
            shards.stop();
            let problem = "listening on a wildcard address needs addresses to advertise";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let presence = Presence::new(config.timeouts.clone(), config.limits.clone());
        let inner = Inner {
            config,
            world,
            ledger,
            engine: Box::new(engine),
            shards,
            candidates,
            refusals: Refusals::default(),
            presence: Mutex::new(presence),
            changed: Notify::new(),
            unsent: Mutex::default(),
            keys: AtomicU64::new(1),
            slow_sockets: AtomicU64::new(0),
        };
        let handle = Handle { inner: Arc::new(inner) };
        Ok((Media { handle: handle.clone(), reports, changes, threads, tcp }, handle))
    }

    /// Works until `shutdown` is ready; then says goodbye to every peer, notes that all have left, and returns when
    /// the media thread has ended. An error is one of the media socket.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let inner = self.handle.inner.clone();
        let mut tasks = tokio::task::JoinSet::new();
        if let Some(listener) = self.tcp.take() {
            tasks.spawn(inner.shards.clone().serve_tcp(listener));
        }
        let watched = inner.clone();
        tasks.spawn(async move {
            download::watch(watched).await;
            Ok(())
        });
        let mut tick = tokio::time::interval(TICK);
        let mut changes_open = true;
        let mut states_pending = false;
        let states = tokio::time::sleep(STATE_DELAY);
        tokio::pin!(shutdown, states);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                report = self.reports.recv() => match report {
                    Some(report) => inner.take_report(report),
                    // All threads have ended by themselves: their error is the answer.
                    None => break,
                },
                // So has one of them.
                () = self.threads.ended() => break,
                change = self.changes.recv(), if changes_open => match change {
                    Some(change) => inner.take_change(change),
                    None => changes_open = false,
                },
                _ = tick.tick() => inner.tick(),
                () = inner.changed.notified(), if !states_pending => {
                    states_pending = true;
                    states.as_mut().reset(tokio::time::Instant::from_std(inner.world.now()) + STATE_DELAY);
                }
                () = &mut states, if states_pending => {
                    states_pending = false;
                    inner.presence().publish_states();
                }
            }
        }
        inner.change(|presence, moment| presence.end_everything(moment));
        while !inner.shards.stop() && !self.threads.finished() {
            tokio::time::sleep(STATE_DELAY).await;
        }
        let threads = self.threads;
        tokio::task::spawn_blocking(move || threads.join()).await.map_err(io::Error::other)?
    }
}

impl Handle {
    /// The address that the media socket is bound to.
    pub fn media_address(&self) -> SocketAddr {
        self.inner.shards.address()
    }

    /// Where clients reach this very node, if that differs.
    pub fn node(&self) -> Option<&Node> {
        self.inner.config.node.as_ref()
    }

    /// Events sockets that were dropped because their clients did not read.
    pub fn slow_sockets(&self) -> u64 {
        self.inner.slow_sockets.load(Ordering::Relaxed)
    }

    /// What the media threads have counted, at most a fraction of a second old.
    pub fn counters(&self) -> Counters {
        let rooms = self.inner.look(Presence::connected_stages) as u64;
        Counters { rooms, ..self.inner.shards.counters() }
    }

    /// Who was turned away before it came to the media thread.
    pub fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }
}

impl Inner {
    /// Who is where. Hold it for short and without waiting.
    fn presence(&self) -> MutexGuard<'_, Presence> {
        // A panic while it was held is a defect of one request; the others go on.
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes who is where, and records what that meant before anybody else can change it again.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Presence, Moment) -> T) -> T {
        let mut presence = self.presence();
        let value = work(&mut presence, Moment::of(&*self.world));
        presence.send_renames(|Rename { key, name }| {
            self.shards.send(Command::Rename(*key, name.clone())).is_ok()
        });
        for note in presence.take_notes() {
            self.ledger.record(note);
        }
        drop(presence);
        self.changed.notify_one();
        value
    }

    pub(crate) fn look<T>(&self, work: impl FnOnce(&Presence) -> T) -> T {
        work(&self.presence())
    }

    pub(crate) fn new_key(&self) -> PeerKey {
        PeerKey(self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// Has the media threads close connections. If it is overloaded, they are told again with the next tick.
    pub(crate) fn close(&self, keys: impl IntoIterator<Item = PeerKey>) {
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        unsent.extend(keys);
        while let Some(key) = unsent.front() {
            if self.shards.send(Command::Remove(*key)).is_err() {
                return;
            }
            unsent.pop_front();
        }
    }

    /// Has the media thread give subscribers another layer. `false`: it is overloaded, the client may ask again.
    pub(crate) fn choose(&self, keys: impl IntoIterator<Item = PeerKey>, choice: &Choice) -> bool {
        keys.into_iter().all(|key| self.shards.send(Command::Choose(key, choice.clone())).is_ok())
    }

    fn take_report(&self, report: Report) {
        match report {
            Report::Connected(key) => {
                let close = self.change(|presence, moment| presence.connected(key, moment));
                self.close(close);
            }
            Report::Ended(key, end) => self.change(|presence, moment| presence.ended(key, end, moment)),
        }
    }

    fn take_change(&self, change: Change) {
        let close = self.change(|presence, moment| match &change {
            Change::StageDeleted { stage_arn } => presence.delete_stage(stage_arn),
            Change::ParticipantDisconnected { stage_arn, participant_id } => {
                presence.disconnect(stage_arn, participant_id, moment)
            }
        });
        self.close(close);
    }

    fn tick(&self) {
        let close = self.change(|presence, moment| presence.tick(moment));
        self.close(close);
    }
}

/// Binds the media port over TCP. A port that the system picks must be free for UDP too.
fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let mut listener = TcpListener::bind(address)?;
    for _ in 0..PORT_TRIES_MAX {
        if address.port() != 0 || UdpSocket::bind(listener.local_addr()?).is_ok() {
            break;
        }
        listener = TcpListener::bind(address)?;
    }
    Ok(listener)
}

/// The media socket's addresses for clients: what is advertised, else what it is bound to.
fn candidates(bound: SocketAddr, advertise: &[IpAddr]) -> Vec<SocketAddr> {
    if !advertise.is_empty() {
        return advertise.iter().map(|ip| SocketAddr::new(*ip, bound.port())).collect();
    }
    if bound.ip().is_unspecified() { Vec::new() } else { vec![bound] }
}
