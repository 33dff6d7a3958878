//! The media socket by the standard library alone, for systems other than Linux.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::{BATCH, DATAGRAM_BYTES_MAX, Inbox, Outbox, Sent, on_socket};

/// A UDP socket. It wakes up by an empty datagram that it gets from its [`Waker`].
pub struct Socket {
    socket: UdpSocket,
}

/// Ends a [`Socket::wait`] from another thread.
#[derive(Debug)]
pub struct Waker {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Socket {
    /// One socket: other systems than Linux do not spread the clients of an address over several.
    pub fn bind_all(address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
        if count > 1 {
            let problem = "several media threads need Linux";
            return Err(io::Error::new(ErrorKind::Unsupported, problem));
        }
        Ok(vec![Socket { socket: UdpSocket::bind(address)? }])
    }

    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub fn waker(&self) -> io::Result<Waker> {
        let mut to = self.socket.local_addr()?;
        if to.ip().is_unspecified() {
            let loopback =
                if to.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
            to.set_ip(loopback);
        }
        Ok(Waker { socket: UdpSocket::bind((to.ip(), 0))?, to })
    }

    /// Waits for a datagram, a wake-up or the end of `timeout` (`None`: for ever).
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_nonblocking(false)?;
        self.socket.set_read_timeout(timeout.map(|t| t.max(Duration::from_millis(1))))?;
        match self.socket.peek_from(&mut [0; 1]) {
            Err(error) if !quiet(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the datagrams that are there, at most one batch. Returns their number.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        inbox.received.clear();
        while inbox.received.len() < BATCH {
            let start = inbox.received.len() * DATAGRAM_BYTES_MAX;
            match self.socket.recv_from(&mut inbox.bytes[start..start + DATAGRAM_BYTES_MAX]) {
                Ok((0, _)) => {}
                Ok((length, source)) => inbox.received.push((source, length)),
                Err(error) if quiet(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(inbox.received.len())
    }

    /// Sends and empties the outbox.
    pub fn send(&mut self, outbox: &mut Outbox) -> Sent {
        let mut sent = Sent::default();
        let six = self.socket.local_addr().is_ok_and(|address| address.is_ipv6());
        for entry in &outbox.entries {
            let bytes = &outbox.bytes[entry.start..entry.start + entry.length];
            match self.socket.send_to(bytes, on_socket(entry.to, six)) {
                Ok(length) => {
                    sent.datagrams += 1;
                    sent.messages += 1;
                    sent.bytes += length as u64;
                }
                Err(_) => sent.dropped += 1,
            }
        }
        outbox.clear();
        sent
    }
}

impl Waker {
    pub fn wake(&self) {
        // If it cannot be sent the thread still looks at its queue when its next timer fires.
        drop(self.socket.send_to(&[], self.to));
    }
}

/// Errors that only say "nothing there", or report an earlier datagram as undeliverable (Windows).
fn quiet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Socket {
        let sockets = Socket::bind_all(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 1);
        sockets.expect("a free port").remove(0)
    }

    #[test]
    fn datagrams_arrive_and_nothing_else_does() {
        let (mut sender, receiver) = (socket(), socket());
        let to = receiver.local_address().expect("bound");
        let mut outbox = Outbox::default();
        (1..=10_u8).for_each(|index| outbox.push(to, &vec![index; usize::from(index) * 100]));
        let sent = sender.send(&mut outbox);
        assert_eq!((sent.datagrams, sent.messages, sent.bytes, sent.dropped), (10, 10, 5500, 0));
        receiver.waker().expect("has one").wake();
        let mut inbox = Inbox::new();
        let mut got = Vec::new();
        while got.len() < 10 {
            receiver.wait(Some(Duration::from_secs(5))).expect("waits");
            receiver.receive(&mut inbox).expect("receives");
            got.extend(inbox.datagrams().map(|(_, bytes)| (bytes[0], bytes.len())));
        }
        assert_eq!(got, (1..=10).map(|index| (index as u8, index * 100)).collect::<Vec<_>>());
    }

    #[test]
    fn a_waker_ends_the_wait() {
        let socket = socket();
        socket.waker().expect("has one").wake();
        socket.wait(None).expect("returns at once");
        assert_eq!(socket.receive(&mut Inbox::new()).expect("receives"), 0);
        socket.wait(Some(Duration::from_millis(1))).expect("times out");
    }
}
