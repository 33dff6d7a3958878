//! What a peer can send once it was let in: media with header extensions, reports (RTCP), data, and checks of ICE, as
//! publisher and as subscriber, each after its length. Nothing is encrypted here. The engine may panic, which ends the
//! peer that made it do so; but not go on for ever, nor eat memory.
#![no_main]

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use stagedoor_media::engine::str0m::Str0m;
use stagedoor_media::engine::{
    Answer, Connection, Direction, Engine, Extensions, Output, Packet, Path, Terms,
};
use stagedoor_media::sdp::Offer;
use stagedoor_sfu::{Codec, Kind, Outgoing};

static ENGINE: LazyLock<Str0m> = LazyLock::new(|| Str0m::plain().expect("makes a certificate"));

/// Both parts of ICE user names, the peer's own one as in the offer.
const USER: &str = "ours:abcd";
/// Inputs name our sources by these, as nobody can guess them: sound, video, video sent again.
const PLACEHOLDERS: [&[u8; 4]; 3] = [b"SRC0", b"SRC1", b"SRC2"];
/// Of SRTP with AES-128-GCM, which stands at the end.
const TAG_BYTES: usize = 16;
/// Output that one packet may lead to, in rounds.
const ROUNDS_MAX: usize = 20_000;

fuzz_target!(|bytes: &[u8]| {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let lost = [Direction::Publish, Direction::Subscribe].map(|direction| {
        catch_unwind(AssertUnwindSafe(|| Session::new(direction).play(bytes))).unwrap_or_default()
    });
    set_hook(hook);
    assert_eq!(lost, [false; 2], "no end of output");
});

struct Session {
    connection: Box<dyn Connection>,
    /// Our sources, as the answer names them.
    sources: Vec<[u8; 4]>,
    now: Instant,
    /// Packets that were sent so far.
    sent: u16,
}

impl Session {
    fn new(direction: Direction) -> Self {
        let now = Instant::now();
        let terms = Terms {
            direction,
            video: vec![Codec::H264, Codec::Vp8],
            candidates: vec![([127, 0, 0, 1], 4570).into()],
            tcp_candidates: Vec::new(),
            estimate: direction == Direction::Subscribe,
            ice_ufrag: "ours".into(),
            ice_password: "0123456789012345678901".into(),
        };
        let offer = Offer::parse(&offer(direction)).expect("an offer");
        let Answer { connection, sdp, .. } = ENGINE.answer(now, &offer, terms).expect("it is answered");
        let number = |line: &str| line.strip_prefix("a=ssrc:")?.split(' ').next()?.parse::<u32>().ok();
        let mut sources: Vec<[u8; 4]> = sdp.lines().filter_map(number).map(u32::to_be_bytes).collect();
        sources.dedup();
        Self { connection, sources, now, sent: 0 }
    }

    /// Whether there was no end of output.
    fn play(mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let mut next = Some(check());
        while let Some(datagram) = next {
            self.now += Duration::from_millis(20);
            if self.connection.receive(self.now, path(), &datagram).is_err() {
                return false;
            }
            match self.drain() {
                Ok(true) => self.send(),
                Ok(false) => return true,
                Err(()) => return false,
            }
            next = rest.split_first().map(|(length, after)| {
                let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
                rest = after;
                protected(packet, &self.sources)
            });
        }
        false
    }

    /// Takes all output; `Ok(false)` if there is no end of it, an error once the connection has ended.
    fn drain(&mut self) -> Result<bool, ()> {
        self.connection.advance(self.now).map_err(|_| ())?;
        for _ in 0..ROUNDS_MAX {
            match self.connection.poll() {
                Ok(Output::Wait(_)) => return Ok(true),
                Ok(Output::Closed) | Err(_) => return Err(()),
                Ok(Output::Packet(packet)) => drop(packet.describe()),
                Ok(_) => {}
            }
        }
        Ok(false)
    }

    /// Something for the peer to report about, to ask for again and to want otherwise.
    fn send(&mut self) {
        let sequence = u64::from(self.sent);
        self.sent += 1;
        let packet = Packet {
            kind: Kind::Video,
            codec: Codec::Vp8,
            layer: 0,
            sequence,
            time: 3000 * u32::from(self.sent),
            marker: true,
            payload: Arc::from(&[0x90, 0xe0, 0x80, 1, 1, 0x20, 0x10, 2, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0][..]),
            received: self.now,
            extensions: Extensions::default(),
        };
        self.connection.write(self.now, &packet, &Outgoing { sequence, time: packet.time, vp8: None });
        self.connection.request_key_frame(Kind::Video, 0);
        self.connection.plan(500_000, 2_000_000 + u64::from(self.sent) * 500_000);
    }
}

fn path() -> Path {
    Path::Udp(SocketAddr::from(([127, 0, 0, 1], 5000)))
}

/// A packet with our sources for the placeholders, as SRTP (RFC 7714) if it is none of ICE or DTLS.
fn protected(packet: &[u8], sources: &[[u8; 4]]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    for at in 0..packet.len().saturating_sub(3) {
        let named = PLACEHOLDERS.iter().position(|name| packet[at..].starts_with(*name));
        if let Some(source) = named.and_then(|index| sources.get(index)) {
            packet[at..at + 4].copy_from_slice(source);
        }
    }
    if packet.first().is_some_and(|first| *first >= 0x80) {
        packet.resize(packet.len() + TAG_BYTES, 0);
        // Reports have the number of the packet, too, and whether it is encrypted.
        if matches!(packet[1], 192..=223) {
            packet.extend([0x80, 0, 0, 1]);
        }
    }
    packet
}

/// A check of ICE that makes its path the one to use (RFC 8445, section 7.1). Its integrity is zeros.
fn check() -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bytes.resize(20, 7);
    let mut attribute = |kind: u16, value: &[u8]| {
        bytes.extend(kind.to_be_bytes());
        bytes.extend((value.len() as u16).to_be_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    };
    attribute(0x06, USER.as_bytes());
    attribute(0x24, &[0x7e, 0, 0x1e, 0xff]);
    attribute(0x802a, &[1; 8]);
    attribute(0x25, &[]);
    attribute(0x08, &[0; 20]);
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// As a browser makes it.
fn offer(direction: Direction) -> String {
    let (way, sources, layers) = match direction {
        Direction::Publish => (
            "sendonly",
            ["a=ssrc:1094861636 cname:c\r\n", ""],
            "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n",
        ),
        Direction::Subscribe => ("recvonly", ["", ""], ""),
    };
    let common = |mid: u8| {
        format!(
            "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
             a=fingerprint:sha-256 {}AB\r\na=setup:actpass\r\na=mid:{mid}\r\n\
             a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
             a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
             a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
             a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
             a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n\
             a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
             a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n\
             a=extmap:13 urn:3gpp:video-orientation\r\n\
             a={way}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
            "AB:".repeat(31)
        )
    };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{}a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n{}\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103\r\n{}\
         a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 ccm fir\r\n\
         a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
         a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 transport-cc\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n\
         a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
         a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n{}{layers}",
        common(0),
        sources[0],
        common(1),
        sources[1],
    )
}
