//! What the shards need of a WebRTC implementation, and nothing more: one connection that eats datagrams and gives
//! datagrams and RTP packets. Behind it stands `str0m` today; a breaking release every few weeks and a wish for a
//! faster sending half are why it stays behind this trait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_sfu::{Codec, Incoming, Kind, Outgoing, TrackSpec};

use crate::sdp::fragment::Credentials;

pub mod str0m;

/// One peer connection. It does no I/O and reads no clock.
///
/// After every call that takes `&mut self`, [`Connection::poll`] is to be called until it answers [`Output::Wait`].
/// Several [`Connection::write`] calls may precede one [`Connection::advance`] and one such round.
pub trait Connection: Send {
    /// Takes a datagram. `false`: it is not for this connection (wrong credentials) and was ignored.
    fn receive(&mut self, now: Instant, from: Path, datagram: &[u8]) -> Result<bool, Failure>;

    /// Moves the connection's time to `now` and releases what was written.
    fn advance(&mut self, now: Instant) -> Result<(), Failure>;

    /// Queues an RTP packet of the negotiated track of `packet.kind`; packets without such a track are ignored.
    fn write(&mut self, now: Instant, packet: &Packet, numbers: &Outgoing);

    /// Asks the peer for a key frame of a layer that it sends.
    fn request_key_frame(&mut self, kind: Kind, layer: u8);

    /// What the peer is sent and what it could be sent at most, in bits per second: the estimate of its bandwidth is
    /// to find out whether the latter would do. Without an estimate nothing happens.
    fn plan(&mut self, present: u64, top: u64);

    fn poll(&mut self) -> Result<Output, Failure>;

    /// Takes new ICE credentials for both sides; everything else goes on. A failure leaves the connection unusable.
    fn restart_ice(&mut self, restart: &IceRestart) -> Result<(), Failure>;

    /// Starts an orderly end; the farewell leaves with the following polls.
    fn close(&mut self);

    /// Which share of what it was sent lately the peer reports as lost, from 0 to 1; `None` before its first report.
    fn loss(&self) -> Option<f32> {
        None
    }

    /// Whether the peer answers [`Connection::request_key_frame`]. For one that does not, its present group of
    /// pictures is kept for whoever comes in the middle of it.
    fn makes_key_frames(&self) -> bool {
        true
    }
}

/// The peer's end of a way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    Udp(SocketAddr),
    Tcp(SocketAddr),
}

/// What a connection has to say.
#[derive(Debug)]
pub enum Output {
    /// Send this to the peer.
    Datagram { to: Path, contents: Vec<u8> },
    /// ICE and DTLS are done: media can flow.
    Connected,
    /// The peer said goodbye, or its consent expired.
    Closed,
    /// The peer sent media.
    Packet(Packet),
    /// The peer lost the picture of the video that it receives (PLI or FIR).
    KeyFrameWanted,
    /// What the way to the peer carries, in bits per second.
    Bandwidth(u64),
    /// Nothing more until this time, or the next input.
    Wait(Instant),
}

/// An RTP packet, decrypted. The payload is shared by everybody to whom it is forwarded.
#[derive(Debug, Clone)]
pub struct Packet {
    pub kind: Kind,
    pub codec: Codec,
    /// Index of the simulcast layer in its [`TrackSpec`].
    pub layer: u8,
    /// Sequence number extended over its wraps.
    pub sequence: u64,
    pub time: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
    pub received: Instant,
    pub extensions: Extensions,
}

impl Packet {
    /// Looks at the payload once.
    pub fn describe(&self) -> Incoming {
        Incoming::describe(self.codec, self.layer, self.sequence, self.time, &self.payload)
    }
}

/// Header extensions that travel end to end (RFC 6464 audio level, 3GPP TS 26.114 video orientation), and what has to be
/// known of the packet's way to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Negative decibel relative to full scale.
    pub audio_level: Option<i8>,
    pub voice_activity: Option<bool>,
    pub orientation: Option<Orientation>,
    /// How long players should hold pictures, because packets of this publisher have to be sent again.
    pub hold: Duration,
}

/// How far the receiver has to turn the picture, counter-clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    Upright,
    Turned90,
    Turned180,
    Turned270,
}

/// The connection is broken; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// Which side of a stage the connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer sends, we receive.
    Publish,
    /// We send, the peer receives.
    Subscribe,
}

/// What to negotiate.
#[derive(Debug, Clone)]
pub struct Terms {
    pub direction: Direction,
    /// The video codecs that may be answered. One for a subscriber of a known publisher.
    pub video: Vec<Codec>,
    /// Estimate the bandwidth towards the peer. It costs a third of the work again, so it is done only for those who
    /// have layers to choose from.
    pub estimate: bool,
    /// Addresses at which the media socket is reached.
    pub candidates: Vec<SocketAddr>,
    /// Addresses at which the media port is reached over TCP.
    pub tcp_candidates: Vec<SocketAddr>,
    /// ICE user name fragment, by which the first datagrams are told apart, and its password.
    pub ice_ufrag: String,
    pub ice_password: String,
}

/// New ICE credentials for a connection (RFC 8445 §9).
#[derive(Debug, Clone)]
pub struct IceRestart {
    pub ours: Credentials,
    pub theirs: Credentials,
}

/// A negotiated connection.
pub struct Answer {
    pub connection: Box<dyn Connection>,
    pub sdp: String,
    /// Each track that will flow, with the simulcast layers that were agreed on.
    pub tracks: Vec<TrackSpec>,
}

/// Makes connections from offers.
pub trait Engine: Send + Sync {
    /// Answers an offer that has passed [`crate::sdp`]. An error means that the offer cannot be used.
    fn answer(&self, now: Instant, offer: &crate::sdp::Offer, terms: Terms) -> Result<Answer, Failure>;
}
