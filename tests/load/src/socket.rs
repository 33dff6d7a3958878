//! One UDP socket for all subscribers: each has an IP address of its own, all share the port. So a thousand of them
//! cost no more wake-ups than one, and what the kernel charges to the sender is the trip of the packet and not the
//! waking of a thread for each.
//!
//! Datagrams come with the address they were sent to (`IP_PKTINFO`) and the time at which the kernel had them.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Datagrams taken in one call.
const BATCH: usize = 128;
const DATAGRAM_BYTES_MAX: usize = 2048;
const CONTROL_BYTES: usize = 128;
/// The server sends bursts of megabytes; what does not fit here would count against it.
const BUFFER_BYTES: libc::c_int = 64 * 1024 * 1024;

/// What arrived, in slots that are used again.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    controls: Vec<Control>,
    arrivals: Vec<Arrival>,
}

#[repr(C, align(8))]
#[derive(Clone)]
struct Control([u8; CONTROL_BYTES]);

#[derive(Clone, Copy)]
struct Arrival {
    from: SocketAddr,
    to: Ipv4Addr,
    nanos: u64,
    length: usize,
}

/// A datagram, and when the kernel had it (nanoseconds of the wall clock).
pub(crate) struct Datagram<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) to: Ipv4Addr,
    pub(crate) nanos: u64,
    pub(crate) contents: &'a [u8],
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox {
            bytes: vec![0; BATCH * DATAGRAM_BYTES_MAX],
            controls: vec![Control([0; CONTROL_BYTES]); BATCH],
            arrivals: Vec::with_capacity(BATCH),
        }
    }

    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.arrivals.iter().zip(self.bytes.chunks_exact(DATAGRAM_BYTES_MAX)).map(|(arrival, slot)| {
            Datagram {
                from: arrival.from,
                to: arrival.to,
                nanos: arrival.nanos,
                contents: &slot[..arrival.length],
            }
        })
    }
}

/// The socket.
pub(crate) struct Socket {
    socket: UdpSocket,
    pub(crate) port: u16,
}

impl Socket {
    pub(crate) fn bind() -> io::Result<Socket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        let port = socket.local_addr()?.port();
        for (level, name, value) in [
            (libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1),
            (libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER_BYTES),
        ] {
            set_option(&socket, level, name, value)?;
        }
        // Beyond the system's limit, where that is allowed; a refusal leaves the limit.
        drop(set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER_BYTES));
        Ok(Socket { socket, port })
    }

    /// Waits for a datagram, for so long at most.
    pub(crate) fn wait(&self, patience: Duration) -> io::Result<()> {
        let mut source = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let timeout = libc::timespec {
            tv_sec: patience.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(patience.subsec_nanos()),
        };
        // SAFETY: one live pollfd, one live timespec, no signal mask.
        let ready = unsafe { libc::ppoll(&raw mut source, 1, &raw const timeout, std::ptr::null()) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        Ok(())
    }

    /// Takes what is there, at most one batch; how many.
    pub(crate) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.arrivals.clear();
        // SAFETY: all-zero bytes are a valid value of these C structures.
        let mut names: [libc::sockaddr_in; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let mut slots = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: DATAGRAM_BYTES_MAX }; BATCH];
        let buffers = inbox.bytes.chunks_exact_mut(DATAGRAM_BYTES_MAX).zip(&mut inbox.controls);
        for (index, (bytes, control)) in buffers.enumerate() {
            slots[index].iov_base = bytes.as_mut_ptr().cast();
            let header = &mut messages[index].msg_hdr;
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_namelen = mem::size_of::<libc::sockaddr_in>() as libc::socklen_t;
            header.msg_iov = &raw mut slots[index];
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_BYTES as _;
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
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused => {
                    Ok(0)
                }
                _ => Err(error),
            };
        }
        for (message, name) in messages.iter().zip(&names).take(count as usize) {
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            let from = SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into();
            let (to, nanos) = told(&message.msg_hdr);
            let length = (message.msg_len as usize).min(DATAGRAM_BYTES_MAX);
            inbox.arrivals.push(Arrival { from, to, nanos, length });
        }
        Ok(count as usize)
    }

    /// Sends from one of the addresses. What the kernel does not take is lost, as on any network.
    pub(crate) fn send(&self, from: Ipv4Addr, to: SocketAddr, contents: &[u8]) {
        let SocketAddr::V4(to) = to else { return };
        // SAFETY: all-zero bytes are a valid value of these C structures.
        let (mut name, mut header, mut info): (libc::sockaddr_in, libc::msghdr, libc::in_pktinfo) =
            unsafe { mem::zeroed() };
        name.sin_family = libc::AF_INET as libc::sa_family_t;
        name.sin_port = to.port().to_be();
        name.sin_addr.s_addr = u32::from(*to.ip()).to_be();
        info.ipi_spec_dst.s_addr = u32::from(from).to_be();
        let mut slot = libc::iovec { iov_base: contents.as_ptr().cast_mut().cast(), iov_len: contents.len() };
        let mut control = Control([0; CONTROL_BYTES]);
        header.msg_name = (&raw mut name).cast();
        header.msg_namelen = mem::size_of::<libc::sockaddr_in>() as libc::socklen_t;
        header.msg_iov = &raw mut slot;
        header.msg_iovlen = 1;
        header.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: the control buffer is aligned, and larger than a header with an in_pktinfo; everything that the
        // message points to is live for the time of the call.
        unsafe {
            header.msg_controllen = libc::CMSG_SPACE(mem::size_of::<libc::in_pktinfo>() as u32) as _;
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (*first).cmsg_level = libc::IPPROTO_IP;
            (*first).cmsg_type = libc::IP_PKTINFO;
            (*first).cmsg_len = libc::CMSG_LEN(mem::size_of::<libc::in_pktinfo>() as u32) as _;
            libc::CMSG_DATA(first).cast::<libc::in_pktinfo>().write_unaligned(info);
            libc::sendmsg(self.socket.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT);
        }
    }
}

/// The address that a datagram was sent to, and when the kernel had it.
fn told(header: &libc::msghdr) -> (Ipv4Addr, u64) {
    let (mut to, mut nanos) = (Ipv4Addr::UNSPECIFIED, 0);
    // SAFETY: the kernel filled in the control buffer of this header, which is still live; each control message holds
    // the structure that its level and type say.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            let data = libc::CMSG_DATA(control);
            match ((*control).cmsg_level, (*control).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    to = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    nanos = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    (to, nanos)
}

fn set_option(
    socket: &UdpSocket,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let length = mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is a live int of the length given.
    let done =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), length) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
