//! One connection on a shard: the engine's half of it, when it was last heard, and its place in the timer queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use stagedoor_sfu::{Choice, Incoming, Kind, Outgoing, ShardId, TrackSpec, Violation, Wanted};

use crate::config::Timeouts;
use crate::engine::{Connection, Failure, IceRestart, Output, Packet, Path};
use crate::shard::Seat;
use crate::shard::checks::Checks;
use crate::shard::group::Group;

/// What a connection is for. The participant is the one who publishes, in both cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Publisher { participant: Arc<str>, tracks: Vec<TrackSpec> },
    Subscriber { participant: Arc<str>, wanted: Vec<Wanted>, choice: Choice },
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The peer closed it.
    Left,
    /// It was removed by command.
    Removed,
    /// Nothing was heard of the peer for too long (RFC 7675: its consent has expired).
    Silent,
    /// ICE or DTLS was not finished in time.
    NeverConnected,
    /// The publisher broke a rule.
    Violated(Violation),
    /// It lasted for as long as it may.
    Expired,
    /// The engine failed.
    Failed,
}

pub struct Peer {
    pub stage: Arc<str>,
    pub role: Role,
    pub connected: bool,
    /// The shard that handed its last datagram over, if one did.
    pub via: Option<ShardId>,
    /// The shard to which it moves when its engine has nothing more to say for now.
    pub departs: Option<ShardId>,
    /// Other shards have been told of it.
    pub known_elsewhere: bool,
    connection: Box<dyn Connection>,
    checks: Checks,
    created: Instant,
    heard: Instant,
    /// When the engine wants to be woken.
    wake_at: Instant,
    /// The earliest entry in the shard's timer queue; entries are not moved when `wake_at` moves to later.
    queued_at: Option<Instant>,
    /// Of a publisher that makes no key frames on demand.
    group: Option<Group>,
}

/// What to do about a timer that fired.
pub enum Timer {
    Due,
    Later(Instant),
}

impl Peer {
    pub fn new(seat: Seat, now: Instant) -> Peer {
        let group = (!seat.connection.makes_key_frames()).then(Group::default);
        Peer {
            stage: seat.stage,
            role: seat.role,
            connected: false,
            via: None,
            departs: None,
            known_elsewhere: false,
            connection: seat.connection,
            checks: Checks::default(),
            created: now,
            heard: now,
            wake_at: now,
            queued_at: None,
            group,
        }
    }

    pub fn receive(&mut self, now: Instant, from: Path, datagram: &[u8]) -> Result<bool, End> {
        if self.checks.is_copy(from, datagram) {
            return Ok(false);
        }
        let accepted = guarded(|| self.connection.receive(now, from, datagram))?;
        if accepted {
            self.heard = now;
            self.checks.note(from, datagram);
        }
        Ok(accepted)
    }

    /// Its packets came by another way than [`Peer::receive`].
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Keeps a packet that it published for those who come later, if it cannot be asked for a key frame.
    pub fn keep(&mut self, incoming: &Incoming, packet: &Packet) {
        if let Some(group) = &mut self.group {
            group.note(incoming, packet);
        }
    }

    /// What a new subscriber is to be given; `None` if a key frame can be asked for.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// It is on another shard now, whose timer queue knows nothing of it.
    pub fn arrived(&mut self) {
        self.queued_at = None;
        (self.via, self.departs) = (None, None);
    }

    pub fn advance(&mut self, now: Instant) -> Result<(), End> {
        guarded(|| self.connection.advance(now))
    }

    pub fn restart_ice(&mut self, restart: &IceRestart) -> Result<(), End> {
        guarded(|| self.connection.restart_ice(restart))
    }

    pub fn poll(&mut self) -> Result<Output, End> {
        guarded(|| self.connection.poll())
    }

    pub fn write(&mut self, now: Instant, packet: &Packet, numbers: &Outgoing) {
        self.connection.write(now, packet, numbers);
    }

    pub fn plan(&mut self, present: u64, top: u64) {
        self.connection.plan(present, top);
    }

    /// See [`Connection::loss`].
    pub fn loss(&self) -> Option<f32> {
        self.connection.loss()
    }

    pub fn request_key_frame(&mut self, kind: Kind, layer: u8) {
        self.connection.request_key_frame(kind, layer);
    }

    /// Says goodbye and hands out the datagrams that do.
    pub fn farewell(&mut self, mut send: impl FnMut(Path, Vec<u8>)) {
        self.connection.close();
        while let Ok(output) = self.poll() {
            match output {
                Output::Datagram { to, contents } => send(to, contents),
                Output::Wait(_) | Output::Closed => return,
                Output::Connected | Output::Packet(_) | Output::KeyFrameWanted | Output::Bandwidth(_) => {}
            }
        }
    }

    /// Notes when the engine wants to be woken. Returns a timer to queue, if none that fires early enough is.
    pub fn schedule(&mut self, at: Instant) -> Option<Instant> {
        self.wake_at = at;
        if self.queued_at.is_some_and(|queued| queued <= at) {
            return None;
        }
        self.queued_at = Some(at);
        Some(at)
    }

    /// A timer queued for `at` has fired.
    pub fn timer_fired(&mut self, at: Instant, now: Instant) -> Timer {
        if self.queued_at == Some(at) {
            self.queued_at = None;
        }
        if self.wake_at <= now {
            return Timer::Due;
        }
        self.queued_at = Some(self.queued_at.map_or(self.wake_at, |queued| queued.min(self.wake_at)));
        Timer::Later(self.wake_at)
    }

    /// Whether the peer has been silent or here for too long.
    pub fn overdue(&self, now: Instant, timeouts: &Timeouts) -> Option<End> {
        if !self.connected && now.saturating_duration_since(self.created) >= timeouts.connect {
            return Some(End::NeverConnected);
        }
        if self.connected && now.saturating_duration_since(self.created) >= timeouts.stream {
            return Some(End::Expired);
        }
        let silence = now.saturating_duration_since(self.heard);
        (self.connected && silence >= timeouts.consent).then_some(End::Silent)
    }
}

/// Runs engine code so that a defect in it ends this connection and no other.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, End> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => {
            tracing::info!(%failure, "a media connection failed");
            Err(End::Failed)
        }
        Err(_) => {
            tracing::error!("the media engine panicked; its connection is dropped");
            Err(End::Failed)
        }
    }
}
