//! What comes to a shard: commands, datagrams from its socket, and those that came over TCP. What a datagram holds is
//! its connection's business.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::TryRecvError;
use std::time::Instant;

use stagedoor_sfu::ShardId;

use super::links::Letter;
use super::{Command, Shard, TcpClient};
use crate::engine::Path;
use crate::tcp;
use crate::udp::{BATCH, Inbox};

/// Batches taken before timers and commands get their turn.
const BATCHES_MAX: usize = 16;

impl Shard {
    pub(super) fn take_commands(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Disconnected) => self.stopping = true,
                Err(TryRecvError::Empty) => return,
            }
            if self.stopping {
                return;
            }
        }
    }

    /// Commands go to a connection's home. If it has moved, they follow it.
    pub(super) fn obey(&mut self, command: Command) {
        if let Command::Restart(peer, restart) = &command {
            self.demux.rename(*peer, &restart.ours.ufrag);
        }
        if let Some(owner) = command.peer().and_then(|peer| self.owners.get(&peer)) {
            return self.links.tell(*owner, Letter::Command(command));
        }
        match command {
            Command::Add(seat) => self.add(*seat),
            Command::Remove(peer) => self.close(peer),
            Command::Choose(peer, choice) => self.choose(peer, choice),
            Command::Restart(peer, restart) => self.restart_ice(peer, &restart),
            Command::Look(peer) => self.look(peer),
            Command::Rename(peer, name) => self.rename(peer, name),
            Command::Cap(peer, layer) => self.cap(peer, layer),
            // Who asked may have given up.
            Command::Measure(answer) => drop(answer.send(self.measure())),
            Command::Weigh(subscriptions, answer) => drop(answer.send(self.weigh(&subscriptions))),
            Command::Stop => self.stopping = true,
        }
    }

    pub(super) fn take_datagrams(&mut self, inbox: &mut Inbox) -> io::Result<()> {
        for _ in 0..BATCHES_MAX {
            let count = self.socket.receive(inbox)?;
            let now = self.world.now();
            for (source, datagram) in inbox.datagrams() {
                self.take_datagram(now, Path::Udp(source), datagram, None);
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
                Ok(tcp::Input::Opened(client, outputs)) => {
                    self.tcp.insert(client, TcpClient { outputs, lent: None });
                }
                Ok(tcp::Input::Closed { client, served }) => {
                    self.counters.tcp_turned_out += u64::from(!served);
                    self.tcp_closed(client);
                }
                Ok(tcp::Input::Datagram(client, datagram)) => {
                    self.take_datagram(now, Path::Tcp(client), &datagram, None);
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

    /// Takes a datagram from this shard's socket, or one that was handed over by the shard `via`.
    pub(super) fn take_datagram(&mut self, now: Instant, from: Path, datagram: &[u8], via: Option<ShardId>) {
        if via.is_none() {
            self.counters.datagrams_in += 1;
            self.counters.bytes_in += datagram.len() as u64;
        }
        let mut found = self.demux.find(from, datagram);
        if found.is_none() && !self.links.alone() && via.is_none() {
            // Another shard may just have said whose address this is.
            self.take_letters(now);
            found = self.demux.find(from, datagram);
        }
        let Some(key) = found else { return self.take_stranger(from, datagram, via) };
        if let Some(owner) = self.owners.get(&key) {
            return self.hand_over(*owner, from, datagram, via);
        }
        let Some(peer) = self.peers.get_mut(&key) else { return };
        match peer.receive(now, from, datagram) {
            Ok(true) => {
                peer.via = via;
                let news = self.demux.learn(key, from);
                if let Some(via) = via.filter(|_| news) {
                    self.introduce(key, from, via);
                }
                self.drain(key, now);
            }
            Ok(false) => self.counters.dropped_refused += 1,
            Err(end) => self.end(key, end),
        }
    }

    /// Also for the shard that was given its datagrams.
    pub(super) fn tcp_closed(&mut self, client: SocketAddr) {
        if let Some(TcpClient { lent: Some(shard), .. }) = self.tcp.remove(&client) {
            self.links.tell(shard, Letter::TcpClosed(client));
        }
    }
}
