//! A small WebRTC client for our own use: the demo publishes and receives with it, tests and the load bench too. It
//! makes an offer, takes the answer that WHIP brought, and then sends and receives over a UDP socket of its own. The
//! HTTP requests are the caller's. It encodes and decodes nothing.

pub mod packetize;
mod restart;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_sfu::{Codec, Kind};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec as StrCodec, PayloadParams};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event as StrEvent, IceConnectionState, Input, Output, Rtc, RtcConfig};

use crate::world::World;
use packetize::Packetizer;

/// What happened at the client.
#[derive(Debug, Clone)]
pub enum Event {
    Connected,
    Packet(Received),
    /// The server wants a key frame of the video that this client publishes, in the simulcast layer of this name.
    KeyFrameWanted(Option<String>),
    /// The server ended the connection, or can no longer be reached.
    Closed,
}

/// An RTP packet that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub kind: Kind,
    /// Sequence number extended over its wraps.
    pub sequence: u64,
    pub time: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
    pub at: Instant,
}

/// Why a client does not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the media socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the WebRTC engine failed: {0}")]
    Engine(String),
}

/// Looks at each datagram before the client does; `false` loses it. Tests make a bad network with this.
pub type Filter = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// One peer connection: a publisher, or a subscriber of one publisher.
pub struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    world: Arc<dyn World>,
    pending: Option<SdpPendingOffer>,
    /// The server's answer, for ICE restarts.
    answer: String,
    tracks: Vec<Track>,
    events: VecDeque<Event>,
    filter: Option<Filter>,
    wake_at: Instant,
    /// The read timeout that the socket has at present.
    patience: Duration,
}

struct Track {
    codec: Codec,
    mid: Mid,
    /// One for each simulcast layer; a single one without a name otherwise.
    layers: Vec<Layer>,
}

struct Layer {
    rid: Option<Rid>,
    packetizer: Packetizer,
    next: SeqNo,
}

impl Layer {
    fn new(rid: Option<&str>, codec: Codec) -> Layer {
        Layer { rid: rid.map(Rid::from), packetizer: Packetizer::new(codec), next: SeqNo::from(1000) }
    }
}

impl Client {
    /// A client that will send these codecs. Returns its offer too.
    pub fn publisher(
        local: IpAddr,
        codecs: &[Codec],
        world: Arc<dyn World>,
    ) -> Result<(Client, String), Error> {
        Client::new(local, codecs, Direction::SendOnly, &[], world)
    }

    /// A client that will send these codecs, the video in simulcast layers of these names.
    pub fn simulcast(
        local: IpAddr,
        codecs: &[Codec],
        rids: &[&str],
        world: Arc<dyn World>,
    ) -> Result<(Client, String), Error> {
        Client::new(local, codecs, Direction::SendOnly, rids, world)
    }

    /// A client that will receive these codecs. Returns its offer too.
    pub fn subscriber(
        local: IpAddr,
        codecs: &[Codec],
        world: Arc<dyn World>,
    ) -> Result<(Client, String), Error> {
        Client::new(local, codecs, Direction::RecvOnly, &[], world)
    }

    fn new(
        local: IpAddr,
        codecs: &[Codec],
        direction: Direction,
        rids: &[&str],
        world: Arc<dyn World>,
    ) -> Result<(Client, String), Error> {
        let socket = UdpSocket::bind((local, 0))?;
        let address = socket.local_addr()?;
        let now = world.now();
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(codecs.contains(&Codec::Opus), false)
            .enable_h264(codecs.contains(&Codec::H264))
            .enable_vp8(codecs.contains(&Codec::Vp8))
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").map_err(engine)?);
        let mut change = rtc.sdp_api();
        let mut tracks: Vec<Track> = Vec::new();
        for codec in codecs {
            // Several codecs of one kind are alternatives in one section.
            if tracks.iter().any(|track| track.codec.kind() == codec.kind()) {
                continue;
            }
            let kind = if codec.kind() == Kind::Audio { MediaKind::Audio } else { MediaKind::Video };
            let layered = codec.kind() == Kind::Video && !rids.is_empty();
            let simulcast = layered.then(|| Simulcast {
                send: rids.iter().map(|rid| SimulcastLayer::new(rid)).collect(),
                recv: Vec::new(),
            });
            let mid = change.add_media(kind, direction, None, None, simulcast);
            let layers = match layered {
                true => rids.iter().map(|rid| Layer::new(Some(rid), *codec)).collect(),
                false => vec![Layer::new(None, *codec)],
            };
            tracks.push(Track { codec: *codec, mid, layers });
        }
        let (offer, pending) = change.apply().ok_or_else(|| engine("nothing to offer"))?;
        let events = VecDeque::new();
        let pending = Some(pending);
        let client = Client {
            rtc,
            socket,
            address,
            world,
            pending,
            answer: String::new(),
            tracks,
            events,
            filter: None,
            wake_at: now,
            patience: Duration::ZERO,
        };
        Ok((client, offer.to_sdp_string()))
    }

