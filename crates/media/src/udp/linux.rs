//! The media socket by Linux system calls: `ppoll`, `recvmmsg`, `sendmmsg` with `UDP_SEGMENT`.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::{BATCH, DATAGRAM_BYTES_MAX, Entry, Inbox, Outbox, Sent, on_socket};

/// Socket buffers, both ways. Key frames to hundreds of subscribers are bursts of megabytes.
const BUFFER_BYTES: libc::c_int = 4 * 1024 * 1024;
/// The kernel cuts a message into at most 64 datagrams (`UDP_MAX_SEGMENTS`) of at most 65 535 bytes together.
const SEGMENTS_MAX: usize = 64;
const MESSAGE_BYTES_MAX: usize = 65_000;

/// A UDP socket and the event by which its thread is woken.
pub struct Socket {
    socket: UdpSocket,
    event: Arc<OwnedFd>,
    /// Turned off for good when the kernel or the network card refuses it.
    segments: bool,
    /// Its addresses are of IPv6, also those of IPv4 clients.
    six: bool,
}

/// Ends a [`Socket::wait`] from another thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<OwnedFd>);

impl Socket {
    #[cfg(test)]
    pub fn bind(address: SocketAddr) -> io::Result<Socket> {
        Socket::over(UdpSocket::bind(address)?)
    }

    /// So many sockets of one address. The kernel gives the datagrams of each client to one of them, always the same
    /// one, as long as the client keeps its address.
    ///
    /// The first is bound as any socket is, so that an address that is in use is found to be; it is shared only then.
    pub fn bind_all(address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
        let first = UdpSocket::bind(address)?;
        let address = first.local_addr()?;
        let mut sockets = Vec::with_capacity(count);
        if count > 1 {
            share(&first)?;
        }
        sockets.push(Socket::over(first)?);
        for _ in 1..count {
            sockets.push(Socket::over(bind_shared(address)?)?);
        }
        Ok(sockets)
    }

    fn over(socket: UdpSocket) -> io::Result<Socket> {
        socket.set_nonblocking(true)?;
        for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
            set_option(&socket, option, BUFFER_BYTES);
        }
        // SAFETY: eventfd takes no pointers; the result is checked below.
        let event = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if event < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `event` was just opened and belongs to nobody else.
        let event = Arc::new(unsafe { OwnedFd::from_raw_fd(event) });
        let six = socket.local_addr()?.is_ipv6();
        Ok(Socket { socket, event, segments: true, six })
    }

    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub fn waker(&self) -> io::Result<Waker> {
        Ok(Waker(self.event.clone()))
    }

    /// Waits for a datagram, a wake-up or the end of `timeout` (`None`: for ever).
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut sources = [self.socket.as_raw_fd(), self.event.as_raw_fd()].map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: timeout.subsec_nanos() as libc::c_long,
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), |timeout| timeout as *const libc::timespec);
        // SAFETY: `sources` has two elements; `timeout` is null or points to a live timespec.
        let ready = unsafe { libc::ppoll(sources.as_mut_ptr(), 2, timeout, std::ptr::null()) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        if sources[1].revents != 0 {
            self.rest();
        }
        Ok(())
    }

    /// Sets the event back.
    fn rest(&self) {
        let mut count = [0_u8; 8];
        // SAFETY: the buffer has the eight bytes that an eventfd writes. Nothing to read is fine too.
        unsafe { libc::read(self.event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }

    /// Takes the datagrams that are there, at most one batch. Returns their number.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.received.clear();
        // SAFETY: all-zero bytes are a valid value of these C structures.
        let mut names: [libc::sockaddr_storage; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let mut slots: [libc::iovec; BATCH] =
            [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: DATAGRAM_BYTES_MAX }; BATCH];
        for (index, bytes) in inbox.bytes.chunks_exact_mut(DATAGRAM_BYTES_MAX).enumerate() {
            slots[index].iov_base = bytes.as_mut_ptr().cast();
            let header = &mut messages[index].msg_hdr;
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut slots[index];
            header.msg_iovlen = 1;
        }
        // SAFETY: every header points to live memory of the lengths it names, for the time of the call.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                messages.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            // Refused: an earlier datagram met a closed port. It says nothing about what is to be read.
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused => {
                    Ok(0)
                }
                _ => Err(error),
            };
        }
        let count = count as usize;
        for (message, name) in messages.iter().zip(&names).take(count) {
            // A source that is not an internet address cannot happen on this socket; keep the slots in step all
            // the same, with an empty datagram.
            let unknown = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
            let (source, length) = match address(name) {
                Some(source) => (source, (message.msg_len as usize).min(DATAGRAM_BYTES_MAX)),
                None => (unknown, 0),
            };
            inbox.received.push((source, length));
        }
        Ok(count)
    }

    /// Sends and empties the outbox.
    pub fn send(&mut self, outbox: &mut Outbox) -> Sent {
        let mut sent = Sent::default();
        let mut rest = outbox.entries.as_slice();
        while !rest.is_empty() {
            let batch = Batch::of(rest, &outbox.bytes, self.segments);
            match batch.send(&self.socket, self.six) {
                Ok(messages) => {
                    for run in &batch.runs[..messages] {
                        sent.datagrams += run.entries as u64;
                        sent.bytes += run.bytes as u64;
                    }
                    sent.messages += messages as u64;
                    rest = &rest[batch.runs[..messages].iter().map(|run| run.entries).sum()..];
                }
                Err(error) if self.segments && batch.runs[0].entries > 1 && no_segments(&error) => {
                    self.segments = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    sent.dropped += batch.runs[0].entries as u64;
                    rest = &rest[batch.runs[0].entries..];
                }
            }
        }
        outbox.clear();
        sent
    }
}

