//! Checks of an SDP offer before the WebRTC engine sees it, and the finishing of its answer. It reads just the lines
//! that decide whether and how to answer; the engine parses the rest.

pub mod fragment;

use std::ops::Range;

use stagedoor_sfu::{Codec, Kind};

use crate::engine::Direction;

/// An offer may not be longer than this many bytes. A browser's is about 6 KiB.
pub const OFFER_BYTES_MAX: usize = 64 * 1024;
/// An offer may not have more m-sections than this.
const SECTIONS_MAX: usize = 16;
/// Simulcast layers of a track. Amazon IVS has three.
const LAYERS_MAX: usize = 4;
/// Characters of a layer's name that the engine tells apart.
const RID_BYTES_MAX: usize = 8;

/// Why an offer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("The SDP offer cannot be used: {0}.")]
    Malformed(&'static str),
    #[error("The SDP offer has no Opus audio.")]
    NoAudioCodec,
    #[error("The SDP offer has neither H.264 nor VP8 video.")]
    NoVideoCodec,
}

/// An offer that is fit to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    lines: Vec<String>,
    pub sections: Vec<Section>,
    /// The peer's ICE user name fragment; another one in a PATCH means an ICE restart.
    pub ice_ufrag: String,
}

/// An audio or video m-section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub kind: Kind,
    pub mid: String,
    /// Codecs that we know, in the peer's order of preference.
    pub codecs: Vec<Codec>,
    /// The simulcast layers that the peer would send (RFC 8853); empty if there are not at least two.
    pub rids: Vec<String>,
    lines: Range<usize>,
    /// Port 0 without being part of the bundle: the peer does not want it.
    pub rejected: bool,
}

impl Offer {
    /// Reads an offer. Every section that is not rejected must have a codec that a stage can carry.
    pub fn parse(text: &str) -> Result<Offer, Refused> {
        if text.len() > OFFER_BYTES_MAX {
            return Err(Refused::Malformed("it is longer than 65536 bytes"));
        }
        let lines: Vec<String> =
            text.lines().map(str::trim_end).filter(|l| !l.is_empty()).map(Into::into).collect();
        require_lines(&lines)?;
        let sections = sections(&lines)?;
        let used = || sections.iter().filter(|section| !section.rejected);
        if used().next().is_none() {
            return Err(Refused::Malformed("it has neither an audio nor a video section"));
        }
        match used().find(|section| section.codecs.is_empty()).map(|section| section.kind) {
            Some(Kind::Audio) => return Err(Refused::NoAudioCodec),
            Some(Kind::Video) => return Err(Refused::NoVideoCodec),
            None => {}
        }
        let ice_ufrag = attribute(&lines, "ice-ufrag").unwrap_or_default().to_owned();
        Ok(Offer { lines, sections, ice_ufrag })
    }

    /// The text for the engine. Senders that offer `sendrecv` (as AWS's sample programs do) are answered with
    /// `recvonly`: a publisher's connection carries nothing back, a subscriber's nothing in. Simulcast is left out
    /// where it is not used; browsers then send their first encoding alone.
    pub fn text(&self, direction: Direction) -> String {
        let wanted = match direction {
            Direction::Publish => "a=sendonly",
            Direction::Subscribe => "a=recvonly",
        };
        let layered = match self.section(Kind::Video) {
            Some(video) if direction == Direction::Publish && !video.rids.is_empty() => video.lines.clone(),
            _ => 0..0,
        };
        let mut text = String::new();
        let mut directed = true;
        for (index, line) in self.lines.iter().enumerate() {
            if line.starts_with("m=") {
                end_section(&mut text, directed, wanted);
                directed = false;
            }
            if (line.starts_with("a=simulcast:") || line.starts_with("a=rid:")) && !layered.contains(&index) {
                continue;
            }
            let line = if line == "a=sendrecv" { wanted } else { line };
            directed |= matches!(line, "a=sendonly" | "a=recvonly" | "a=inactive");
            text.push_str(line);
            text.push_str("\r\n");
        }
        end_section(&mut text, directed, wanted);
        text
    }

