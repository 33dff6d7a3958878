//! The bodies of FLV audio and video tags (FLV 10.1 annex E.4.2, E.4.3), which is what RTMP carries, and their
//! Enhanced RTMP form, where four letters name the codec.

use bytes::{Buf, Bytes};

use crate::Error;
use crate::aac::AacConfig;
use crate::avc::AvcConfig;

/// What a video tag holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Video {
    Config(AvcConfig),
    /// An access unit; it is shown `composition` milliseconds after its decoding time.
    Frame {
        key: bool,
        composition: i32,
        access_unit: Bytes,
    },
    /// Nothing to show: end of sequence, metadata, seek marks.
    Nothing,
    /// A codec that stages do not take.
    Foreign,
}

/// What an audio tag holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audio {
    Config(AacConfig),
    /// A raw AAC frame.
    Frame(Bytes),
    Nothing,
    /// A codec that stages do not take.
    Foreign,
}

const CODEC_AVC: u8 = 7;
const FORMAT_AAC: u8 = 10;
const FORMAT_ENHANCED: u8 = 9;
const FRAME_KEY: u8 = 1;
const FRAME_COMMAND: u8 = 5;
/// The bit that announces the Enhanced form of video.
const ENHANCED: u8 = 0x80;

/// Packet types, for AVC and AAC as for the Enhanced form.
mod packet {
    pub const CONFIG: u8 = 0;
    pub const FRAME: u8 = 1;
    pub const END: u8 = 2;
    /// Enhanced video: a frame that is shown when it is decoded.
    pub const FRAME_AT_ONCE: u8 = 3;
    pub const METADATA: u8 = 4;
}

const SHORT: Error = Error::Malformed("an FLV tag cut short");

/// Reads a video tag's body.
pub fn video(mut tag: Bytes) -> Result<Video, Error> {
    // An empty tag is how some encoders say that nothing changed.
    let Ok(head) = tag.try_get_u8() else { return Ok(Video::Nothing) };
    if head & ENHANCED != 0 {
        return enhanced_video(head, tag);
    }
    let frame = head >> 4;
    if frame == FRAME_COMMAND {
        return Ok(Video::Nothing);
    }
    if head & 0x0f != CODEC_AVC {
        return Ok(Video::Foreign);
    }
    let packet = tag.try_get_u8().map_err(|_| SHORT)?;
    let composition = signed_24(&mut tag)?;
    match packet {
        packet::CONFIG => AvcConfig::parse(tag).map(Video::Config),
        packet::FRAME => Ok(Video::Frame { key: frame == FRAME_KEY, composition, access_unit: tag }),
        packet::END => Ok(Video::Nothing),
        _ => Err(Error::Malformed("an AVC packet of an unknown type")),
    }
}

/// Enhanced RTMP v1, "Enhancing the FLV video tag".
fn enhanced_video(head: u8, mut tag: Bytes) -> Result<Video, Error> {
    let frame = head >> 4 & 7;
    if frame == FRAME_COMMAND {
        return Ok(Video::Nothing);
    }
    if four_letters(&mut tag)? != *b"avc1" {
        return Ok(Video::Foreign);
    }
    let key = frame == FRAME_KEY;
    match head & 0x0f {
        packet::CONFIG => AvcConfig::parse(tag).map(Video::Config),
        packet::FRAME => {
            let composition = signed_24(&mut tag)?;
            Ok(Video::Frame { key, composition, access_unit: tag })
        }
        packet::FRAME_AT_ONCE => Ok(Video::Frame { key, composition: 0, access_unit: tag }),
        packet::END | packet::METADATA => Ok(Video::Nothing),
        // Several tracks in one tag, and modifiers, are of version 2 and not announced by us.
        _ => Ok(Video::Foreign),
    }
}

/// Reads an audio tag's body.
pub fn audio(mut tag: Bytes) -> Result<Audio, Error> {
    let Ok(head) = tag.try_get_u8() else { return Ok(Audio::Nothing) };
    match head >> 4 {
        FORMAT_AAC => match tag.try_get_u8().map_err(|_| SHORT)? {
            packet::CONFIG => AacConfig::parse(tag).map(Audio::Config),
            packet::FRAME => Ok(Audio::Frame(tag)),
            _ => Err(Error::Malformed("an AAC packet of an unknown type")),
        },
        FORMAT_ENHANCED => enhanced_audio(head & 0x0f, tag),
        _ => Ok(Audio::Foreign),
    }
}

