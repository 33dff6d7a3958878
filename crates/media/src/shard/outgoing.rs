//! What leaves a shard: datagrams to its socket, in one batch per burst, and to the queues of TCP connections.

use super::{Shard, TICK};
use crate::engine::Path;

/// Datagrams that gather before they are sent: enough for a system call to be cheap, little enough for a cache.
const FLUSH_BYTES: usize = 256 * 1024;

impl Shard {
    /// A datagram leaves with the next flush, or goes into the queue of a TCP connection.
    pub(super) fn post(&mut self, to: Path, contents: Vec<u8>) {
        match to {
            Path::Udp(to) => self.outbox.push(to, &contents),
            Path::Tcp(to) => {
                let bytes = contents.len() as u64;
                match self.tcp.get(&to).map(|client| client.outputs.try_send(contents)) {
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

    /// Sends what a large burst has gathered so far: the first followers need not wait for the last, and what was just
    /// encrypted is still in the processor's caches.
    pub(super) fn flush_if_long(&mut self) {
        if self.outbox.bytes() >= FLUSH_BYTES {
            self.send();
        }
    }

    /// Sends what there is, and wakes other shards that were sent something.
    pub(super) fn flush(&mut self) {
        self.wake_others();
        self.send();
    }

    /// Other shards, if they were sent something.
    pub(super) fn wake_others(&mut self) {
        if self.links.flush() {
            let soon = self.world.now() + TICK;
            self.next_tick.get_or_insert(soon);
        }
    }

    fn send(&mut self) {
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