impl Waker {
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the buffer has the eight bytes that an eventfd takes. A full counter already wakes the reader.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

/// Consecutive datagrams to one address that leave as one message.
struct Run {
    entries: usize,
    bytes: usize,
    start: usize,
    segment: usize,
    to: SocketAddr,
}

/// What one `sendmmsg` call takes.
struct Batch<'a> {
    runs: Vec<Run>,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    fn of(entries: &[Entry], bytes: &'a [u8], segments: bool) -> Batch<'a> {
        let mut runs: Vec<Run> = Vec::with_capacity(BATCH);
        for entry in entries {
            let full = runs.len() == BATCH;
            match runs.last_mut().filter(|run| segments && run.takes(entry)) {
                Some(run) => {
                    run.entries += 1;
                    run.bytes += entry.length;
                }
                None if full => break,
                None => runs.push(Run::of(entry)),
            }
        }
        Batch { runs, bytes }
    }

    /// Returns how many runs, from the first on, the kernel took.
    fn send(&self, socket: &UdpSocket, six: bool) -> io::Result<usize> {
        // SAFETY: all-zero bytes are a valid value of these C structures.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut names: [libc::sockaddr_storage; BATCH] = unsafe { mem::zeroed() };
        let mut controls = [Control::default(); BATCH];
        let mut slots = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
        for (index, run) in self.runs.iter().enumerate() {
            let bytes = &self.bytes[run.start..run.start + run.bytes];
            slots[index] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            let header = &mut messages[index].msg_hdr;
            header.msg_namelen = write_address(on_socket(run.to, six), &mut names[index]);
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_iov = &raw mut slots[index];
            header.msg_iovlen = 1;
            if run.entries > 1 {
                controls[index].segment = run.segment as u16;
                header.msg_control = (&raw mut controls[index]).cast();
                header.msg_controllen = CONTROL_BYTES as _;
            }
        }
        let count = self.runs.len() as libc::c_uint;
        // SAFETY: every header points to live memory of the lengths it names; the kernel only reads it.
        let taken = unsafe {
            libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT as _)
        };
        if taken < 0 { Err(io::Error::last_os_error()) } else { Ok(taken as usize) }
    }
}

impl Run {
    fn of(entry: &Entry) -> Run {
        Run { entries: 1, bytes: entry.length, start: entry.start, segment: entry.length, to: entry.to }
    }

    /// All segments but the last have the same size, so a shorter one ends a run.
    fn takes(&self, entry: &Entry) -> bool {
        self.to == entry.to
            && self.entries < SEGMENTS_MAX
            && self.bytes == self.entries * self.segment
            && entry.length <= self.segment
            && entry.length > 0
            && self.bytes + entry.length <= MESSAGE_BYTES_MAX
            && self.start + self.bytes == entry.start
    }
}

/// A control message with one 16-bit value, as `CMSG_SPACE(2)` lays it out on 64-bit and 32-bit Linux.
#[derive(Clone, Copy)]
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    segment: u16,
    padding: [u8; 6],
}

const CONTROL_BYTES: usize = mem::size_of::<libc::cmsghdr>() + mem::size_of::<usize>();

impl Default for Control {
    fn default() -> Control {
        // SAFETY: all-zero bytes are a valid value of this C structure.
        let mut header: libc::cmsghdr = unsafe { mem::zeroed() };
        header.cmsg_len = (mem::size_of::<libc::cmsghdr>() + mem::size_of::<u16>()) as _;
        header.cmsg_level = libc::SOL_UDP;
        header.cmsg_type = libc::UDP_SEGMENT;
        Control { header, segment: 0, padding: [0; 6] }
    }
}

/// Lets others of this process's user bind the same address (`SO_REUSEPORT`, socket(7)).
fn share(socket: &UdpSocket) -> io::Result<()> {
    let one: libc::c_int = 1;
    let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is a live int of the length given.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_REUSEPORT,
            (&raw const one).cast(),
            length,
        )
    };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The standard library sets no options before it binds.
fn bind_shared(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: no pointers; the result is checked below.
    let socket = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `socket` was just opened and belongs to nobody else.
    let socket = unsafe { UdpSocket::from_raw_fd(socket) };
    share(&socket)?;
    // SAFETY: all-zero bytes are a valid value of this C structure.
    let mut name: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let length = write_address(address, &mut name);
    // SAFETY: the name is live and holds an address of the length given.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) };
    if bound < 0 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

/// Errors by which a kernel or a network card says that it does not cut messages.
fn no_segments(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EOPNOTSUPP))
}

