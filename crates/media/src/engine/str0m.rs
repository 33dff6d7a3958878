//! The WebRTC engine behind [`crate::engine`]: `str0m` in RTP mode as an ICE-lite peer. The only file of the server
//! that names `str0m`.
//!
//! What measurements taught about `str0m` 0.25 and this file relies on:
//! - Packets queued by `write_rtp` leave only after `handle_input(Timeout)`: a burst is written, then time moves
//!   once, then the output is drained once.
//! - The ICE agent has no timeout of its own before its first timeout input, so every new connection is kicked once.
//! - On the answering side `MediaAdded` may come after `Connected`; the tracks are therefore taken from the offer's
//!   mids right after the answer, not from events.
//! - The default cap on retransmissions (15 % of what was sent) freezes pictures on bad links; it is switched off.
//! - Outgoing sequence numbers start below 65 536, since nobody tells the peer a rollover counter (`sfu` sees to it).
//! - With bandwidth estimation on, the pacer releases one packet per timeout and asks for the next one 1 µs later. A
//!   loop that then waits for its timer does twice the work and sends no two packets together. So the connection
//!   advances its own clock: a timeout that is due within some microseconds is fed at once, a bounded number of times.
//! - Its DTLS (`dimpl`) asks for ECDSA certificates alone, so where we are the server we bring our own: `dtls.rs`.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_sfu::{Codec, Kind, Outgoing, TrackSpec, vp8};
use str0m::bwe::{Bitrate, BweKind};
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::crypto::CryptoProvider;
use str0m::format::{Codec as StrCodec, PayloadParams};
use str0m::media::{KeyframeRequestKind, MediaTime, Mid, Pt, Rid, Rids};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{
    Extension, ExtensionValues, RtpPacket, RtpWrite, VideoOrientation, Vp8Descriptor, Vp8Patch,
};
use str0m::stats::{MediaEgressStats, MediaIngressStats};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Output as StrOutput, Rtc, RtcConfig};

use super::{
    Answer, Connection, Direction, Engine, Extensions, Failure, IceRestart, Orientation, Output, Packet,
    Path, Terms,
};
use crate::sdp::fragment::with_credentials;
use crate::sdp::{Offer, Section};
use arrivals::Arrivals;
use copies::Copies;
use hold::Hold;
use reported::Reported;

mod arrivals;
mod copies;
mod dtls;
mod hold;
#[cfg(feature = "fuzz")]
mod plain;
mod reported;

/// Packets kept for retransmission, and for how long. Browsers keep theirs for a second too. What is kept is most of
/// a subscriber's memory, some hundred bytes for each packet beside the shared payload.
const RESEND_PACKETS_MAX: usize = 1024;
const RESEND_AGE_MAX: Duration = Duration::from_secs(1);

/// The estimate to begin with, until probes have found out more.
const ESTIMATE_FIRST: Bitrate = Bitrate::kbps(300);
/// How often the engine says what the peer reports as lost, and how long the way is.
const REPORTS_EVERY: Duration = Duration::from_secs(1);
/// The number that browsers offer this extension under; theirs counts if it is another.
const PLAYOUT_DELAY_ID: u8 = 5;
/// The longest time that a player may hold pictures, which is what browsers take without being told.
const HELD_MAX: MediaTime = MediaTime::from_hundredths(1000);
/// A timeout due within this time is not waited for.
const AT_ONCE: Duration = Duration::from_micros(50);
/// Timeouts fed at once in one round of polls. A burst of a key frame is some hundred packets.
const AT_ONCE_MAX: u32 = 512;

/// Makes `str0m` connections that share one DTLS certificate, made at start.
pub struct Str0m {
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
}

impl Str0m {
    /// `None` if the crypto library could not make a certificate.
    pub fn new() -> Option<Str0m> {
        Self::with(dtls::crypto())
    }

    /// Makes connections without any cryptography, for fuzz targets.
    #[cfg(feature = "fuzz")]
    pub fn plain() -> Option<Str0m> {
        Self::with(plain::crypto())
    }