    /// Takes the server's answer; from now on [`Client::run_until`] connects.
    pub fn accept(&mut self, answer: &str) -> Result<(), Error> {
        self.answer = answer.to_owned();
        let answer = SdpAnswer::from_sdp_string(answer).map_err(engine)?;
        let pending = self.pending.take().ok_or_else(|| engine("already answered"))?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(engine)?;
        for track in &mut self.tracks {
            if let Some(codec) = agreed(&self.rtc, track.mid).and_then(|params| known(params.spec().codec)) {
                track.codec = codec;
                track.layers.iter_mut().for_each(|layer| layer.packetizer = Packetizer::new(codec));
            }
        }
        self.advance()
    }

    /// Loses the datagrams for which `filter` answers `false`.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = Some(filter);
    }

    /// The local UDP address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The codec agreed on for a track.
    pub fn codec(&self, kind: Kind) -> Option<Codec> {
        self.tracks.iter().map(|track| track.codec).find(|codec| codec.kind() == kind)
    }

    /// Sends a frame (see [`Packetizer::payloads`]) with an RTP timestamp in ticks of the codec's clock. Returns the
    /// number of packets.
    pub fn send_frame(&mut self, kind: Kind, time: u32, frame: &[u8]) -> Result<usize, Error> {
        self.send_layer(kind, 0, time, frame)
    }

    /// Sends a frame of a simulcast layer, by its place in the list of names.
    pub fn send_layer(&mut self, kind: Kind, layer: usize, time: u32, frame: &[u8]) -> Result<usize, Error> {
        let track = self.tracks.iter_mut().find(|track| track.codec.kind() == kind);
        let Some(layer_of) = track.and_then(|track| track.layers.get_mut(layer)) else { return Ok(0) };
        let payloads = layer_of.packetizer.payloads(frame);
        self.send_payloads(kind, layer, time, payloads, kind == Kind::Video)
    }

    /// Sends packets of one frame with the payloads given. `last`: the frame ends with them, which the marker bit of
    /// video says.
    pub fn send_payloads(
        &mut self,
        kind: Kind,
        layer: usize,
        time: u32,
        payloads: Vec<Vec<u8>>,
        last: bool,
    ) -> Result<usize, Error> {
        let Some(track) = self.tracks.iter_mut().find(|track| track.codec.kind() == kind) else {
            return Ok(0);
        };
        let Some(layer) = track.layers.get_mut(layer) else { return Ok(0) };
        let Some(params) = agreed(&self.rtc, track.mid) else { return Err(engine("not answered yet")) };
        let count = payloads.len();
        let now = self.world.now();
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(track.mid, layer.rid) else { return Ok(0) };
        for (index, payload) in payloads.into_iter().enumerate() {
            let sequence = layer.next;
            layer.next = SeqNo::from(*sequence + 1);
            let write = RtpWrite::new(params.pt(), sequence, time, now, payload)
                .marker(last && index + 1 == count)
                .nackable(kind == Kind::Video);
            stream.write_rtp(write);
        }
        self.advance()?;
        Ok(count)
    }

    /// Sends a datagram as it is from the client's own address, which is what an attacker there can do.
    pub fn send_raw(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<usize> {
        self.socket.send_to(datagram, to)
    }

    /// Tells the sender that the picture is lost (PLI).
    pub fn request_key_frame(&mut self) -> Result<(), Error> {
        let video = self.tracks.iter().find(|track| track.codec.kind() == Kind::Video);
        let Some(mid) = video.map(|track| track.mid) else { return Ok(()) };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
        self.advance()
    }

    /// Says goodbye to the server.
    pub fn close(&mut self) -> Result<(), Error> {
        self.rtc.close().map_err(engine)?;
        self.drain()
    }

    /// Sends and receives until something happens or `deadline` has come.
    pub fn next_event(&mut self, deadline: Instant) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let now = self.world.now();
            if now >= deadline {
                return Ok(None);
            }
            if now >= self.wake_at {
                self.advance()?;
                continue;
            }
            self.receive(self.wake_at.min(deadline) - now)?;
        }
    }

    /// Sends and receives until `deadline`, handing on what happens.
    pub fn run_until(&mut self, deadline: Instant, mut on: impl FnMut(Event)) -> Result<(), Error> {
        while let Some(event) = self.next_event(deadline)? {
            on(event);
        }
        Ok(())
    }

    fn receive(&mut self, patience: Duration) -> Result<(), Error> {
        self.set_patience(patience)?;
        let mut buffer = [0; 2048];
        let (length, source) = match self.socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if quiet(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let datagram = &buffer[..length];
        if self.filter.as_mut().is_some_and(|filter| !filter(datagram)) {
            return Ok(());
        }
        let Ok(contents) = datagram.try_into() else { return Ok(()) };
        let destination = self.address;
        let received = Receive { proto: Protocol::Udp, source, destination, contents };
        self.rtc.handle_input(Input::Receive(self.world.now(), received)).map_err(engine)?;
        self.drain()
    }

    /// Setting a timeout is a system call, too much for every packet: it is rounded down to a power of two.
    fn set_patience(&mut self, patience: Duration) -> io::Result<()> {
        let micros = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX).max(128);
        let rounded = Duration::from_micros(1 << micros.ilog2());
        if rounded != self.patience {
            self.socket.set_read_timeout(Some(rounded))?;
            self.patience = rounded;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), Error> {
        self.rtc.handle_input(Input::Timeout(self.world.now())).map_err(engine)?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), Error> {
        loop {
            if !self.rtc.is_alive() {
                self.wake_at = self.world.now() + Duration::from_secs(1);
                return Ok(());
            }
            match self.rtc.poll_output().map_err(engine)? {
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return Ok(());
                }
                Output::Transmit(send) => {
                    // What the kernel does not take is lost, as on any network.
                    drop(self.socket.send_to(&send.contents, send.destination));
                }
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn note(&mut self, event: StrEvent) {
        let event = match event {
            StrEvent::Connected => Event::Connected,
            StrEvent::Closed | StrEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Event::Closed
            }
            StrEvent::KeyframeRequest(request) => {
                Event::KeyFrameWanted(request.rid.map(|rid| rid.to_string()))
            }
            StrEvent::RtpPacket(packet) => {
                let Some(mid) = self.rtc.direct_api().stream_rx(&packet.header.ssrc).map(|rx| rx.mid())
                else {
                    return;
                };
                let Some(track) = self.tracks.iter().find(|track| track.mid == mid) else { return };
                Event::Packet(Received {
                    kind: track.codec.kind(),
                    sequence: *packet.seq_no,
                    time: packet.header.timestamp,
                    marker: packet.header.marker,
                    payload: packet.payload,
                    at: packet.timestamp,
                })
            }
            _ => return,
        };
        self.events.push_back(event);
    }
}

/// The payload type that both sides agreed on; H.264 with fragments (packetization mode 1) before any other.
fn agreed(rtc: &Rtc, mid: Mid) -> Option<PayloadParams> {
    let media = rtc.media(mid)?;
    let all: Vec<&PayloadParams> = rtc
        .codec_config()
        .params()
        .iter()
        .filter(|params| media.remote_pts().contains(&params.pt()))
        .collect();
    let preferred = all.iter().find(|params| params.spec().format.packetization_mode != Some(0));
    preferred.or(all.first()).map(|params| **params)
}

fn known(codec: StrCodec) -> Option<Codec> {
    match codec {
        StrCodec::Opus => Some(Codec::Opus),
        StrCodec::H264 => Some(Codec::H264),
        StrCodec::Vp8 => Some(Codec::Vp8),
        _ => None,
    }
}

fn quiet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
        || matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

fn engine(error: impl std::fmt::Display) -> Error {
    Error::Engine(error.to_string())
}