    /// The first section of a kind that can flow.
    pub fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind && !section.rejected)
    }

    /// A publisher must offer video, even one that only speaks: Amazon IVS refuses it otherwise.
    pub fn require_video(&self) -> Result<(), Refused> {
        self.section(Kind::Video).map(|_| ()).ok_or(Refused::NoVideoCodec)
    }

    /// The video codec to agree on with a publisher: H.264 if offered, since it is what Amazon IVS carries and what
    /// every subscriber of AWS's can decode; else VP8.
    pub fn video_codec(&self) -> Option<Codec> {
        let codecs = &self.section(Kind::Video)?.codecs;
        if codecs.contains(&Codec::H264) { Some(Codec::H264) } else { codecs.first().copied() }
    }
}

/// A section without a direction means `sendrecv` (RFC 8866 §6.7).
fn end_section(text: &mut String, directed: bool, wanted: &str) {
    if !directed {
        text.push_str(wanted);
        text.push_str("\r\n");
    }
}

fn require_lines(lines: &[String]) -> Result<(), Refused> {
    if lines.first().is_none_or(|line| line != "v=0") {
        return Err(Refused::Malformed("it does not start with v=0"));
    }
    for (line, problem) in [
        ("o=", "it has no o= line"),
        ("m=", "it has no media section"),
        ("a=ice-ufrag:", "it has no a=ice-ufrag"),
        ("a=ice-pwd:", "it has no a=ice-pwd"),
        ("a=fingerprint:", "it has no a=fingerprint"),
    ] {
        if !lines.iter().any(|candidate| candidate.starts_with(line)) {
            return Err(Refused::Malformed(problem));
        }
    }
    Ok(())
}

fn sections(lines: &[String]) -> Result<Vec<Section>, Refused> {
    let bundle = attribute(lines, "group").and_then(|group| group.strip_prefix("BUNDLE")).unwrap_or_default();
    let known = |mid: &str| lines.iter().any(|line| line.strip_prefix("a=mid:") == Some(mid));
    if !bundle.split_whitespace().all(known) {
        return Err(Refused::Malformed("it lacks a media section that a=group names"));
    }
    let starts: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with("m=")).map(|(index, _)| index).collect();
    if starts.len() > SECTIONS_MAX {
        return Err(Refused::Malformed("it has more than 16 media sections"));
    }
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let mut sections = Vec::new();
    for (start, end) in starts.iter().copied().zip(ends) {
        sections.extend(section(&lines[start..end], bundle, start)?);
    }
    Ok(sections)
}

/// Reads one m-section; `None` for data channels and other kinds.
fn section(lines: &[String], bundle: &str, start: usize) -> Result<Option<Section>, Refused> {
    let mut words = lines[0]["m=".len()..].split(' ');
    let kind = match words.next() {
        Some("audio") => Kind::Audio,
        Some("video") => Kind::Video,
        _ => return Ok(None),
    };
    let port = words.next().ok_or(Refused::Malformed("a media section is cut short"))?;
    let formats: Vec<&str> = words.skip(1).collect();
    if formats.is_empty() {
        return Err(Refused::Malformed("a media section is cut short"));
    }
    let mid = attribute(lines, "mid").ok_or(Refused::Malformed("a media section has no a=mid"))?.to_owned();
    let rejected = port == "0" && !bundle.split(' ').any(|bundled| bundled == mid);
    let codecs = formats.iter().filter_map(|format| codec(lines, kind, format)).collect();
    let range = start..start + lines.len();
    Ok(Some(Section { kind, mid, codecs, rids: rids(lines), lines: range, rejected }))
}

