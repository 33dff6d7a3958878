//! The clip that the demo publishes: a test pattern and a tone, encoded beforehand (see `assets/clip`).

use std::time::Duration;

/// Ticks per second of RTP's video clock (RFC 6184 §5.1).
const VIDEO_CLOCK: u64 = 90_000;
/// Ticks per second of RTP's Opus clock (RFC 7587 §4.1).
const AUDIO_CLOCK: u64 = 48_000;
const FRAMES_PER_SECOND: u64 = 30;
const PACKETS_PER_SECOND: u64 = 50;

static H264: &[u8] = include_bytes!("../../../../assets/clip/clip.h264");
static OPUS: &[u8] = include_bytes!("../../../../assets/clip/clip.opus");

/// Something to send at a time.
pub struct Item {
    pub at: Duration,
    /// In ticks of its codec's clock.
    pub rtp_time: u32,
    pub video: bool,
    pub data: &'static [u8],
}

/// Both tracks in the order of their times.
pub fn items() -> Vec<Item> {
    let video = access_units(H264).into_iter().enumerate();
    let video = video.map(|(at, data)| item(at as u64, FRAMES_PER_SECOND, VIDEO_CLOCK, true, data));
    let audio = packets(OPUS).into_iter().enumerate();
    let audio = audio.map(|(at, data)| item(at as u64, PACKETS_PER_SECOND, AUDIO_CLOCK, false, data));
    let mut items: Vec<Item> = video.chain(audio).collect();
    items.sort_by_key(|item| item.at);
    items
}

fn item(at: u64, per_second: u64, clock: u64, video: bool, data: &'static [u8]) -> Item {
    let rtp_time = u32::try_from(at * clock / per_second).expect("the clip is short");
    Item { at: Duration::from_micros(at * 1_000_000 / per_second), rtp_time, video, data }
}

/// Annex B cut at its access unit delimiters (NAL type 9), which each frame begins with.
fn access_units(stream: &'static [u8]) -> Vec<&'static [u8]> {
    let is_delimiter = |at: &usize| stream[*at..].starts_with(&[0, 0, 0, 1, 9]);
    let starts: Vec<usize> = (0..stream.len()).filter(is_delimiter).collect();
    let ends = starts.iter().copied().skip(1).chain([stream.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| &stream[start..end]).collect()
}

/// Each packet stands behind its length, 16 bits, big-endian.
fn packets(mut stream: &'static [u8]) -> Vec<&'static [u8]> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = stream.split_first_chunk::<2>() {
        let Some((packet, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            break;
        };
        packets.push(packet);
        stream = rest;
    }
    packets
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clip_is_six_seconds_of_both() {
        let items = super::items();
        let frames = items.iter().filter(|item| item.video).count();
        assert_eq!((frames, items.len() - frames), (180, 301));
    }
}
