//! What a publisher sends, packet by packet: when, of which layer, how long. Recorded from a browser (`traces/`, made by
//! `cargo xtask traces`), or regular.

use std::time::Duration;

use stagedoor_sfu::Codec;

use crate::Result;

const PACKET_BYTES: usize = 1080;
const SMALL_BYTES: usize = 600;
const SOUND_BYTES: usize = 120;
const FRAMES_PER_SECOND: u32 = 30;
const SOUNDS_PER_SECOND: u32 = 50;
/// Regular streams begin again after this time.
const REGULAR_SECONDS: u32 = 10;
/// From the last packet of a recording to its first one.
const PAUSE: Duration = Duration::from_millis(10);
/// Names of layers, the smallest first.
const RIDS: [&str; 3] = ["l", "m", "h"];

/// A stream that is repeated without end.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) codec: Codec,
    /// The names of its simulcast layers, the smallest first; none without layers.
    pub(crate) rids: Vec<&'static str>,
    /// In order of time.
    pub(crate) packets: Vec<Packet>,
    pub(crate) length: Duration,
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Since the beginning.
    pub(crate) at: Duration,
    pub(crate) track: Track,
    /// Whether its frame ends with it. A sound is a frame.
    pub(crate) last: bool,
    /// Of its payload.
    pub(crate) bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Sound,
    /// By the place of its layer.
    Video(usize),
}

impl Trace {
    /// Frames of so many packets, all sent at once, and sounds: with nine packets 2.6 Mbit/s. `unequal` frames differ
    /// in length and are cut like a browser's; with `simulcast` there is a small layer beside it.
    pub(crate) fn regular(packets: usize, unequal: bool, simulcast: bool) -> Trace {
        let rids = if simulcast { vec![RIDS[0], RIDS[2]] } else { Vec::new() };
        let mut sizes = Sizes { packets, unequal, seed: 0x9e37_79b9 };
        let mut all = Vec::new();
        for number in 0..FRAMES_PER_SECOND * REGULAR_SECONDS {
            let at = Duration::from_secs(1) * number / FRAMES_PER_SECOND;
            let top = rids.len().saturating_sub(1);
            all.extend(frame(at, top, &sizes.next()));
            if top > 0 {
                all.extend(frame(at, 0, &[SMALL_BYTES]));
            }
        }
        for number in 0..SOUNDS_PER_SECOND * REGULAR_SECONDS {
            let at = Duration::from_secs(1) * number / SOUNDS_PER_SECOND;
            all.push(Packet { at, track: Track::Sound, last: true, bytes: SOUND_BYTES });
        }
        all.sort_by_key(|packet| packet.at);
        let length = Duration::from_secs(REGULAR_SECONDS.into());
        Trace { codec: Codec::H264, rids, packets: all, length }
    }

    /// Reads a recording: the codec, then a line for each packet, as `tests/browser/record.mjs` writes them.
    pub(crate) fn read(text: &str) -> Result<Trace> {
        let mut lines = text.lines();
        let codec = match lines.next() {
            Some("H264") => Codec::H264,
            Some("VP8") => Codec::Vp8,
            other => return Err(format!("a trace of an unknown codec: {other:?}").into()),
        };
        let lines: Vec<Line<'_>> =
            lines.map(|line| Line::read(line).ok_or_else(|| bad(line))).collect::<Result<_>>()?;
        let rids: Vec<&str> =
            RIDS.into_iter().filter(|rid| lines.iter().any(|line| line.layer == *rid)).collect();
        let mut packets = Vec::with_capacity(lines.len());
        for line in &lines {
            let track = match line.layer {
                "a" => Track::Sound,
                "v" => Track::Video(0),
                name => Track::Video(rids.iter().position(|rid| *rid == name).ok_or_else(|| bad(name))?),
            };
            let last = line.last || track == Track::Sound;
            packets.push(Packet { at: line.at, track, last, bytes: line.bytes });
        }
        whole_frames(&mut packets);
        let length = packets.last().ok_or("an empty trace")?.at + PAUSE;
        Ok(Trace { codec, rids, packets, length })
    }

    /// The place of the largest layer.
    pub(crate) fn top(&self) -> usize {
        self.rids.len().saturating_sub(1)
    }
}

/// Leaves out what is of a frame that the recording does not hold whole.
fn whole_frames(packets: &mut Vec<Packet>) {
    for layer in 0..RIDS.len() {
        let of_layer = |packet: &Packet| packet.track == Track::Video(layer);
        let mut ends = packets
            .iter()
            .enumerate()
            .filter(|(_, packet)| of_layer(packet) && packet.last)
            .map(|(at, _)| at);
        let (first, last) = (ends.next().unwrap_or(usize::MAX), ends.next_back().unwrap_or(0));
        let mut place = 0..;
        packets.retain(|packet| {
            let place = place.next().unwrap_or_default();
            !of_layer(packet) || (place > first && place <= last)
        });
    }
    let start = packets.first().map_or(Duration::ZERO, |packet| packet.at);
    packets.iter_mut().for_each(|packet| packet.at -= start);
}