    fn with(crypto: CryptoProvider) -> Option<Str0m> {
        let crypto = Arc::new(crypto);
        let certificate = crypto.dtls_provider.generate_certificate()?;
        Some(Str0m { certificate, crypto })
    }
}

impl Engine for Str0m {
    fn answer(&self, now: Instant, offer: &Offer, terms: Terms) -> Result<Answer, Failure> {
        // `str0m` panics on what it holds impossible. A stranger's offer must not be able to show that it is not.
        let answered = catch_unwind(AssertUnwindSafe(|| self.negotiate(now, offer, terms)));
        answered.unwrap_or_else(|_| Err(Failure("the engine panicked on an offer".into())))
    }
}

impl Str0m {
    fn negotiate(&self, now: Instant, offer: &Offer, terms: Terms) -> Result<Answer, Failure> {
        let mut rtc = self.config(&terms).build(now);
        for address in &terms.candidates {
            let candidate = Candidate::host(*address, "udp").map_err(|e| Failure(e.to_string()))?;
            rtc.add_local_candidate(candidate);
        }
        for address in &terms.tcp_candidates {
            let candidate = Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build();
            rtc.add_local_candidate(candidate.map_err(failure)?);
        }
        let text = offer.text(terms.direction);
        let parsed = SdpOffer::from_sdp_string(&text).map_err(failure)?;
        let answer = rtc.sdp_api().accept_offer(parsed).map_err(failure)?;
        let tracks = tracks(&mut rtc, offer);
        let sdp = answer.to_sdp_string();
        let specs = tracks.iter().map(Track::spec).collect();
        let connection = Box::new(Str0mConnection::new(rtc, terms, text, tracks, now));
        Ok(Answer { connection, sdp, tracks: specs })
    }

    fn config(&self, terms: &Terms) -> RtcConfig {
        let offers = |codec| terms.video.contains(&codec);
        let mut config = RtcConfig::new();
        if terms.direction == Direction::Subscribe {
            config = config.set_extension(PLAYOUT_DELAY_ID, Extension::PlayoutDelay);
        }
        config
            .set_crypto_provider(self.crypto.clone())
            .enable_bwe(terms.estimate.then_some(ESTIMATE_FIRST))
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_stats_interval(Some(REPORTS_EVERY))
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(IceCreds {
                ufrag: terms.ice_ufrag.clone(),
                pass: terms.ice_password.clone(),
            })
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(offers(Codec::H264))
            .enable_vp8(offers(Codec::Vp8))
    }
}

/// A negotiated m-section.
struct Track {
    kind: Kind,
    codec: Codec,
    mid: Mid,
    /// The payload type to send with; packets that come in may use any of the section's.
    payload_type: Pt,
    /// The simulcast layers, in the order of the offer; empty without simulcast.
    rids: Vec<Rid>,
    /// What the peer says of what it is sent.
    reported: Reported,
}

impl Track {
    fn spec(&self) -> TrackSpec {
        let rids = self.rids.iter().map(|rid| Arc::from(&**rid)).collect();
        TrackSpec { codec: self.codec, rids }
    }

    /// The layer's name for the engine; `None` without simulcast.
    fn rid(&self, layer: u8) -> Option<Rid> {
        self.rids.get(usize::from(layer)).copied()
    }
}

/// The first usable section of each kind. Further ones are answered and then ignored.
fn tracks(rtc: &mut Rtc, offer: &Offer) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for section in &offer.sections {
        let known = tracks.iter().any(|track| track.kind == section.kind);
        if known || section.rejected {
            continue;
        }
        if let Some(track) = track(rtc, section) {
            tracks.push(track);
        }
    }
    for track in &tracks {
        if let Some(stream) = rtc.direct_api().stream_tx_by_mid(track.mid, None) {
            stream.set_rtx_cache(RESEND_PACKETS_MAX, RESEND_AGE_MAX, None);
        }
    }
    tracks
}

