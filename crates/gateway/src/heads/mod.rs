//! The heads of the requests on a connection of HTTP/1, byte for byte as the client wrote them.
//!
//! hyper reads names of headers without their case and keeps what it knows of it to itself, so the listener shows every
//! byte that it reads to a [`Heads`], which follows the framing of the requests ([`follow`]) and keeps the head of the
//! one that is being served. What is taken from it is letters' case, and whether a request has two lengths: where this
//! and hyper should disagree, a name is spelt as without it.

mod follow;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, Method};
use memchr::memchr;

use self::follow::Follower;

/// The heads of one connection. Shared by who reads it and who serves it.
#[derive(Debug, Default)]
pub struct Heads(Mutex<Follower>);

impl Heads {
    /// Shows what was read. `false` once nothing more will be learned: the connection is none of HTTP/1, or more than
    /// is worth it.
    pub fn read(&self, bytes: &[u8]) -> bool {
        self.follower().read(bytes)
    }

    /// The next request is being served from now on. Returns whether it has two lengths, by `Content-Length` and by
    /// `Transfer-Encoding`, so that somebody else may see another request in it.
    pub fn begin(&self) -> bool {
        self.follower().begin()
    }

    /// As [`Self::begin`], of a request that somebody else has read: this was its head.
    pub(crate) fn begin_with(&self, head: &[u8]) {
        self.follower().begin_with(head);
    }

    /// The head of the request that is being served, if that is known and its method is this one.
    pub(crate) fn current(&self, method: &Method) -> Option<Written> {
        let follower = self.follower();
        let head = follower.current();
        let rest = head.strip_prefix(method.as_str().as_bytes())?;
        rest.starts_with(b" ").then(|| Written(head.to_owned()))
    }

    /// Shows the head of the request that is being served, as [`Self::current`] has it, without keeping it.
    pub(crate) fn show<T>(&self, method: &Method, to: impl FnOnce(Option<Lines<'_>>) -> T) -> T {
        let follower = self.follower();
        let rest = follower.current().strip_prefix(method.as_str().as_bytes());
        to(rest.filter(|rest| rest.starts_with(b" ")).map(Lines::of))
    }

    fn follower(&self) -> std::sync::MutexGuard<'_, Follower> {
        // It is whole between any two calls, and costs letters' case if not.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A head as it was written.
#[derive(Debug)]
pub(crate) struct Written(Vec<u8>);

impl Written {
    #[cfg(feature = "fuzz")]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name of a header as it stands here first.
    pub(crate) fn spelling(&self, name: &HeaderName) -> Option<&str> {
        let (found, _) = found_from(&self.0, 0, name)?;
        std::str::from_utf8(found).ok()
    }
}

/// The lines of a head, in which names are looked for one after the other.
pub(crate) struct Lines<'h> {
    head: &'h [u8],
    /// Where the line after the last one found begins: names are mostly asked for in their order.
    at: usize,
}

impl<'h> Lines<'h> {
    fn of(head: &'h [u8]) -> Self {
        Self { head, at: 0 }
    }

    /// The name of a header as it stands here, next after the last one asked for.
    pub(crate) fn spelling(&mut self, name: &HeaderName) -> Option<&'h [u8]> {
        let found = found_from(self.head, self.at, name).or_else(|| found_from(self.head, 0, name))?;
        self.at = found.1;
        Some(found.0)
    }
}

/// A header's name, from the first line on that begins after a place, and where its value begins.
fn found_from<'h>(head: &'h [u8], from: usize, name: &HeaderName) -> Option<(&'h [u8], usize)> {
    let wanted = name.as_str().as_bytes();
    let mut at = from;
    loop {
        at += memchr(b'\n', &head[at..])? + 1;
        let (name, rest) = head[at..].split_at_checked(wanted.len())?;
        if rest.first() == Some(&b':') && name.eq_ignore_ascii_case(wanted) {
            return Some((name, at + wanted.len()));
        }
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    /// How it writes its requests; `None` where that is not followed.
    pub heads: Option<Arc<Heads>>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self { address, heads: None }
    }
}

#[cfg(test)]
mod against_hyper;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_they_were_written() {
        let heads = Heads::default();
        assert!(
            heads
                .read(b"GET /x HTTP/1.1\r\nHost: h\r\ntEsT-HEADeR: 1\r\nTEST-header: 2\r\nX-Other:3\r\n\r\n")
        );
        assert!(heads.current(&Method::GET).is_none(), "nobody serves it yet");
        assert!(!heads.begin());
        assert!(heads.current(&Method::PUT).is_none());
        let written = heads.current(&Method::GET).expect("a head");
        let spelling = |name| written.spelling(&HeaderName::from_static(name));
        assert_eq!(spelling("test-header"), Some("tEsT-HEADeR"));
        assert_eq!(spelling("x-other"), Some("X-Other"));
        assert_eq!(spelling("x-oth"), None);
        assert_eq!(spelling("get"), None);
        heads.show(&Method::GET, |lines| {
            let mut lines = lines.expect("a head");
            let mut spelling =
                |name| lines.spelling(&HeaderName::from_static(name)).map(String::from_utf8_lossy);
            assert_eq!(spelling("host").as_deref(), Some("Host"));
            assert_eq!(spelling("test-header").as_deref(), Some("tEsT-HEADeR"));
            assert_eq!(spelling("test-header").as_deref(), Some("TEST-header"));
            assert_eq!(spelling("x-other").as_deref(), Some("X-Other"));
            assert_eq!(spelling("host").as_deref(), Some("Host"));
            assert_eq!(spelling("x-oth"), None);
        });
    }
}
