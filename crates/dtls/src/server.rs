//! One connection: takes datagrams and times, says what is to be sent, told and waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Error;
use crate::assembly::Assembly;
use crate::bytes::Reader;
use crate::handshake::{Agreed, Handshake, Next};
use crate::hello::Profile;
use crate::identity::Identity;
use crate::link::{Link, Part};
use crate::message::FINISHED;
use crate::record::{self, ALERT, APPLICATION_DATA, HANDSHAKE, Header, Window};

/// The first wait for an answer; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(400);
/// From the client's hello to its Finished.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// How often a flight is sent again because the peer repeats its own: a bound on what forged repetitions can bring
/// about. For want of an answer it is sent again besides.
const REPEATS_MAX: u32 = 12;
/// Records that came before the keys to open them: a Finished that overtook the rest of its flight.
const EARLY_MAX: usize = 2;
const EARLY_LEN_MAX: usize = 256;
/// RFC 5246 §6.2.1.
const RECORD_LEN_MAX: usize = 1 << 14;
/// Payloads that wait to be taken.
const DATA_MAX: usize = 64;
/// "Nothing to wait for."
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

const WARNING: u8 = 1;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;

/// What is to be done. To be asked for after each input until it is [`Output::Wait`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Datagram(Vec<u8>),
    /// The peer's certificate in DER, whose key the peer has shown to own. Compare it with what was signalled before
    /// anything else is done: it comes before [`Output::Connected`], and before our last flight.
    Certificate(Vec<u8>),
    /// The client's key, the server's key, the client's salt, the server's salt.
    SrtpKeys(Profile, Vec<u8>),
    Connected,
    Data(Vec<u8>),
    /// The peer said goodbye.
    Closed,
    /// Nothing more until then, or until a datagram comes.
    Wait(Instant),
}

/// The server's side of one connection.
pub struct Server {
    identity: Arc<Identity>,
    now: Instant,
    phase: Phase,
    link: Link,
    window: Window,
    timer: Timer,
    events: VecDeque<Output>,
}

enum Phase {
    Handshake(Box<Talk>),
    Connected { repeats: u32 },
    Closed,
    Failed(Error),
}

/// What is only needed until there is a connection.
struct Talk {
    handshake: Handshake,
    assembly: Assembly,
    early: Vec<(Header, Vec<u8>)>,
    repeats: u32,
    /// Known from the first moment after the client's hello that we are told.
    deadline: Option<Instant>,
}

/// When an unanswered flight is sent again.
#[derive(Clone, Copy)]
enum Timer {
    Off,
    /// From the next moment that we are told, for so long.
    Start(Duration),
    At(Instant, Duration),
}

impl Server {
    /// A connection that waits for its client. No datagram that it sends is longer than `datagram_max` bytes, except
    /// for data that is.
    pub fn new(identity: Arc<Identity>, datagram_max: usize, now: Instant) -> Server {
        let talk = Talk {
            handshake: Handshake::new(),
            assembly: Assembly::default(),
            early: Vec::new(),
            repeats: 0,
            deadline: None,
        };
        Server {
            identity,
            now,
            phase: Phase::Handshake(Box::new(talk)),
            link: Link::new(datagram_max),
            window: Window::default(),
            timer: Timer::Off,
            events: VecDeque::new(),
        }
    }

