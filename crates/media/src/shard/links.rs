//! The ways between the shards of one server: to each other shard a bounded queue of letters and one of stray
//! datagrams, which no thread ever waits for.
//!
//! Letters arrive in order. Those that must not be lost wait for room on the sender's side; packets do not: a shard that
//! is too slow loses bursts, which is counted and repaired by a key frame, and holds up nobody. Strays have a queue
//! of their own, so that garbage from the network cannot take the place of packets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use stagedoor_sfu::{Notice, PeerKey, ShardId, To};
use tokio::sync::mpsc;

use super::handle::Command;
use super::home::Home;
use super::mirror::Burst;
use super::peer::Peer;
use crate::engine::Path;
use crate::udp::Waker;

/// Letters that may wait for one shard. A burst is a frame or some of them: this is about a second of ten publishers.
const LETTERS_MAX: usize = 1024;
/// Stray datagrams that may wait for one shard.
const STRAYS_MAX: usize = 1024;

/// What one shard sends another.
pub enum Letter {
    /// About publishers and followers.
    Notice(Notice),
    /// Packets of a publisher that the reader follows.
    Burst(Box<Burst>),
    /// A command for a connection that has moved to the reader.
    Command(Command),
    /// A connection that has become connected through the reader's socket.
    Moved(Box<Moved>),
    /// The reader's socket receives datagrams for a connection of the writer.
    Learn { peer: PeerKey, ufrag: String, path: Path },
    /// A connection has ended of which the reader may know an address.
    Forget(PeerKey),
    /// The TCP connection of this client has ended, or is to end.
    TcpClosed(SocketAddr),
}

/// A connection on its way to another shard.
pub struct Moved {
    pub key: PeerKey,
    pub ufrag: String,
    pub paths: Vec<Path>,
    pub peer: Peer,
}

/// A datagram that came to another shard than its connection's.
pub struct Stray {
    /// The shard whose socket received it.
    pub via: ShardId,
    pub from: Path,
    pub datagram: Vec<u8>,
    /// The way back, if it came over TCP.
    pub outputs: Option<mpsc::Sender<Vec<u8>>>,
}

/// One shard's ends of the ways.
pub struct Links {
    pub home: Home,
    letters: Receiver<(ShardId, Letter)>,
    strays: Receiver<Stray>,
    /// By shard; there is none to oneself.
    others: Vec<Option<Link>>,
}

struct Link {
    letters: SyncSender<(ShardId, Letter)>,
    strays: SyncSender<Stray>,
    waker: Arc<Waker>,
    /// Letters that found no room and must not be lost.
    unsent: VecDeque<Letter>,
    /// Something was sent since the other shard was last woken.
    wakes: bool,
}

impl Links {
    /// The links of each of as many shards as there are wakers.
    pub fn among(wakers: &[Arc<Waker>]) -> Vec<Links> {
        let (letters, letter_ends): (Vec<_>, Vec<_>) =
            wakers.iter().map(|_| sync_channel(LETTERS_MAX)).unzip();
        let (strays, stray_ends): (Vec<_>, Vec<_>) = wakers.iter().map(|_| sync_channel(STRAYS_MAX)).unzip();
        let ends = letter_ends.into_iter().zip(stray_ends).enumerate();
        let links = ends.map(|(here, (letter_end, stray_end))| Links {
            home: Home::new(here, wakers.len()),
            letters: letter_end,
            strays: stray_end,
            others: (0..wakers.len())
                .map(|there| {
                    (there != here).then(|| Link {
                        letters: letters[there].clone(),
                        strays: strays[there].clone(),
                        waker: wakers[there].clone(),
                        unsent: VecDeque::new(),
                        wakes: false,
                    })
                })
                .collect(),
        });
        links.collect()
    }

    pub fn alone(&self) -> bool {
        self.others.len() == 1
    }

    pub fn next_letter(&self) -> Option<(ShardId, Letter)> {
        self.letters.try_recv().ok()
    }

    pub fn next_stray(&self) -> Option<Stray> {
        self.strays.try_recv().ok()
    }

    /// Sends a letter that must arrive.
    pub fn tell(&mut self, to: ShardId, letter: Letter) {
        let here = self.home.here();
        if let Some(link) = self.link(to) {
            link.unsent.push_back(letter);
            link.send_unsent(here);
        }
    }

    pub fn tell_all(&mut self, letter: impl Fn() -> Letter) {
        (0..self.others.len()).for_each(|shard| self.tell(ShardId(shard as u16), letter()));
    }