fn set_option(socket: &UdpSocket, option: libc::c_int, value: libc::c_int) {
    let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is a live int of the length given. A refusal leaves the system's default, which works too.
    unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const value).cast(), length);
    }
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a sockaddr_in.
            let v4 = unsafe { &*(name as *const libc::sockaddr_storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the storage holds a sockaddr_in6.
            let v6 = unsafe { &*(name as *const libc::sockaddr_storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn write_address(address: SocketAddr, name: &mut libc::sockaddr_storage) -> libc::socklen_t {
    match address {
        SocketAddr::V4(v4) => {
            // SAFETY: a sockaddr_storage is large and aligned enough for every address type.
            let target = unsafe { &mut *(name as *mut libc::sockaddr_storage).cast::<libc::sockaddr_in>() };
            target.sin_family = libc::AF_INET as libc::sa_family_t;
            target.sin_port = v4.port().to_be();
            target.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(v6) => {
            // SAFETY: a sockaddr_storage is large and aligned enough for every address type.
            let target = unsafe { &mut *(name as *mut libc::sockaddr_storage).cast::<libc::sockaddr_in6>() };
            target.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            target.sin6_port = v6.port().to_be();
            target.sin6_addr.s6_addr = v6.ip().octets();
            target.sin6_flowinfo = v6.flowinfo();
            target.sin6_scope_id = v6.scope_id();
            mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(start: usize, length: usize, port: u16) -> Entry {
        Entry { to: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), start, length }
    }

    #[test]
    fn equal_datagrams_to_one_address_become_one_message() {
        let entries =
            [entry(0, 100, 1), entry(100, 100, 1), entry(200, 40, 1), entry(240, 40, 1), entry(280, 40, 2)];
        let bytes = vec![0; 320];
        let counts = |segments| -> Vec<usize> {
            Batch::of(&entries, &bytes, segments).runs.iter().map(|run| run.entries).collect()
        };
        assert_eq!(counts(true), [3, 1, 1]);
        assert_eq!(counts(false), [1, 1, 1, 1, 1]);
    }

    #[test]
    fn datagrams_arrive_whole_and_in_order() {
        let mut sender = Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let receiver = Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let to = receiver.local_address().expect("bound");
        let mut outbox = Outbox::default();
        let sizes: Vec<usize> = (0..200).map(|index| 900 + index / 50).collect();
        for (index, size) in sizes.iter().enumerate() {
            outbox.push(to, &vec![index as u8; *size]);
        }
        let sent = sender.send(&mut outbox);
        assert_eq!((sent.datagrams, sent.dropped), (200, 0));
        assert!(sent.messages < 20 && outbox.is_empty(), "{sent:?}");

        let mut inbox = Inbox::new();
        let mut got = Vec::new();
        while got.len() < sizes.len() {
            receiver.wait(Some(Duration::from_secs(5))).expect("waits");
            assert!(receiver.receive(&mut inbox).expect("receives") > 0, "nothing more after {}", got.len());
            got.extend(inbox.datagrams().map(|(_, bytes)| (bytes[0], bytes.len())));
        }
        let expected: Vec<(u8, usize)> =
            sizes.iter().enumerate().map(|(index, size)| (index as u8, *size)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn sockets_of_one_address_share_its_clients() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let sockets = Socket::bind_all(address.parse().expect("an address"), 3).expect("a free port");
            let to = sockets[0].local_address().expect("bound");
            assert!(sockets.iter().all(|socket| socket.local_address().is_ok_and(|address| address == to)));
            // Nobody else gets in, not even somebody with the same intention.
            let in_use = Socket::bind_all(to, 3).map(drop).expect_err("is in use");
            assert_eq!(in_use.kind(), io::ErrorKind::AddrInUse);
            let clients: Vec<UdpSocket> =
                (0..60).map(|_| UdpSocket::bind((to.ip(), 0)).expect("a free port")).collect();
            for round in 0..3_u8 {
                for client in &clients {
                    client.send_to(&[round], to).expect("sent");
                }
            }
            let mut inbox = Inbox::new();
            let mut shares = Vec::new();
            for socket in &sockets {
                let mut counts = std::collections::HashMap::new();
                while socket.receive(&mut inbox).expect("receives") > 0 {
                    inbox.datagrams().for_each(|(from, _)| *counts.entry(from).or_insert(0) += 1);
                }
                assert!(counts.values().all(|count| *count == 3), "a client has one socket: {counts:?}");
                shares.push(counts.len());
            }
            assert_eq!(shares.iter().sum::<usize>(), 60);
            assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
        }
    }

    #[test]
    fn a_waker_ends_the_wait() {
        let socket = Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let waker = socket.waker().expect("has one");
        waker.wake();
        waker.wake();
        socket.wait(None).expect("returns at once");
        // Both wake-ups were taken together: now only the timeout ends the wait.
        socket.wait(Some(Duration::from_millis(1))).expect("times out");
    }
}
