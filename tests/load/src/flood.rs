//! A flood from one address, beside a room in use: what it sends, and what comes back.
//!
//! Datagrams are distinct, and leave at a steady rate. Nothing here is meant to be answered.

mod datagrams;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stagedoor_media::client::{Client, Event};
use stagedoor_media::world::World;
use stagedoor_sfu::Codec;

use crate::task::Seat;
use crate::{Result, http};
use datagrams::{check, framed, hello};

/// Sent between two looks at the clock.
const AT_ONCE: u64 = 50;
/// TCP connections that are open at the same time.
const OPEN_MAX: usize = 400;
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// For answers to the last of it.
const LINGER: Duration = Duration::from_millis(200);

/// What is poured, how often and how fast.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Flood {
    kind: Kind,
    /// A subscriber's place, whose user name, address or session is used.
    seat: Seat,
    count: u64,
    per_second: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// ICE checks for user names that nobody has.
    UnknownUsers,
    /// ICE checks for the seat's user name, with a wrong integrity.
    WrongPasswords,
    /// DTLS hellos from an address that no session has.
    StrangeHellos,
    /// DTLS hellos from the seat's own address, after ICE and before any handshake: whole ones, then fragments, then
    /// with cookies that nobody gave out.
    Hellos,
    /// The same after the seat's handshake.
    LateHellos,
    /// Connections to the media port over TCP that say nothing, half of something, or something of nobody.
    Connections,
}

/// What was sent, and what came back.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Poured {
    sent: u64,
    sent_bytes: u64,
    answers: u64,
    answer_bytes: u64,
    seconds: f64,
}

/// Pours all of it.
pub(crate) fn pour(flood: &Flood, from: Ipv4Addr, world: &Arc<dyn World>) -> Result<Poured> {
    let session = Session::open(&flood.seat, from.into(), world, flood.kind)?;
    let pace = Pace::new(flood);
    let mut poured = Poured::default();
    match flood.kind {
        Kind::UnknownUsers => {
            stranger(from, &session, pace, &mut poured, |number| check("nobody:x", number))?
        }
        Kind::WrongPasswords => {
            let user = format!("{}:x", session.user);
            stranger(from, &session, pace, &mut poured, |number| check(&user, number))?;
        }
        Kind::StrangeHellos => {
            stranger(from, &session, pace, &mut poured, |number| hello(number, flood.count))?;
        }
        Kind::Hellos | Kind::LateHellos => own_address(session, pace, &mut poured)?,
        Kind::Connections => connections(session.media, pace, &mut poured)?,
    }
    Ok(poured)
}

// === the ways ===

/// From a socket that the server has never heard of.
fn stranger(
    from: Ipv4Addr,
    session: &Session,
    pace: Pace,
    poured: &mut Poured,
    datagram: impl Fn(u64) -> Vec<u8>,
) -> Result {
    let socket = UdpSocket::bind((from, 0))?;
    socket.connect(session.media)?;
    socket.set_nonblocking(true)?;
    let mut answer = [0; 2048];
    pace.keep(poured, |poured, numbers, wait| {
        for number in numbers {
            let datagram = datagram(number);
            // What the kernel does not take is not sent.
            if socket.send(&datagram).is_ok() {
                poured.sends(datagram.len());
            }
        }
        while let Ok(length) = socket.recv(&mut answer) {
            poured.hears(length);
        }
        std::thread::sleep(wait);
        Ok(())
    })
}

/// From the address of a session that did its ICE.
fn own_address(mut session: Session, pace: Pace, poured: &mut Poured) -> Result {
    let count = pace.count;
    // What the handshake cost is not the flood's.
    let before = session.heard.so_far();
    pace.keep(poured, |poured, numbers, wait| {
        for number in numbers {
            let datagram = hello(number, count);
            if session.client.send_raw(session.media, &datagram).is_ok() {
                poured.sends(datagram.len());
            }
        }
        // A session that has been ended goes on as a stranger.
        drop(session.client.run_until(Instant::now() + wait, |_| {}));
        Ok(())
    })?;
    let after = session.heard.so_far();
    (poured.answers, poured.answer_bytes) = (after.0 - before.0, after.1 - before.1);
    Ok(())
}

fn connections(media: SocketAddr, pace: Pace, poured: &mut Poured) -> Result {
    let mut open = VecDeque::new();
    pace.keep(poured, |poured, numbers, wait| {
        for number in numbers {
            if open.len() == OPEN_MAX {
                let oldest = open.pop_front();
                oldest.into_iter().for_each(|connection| poured.leave(connection));
            }
            let Ok(mut connection) = TcpStream::connect_timeout(&media, CONNECT_MAX) else { continue };
            let frame = framed(&check("nobody:x", number));
            let said = match number % 3 {
                0 => &frame[..0],
                1 => &frame[..frame.len() / 2],
                _ => &frame[..],
            };
            if connection.write_all(said).is_ok() {
                poured.sends(said.len());
            }
            open.push_back(connection);
        }
        std::thread::sleep(wait);
        Ok(())
    })?;
    open.into_iter().for_each(|connection| poured.leave(connection));
    Ok(())
}

/// A session of the seat's.
struct Session {
    client: Client,
    /// The server's part of the user name.
    user: String,
    media: SocketAddr,
    heard: Arc<Heard>,
}

