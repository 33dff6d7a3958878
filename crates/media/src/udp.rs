//! The media socket: batches of datagrams in and out, and a way to wake the thread that waits for them. It knows
//! nothing of what the datagrams hold.
//!
//! On Linux a batch is one `recvmmsg` or `sendmmsg` call, and datagrams of one size to one address leave as a single
//! message that the kernel cuts up (`UDP_SEGMENT`). Measured with 200 subscribers, that last step alone saves a third
//! of the time: the trip of each message through the kernel's UDP stack costs more than encrypting it. Elsewhere the
//! standard library's socket does the same work datagram by datagram.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{Socket, Waker};
// On Linux only its tests use it, so that it is known to build and work.
#[cfg(any(test, not(target_os = "linux")))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub use portable::{Socket, Waker};

use std::net::{IpAddr, SocketAddr};

/// Datagrams taken in one call.
pub const BATCH: usize = 64;
/// Room for one datagram. WebRTC's stay below 1 500 bytes; a longer one is cut off and then fails to decrypt.
pub const DATAGRAM_BYTES_MAX: usize = 2048;

/// The datagrams of one [`Socket::receive`].
pub struct Inbox {
    bytes: Vec<u8>,
    received: Vec<(SocketAddr, usize)>,
}

impl Inbox {
    pub fn new() -> Inbox {
        Inbox { bytes: vec![0; BATCH * DATAGRAM_BYTES_MAX], received: Vec::with_capacity(BATCH) }
    }

    /// Source and contents of each datagram. IPv4 clients have their IPv4 address, whatever the socket calls them.
    pub fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let slots = self.bytes.chunks_exact(DATAGRAM_BYTES_MAX);
        self.received.iter().zip(slots).map(|((source, length), slot)| (plain(*source), &slot[..*length]))
    }
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox::new()
    }
}

/// Datagrams that wait for the next [`Socket::send`], in one piece of memory.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    to: SocketAddr,
    start: usize,
    length: usize,
}

impl Outbox {
    pub fn push(&mut self, to: SocketAddr, contents: &[u8]) {
        self.entries.push(Entry { to, start: self.bytes.len(), length: contents.len() });
        self.bytes.extend_from_slice(contents);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Of all datagrams together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
    }
}

/// An address without the form that IPv6 sockets give to IPv4 clients, who would not know themselves in it: what ICE
/// tells them of their address, and candidates of their kind, must be IPv4.
pub fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(four) => SocketAddr::from((four, address.port())),
        IpAddr::V6(_) => address,
    }
}

/// An address as a socket takes it; `six`: one of IPv6.
fn on_socket(address: SocketAddr, six: bool) -> SocketAddr {
    match address {
        SocketAddr::V4(four) if six => SocketAddr::from((four.ip().to_ipv6_mapped(), four.port())),
        other => other,
    }
}

/// What became of an outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    pub datagrams: u64,
    pub bytes: u64,
    /// Messages handed to the kernel; fewer than datagrams where runs were joined.
    pub messages: u64,
    /// Datagrams that the kernel did not take. Media is not kept for later: it is asked for again if it is missed.
    pub dropped: u64,
}
