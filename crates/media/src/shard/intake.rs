//! What comes to a shard: commands, datagrams from its socket, and those that came over TCP. What a datagram holds is
//! its connection's business.

use std::io;
use std::sync::mpsc::TryRecvError;
use std::time::Instant;

use super::{Command, Shard};
use crate::engine::Path;
use crate::tcp;
use crate::udp::{BATCH, Inbox};

/// Batches taken before timers and commands get their turn.
const BATCHES_MAX: usize = 16;

impl Shard {
    pub(super) fn take_commands(&mut self) {
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

    pub(super) fn take_datagrams(&mut self, inbox: &mut Inbox) -> io::Result<()> {
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
    pub(super) fn take_tcp(&mut self) -> bool {
        let now = self.world.now();
        for _ in 0..BATCH {
            match self.tcp_inputs.try_recv() {
                Ok(tcp::Input::Opened(client, outputs)) => drop(self.tcp.insert(client, outputs)),
                Ok(tcp::Input::Closed { client, served }) => {
                    self.counters.tcp_turned_out += u64::from(!served);
                    self.tcp.remove(&client);
                }
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
}