fn track(rtc: &Rtc, section: &Section) -> Option<Track> {
    let mid = Mid::from(section.mid.as_str());
    let media = rtc.media(mid)?;
    let agreed = |params: &&PayloadParams| media.remote_pts().contains(&params.pt());
    let all: Vec<&PayloadParams> = rtc.codec_config().params().iter().filter(agreed).collect();
    // Packetization mode 1 (FU-A, STAP-A) is what publishers send; mode 0 is a last resort.
    let preferred = all.iter().find(|params| params.spec().format.packetization_mode != Some(0));
    let params = preferred.or(all.first())?;
    let codec = codec(params)?;
    let rids = match media.rids_rx() {
        Rids::Specific(_) => section.rids.iter().map(|rid| Rid::from(rid.as_str())).collect(),
        Rids::None | Rids::Any => Vec::new(),
    };
    let reported = Reported::default();
    Some(Track { kind: codec.kind(), codec, mid, payload_type: params.pt(), rids, reported })
}

fn codec(params: &PayloadParams) -> Option<Codec> {
    match params.spec().codec {
        StrCodec::Opus => Some(Codec::Opus),
        StrCodec::H264 => Some(Codec::H264),
        StrCodec::Vp8 => Some(Codec::Vp8),
        _ => None,
    }
}

struct Str0mConnection {
    rtc: Rtc,
    /// What was agreed to. The engine restarts ICE when it is offered again with other credentials.
    offer: Box<str>,
    /// Our own addresses, as in the candidates: `str0m` wants to know at which one a datagram arrived.
    local: Vec<SocketAddr>,
    local_tcp: Vec<SocketAddr>,
    tracks: Vec<Track>,
    /// Whether the bandwidth is estimated, and the plan that the estimate knows of.
    estimate: bool,
    planned: (u64, u64),
    copies: Copies,
    arrivals: Arrivals,
    hold: Hold,
    /// The connection's own time: never behind what it was told, ahead of it by some microseconds.
    clock: Instant,
    /// Timeouts that may still be fed at once.
    at_once: u32,
}

impl Str0mConnection {
    fn new(mut rtc: Rtc, terms: Terms, offer: String, tracks: Vec<Track>, now: Instant) -> Str0mConnection {
        let mut engine = rtc.direct_api();
        let resends = tracks.iter().filter_map(|track| engine.stream_tx_by_mid(track.mid, None)?.rtx());
        let hold = Hold::new(terms.direction);
        let copies = match terms.direction {
            Direction::Publish => Copies::of_reports(),
            Direction::Subscribe => Copies::of(resends.map(|source| *source).collect::<Vec<u32>>()),
        };
        Str0mConnection {
            rtc,
            offer: offer.into(),
            local: terms.candidates,
            local_tcp: terms.tcp_candidates,
            tracks,
            estimate: terms.estimate,
            planned: (0, 0),
            copies,
            arrivals: Arrivals::default(),
            hold,
            clock: now,
            at_once: 0,
        }
    }

    /// Time as the engine may be told it: it never goes back.
    fn time(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.at_once = AT_ONCE_MAX;
        self.clock
    }

    /// Whether a timeout is to be fed at once.
    fn hurries(&mut self, at: Instant) -> bool {
        let hurries = self.estimate && self.at_once > 0 && at <= self.clock + AT_ONCE;
        self.at_once -= u32::from(hurries);
        hurries
    }

    fn track(&self, kind: Kind) -> Option<&Track> {
        self.tracks.iter().find(|track| track.kind == kind)
    }

