//! A publisher: 30 frames and 50 sounds per second. With frames of nine packets these are 320 packets and 2.6 Mbit/s.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event, packetize};
use stagedoor_media::world::World;
use stagedoor_sfu::{Codec, Kind};

use crate::janus::Handle;
use crate::task::{Phase, Seat, Task};
use crate::{Result, http, wall_nanos};

static CLIP: &[u8] = include_bytes!("../../../assets/clip/clip.h264");

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);
const CODECS: [Codec; 2] = [Codec::Opus, Codec::H264];
/// Names of the simulcast layers, and which is the small one.
const LAYERS: [&str; 2] = ["l", "h"];
const PACKET_BYTES: usize = 1080;
const SMALL_BYTES: usize = 600;
const SOUND_BYTES: usize = 120;
const FRAMES_PER_SECOND: u32 = 30;
const SOUNDS_PER_SECOND: u32 = 50;
/// Least common multiple of the two rates: the clock of the loop.
const STEPS_PER_SECOND: u32 = 150;
const FRAME_TICKS: u32 = 90_000 / FRAMES_PER_SECOND;
const SOUND_TICKS: u32 = 48_000 / SOUNDS_PER_SECOND;

/// A publisher on a thread of its own.
pub(crate) struct Running {
    thread: JoinHandle<Result<u64>>,
    pub(crate) clock: Arc<SendClock>,
}

impl Running {
    /// Packets that were sent while it counted.
    pub(crate) fn finish(self) -> Result<u64> {
        self.thread.join().map_err(|_| "a publisher failed")?
    }
}

/// When the last frames and sounds were sent, by their place in the stream.
#[derive(Debug)]
pub(crate) struct SendClock {
    frames: Vec<AtomicU64>,
    sounds: Vec<AtomicU64>,
    last_frame: AtomicU64,
    last_sound: AtomicU64,
}

/// Some seconds of each.
const REMEMBERED: usize = 512;

impl SendClock {
    fn new() -> SendClock {
        let empty = || (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect();
        SendClock {
            frames: empty(),
            sounds: empty(),
            last_frame: AtomicU64::new(0),
            last_sound: AtomicU64::new(0),
        }
    }

    fn sends(&self, kind: Kind, number: u32) {
        let (times, last) = match kind {
            Kind::Video => (&self.frames, &self.last_frame),
            Kind::Audio => (&self.sounds, &self.last_sound),
        };
        times[number as usize % REMEMBERED].store(wall_nanos(), Ordering::Relaxed);
        last.store(number.into(), Ordering::Release);
    }

    /// The timestamp of what was sent last.
    pub(crate) fn latest(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Video => self.last_frame.load(Ordering::Acquire) as u32 * FRAME_TICKS,
            Kind::Audio => self.last_sound.load(Ordering::Acquire) as u32 * SOUND_TICKS,
        }
    }

    /// When what has this timestamp was sent: nanoseconds of the wall clock. `None` if it never was.
    pub(crate) fn sent(&self, kind: Kind, time: u32) -> Option<u64> {
        let (times, ticks) = match kind {
            Kind::Video => (&self.frames, FRAME_TICKS),
            Kind::Audio => (&self.sounds, SOUND_TICKS),
        };
        Some(times[(time / ticks) as usize % REMEMBERED].load(Ordering::Relaxed)).filter(|nanos| *nanos > 0)
    }
}

/// Connects and begins to send.
pub(crate) fn start(
    task: &Task,
    number: u8,
    seat: &Seat,
    world: &Arc<dyn World>,
    phase: &Arc<Phase>,
) -> Result<Running> {
    let local = task.publisher_address(number).into();
    let rids = if task.simulcast { &LAYERS[..] } else { &[] };
    let (mut client, offer) = Client::simulcast(local, &CODECS, rids, Arc::clone(world))?;
    let answer = match seat {
        Seat::Stage { url, token, .. } => http::post_sdp(url, token, &offer)?,
        Seat::Janus { url, room, feed } => Handle::attach(url)?.publish(*room, *feed, &offer)?,
    };
    client.accept(&answer)?;
    let deadline = Instant::now() + CONNECT_MAX;
    while !matches!(client.next_event(deadline)?, Some(Event::Connected)) {
        if Instant::now() >= deadline {
            return Err("a publisher could not connect".into());
        }
    }
    let clock = Arc::new(SendClock::new());
    let frames = Frames { packets: task.packets_per_frame, unequal: task.unequal, seed: 0x9e37_79b9 };
    let (phase, times, layers) = (Arc::clone(phase), Arc::clone(&clock), rids.len());
    let thread = thread::spawn(move || send(client, frames, layers, &times, &phase));
    Ok(Running { thread, clock })
}