struct Line<'a> {
    at: Duration,
    layer: &'a str,
    last: bool,
    bytes: usize,
}

impl Line<'_> {
    fn read(line: &str) -> Option<Line<'_>> {
        let mut words = line.split(' ');
        let at = Duration::from_micros(words.next()?.parse().ok()?);
        let layer = words.next()?;
        let bytes = words.next()?.parse().ok()?;
        Some(Line { at, layer: layer.trim_end_matches('!'), last: layer.ends_with('!'), bytes })
    }
}

fn bad(line: &str) -> Box<dyn std::error::Error + Send + Sync> {
    format!("not a packet of a trace: {line}").into()
}

fn frame(at: Duration, layer: usize, sizes: &[usize]) -> impl Iterator<Item = Packet> {
    let ends = sizes.len().saturating_sub(1);
    let packets = sizes.iter().enumerate();
    packets.map(move |(place, bytes)| Packet {
        at,
        track: Track::Video(layer),
        last: place == ends,
        bytes: *bytes,
    })
}

/// The lengths of regular frames' packets.
struct Sizes {
    packets: usize,
    unequal: bool,
    seed: u32,
}

impl Sizes {
    fn next(&mut self) -> Vec<usize> {
        if self.unequal { self.like_a_browser() } else { vec![PACKET_BYTES; self.packets] }
    }

    /// Frames of 70 to 130 % of the mean length, each cut into pieces that differ by a byte, the longer ones last
    /// (`SplitAboutEqually` of libwebrtc does the same).
    fn like_a_browser(&mut self) -> Vec<usize> {
        // Numerical Recipes' generator: the same frames in every run.
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mean = self.packets * PACKET_BYTES;
        let whole = mean * 7 / 10 + (self.seed >> 8) as usize % (mean * 6 / 10);
        let count = whole.div_ceil(PACKET_BYTES);
        let longer = whole % count;
        (0..count).map(|index| whole / count + usize::from(index >= count - longer)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_frames_have_the_sizes_wanted() {
        let trace = Trace::regular(9, false, false);
        assert_eq!(trace.packets.len(), 10 * (30 * 9 + 50));
        assert!(trace.packets.is_sorted_by_key(|packet| packet.at));
        let mut sizes = Sizes { packets: 9, unequal: true, seed: 1 };
        let mut total = 0;
        for _ in 0..1000 {
            let sizes = sizes.next();
            assert!(sizes.is_sorted() && sizes[sizes.len() - 1] - sizes[0] <= 1, "{sizes:?}");
            assert!(sizes[0] <= PACKET_BYTES);
            total += sizes.iter().sum::<usize>();
        }
        assert!((total / 1000).abs_diff(9 * PACKET_BYTES) < 300, "{total}");
    }

    #[test]
    fn the_recordings_are_of_a_whole_camera() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        for file in std::fs::read_dir(folder).expect("recordings") {
            let path = file.expect("a file").path();
            let trace = Trace::read(&std::fs::read_to_string(&path).expect("text")).expect("a recording");
            let bytes: usize = trace.packets.iter().map(|packet| packet.bytes).sum();
            let rate = bytes as f64 * 8.0 / trace.length.as_secs_f64();
            assert!((1.5e6..4e6).contains(&rate), "{}: {rate} bits per second", path.display());
            assert_eq!(trace.rids.len(), if path.to_string_lossy().contains("layers") { 3 } else { 0 });
        }
    }

    #[test]
    fn a_recording_begins_and_ends_with_whole_frames() {
        let text =
            "VP8\n100 h 9\n110 a 80\n150 h! 9\n200 l! 5\n300 h 10\n310 h! 11\n320 l 5\n330 l! 6\n400 h 12\n";
        let trace = Trace::read(text).expect("a recording");
        assert_eq!((trace.codec, &trace.rids[..]), (Codec::Vp8, &["l", "h"][..]));
        let found: Vec<_> =
            trace.packets.iter().map(|packet| (packet.at.as_micros(), packet.track, packet.bytes)).collect();
        let (low, high) = (Track::Video(0), Track::Video(1));
        assert_eq!(
            found,
            [(0, Track::Sound, 80), (190, high, 10), (200, high, 11), (210, low, 5), (220, low, 6)]
        );
        for bad in ["", "AV1\n", "VP8\n1 h\n", "VP8\n1 x 2\n", "VP8\n"] {
            assert!(Trace::read(bad).is_err(), "{bad:?}");
        }
    }
}