    fn event(&mut self, event: Event) -> Option<Output> {
        match event {
            Event::Connected => Some(Output::Connected),
            Event::Closed => Some(Output::Closed),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => Some(Output::Closed),
            Event::KeyframeRequest(_) => Some(Output::KeyFrameWanted),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. }) => {
                Some(Output::Bandwidth(estimate.as_u64()))
            }
            Event::RtpPacket(packet) => self.packet(packet).map(Output::Packet),
            Event::MediaIngressStats(MediaIngressStats { rtt: Some(time), .. }) => {
                self.hold.set_round_trip(time);
                None
            }
            Event::MediaEgressStats(MediaEgressStats { mid, packets, loss: Some(lost), rtt, .. }) => {
                rtt.into_iter().for_each(|time| self.hold.set_round_trip(time));
                if let Some(track) = self.tracks.iter_mut().find(|track| track.mid == mid) {
                    track.reported.note(packets, lost);
                    if track.kind == Kind::Video {
                        self.note_loss(lost);
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// What was lost lately on the way to a subscriber or from a publisher, from 0 to 1.
    fn note_loss(&mut self, lost: f32) {
        let loss = self.copies.report(lost);
        self.hold.report(self.clock, loss);
    }

    fn packet(&mut self, packet: RtpPacket) -> Option<Packet> {
        // Browsers name mid and rid only in their first packets; the engine remembers them by source.
        let mut engine = self.rtc.direct_api();
        let stream = engine.stream_rx(&packet.header.ssrc)?;
        let (mid, rid) = (stream.mid(), stream.rid());
        let track = self.tracks.iter().find(|track| track.mid == mid)?;
        let layer = match rid {
            Some(rid) => track.rids.iter().position(|known| *known == rid)?,
            None => 0,
        };
        let (kind, codec, layer) = (track.kind, track.codec, layer as u8);
        let values = &packet.header.ext_vals;
        if kind == Kind::Video {
            let figure = self.arrivals.note(self.clock, layer, *packet.seq_no, values.transport_cc);
            figure.into_iter().for_each(|lost| self.note_loss(lost));
        }
        Some(Packet {
            kind,
            codec,
            layer,
            sequence: *packet.seq_no,
            time: packet.header.timestamp,
            marker: packet.header.marker,
            extensions: Extensions { hold: self.hold.time(), ..extensions(values) },
            received: packet.timestamp,
            payload: packet.payload,
        })
    }
}

impl Connection for Str0mConnection {
    fn receive(&mut self, now: Instant, from: Path, datagram: &[u8]) -> Result<bool, Failure> {
        let (proto, source, local) = match from {
            Path::Udp(source) => (Protocol::Udp, source, &self.local),
            Path::Tcp(source) => (Protocol::Tcp, source, &self.local_tcp),
        };
        let same_family = |local: &&SocketAddr| local.is_ipv4() == source.is_ipv4();
        let Some(destination) = local.iter().find(same_family).copied() else { return Ok(false) };
        let Ok(contents) = datagram.try_into() else { return Ok(false) };
        let now = self.time(now);
        let input = Input::Receive(now, Receive { proto, source, destination, contents });
        if !self.rtc.accepts(&input) {
            return Ok(false);
        }
        self.rtc.handle_input(input).map_err(failure)?;
        Ok(true)
    }

    fn advance(&mut self, now: Instant) -> Result<(), Failure> {
        let now = self.time(now);
        self.rtc.handle_input(Input::Timeout(now)).map_err(failure)
    }

    fn write(&mut self, now: Instant, packet: &Packet, numbers: &Outgoing) {
        let Some(track) = self.track(packet.kind).filter(|track| track.codec == packet.codec) else { return };
        let (mid, payload_type) = (track.mid, track.payload_type);
        let now = now.max(self.clock);
        let mut extensions = extension_values(&packet.extensions);
        if let Some(hold) =
            (packet.kind == Kind::Video).then(|| self.hold.tell(now, packet.extensions.hold)).flatten()
        {
            extensions.play_delay_min = Some(MediaTime::from_hundredths(hold.as_millis() as u64 / 10));
            extensions.play_delay_max = Some(HELD_MAX);
        }
        let mut write =
            RtpWrite::new(payload_type, numbers.sequence.into(), numbers.time, now, packet.payload.clone())
                .marker(packet.marker)
                .nackable(packet.kind == Kind::Video)
                .ext_vals(extensions);
        if let Some(patch) = numbers.vp8.and_then(|ids| vp8_patch(&packet.payload, ids)) {
            write = write.vp8_patch(patch);
        }
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.write_rtp(write);
        }
    }

    fn request_key_frame(&mut self, kind: Kind, layer: u8) {
        let Some((mid, rid)) = self.track(kind).map(|track| (track.mid, track.rid(layer))) else { return };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, rid) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    fn plan(&mut self, present: u64, top: u64) {
        // Repeating a plan would be harmless, but following every wobble of a rate is work for nothing.
        let moved = |old: u64, new: u64| old.abs_diff(new) > old / 8;
        if self.estimate && (moved(self.planned.0, present) || moved(self.planned.1, top)) {
            self.planned = (present, top);
            self.rtc.bwe().set_bitrate(Bitrate::bps(present), Bitrate::bps(top));
        }
    }

    fn poll(&mut self) -> Result<Output, Failure> {
        loop {
            if !self.rtc.is_alive() {
                return Ok(Output::Closed);
            }
            match self.rtc.poll_output().map_err(failure)? {
                StrOutput::Timeout(at) if self.hurries(at) => {
                    self.clock = self.clock.max(at);
                    self.rtc.handle_input(Input::Timeout(self.clock)).map_err(failure)?;
                }
                StrOutput::Timeout(at) => {
                    return Ok(match self.copies.due(self.clock) {
                        Some((to, contents)) => Output::Datagram { to, contents },
                        None => Output::Wait(self.copies.next().map_or(at, |copy| at.min(copy))),
                    });
                }
                StrOutput::Transmit(send) => {
                    let to = match send.proto {
                        Protocol::Udp => Path::Udp(send.destination),
                        _ => Path::Tcp(send.destination),
                    };
                    self.copies.sent(self.clock, to, &send.contents);
                    return Ok(Output::Datagram { to, contents: send.contents.into() });
                }
                StrOutput::Event(event) => {
                    if let Some(output) = self.event(event) {
                        return Ok(output);
                    }
                }
            }
        }
    }

    fn loss(&self) -> Option<f32> {
        Reported::together(self.tracks.iter().map(|track| &track.reported))
    }

    fn restart_ice(&mut self, restart: &IceRestart) -> Result<(), Failure> {
        let offer =
            SdpOffer::from_sdp_string(&with_credentials(&self.offer, &restart.theirs)).map_err(failure)?;
        // It forgets the old pairs and makes credentials of its own; ours, which the peer has been told, replace them.
        self.rtc.sdp_api().accept_offer(offer).map_err(failure)?;
        let (ufrag, pass) = (restart.ours.ufrag.clone(), restart.ours.password.clone());
        self.rtc.direct_api().set_local_ice_credentials(IceCreds { ufrag, pass });
        Ok(())
    }

    fn close(&mut self) {
        // An error only means that there is no DTLS session to say goodbye on.
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }
}

fn vp8_patch(payload: &[u8], ids: vp8::Ids) -> Option<Vp8Patch> {
    let mut patch = Vp8Descriptor::parse(payload).ok()?.patch();
    if let Some(picture) = ids.picture {
        patch = patch.picture_id(picture.value);
    }
    if let Some(base_layer) = ids.base_layer {
        patch = patch.tl0_pic_idx(base_layer);
    }
    patch.build().ok()
}

fn extensions(values: &ExtensionValues) -> Extensions {
    let orientation = values.video_orientation.map(|orientation| match orientation {
        VideoOrientation::Deg0 => Orientation::Upright,
        VideoOrientation::Deg270 => Orientation::Turned90,
        VideoOrientation::Deg180 => Orientation::Turned180,
        VideoOrientation::Deg90 => Orientation::Turned270,
    });
    let (audio_level, voice_activity) = (values.audio_level, values.voice_activity);
    Extensions { audio_level, voice_activity, orientation, ..Extensions::default() }
}

fn extension_values(extensions: &Extensions) -> ExtensionValues {
    let video_orientation = extensions.orientation.map(|orientation| match orientation {
        Orientation::Upright => VideoOrientation::Deg0,
        Orientation::Turned90 => VideoOrientation::Deg270,
        Orientation::Turned180 => VideoOrientation::Deg180,
        Orientation::Turned270 => VideoOrientation::Deg90,
    });
    ExtensionValues {
        audio_level: extensions.audio_level,
        voice_activity: extensions.voice_activity,
        video_orientation,
        ..ExtensionValues::default()
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}
