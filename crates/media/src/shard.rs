//! One media thread: its socket, its connections, its rooms, its timers. No async, no lock, no log line per packet.
//!
//! A packet's way: socket → [`crate::demux`] → the publisher's connection (decrypt) → [`stagedoor_sfu::Room`] → each
//! follower's connection (encrypt) → socket. A batch of datagrams is taken whole; what it brings from a publisher is
//! then written follower by follower, so that each follower's connection moves once and its datagrams leave together.
//!
//! A connection that fails ends alone. Rooms, tokens and sessions are decided elsewhere: a shard is told which
//! connections exist, and reports when they connect and end.

mod checks;
mod group;
mod handle;
mod peer;

pub use handle::{Command, Full, Report, Seat, ShardHandle};
pub use peer::{End, Role};

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use stagedoor_sfu::{Choice, Incoming, KeyFrameRequest, PeerKey, PeerMap, Room, Rules};
use tokio::sync::{mpsc, watch};

use crate::config::Timeouts;
use crate::demux::Demux;
use crate::engine::{IceRestart, Output, Packet, Path};
use crate::metrics::Counters;
use crate::shard::peer::Peer;
use crate::tcp;
use crate::udp::{BATCH, Inbox, Outbox, Socket};
use crate::world::World;

/// How often connections are looked at for silence, key-frame requests are repeated and counters published while
/// anything is connected.
const TICK: Duration = Duration::from_millis(100);
/// No connection is woken sooner than this, so that one that is never content cannot hold up the others.
const TIMER_MIN: Duration = Duration::from_micros(200);
/// Errors of the socket in a row after which the thread gives up. Single ones pass: an interface went down and up.
const SOCKET_ERRORS_MAX: u32 = 100;
/// Batches taken before timers and commands get their turn.
const BATCHES_MAX: usize = 16;

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

    fn take_commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Add(seat)) => self.add(*seat),
                Ok(Command::Remove(peer)) => self.close(peer),
                Ok(Command::Choose(peer, choice)) => self.choose(peer, choice),
                Ok(Command::Restart(peer, restart)) => self.restart_ice(peer, &restart),
                Ok(Command::Look(peer)) => self.look(peer),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => {
                    self.stopping = true;
                    return;
                }
                Err(TryRecvError::Empty) => return,
            }
        }
    }

    fn add(&mut self, seat: Seat) {
        let now = self.world.now();
        let key = seat.key;
        self.demux.insert(key, seat.ice_ufrag.clone());
        self.tcp_demux.insert(key, seat.ice_ufrag.clone());
        self.peers.insert(key, Peer::new(seat, now));
        self.next_tick.get_or_insert(now + TICK);
        // The first timeout starts the ICE agent.
        self.advance(key, now);
    }

    fn restart_ice(&mut self, key: PeerKey, restart: &IceRestart) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        if let Err(end) = peer.restart_ice(restart) {
            return self.end(key, end);
        }
        self.demux.rename(key, &restart.ours.ufrag);
        self.tcp_demux.rename(key, &restart.ours.ufrag);
        self.advance(key, self.world.now());
    }

    fn take_datagrams(&mut self, inbox: &mut Inbox) -> io::Result<()> {
        for _ in 0..BATCHES_MAX {
            let count = self.socket.receive(inbox)?;
            let now = self.world.now();
            for (source, datagram) in inbox.datagrams() {
                self.take_datagram(now, Path::Udp(source), datagram);
            }
            self.forward(now);
            self.flush();
            if count < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// Takes what came over TCP, no more than a batch of it, and says whether there may be more.
    fn take_tcp(&mut self) -> bool {
        let now = self.world.now();
        for _ in 0..BATCH {
            match self.tcp_inputs.try_recv() {
                Ok(tcp::Input::Opened(client, outputs)) => drop(self.tcp.insert(client, outputs)),
                Ok(tcp::Input::Closed(client)) => drop(self.tcp.remove(&client)),
                Ok(tcp::Input::Datagram(client, datagram)) => {
                    let unknown = self.tcp_demux.find(client, &datagram).is_none();
                    self.take_datagram(now, Path::Tcp(client), &datagram);
                    if unknown {
                        self.tcp.remove(&client);
                    }
                }
                Err(_) => {
                    self.forward(now);
                    return false;
                }
            }
        }
        self.forward(now);
        true
    }

    fn take_datagram(&mut self, now: Instant, from: Path, datagram: &[u8]) {
        self.counters.datagrams_in += 1;
        self.counters.bytes_in += datagram.len() as u64;
        let (demux, source) = match from {
            Path::Udp(source) => (&mut self.demux, source),
            Path::Tcp(source) => (&mut self.tcp_demux, source),
        };
        let Some(key) = demux.find(source, datagram) else {
            self.counters.dropped_unknown += 1;
            return;
        };
        let Some(peer) = self.peers.get_mut(&key) else { return };
        match peer.receive(now, from, datagram) {
            Ok(true) => {
                demux.learn(key, source);
                self.drain(key, now);
            }
            Ok(false) => self.counters.dropped_refused += 1,
            Err(end) => self.end(key, end),
        }
    }

    /// Moves one connection's time and takes what it has to say.
    fn advance(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        match peer.advance(now) {
            Ok(()) => self.drain(key, now),
            Err(end) => self.end(key, end),
        }
    }

    /// A publisher without datagrams has something to say.
    fn look(&mut self, key: PeerKey) {
        let now = self.world.now();
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.heard(now);
        }
        self.advance(key, now);
    }

    fn drain(&mut self, key: PeerKey, now: Instant) {
        loop {
            let Some(peer) = self.peers.get_mut(&key) else { return };
            match peer.poll() {
                Ok(Output::Datagram { to, contents }) => self.post(to, contents),
                Ok(Output::Packet(packet)) => self.burst.push((key, packet)),
                Ok(Output::Connected) => self.connected(key, now),
                Ok(Output::KeyFrameWanted) => self.want_key_frame(key, now),
                Ok(Output::Bandwidth(rate)) => self.take_bandwidth(key, rate),
                Ok(Output::Closed) => return self.end(key, End::Left),
                Ok(Output::Wait(at)) => {
                    if let Some(at) = peer.schedule(at.max(now + TIMER_MIN)) {
                        self.timers.push(Reverse((at, key)));
                    }
                    return;
                }
                Err(end) => return self.end(key, end),
            }
        }
    }

    fn connected(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        if std::mem::replace(&mut peer.connected, true) {
            return;
        }
        let room = self.rooms.entry(peer.stage.clone()).or_default();
        let replaced = match &peer.role {
            Role::Publisher { participant, tracks } => room.publish(key, participant.clone(), tracks),
            Role::Subscriber { participant, wanted, choice } => {
                let at = now.saturating_duration_since(self.epoch);
                room.subscribe(key, participant.clone(), wanted.clone(), choice.clone(), at);
                None
            }
        };
        self.report(Report::Connected(key));
        if let Some(old) = replaced {
            self.close(old);
        }
        self.greet(key, now);
    }

    /// Gets a new subscriber its first key frame; for a new publisher, the followers that were waiting for it.
    fn greet(&mut self, key: PeerKey, now: Instant) {
        let Some(room) = self.room_of(key) else { return };
        let waiting: Vec<PeerKey> = room.followers(key).iter().copied().chain([key]).collect();
        for subscriber in waiting {
            self.want_key_frame(subscriber, now);
        }
        self.replay(key, now);
    }

    /// Brings a new subscriber up to date if its publisher makes no key frames on demand.
    fn replay(&mut self, subscriber: PeerKey, now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        let Some(publisher) = self.room_of(subscriber).and_then(|room| room.publisher_of(subscriber)) else {
            return;
        };
        let Some(replay) = self.peers.get(&publisher).and_then(Peer::replay) else { return };
        let Some(peer) = self.peers.get_mut(&subscriber) else { return };
        let Some(room) = self.rooms.get_mut(&peer.stage) else { return };
        let mut written = 0;
        for (kept, ticks) in replay {
            if let Some(mut numbers) = room.forward(subscriber, kept.source, &kept.incoming, at) {
                numbers.time = numbers.time.wrapping_add(ticks);
                peer.write(now, &kept.packet, &numbers);
                written += 1;
            }
        }
        self.counters.packets_forwarded += written;
        self.advance(subscriber, now);
    }

    fn want_key_frame(&mut self, subscriber: PeerKey, now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        let request = self.room_of(subscriber).and_then(|room| room.want_key_frame(subscriber, at));
        if let Some(request) = request {
            self.request_key_frame(request, now);
        }
    }

    fn choose(&mut self, subscriber: PeerKey, choice: Choice) {
        let now = self.world.now();
        if let Some(Peer { role: Role::Subscriber { choice: first, .. }, .. }) =
            self.peers.get_mut(&subscriber)
        {
            // For one that is not connected yet.
            first.clone_from(&choice);
        }
        let at = now.saturating_duration_since(self.epoch);
        let request = self.room_of(subscriber).and_then(|room| room.choose(subscriber, choice, at));
        if let Some(request) = request {
            self.request_key_frame(request, now);
        }
    }

    /// The layers follow with the next tick.
    fn take_bandwidth(&mut self, subscriber: PeerKey, rate: u64) {
        if let Some(room) = self.room_of(subscriber) {
            room.set_budget(subscriber, rate);
        }
    }

    /// Tells the estimates what the subscribers could use.
    fn plan(&mut self, now: Duration) {
        for (key, peer) in &mut self.peers {
            if let Role::Subscriber { .. } = peer.role
                && let Some(rates) = self.rooms.get(&peer.stage).and_then(|room| room.rates(*key, now))
            {
                peer.plan(rates.present, rates.top + rates.top / 4);
            }
        }
    }

    fn request_key_frame(&mut self, request: KeyFrameRequest, now: Instant) {
        let Some(peer) = self.peers.get_mut(&request.publisher) else { return };
        peer.request_key_frame(request.kind, request.layer);
        self.counters.key_frame_requests += 1;
        self.advance(request.publisher, now);
    }

    fn room_of(&mut self, key: PeerKey) -> Option<&mut Room> {
        self.rooms.get_mut(&self.peers.get(&key)?.stage)
    }

    /// Writes the burst to everybody who follows its publishers.
    fn forward(&mut self, now: Instant) {
        // Draining followers can bring packets too, when somebody both publishes and follows on one connection.
        while !self.burst.is_empty() {
            let burst = std::mem::take(&mut self.burst);
            let mut publishers: Vec<PeerKey> = burst.iter().map(|(key, _)| *key).collect();
            publishers.dedup();
            publishers.sort_unstable();
            publishers.dedup();
            self.counters.packets_in += burst.len() as u64;
            for publisher in publishers {
                self.forward_of(publisher, &burst, now);
            }
        }
    }

    fn forward_of(&mut self, publisher: PeerKey, burst: &[(PeerKey, Packet)], now: Instant) {
        let at = now.saturating_duration_since(self.epoch);
        let Some(peer) = self.peers.get(&publisher) else { return };
        let Some(room) = self.rooms.get_mut(&peer.stage) else { return };
        let mut described = Vec::with_capacity(burst.len());
        for (_, packet) in burst.iter().filter(|(key, _)| *key == publisher) {
            let incoming =
                Incoming::describe(packet.codec, packet.layer, packet.sequence, packet.time, &packet.payload);
            match room.receive(publisher, &incoming, at) {
                Some(source) => described.push((source, incoming, packet)),
                None => self.counters.dropped_unwanted += 1,
            }
        }
        let followers = room.followers(publisher).to_vec();
        if let Some(peer) = self.peers.get_mut(&publisher) {
            described.iter().for_each(|(source, incoming, packet)| peer.keep(*source, incoming, packet));
        }
        let mut written_to = Vec::with_capacity(followers.len());
        for follower in followers {
            let Some(peer) = self.peers.get_mut(&follower) else { continue };
            let mut written = 0;
            for (source, incoming, packet) in &described {
                if let Some(numbers) = room.forward(follower, *source, incoming, at) {
                    peer.write(now, packet, &numbers);
                    written += 1;
                }
            }
            self.counters.packets_forwarded += written;
            self.counters.dropped_unwanted += described.len() as u64 - written;
            written_to.extend((written > 0).then_some(follower));
        }
        for follower in written_to {
            self.advance(follower, now);
        }
    }

    fn fire_timers(&mut self, now: Instant) {
        while let Some(Reverse((at, key))) = self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.timers.pop();
            let Some(peer) = self.peers.get_mut(&key) else { continue };
            match peer.timer_fired(at, now) {
                peer::Timer::Due => self.advance(key, now),
                peer::Timer::Later(later) => self.timers.push(Reverse((later, key))),
            }
        }
        self.forward(now);
    }

    fn tick(&mut self, now: Instant) {
        if self.next_tick.is_none_or(|at| at > now) {
            return;
        }
        let silent: Vec<(PeerKey, End)> = self
            .peers
            .iter()
            .filter_map(|(key, peer)| Some((*key, peer.overdue(now, &self.timeouts)?)))
            .collect();
        let broken = self.rooms.values().flat_map(|room| room.violations(&self.rules));
        let broken: Vec<(PeerKey, End)> = broken.map(|(key, rule)| (key, End::Violated(rule))).collect();
        for (key, end) in silent.into_iter().chain(broken) {
            if matches!(end, End::Expired | End::Violated(_)) {
                self.farewell(key);
            }
            self.end(key, end);
        }
        let at = now.saturating_duration_since(self.epoch);
        let mut requests: Vec<KeyFrameRequest> = Vec::new();
        for room in self.rooms.values_mut() {
            requests.extend(room.adjust(at));
            requests.extend(room.due(at));
        }
        for request in requests {
            self.request_key_frame(request, now);
        }
        self.plan(at);
        self.publish_counters();
        self.next_tick = (!self.peers.is_empty() || !self.unreported.is_empty()).then(|| now + TICK);
    }

    /// Ends a connection from our side, with a farewell to the peer.
    fn close(&mut self, key: PeerKey) {
        if self.peers.contains_key(&key) {
            self.farewell(key);
            self.end(key, End::Removed);
        }
    }

    fn farewell(&mut self, key: PeerKey) {
        if let Some(peer) = self.peers.get_mut(&key) {
            let mut farewell = Vec::new();
            peer.farewell(|to, contents| farewell.push((to, contents)));
            farewell.into_iter().for_each(|(to, contents)| self.post(to, contents));
        }
    }

    /// A datagram leaves with the next flush, or goes into the queue of a TCP connection.
    fn post(&mut self, to: Path, contents: Vec<u8>) {
        match to {
            Path::Udp(to) => self.outbox.push(to, &contents),
            Path::Tcp(to) => {
                let bytes = contents.len() as u64;
                match self.tcp.get(&to).map(|outputs| outputs.try_send(contents)) {
                    Some(Ok(())) => {
                        self.counters.datagrams_out += 1;
                        self.counters.bytes_out += bytes;
                        self.counters.messages_out += 1;
                    }
                    Some(Err(_)) | None => self.counters.dropped_unsent += 1,
                }
            }
        }
    }

    fn end(&mut self, key: PeerKey, end: End) {
        let Some(peer) = self.peers.remove(&key) else { return };
        self.demux.remove(key);
        self.tcp_demux.remove(key);
        if end == End::Failed {
            self.counters.failures += 1;
        }
        if let Some(room) = self.rooms.get_mut(&peer.stage) {
            match peer.role {
                Role::Publisher { .. } => room.unpublish(key),
                Role::Subscriber { .. } => room.unsubscribe(key),
            }
            if room.is_empty() {
                self.rooms.remove(&peer.stage);
            }
        }
        self.report(Report::Ended(key, end));
    }

    fn end_all(&mut self) {
        let keys: Vec<PeerKey> = self.peers.keys().copied().collect();
        for key in keys {
            self.close(key);
        }
        self.flush();
        self.publish_counters();
    }

    fn report(&mut self, report: Report) {
        self.unreported.push_back(report);
        self.send_reports();
    }

    fn send_reports(&mut self) {
        while let Some(report) = self.unreported.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(report)) = self.reports.try_send(report) {
                self.unreported.push_front(report);
                return;
            }
        }
    }

    fn publish_counters(&mut self) {
        self.send_reports();
        self.counters.rooms = self.rooms.len() as u64;
        self.counters.publishers = self.rooms.values().map(|room| room.publishers() as u64).sum();
        self.counters.subscribers = self.rooms.values().map(|room| room.subscribers() as u64).sum();
        let counters = self.counters;
        self.published.send_if_modified(|published| std::mem::replace(published, counters) != counters);
    }

    fn flush(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        let sent = self.socket.send(&mut self.outbox);
        self.counters.datagrams_out += sent.datagrams;
        self.counters.bytes_out += sent.bytes;
        self.counters.messages_out += sent.messages;
        self.counters.dropped_unsent += sent.dropped;
    }
}