    pub fn notify(&mut self, to: To, notice: Notice) {
        match to {
            To::One(shard) => self.tell(shard, Letter::Notice(notice)),
            To::Everybody => self.tell_all(|| Letter::Notice(notice.clone())),
        }
    }

    /// Sends packets. `false`: there is no room, they are lost.
    pub fn send(&mut self, to: ShardId, burst: Burst) -> bool {
        let here = self.home.here();
        let Some(link) = self.link(to) else { return false };
        // Packets do not overtake what must come before them.
        let sent =
            link.unsent.is_empty() && link.letters.try_send((here, Letter::Burst(Box::new(burst)))).is_ok();
        link.wakes |= sent;
        sent
    }

    /// Hands a stray over. `false`: there is no room, it is lost.
    pub fn hand_over(&mut self, to: ShardId, stray: Stray) -> bool {
        let Some(link) = self.link(to) else { return false };
        let sent = link.strays.try_send(stray).is_ok();
        link.wakes |= sent;
        sent
    }

    /// Wakes the shards that were sent something. `true`: letters still wait for room.
    pub fn flush(&mut self) -> bool {
        let here = self.home.here();
        let mut waiting = false;
        for link in self.others.iter_mut().flatten() {
            link.send_unsent(here);
            waiting |= !link.unsent.is_empty();
            if std::mem::take(&mut link.wakes) {
                link.waker.wake();
            }
        }
        waiting
    }

    fn link(&mut self, to: ShardId) -> Option<&mut Link> {
        self.others.get_mut(usize::from(to.0))?.as_mut()
    }
}

impl Link {
    fn send_unsent(&mut self, here: ShardId) {
        while let Some(letter) = self.unsent.pop_front() {
            match self.letters.try_send((here, letter)) {
                Ok(()) => self.wakes = true,
                Err(TrySendError::Full((_, letter))) => {
                    self.unsent.push_front(letter);
                    // Whoever reads them makes room.
                    self.wakes = true;
                    return;
                }
                // That shard has ended, and with it the server.
                Err(TrySendError::Disconnected(_)) => self.unsent.clear(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::udp::Socket;

    fn links(count: usize) -> Vec<Links> {
        let sockets = Socket::bind_all(SocketAddr::from(([127, 0, 0, 1], 0)), count).expect("a free port");
        let wakers = sockets.iter().map(|socket| Arc::new(socket.waker().expect("has one")));
        Links::among(&wakers.collect::<Vec<_>>())
    }

    fn burst() -> Burst {
        Burst::copy(PeerKey(1), std::iter::empty())
    }

    #[test]
    fn a_slow_shard_loses_packets_and_no_letters_and_delays_nobody() {
        let mut links = links(3);
        let (slow, quick) = (ShardId(1), ShardId(2));
        let fits = (0..2 * LETTERS_MAX).take_while(|_| links[0].send(slow, burst())).count();
        assert_eq!(fits, LETTERS_MAX);
        // What must arrive waits, and nothing overtakes it.
        links[0].tell(slow, Letter::Forget(PeerKey(7)));
        assert!(links[0].flush(), "a letter waits");
        assert!(matches!(links[1].next_letter(), Some((ShardId(0), Letter::Burst(_)))));
        assert!(!links[0].send(slow, burst()));
        assert!(links[0].send(quick, burst()));
        assert!(links[2].next_letter().is_some());
        assert!(!links[0].flush(), "it has found room");
        let rest: Vec<Letter> =
            std::iter::from_fn(|| links[1].next_letter()).map(|(_, letter)| letter).collect();
        assert_eq!(rest.len(), LETTERS_MAX);
        assert!(matches!(rest.last(), Some(Letter::Forget(PeerKey(7)))));
    }

    #[test]
    fn strays_have_a_bound_too() {
        let mut links = links(2);
        let from = Path::Udp(SocketAddr::from(([127, 0, 0, 1], 9)));
        let stray = || Stray { via: ShardId(0), from, datagram: vec![0; 20], outputs: None };
        let fits = (0..2 * STRAYS_MAX).take_while(|_| links[0].hand_over(ShardId(1), stray())).count();
        assert_eq!(fits, STRAYS_MAX);
        assert!(links[0].send(ShardId(1), burst()), "packets have a way of their own");
        assert!(!links[0].hand_over(ShardId(0), stray()), "there is no way to oneself");
    }
}
