//! All subscribers, on one thread and one socket.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Result;
use crate::join::{self, Joined};
use crate::member::Member;
use crate::publisher::SendClock;
use crate::report::{Report, Spread};
use crate::socket::{Inbox, Socket};
use crate::stream::Datagram;
use crate::task::{Phase, Task, place};

/// The thread looks for newcomers and at the phase at least this often.
const PATIENCE: Duration = Duration::from_millis(2);
/// How long everybody may take to connect.
const JOIN_MAX: Duration = Duration::from_secs(120);

/// The running thread.
pub(crate) struct Crowd {
    thread: JoinHandle<Result<Report>>,
    complete: Receiver<Duration>,
}

impl Crowd {
    /// Waits until all are connected; how long that took from the first POST.
    pub(crate) fn joined(&self) -> Result<Duration> {
        self.complete.recv_timeout(JOIN_MAX).map_err(|_| "not all subscribers could connect".into())
    }

    pub(crate) fn finish(self) -> Result<Report> {
        self.thread.join().map_err(|_| "the subscribers' thread failed")?
    }
}

/// Lets the subscribers of a task join and count.
pub(crate) fn start(task: &Task, clocks: Vec<Arc<SendClock>>, phase: &Arc<Phase>) -> Result<Crowd> {
    let socket = Socket::bind()?;
    let (permit, permits) = sync_channel(task.subscribers.len() + task.joins_at_once);
    let (sender, newcomers) = sync_channel(16);
    let (report, complete) = mpsc::sync_channel(1);
    for _ in 0..task.joins_at_once {
        permit.send(())?;
    }
    join::start(task, socket.port, permits, sender);
    let running = Running {
        members: task.subscribers.iter().map(|_| None).collect(),
        addresses: (0..task.subscribers.len()).map(|place| task.subscriber_address(place)).collect(),
        timers: BinaryHeap::new(),
        delays: Vec::new(),
        full: task.full,
        counting: false,
        began: Instant::now(),
        unconnected: task.subscribers.len(),
        socket,
        clocks,
        phase: Arc::clone(phase),
        permit,
        complete: report,
    };
    let thread = thread::spawn(move || running.run(&newcomers).inspect_err(|error| eprintln!("{error}")));
    Ok(Crowd { thread, complete })
}

struct Running {
    socket: Socket,
    members: Vec<Option<Member>>,
    addresses: Vec<std::net::Ipv4Addr>,
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    clocks: Vec<Arc<SendClock>>,
    phase: Arc<Phase>,
    delays: Vec<f64>,
    full: bool,
    counting: bool,
    began: Instant,
    unconnected: usize,
    permit: SyncSender<()>,
    complete: SyncSender<Duration>,
}

impl Running {
    fn run(mut self, newcomers: &Receiver<Result<Joined>>) -> Result<Report> {
        let mut inbox = Inbox::new();
        while !self.phase.over() {
            if self.phase.counts() && !self.counting {
                self.counting = true;
                self.delays.clear();
                self.members.iter_mut().flatten().for_each(Member::begin);
            }
            if self.unconnected > 0 {
                while let Ok(newcomer) = newcomers.try_recv() {
                    self.welcome(newcomer?)?;
                }
            }
            let count = self.socket.receive(&mut inbox)?;
            let now = Instant::now();
            for datagram in inbox.datagrams() {
                let Some(place) = place(datagram.to) else { continue };
                self.take(place, now, datagram.from, datagram.nanos, datagram.contents)?;
            }
            self.fire_timers(now)?;
            if count == 0 {
                self.socket.wait(PATIENCE)?;
            }
        }
        Ok(self.report())
    }

    fn welcome(&mut self, joined: Joined) -> Result {
        let (place, clock) = (joined.place, Arc::clone(&self.clocks[joined.publisher]));
        self.members[place] = Some(Member::new(joined, self.addresses[place], self.socket.port, clock));
        self.advance(place, Instant::now())
    }

    fn take(
        &mut self,
        place: usize,
        now: Instant,
        from: std::net::SocketAddr,
        nanos: u64,
        bytes: &[u8],
    ) -> Result {
        let Some(member) = self.members.get_mut(place).and_then(Option::as_mut) else { return Ok(()) };
        let kind = Datagram::of(bytes);
        if let Datagram::Media(head) = &kind {
            let delay = member.count(head, now, nanos);
            self.delays.extend(delay.filter(|_| self.counting));
        }
        // A light subscriber reads nothing that is encrypted, but goes on answering for its address.
        if !self.full && kind != Datagram::Other {
            return Ok(());
        }
        let (socket, address) = (&self.socket, member.address);
        let waited = member.connected.is_none();
        member.receive(now, from, bytes, |to, bytes| socket.send(address, to, bytes))?;
        self.moved(place, waited)
    }

    fn advance(&mut self, place: usize, now: Instant) -> Result {
        let Some(member) = self.members.get_mut(place).and_then(Option::as_mut) else { return Ok(()) };
        let (socket, address) = (&self.socket, member.address);
        let waited = member.connected.is_none();
        member.advance(now, |to, bytes| socket.send(address, to, bytes))?;
        self.moved(place, waited)
    }

    /// After a connection has moved: it may want to be woken sooner, or be connected now.
    fn moved(&mut self, place: usize, waited: bool) -> Result {
        let Some(member) = self.members[place].as_mut() else { return Ok(()) };
        if member.queued_at.is_none_or(|queued| member.wake_at < queued) {
            member.queued_at = Some(member.wake_at);
            self.timers.push(Reverse((member.wake_at, place)));
        }
        if waited && member.connected.is_some() {
            self.unconnected -= 1;
            // Nobody takes the permits of the last ones, and there is room for all.
            self.permit.send(()).ok();
            if self.unconnected == 0 {
                self.complete.send(self.began.elapsed())?;
            }
        }
        Ok(())
    }

    fn fire_timers(&mut self, now: Instant) -> Result {
        while let Some(Reverse((at, place))) =
            self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.timers.pop();
            // An entry that an earlier one has replaced says nothing.
            let Some(member) = self.members[place].as_mut().filter(|member| member.queued_at == Some(at))
            else {
                continue;
            };
            member.queued_at = None;
            if member.wake_at <= now { self.advance(place, now)? } else { self.moved(place, false)? }
        }
        Ok(())
    }

    fn report(self) -> Report {
        let members: Vec<Member> = self.members.into_iter().flatten().collect();
        let mut report = Report {
            delay: Spread::of(self.delays),
            answered: Spread::of(members.iter().map(|member| member.answered).collect()),
            connected: Spread::of(members.iter().filter_map(|member| member.connected).collect()),
            first_frame: Spread::of(members.iter().filter_map(|member| member.first_frame).collect()),
            ..Report::default()
        };
        for (received, missing) in members.iter().map(Member::counts) {
            report.received += received;
            report.missing += missing;
        }
        report
    }
}
