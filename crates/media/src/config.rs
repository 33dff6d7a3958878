//! The settings of the media plane, with units, defaults and limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use stagedoor_sfu::Rules;

pub use crate::ice_servers::{IceCredential, IceServer};
pub use crate::whip::redirect::Node;

/// Settings of the media plane.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the media socket (UDP). Default `127.0.0.1:4570`; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether the same port takes media over TCP too, for clients without UDP. Default yes.
    pub tcp: bool,
    /// Media threads, each with a socket of the same address. Default 1; more work on Linux only.
    pub shards: usize,
    /// Addresses at which clients reach the media socket, for the ICE candidates; the port is the socket's own. Needed
    /// when `listen` is a wildcard address. Default: the address of `listen`.
    pub advertise: Vec<IpAddr>,
    /// Servers that clients are told of, for those behind strict networks. Default none.
    pub ice_servers: Vec<IceServer>,
    /// Where clients reach this very node, if they begin at an address that several have. Default none.
    pub node: Option<Node>,
    pub timeouts: Timeouts,
    pub limits: Limits,
    /// What publishers may send; the defaults are those of Amazon IVS Real-Time.
    pub rules: Rules,
}

/// How long the media plane waits for what.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For ICE and DTLS to finish after the answer. Default 15 s.
    pub connect: Duration,
    /// For any datagram of a connected peer; clients check their path every few seconds (RFC 7675). Default 10 s.
    pub consent: Duration,
    /// For a participant to come back after its last connection ended, before it counts as gone. Default 10 s.
    pub leave: Duration,
    /// For anybody to come back to an empty stage, before its session ends. Default 180 s.
    pub session: Duration,
    /// For one publication or subscription to last. Default 24 h.
    pub stream: Duration,
    /// For an HTTP request's body. Default 10 s.
    pub body: Duration,
    /// Between pings on the events socket; a client that is silent for three of them is dropped. Default 30 s.
    pub ping: Duration,
}

/// How many there may be. The defaults are the quotas of Amazon IVS Real-Time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Default 12.
    pub publishers_per_stage: usize,
    /// Participants on a stage, publishing or not. Default 10,000.
    pub participants_per_stage: usize,
    /// Connections of publishers to all stages of an account in a region. Default 1,000.
    pub publishers_per_region: usize,
    /// Connections by which somebody receives a publisher, likewise. Default 20,000.
    pub subscriptions_per_region: usize,
    /// Events sockets of one participant. Default 8.
    pub sockets_per_participant: usize,
    /// Bits per second that a participant may receive by all its subscriptions together. Default 8,500,000.
    pub download_rate_max: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4570)),
            tcp: true,
            shards: 1,
            advertise: Vec::new(),
            ice_servers: Vec::new(),
            node: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            rules: Rules::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(15),
            consent: Duration::from_secs(10),
            leave: Duration::from_secs(10),
            session: Duration::from_secs(180),
            stream: Duration::from_secs(24 * 3600),
            body: Duration::from_secs(10),
            ping: Duration::from_secs(30),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            publishers_per_stage: 12,
            participants_per_stage: 10_000,
            publishers_per_region: 1000,
            subscriptions_per_region: 20_000,
            sockets_per_participant: 8,
            download_rate_max: 8_500_000,
        }
    }
}