fn send(
    mut client: Client,
    mut frames: Frames,
    layers: usize,
    clock: &SendClock,
    phase: &Phase,
) -> Result<u64> {
    let sound = vec![0x78; SOUND_BYTES];
    let top = layers.saturating_sub(1);
    let start = Instant::now();
    let (mut sent, mut wants_key_frame) = (0, true);
    for step in 0_u32.. {
        if phase.over() {
            break;
        }
        let due = start + Duration::from_secs(1) * step / STEPS_PER_SECOND;
        client.run_until(due, |event| wants_key_frame |= matches!(event, Event::KeyFrameWanted(_)))?;
        let mut packets = 0;
        if step % (STEPS_PER_SECOND / FRAMES_PER_SECOND) == 0 {
            let number = step / (STEPS_PER_SECOND / FRAMES_PER_SECOND);
            let key = std::mem::take(&mut wants_key_frame);
            let frame = frames.next(key);
            clock.sends(Kind::Video, number);
            packets += client.send_layer(Kind::Video, top, number.wrapping_mul(FRAME_TICKS), &frame)?;
            if top > 0 {
                let small = coded(key, &[SMALL_BYTES]);
                packets += client.send_layer(Kind::Video, 0, number.wrapping_mul(FRAME_TICKS), &small)?;
            }
        }
        if step % (STEPS_PER_SECOND / SOUNDS_PER_SECOND) == 0 {
            let number = step / (STEPS_PER_SECOND / SOUNDS_PER_SECOND);
            clock.sends(Kind::Audio, number);
            packets += client.send_frame(Kind::Audio, number.wrapping_mul(SOUND_TICKS), &sound)?;
        }
        if phase.counts() {
            sent += packets as u64;
        }
    }
    client.close()?;
    Ok(sent)
}

/// Makes frames of slices, each as long as one packet, so that the packets have just the sizes that are wanted.
struct Frames {
    packets: usize,
    unequal: bool,
    seed: u32,
}

impl Frames {
    fn next(&mut self, key: bool) -> Vec<u8> {
        let sizes = if self.unequal { self.like_a_browser() } else { vec![PACKET_BYTES; self.packets] };
        coded(key, &sizes)
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

/// A frame of slices that nobody decodes: only their heads are real. A key frame begins with the parameter sets of
/// the clip.
fn coded(key: bool, sizes: &[usize]) -> Vec<u8> {
    let mut frame = Vec::new();
    if key {
        for kind in [7, 8] {
            let unit = packetize::nal_units(CLIP)
                .into_iter()
                .find(|unit| unit.first().is_some_and(|head| head & 31 == kind));
            frame.extend_from_slice(&[0, 0, 0, 1]);
            frame.extend_from_slice(unit.expect("the clip has parameter sets"));
        }
    }
    for size in sizes {
        frame.extend_from_slice(&[0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
        frame.resize(frame.len() + size - 1, 0x55);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_into_packets_of_the_sizes_wanted() {
        let sizes =
            |frame: &[u8]| packetize::nal_units(frame).iter().map(|unit| unit.len()).collect::<Vec<_>>();
        let mut frames = Frames { packets: 9, unequal: false, seed: 1 };
        assert_eq!(sizes(&frames.next(false)), [PACKET_BYTES; 9]);
        assert_eq!(sizes(&frames.next(true)).len(), 11);
        frames.unequal = true;
        let mut total = 0;
        for _ in 0..1000 {
            let sizes = sizes(&frames.next(false));
            assert!(sizes.is_sorted() && sizes[sizes.len() - 1] - sizes[0] <= 1, "{sizes:?}");
            assert!(sizes[0] <= PACKET_BYTES);
            total += sizes.iter().sum::<usize>();
        }
        assert!((total / 1000).abs_diff(9 * PACKET_BYTES) < 300, "{total}");
    }
}