/// The layers of a simulcast offer. Alternatives of a layer (`h,h2`) do not occur in practice; an offer with them, or
/// with more or stranger layers than we carry, is answered without simulcast.
fn rids(lines: &[String]) -> Vec<String> {
    let offered = attribute(lines, "simulcast").unwrap_or_default();
    let mut words = offered.split_whitespace();
    let streams = words.find(|word| *word == "send").and_then(|_| words.next()).unwrap_or_default();
    // A tilde marks a layer that is paused at first.
    let rids: Vec<String> = streams.split(';').map(|rid| rid.trim_start_matches('~').to_owned()).collect();
    let plain = |rid: &String| {
        (1..=RID_BYTES_MAX).contains(&rid.len()) && rid.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let declared = |rid: &String| {
        lines
            .iter()
            .any(|line| line.strip_prefix("a=rid:").is_some_and(|rest| rest.split(' ').next() == Some(rid)))
    };
    let twice = (1..rids.len()).any(|index| rids[..index].contains(&rids[index]));
    let count = lines.iter().filter(|line| line.starts_with("a=rid:")).count();
    let usable = (2..=LAYERS_MAX).contains(&rids.len())
        && count == rids.len()
        && !twice
        && rids.iter().all(|rid| plain(rid) && declared(rid));
    if usable { rids } else { Vec::new() }
}

/// The codec behind a payload type, from its `a=rtpmap` line.
fn codec(lines: &[String], kind: Kind, format: &str) -> Option<Codec> {
    let prefix = format!("a=rtpmap:{format} ");
    let map = lines.iter().find_map(|line| line.strip_prefix(&prefix))?;
    let known = [Codec::Opus, Codec::H264, Codec::Vp8].into_iter().find(|codec| {
        let mut parts = map.split('/');
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(codec.name()))
            && parts.next().and_then(|clock| clock.parse().ok()) == Some(codec.clock_hz())
    })?;
    (known.kind() == kind).then_some(known)
}

fn attribute<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