    /// Takes a datagram. What is no good in it is dropped; what ends the connection is told by [`Server::advance`],
    /// so that the alert can leave before.
    pub fn receive(&mut self, datagram: &[u8]) {
        let mut reader = Reader(datagram);
        while let Some((header, body)) = record::next(&mut reader) {
            if let Err(error) = self.record(header, body) {
                self.fail(error);
            }
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// Why there is no connection, or none any more, once everything has been polled. It stays so.
    pub fn advance(&mut self, now: Instant) -> Result<(), Error> {
        self.now = now;
        if let Phase::Handshake(talk) = &self.phase
            && talk.deadline.is_some_and(|deadline| deadline <= now)
        {
            self.fail(Error::Timeout);
        }
        if let Phase::Failed(error) = self.phase {
            // Once the alert has been taken.
            return if self.link.is_idle() { Err(error) } else { Ok(()) };
        }
        match self.timer {
            Timer::Start(wait) => {
                self.timer = Timer::At(now + wait, wait);
                if let Phase::Handshake(talk) = &mut self.phase {
                    talk.deadline.get_or_insert(now + HANDSHAKE_MAX);
                }
            }
            Timer::At(at, wait) if at <= now => {
                self.timer = Timer::At(now + 2 * wait, 2 * wait);
                self.link.repeat_flight()?;
            }
            Timer::At(..) | Timer::Off => {}
        }
        Ok(())
    }

    pub fn poll(&mut self) -> Output {
        // Events first: who refuses the certificate must be able to do so before our last flight has left.
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        match self.link.pop() {
            Some(datagram) => Output::Datagram(datagram),
            None => Output::Wait(self.wait()),
        }
    }

    /// Sends data, in one record.
    ///
    /// # Errors
    ///
    /// [`Error::NotConnected`] before the handshake is over and after the connection is; [`Error::TooLong`] for more
    /// than a record takes.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        match self.phase {
            Phase::Connected { .. } if data.len() > RECORD_LEN_MAX => Err(Error::TooLong),
            Phase::Connected { .. } => self.link.send(1, APPLICATION_DATA, data),
            _ => Err(Error::NotConnected),
        }
    }