fn enhanced_audio(packet: u8, mut tag: Bytes) -> Result<Audio, Error> {
    if four_letters(&mut tag)? != *b"mp4a" {
        return Ok(Audio::Foreign);
    }
    match packet {
        packet::CONFIG => AacConfig::parse(tag).map(Audio::Config),
        packet::FRAME => Ok(Audio::Frame(tag)),
        packet::END | packet::METADATA => Ok(Audio::Nothing),
        _ => Ok(Audio::Foreign),
    }
}

fn four_letters(tag: &mut Bytes) -> Result<[u8; 4], Error> {
    let letters = *tag.first_chunk().ok_or(SHORT)?;
    tag.advance(4);
    Ok(letters)
}

fn signed_24(tag: &mut Bytes) -> Result<i32, Error> {
    if tag.len() < 3 {
        return Err(SHORT);
    }
    Ok(tag.get_int(3) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORD: &[u8] = &[1, 66, 0xc0, 31, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 1, 0x68];

    fn frame(key: bool, composition: i32) -> Result<Video, Error> {
        Ok(Video::Frame { key, composition, access_unit: Bytes::from_static(b"unit") })
    }

    #[test]
    fn video_tags() {
        let tag = |head: &[u8], rest: &[u8]| video([head, rest].concat().into());
        assert_eq!(tag(&[0x17, 1, 0, 0, 80], b"unit"), frame(true, 80));
        assert_eq!(tag(&[0x27, 1, 0xff, 0xff, 0xfe], b"unit"), frame(false, -2));
        assert!(matches!(tag(&[0x17, 0, 0, 0, 0], RECORD), Ok(Video::Config(_))));
        assert_eq!(tag(&[0x17, 2, 0, 0, 0], b""), Ok(Video::Nothing));
        assert_eq!(tag(&[0x57, 0], b""), Ok(Video::Nothing));
        assert_eq!(tag(&[], b""), Ok(Video::Nothing));
        // VP6; HEVC by the number that some encoders gave it.
        assert_eq!(tag(&[0x14, 1, 2], b""), Ok(Video::Foreign));
        assert_eq!(tag(&[0x1c, 1, 0, 0, 0], b""), Ok(Video::Foreign));
        assert!(tag(&[0x17, 1, 0], b"").is_err() && tag(&[0x17, 9, 0, 0, 0], b"").is_err());
    }

    #[test]
    fn enhanced_video_tags() {
        let tag = |head: u8, rest: &[&[u8]]| video([&[head][..], &rest.concat()].concat().into());
        assert!(matches!(tag(0x90, &[b"avc1", RECORD]), Ok(Video::Config(_))));
        assert_eq!(tag(0x91, &[b"avc1", &[0, 0, 7], b"unit"]), frame(true, 7));
        assert_eq!(tag(0xa3, &[b"avc1", b"unit"]), frame(false, 0));
        assert_eq!(tag(0x94, &[b"avc1"]), Ok(Video::Nothing));
        for foreign in [b"hvc1", b"av01", b"vp09"] {
            assert_eq!(tag(0x90, &[foreign, RECORD]), Ok(Video::Foreign));
        }
        // Multitrack.
        assert_eq!(tag(0x96, &[b"avc1", RECORD]), Ok(Video::Foreign));
        assert!(tag(0x90, &[b"avc"]).is_err());
    }

    #[test]
    fn audio_tags() {
        let tag = |bytes: &[u8]| audio(Bytes::copy_from_slice(bytes));
        assert!(matches!(tag(&[0xaf, 0, 0x12, 0x10]), Ok(Audio::Config(_))));
        assert_eq!(tag(&[0xaf, 1, 7]), Ok(Audio::Frame(Bytes::from_static(&[7]))));
        assert_eq!(tag(&[]), Ok(Audio::Nothing));
        // MP3, Speex, and by letters: AAC, Opus.
        assert_eq!(tag(&[0x2f, 1]), Ok(Audio::Foreign));
        assert_eq!(tag(&[0xbf, 1]), Ok(Audio::Foreign));
        assert_eq!(tag(b"\x91mp4a\x07"), Ok(Audio::Frame(Bytes::from_static(&[7]))));
        assert_eq!(tag(b"\x90Opus\x07"), Ok(Audio::Foreign));
        assert!(tag(&[0xaf]).is_err() && tag(b"\x90mp4").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(tag in proptest::collection::vec(any::<u8>(), 0..60), head in any::<u8>()) {
            let tag: Bytes = [&[head][..], &tag].concat().into();
            let _ = video(tag.clone());
            let _ = audio(tag);
        }
    }
}