/// Puts the candidates into every section and says that there are no more.
///
/// AWS answers with candidates in the first section only; its samples then copy them into the others for clients
/// that need them there. All ours are known at once, so `a=end-of-candidates` follows (RFC 8840 §8.2).
pub fn spread_candidates(answer: &str) -> String {
    let is_candidate = |line: &&str| line.starts_with("a=candidate:");
    let candidates: Vec<&str> = answer.lines().filter(is_candidate).collect();
    let mut text = String::with_capacity(answer.len() * 2);
    let mut in_section = false;
    let end = |text: &mut String, in_section: bool| {
        if in_section {
            for line in candidates.iter().chain(&["a=end-of-candidates"]) {
                text.push_str(line);
                text.push_str("\r\n");
            }
        }
    };
    for line in answer.lines().filter(|line| !is_candidate(line) && *line != "a=end-of-candidates") {
        if line.starts_with("m=") {
            end(&mut text, in_section);
            in_section = true;
        }
        text.push_str(line);
        text.push_str("\r\n");
    }
    end(&mut text, in_section);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        a=fingerprint:sha-256 AA:BB\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n\
        a=rtpmap:97 rtx/90000\r\na=rtpmap:98 H264/90000\r\na=rid:h send\r\na=simulcast:send h\r\n";

    fn refused(offer: &str) -> Option<Refused> {
        Offer::parse(offer).err()
    }

    #[test]
    fn an_offer_is_read() {
        let offer = Offer::parse(OFFER).expect("a good offer");
        assert_eq!(offer.ice_ufrag, "abcd");
        let sections: Vec<_> = offer.sections.iter().map(|s| (s.mid.as_str(), s.codecs.as_slice())).collect();
        assert_eq!(sections, [("0", &[Codec::Opus][..]), ("1", &[Codec::Vp8, Codec::H264])]);
        assert_eq!(offer.video_codec(), Some(Codec::H264));
        assert_eq!(
            Offer::parse(&OFFER.replace("98 H264", "98 AV1")).expect("good").video_codec(),
            Some(Codec::Vp8)
        );
        assert_eq!(Offer::parse(&OFFER.replace("\r\n", "\n")), Ok(offer));
    }

    #[test]
    fn directions_are_made_one_way_and_a_single_layer_is_no_simulcast() {
        let text = Offer::parse(OFFER).expect("good").text(Direction::Publish);
        // The audio section said sendrecv, the video section nothing, which means the same.
        assert_eq!(text.matches("a=sendonly\r\n").count(), 2, "{text}");
        assert!(!text.contains("a=sendrecv") && !text.contains("a=rid") && !text.contains("a=simulcast"));
        let text = Offer::parse(OFFER).expect("good").text(Direction::Subscribe);
        assert_eq!(text.matches("a=recvonly\r\n").count(), 2, "{text}");
    }

    #[test]
    fn simulcast() {
        let check = |lines: &str, expected: &[&str]| {
            let offer = OFFER.replace("a=rid:h send\r\na=simulcast:send h\r\n", lines);
            let offer = Offer::parse(&offer).expect("good");
            assert_eq!(offer.section(Kind::Video).expect("there").rids, expected, "{lines}");
            let text = offer.text(Direction::Publish);
            assert_eq!(text.matches("a=rid:").count(), expected.len(), "{text}");
            assert_eq!(text.contains("a=simulcast"), !expected.is_empty());
            assert!(!offer.text(Direction::Subscribe).contains("a=simulcast"));
        };
        let rid =
            |names: &str| names.split(' ').map(|name| format!("a=rid:{name} send\r\n")).collect::<String>();
        check(&(rid("h m l") + "a=simulcast:send h;m;l\r\n"), &["h", "m", "l"]);
        check(&(rid("hi low") + "a=simulcast:send hi;~low\r\n"), &["hi", "low"]);
        check(&(rid("h l") + "a=simulcast:recv h;l\r\n"), &[]);
        check(&(rid("h l") + "a=simulcast:send h,m;l\r\n"), &[]);
        check(&(rid("h") + "a=simulcast:send h;h\r\n"), &[]);
        check(&(rid("h h") + "a=simulcast:send h;h\r\n"), &[]);
        check(&(rid("h m") + "a=simulcast:send h;l\r\n"), &[]);
        check(&(rid("1 2 3 4 5") + "a=simulcast:send 1;2;3;4;5\r\n"), &[]);
        check(&(rid("muchtoolong h") + "a=simulcast:send muchtoolong;h\r\n"), &[]);
        check("a=simulcast:send\r\n", &[]);
        check("a=rid:h send\r\na=rid:l send\r\n", &[]);
    }

    #[test]
    fn refusals() {
        let malformed =
            |offer: &str| assert!(matches!(refused(offer), Some(Refused::Malformed(_))), "{offer}");
        malformed("");
        malformed("v=1\r\n");
        for line in ["o=-", "a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=mid:0", "a=mid:1"] {
            malformed(&OFFER.replace(line, "x=y"));
        }
        malformed(&OFFER.replace("m=audio", "m=text").replace("m=video", "m=text"));
        malformed(&OFFER.replace(" 9 UDP/TLS/RTP/SAVPF 111 0", " 9"));
        malformed(&OFFER[..OFFER.find("m=video").expect("there")]);
        malformed(&OFFER.replace("a=sendrecv", &"a=x\r\n".repeat(20_000)));
        malformed(&(OFFER.to_owned() + &"m=text 9 x 1\r\n".repeat(SECTIONS_MAX)));
        assert_eq!(refused(&OFFER.replace("opus", "PCMU")), Some(Refused::NoAudioCodec));
        assert_eq!(refused(&OFFER.replace("VP8", "VP9").replace("H264", "AV1")), Some(Refused::NoVideoCodec));
        // Audio under another clock is not the Opus of WebRTC.
        assert_eq!(refused(&OFFER.replace("opus/48000", "opus/44100")), Some(Refused::NoAudioCodec));
        // A section that the peer itself rejects needs no codec.
        let audio_only =
            OFFER.replace("BUNDLE 0 1", "BUNDLE 0").replace("m=video 9", "m=video 0").replace("H264", "x");
        assert_eq!(Offer::parse(&audio_only.replace("VP8", "x")).expect("good").section(Kind::Video), None);
    }

    #[test]
    fn candidates_are_in_every_section() {
        let answer = "v=0\r\nm=audio 9 x 1\r\na=candidate:1 1 udp 1 ::1 9 typ host\r\na=mid:0\r\nm=video 9 x 2\r\na=mid:1\r\n";
        let spread = spread_candidates(answer);
        let end = "a=candidate:1 1 udp 1 ::1 9 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(
            spread,
            format!("v=0\r\nm=audio 9 x 1\r\na=mid:0\r\n{end}m=video 9 x 2\r\na=mid:1\r\n{end}")
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}", cut in 0..OFFER.len(), at in 0..OFFER.len()) {
            drop(Offer::parse(&text));
            drop(Offer::parse(&OFFER[..cut]));
            let mixed = format!("{}{text}{}", &OFFER[..at], &OFFER[at..]);
            if let Ok(offer) = Offer::parse(&mixed) {
                offer.text(Direction::Publish);
                offer.video_codec();
            }
            spread_candidates(&mixed);
            drop(fragment::credentials(&mixed));
        }
    }
}