/// What came from the server: whether anything did, and datagrams and bytes of DTLS.
#[derive(Debug, Default)]
struct Heard {
    anything: AtomicBool,
    datagrams: AtomicU64,
    bytes: AtomicU64,
}

impl Heard {
    /// `true`: it belongs to a handshake (RFC 7983).
    fn note(&self, datagram: &[u8]) -> bool {
        self.anything.store(true, Ordering::Relaxed);
        let handshake = datagram.first().is_some_and(|first| (20..64).contains(first));
        if handshake {
            self.datagrams.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(datagram.len() as u64, Ordering::Relaxed);
        }
        handshake
    }

    fn so_far(&self) -> (u64, u64) {
        (self.datagrams.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

impl Session {
    /// Posts, and goes as far as the flood needs it.
    fn open(seat: &Seat, from: IpAddr, world: &Arc<dyn World>, kind: Kind) -> Result<Session> {
        let Seat::Stage { url, token, .. } = seat else { return Err("floods are for stages".into()) };
        let (mut client, offer) = Client::subscriber(from, &[Codec::Opus, Codec::H264], Arc::clone(world))?;
        let answer = http::post_sdp(url, token, &offer)?;
        let user = attribute(&answer, "a=ice-ufrag:").ok_or("no user name")?.to_owned();
        let media = candidate(&answer).ok_or("no candidate over UDP")?;
        let heard = Arc::new(Heard::default());
        let counts = Arc::clone(&heard);
        client.set_filter(Box::new(move |datagram| {
            // Without the server's part there is no end of the handshake.
            !counts.note(datagram) || kind != Kind::Hellos
        }));
        let mut session = Session { client, user, media, heard };
        if matches!(kind, Kind::Hellos | Kind::LateHellos) {
            session.client.accept(&answer)?;
            session.run(|session, connected| match kind {
                Kind::LateHellos => connected,
                _ => session.heard.anything.load(Ordering::Relaxed),
            })?;
        }
        Ok(session)
    }

    fn run(&mut self, done: impl Fn(&Session, bool) -> bool) -> Result {
        let (end, mut connected) = (Instant::now() + CONNECT_MAX, false);
        while !done(self, connected) {
            if Instant::now() >= end {
                return Err("the flood's session could not connect".into());
            }
            let soon = Instant::now() + Duration::from_millis(5);
            self.client.run_until(soon, |event| connected |= matches!(event, Event::Connected))?;
        }
        Ok(())
    }
}

fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix(name))
}

/// The address of the first candidate over UDP (RFC 8839 §5.1).
fn candidate(sdp: &str) -> Option<SocketAddr> {
    sdp.lines().filter(|line| line.starts_with("a=candidate:")).find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, _, protocol, _, ip, port, ..] = words[..] else { return None };
        let ip: Ipv4Addr = ip.parse().ok()?;
        protocol.eq_ignore_ascii_case("udp").then_some(SocketAddr::from((ip, port.parse().ok()?)))
    })
}

// === how fast, and what came of it ===

/// A number of things at a rate.
struct Pace {
    count: u64,
    per_second: u64,
}

impl Pace {
    fn new(flood: &Flood) -> Pace {
        Pace { count: flood.count, per_second: flood.per_second.max(1) }
    }

    /// Calls `some` with the numbers whose time has come, and for how long it may then wait.
    fn keep(
        &self,
        poured: &mut Poured,
        mut some: impl FnMut(&mut Poured, std::ops::Range<u64>, Duration) -> Result,
    ) -> Result {
        let start = Instant::now();
        let mut next = 0;
        while next < self.count {
            let end = (next + AT_ONCE).min(self.count);
            let due = start + Duration::from_secs_f64(end as f64 / self.per_second as f64);
            some(poured, next..end, due.saturating_duration_since(Instant::now()))?;
            next = end;
        }
        poured.seconds = start.elapsed().as_secs_f64();
        some(poured, next..next, LINGER)?;
        some(poured, next..next, Duration::ZERO)
    }
}

impl Poured {
    fn sends(&mut self, bytes: usize) {
        self.sent += 1;
        self.sent_bytes += bytes as u64;
    }

    fn hears(&mut self, bytes: usize) {
        self.answers += 1;
        self.answer_bytes += bytes as u64;
    }

    /// Takes what was answered on a connection, and breaks it off.
    fn leave(&mut self, mut connection: TcpStream) {
        let mut answer = [0; 2048];
        if connection.set_nonblocking(true).is_ok()
            && let Ok(length) = connection.read(&mut answer)
            && length > 0
        {
            self.hears(length);
        }
        // Without a pause in which the port is kept (TIME_WAIT): there are fewer ports than connections.
        let reset = libc::linger { l_onoff: 1, l_linger: 0 };
        let length = size_of::<libc::linger>() as libc::socklen_t;
        let (socket, level, option) = (connection.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER);
        // SAFETY: the value is a live linger of the length given. A refusal leaves an orderly end.
        unsafe { libc::setsockopt(socket, level, option, (&raw const reset).cast(), length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_candidate_over_udp_is_found() {
        let sdp =
            "a=candidate:1 1 TCP 9 10.0.0.1 9 typ host\r\na=candidate:2 1 UDP 8 10.0.0.2 7 typ host\r\n";
        assert_eq!(candidate(sdp), Some(SocketAddr::from(([10, 0, 0, 2], 7))));
    }
}