    /// Says goodbye, if there is a connection.
    pub fn close(&mut self) {
        if let Phase::Connected { .. } = self.phase {
            self.close_notify();
        }
        if !matches!(self.phase, Phase::Failed(_)) {
            self.end(Phase::Closed);
        }
    }

    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected { .. })
    }

    /// Whether either side has said goodbye.
    pub fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether it is over and everything has been polled.
    pub fn is_closed(&self) -> bool {
        self.is_closing() && self.link.is_idle() && self.events.is_empty()
    }

    fn wait(&self) -> Instant {
        if let Phase::Failed(_) = self.phase {
            return self.now;
        }
        let repeat = match self.timer {
            Timer::Off => self.now + LONG,
            Timer::Start(_) => self.now,
            Timer::At(at, _) => at,
        };
        match &self.phase {
            Phase::Handshake(talk) => talk.deadline.map_or(repeat, |deadline| repeat.min(deadline)),
            _ => repeat,
        }
    }

    fn record(&mut self, header: Header, body: &[u8]) -> Result<(), Error> {
        match (&mut self.phase, header.epoch) {
            (Phase::Handshake(_), 0) => self.open_record(header, body),
            (Phase::Handshake(_) | Phase::Connected { .. }, 1) => self.sealed_record(header, body),
            _ => Ok(()),
        }
    }

    /// A record of the handshake that anybody could have written.
    fn open_record(&mut self, header: Header, body: &[u8]) -> Result<(), Error> {
        match (header.kind, body) {
            (HANDSHAKE, body) => self.fragments(header.epoch, body),
            (ALERT, &[FATAL, alert]) => Err(Error::Alert(alert)),
            // The keys change when Finished comes under the new ones, so nothing hangs on the record that says so.
            _ => Ok(()),
        }
    }

    fn sealed_record(&mut self, header: Header, body: &[u8]) -> Result<(), Error> {
        let Some(ciphers) = self.link.ciphers() else {
            self.keep_early(header, body);
            return Ok(());
        };
        if !self.window.is_new(header.sequence) {
            return Ok(());
        }
        let Some(plain) = ciphers.open(header, body) else { return Ok(()) };
        self.window.mark(header.sequence);
        match (&self.phase, header.kind) {
            (Phase::Handshake(_), HANDSHAKE) => self.fragments(header.epoch, &plain),
            // The peer has not got our last flight. Other messages, a wish to renegotiate say, are left unanswered.
            (Phase::Connected { .. }, HANDSHAKE) if plain.first() == Some(&FINISHED) => self.repeat(),
            (Phase::Connected { .. }, APPLICATION_DATA) => {
                self.data(plain);
                Ok(())
            }
            (_, ALERT) => self.alert(&plain),
            _ => Ok(()),
        }
    }

    fn keep_early(&mut self, header: Header, body: &[u8]) {
        if let Phase::Handshake(talk) = &mut self.phase
            && talk.early.len() < EARLY_MAX
            && body.len() <= EARLY_LEN_MAX
        {
            talk.early.push((header, body.to_vec()));
        }
    }

    fn data(&mut self, plain: Vec<u8>) {
        if self.events.len() < DATA_MAX {
            self.events.push_back(Output::Data(plain));
        }
    }

    fn alert(&mut self, plain: &[u8]) -> Result<(), Error> {
        match *plain {
            [_, CLOSE_NOTIFY] => {
                self.close_notify();
                self.end(Phase::Closed);
                self.events.push_back(Output::Closed);
                Ok(())
            }
            [FATAL, alert] => Err(Error::Alert(alert)),
            _ => Ok(()),
        }
    }

    fn fragments(&mut self, epoch: u16, record: &[u8]) -> Result<(), Error> {
        let Phase::Handshake(talk) = &mut self.phase else { return Ok(()) };
        let repeats = talk.assembly.take(epoch, record);
        let mut heard = false;
        while let Phase::Handshake(talk) = &mut self.phase
            && let Some(message) = talk.assembly.pop()
        {
            heard = true;
            let next = talk.handshake.take(&self.identity, &message)?;
            self.follow(next)?;
        }
        // It repeats its flight for want of ours. With something new in it, it only sends the rest of its own.
        if repeats && !heard { self.repeat() } else { Ok(()) }
    }

    fn follow(&mut self, next: Next) -> Result<(), Error> {
        match next {
            Next::Listen => Ok(()),
            Next::Answer(messages) => {
                self.timer = Timer::Start(WAIT_FIRST);
                self.link.send_flight(messages.into_iter().map(Part::Message).collect())
            }
            Next::Keyed(ciphers) => {
                self.link.set_ciphers(ciphers);
                let Phase::Handshake(talk) = &mut self.phase else { return Ok(()) };
                for (header, body) in std::mem::take(&mut talk.early) {
                    self.sealed_record(header, &body)?;
                }
                Ok(())
            }
            Next::Agreed(agreed) => self.connect(agreed),
        }
    }

    fn connect(&mut self, agreed: Agreed) -> Result<(), Error> {
        self.end(Phase::Connected { repeats: 0 });
        self.events.push_back(Output::Certificate(agreed.certificate));
        self.events.push_back(Output::SrtpKeys(agreed.profile, agreed.srtp_keys));
        self.events.push_back(Output::Connected);
        self.link.send_flight(vec![Part::ChangeCipherSpec, Part::Message(agreed.finished)])
    }

    /// The peer repeats itself.
    fn repeat(&mut self) -> Result<(), Error> {
        let repeats = match &mut self.phase {
            Phase::Handshake(talk) => &mut talk.repeats,
            Phase::Connected { repeats } => repeats,
            Phase::Closed | Phase::Failed(_) => return Ok(()),
        };
        *repeats += 1;
        if *repeats > REPEATS_MAX { Ok(()) } else { self.link.repeat_flight() }
    }

    fn close_notify(&mut self) {
        // That it cannot be said is no reason not to end.
        let _ = self.link.send(1, ALERT, &[WARNING, CLOSE_NOTIFY]);
    }

    fn fail(&mut self, error: Error) {
        if let Some(alert) = error.alert() {
            let _ = self.link.send(0, ALERT, &[FATAL, alert]);
        }
        self.end(Phase::Failed(error));
    }

    /// Lets go of what the phase before needed.
    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.timer = Timer::Off;
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}
