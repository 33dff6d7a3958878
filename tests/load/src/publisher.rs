//! A publisher: it repeats a trace in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event, packetize};
use stagedoor_media::world::World;
use stagedoor_sfu::{Codec, Kind};

use crate::janus::Handle;
use crate::task::{Phase, Seat, Task};
use crate::trace::{Trace, Track};
use crate::{Result, http, wall_nanos};

static CLIP: &[u8] = include_bytes!("../../../assets/clip/clip.h264");

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// By which the timestamps of frames and sounds grow.
const FRAME_TICKS: u32 = 3000;
const SOUND_TICKS: u32 = 960;
/// The first bytes of a VP8 key frame of 1280 by 720 (RFC 6386 §9.1).
const VP8_KEY_FRAME: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];

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
    let trace = task.trace()?;
    let codecs = [Codec::Opus, trace.codec];
    let (mut client, offer) = Client::simulcast(local, &codecs, &trace.rids, Arc::clone(world))?;
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
    let stream = Stream::new(trace, Arc::clone(&clock));
    let phase = Arc::clone(phase);
    let thread = thread::spawn(move || send(client, stream, &phase));
    Ok(Running { thread, clock })
}

fn send(mut client: Client, mut stream: Stream, phase: &Phase) -> Result<u64> {
    let start = Instant::now();
    let mut sent = 0;
    while !phase.over() {
        let mut wants = Vec::new();
        client.run_until(start + stream.due(), |event| {
            if let Event::KeyFrameWanted(rid) = event {
                wants.push(rid);
            }
        })?;
        wants.iter().for_each(|rid| stream.wants_key_frame(rid.as_deref()));
        let mut packets = 0;
        while start + stream.due() <= Instant::now() {
            packets += stream.send(&mut client)?;
        }
        if phase.counts() {
            sent += packets;
        }
    }
    client.close()?;
    Ok(sent)
}

/// Where in its trace a publisher is.
struct Stream {
    trace: Trace,
    clock: Arc<SendClock>,
    next: usize,
    /// When the present repetition began.
    began: Duration,
    sounds: u32,
    layers: Vec<Layer>,
}

#[derive(Clone)]
struct Layer {
    frames: u32,
    wants_key_frame: bool,
    /// Whether the frame that has begun is a key frame.
    key: Option<bool>,
}

impl Stream {
    fn new(trace: Trace, clock: Arc<SendClock>) -> Stream {
        let first = Layer { frames: 0, wants_key_frame: true, key: None };
        let layers = vec![first; trace.rids.len().max(1)];
        Stream { trace, clock, next: 0, began: Duration::ZERO, sounds: 0, layers }
    }

    /// When the next packet is to be sent, since the beginning.
    fn due(&self) -> Duration {
        self.began + self.trace.packets[self.next].at
    }

    /// Of the layer of this name, or of all.
    fn wants_key_frame(&mut self, rid: Option<&str>) {
        for (place, layer) in self.layers.iter_mut().enumerate() {
            layer.wants_key_frame |= rid.is_none_or(|rid| self.trace.rids.get(place) == Some(&rid));
        }
    }

    /// Sends the next packet, and with it what follows of its frame at the same time; how many these are.
    fn send(&mut self, client: &mut Client) -> Result<u64> {
        let first = self.trace.packets[self.next];
        let rest = &self.trace.packets[self.next..];
        let more = rest.iter().take_while(|next| next.track == first.track && next.at == first.at);
        let mut packets: Vec<_> = more.copied().collect();
        if let Some(end) = packets.iter().position(|packet| packet.last) {
            packets.truncate(end + 1);
        }
        let count = packets.len();
        let sizes = packets.iter().map(|packet| packet.bytes);
        let last = packets.last().is_some_and(|packet| packet.last);
        match first.track {
            Track::Sound => {
                self.clock.sends(Kind::Audio, self.sounds);
                let time = self.sounds.wrapping_mul(SOUND_TICKS);
                let payloads = sizes.map(|bytes| vec![0x78; bytes]).collect();
                client.send_payloads(Kind::Audio, 0, time, payloads, false)?;
                self.sounds += 1;
            }
            Track::Video(place) => {
                let codec = self.trace.codec;
                let layer = &mut self.layers[place];
                let begins = layer.key.is_none();
                let key = *layer.key.get_or_insert_with(|| std::mem::take(&mut layer.wants_key_frame));
                let number = layer.frames;
                let payloads = sizes.enumerate().map(|(index, bytes)| {
                    let starts = begins && index == 0;
                    match codec {
                        Codec::Vp8 => vp8(bytes, number, key, starts),
                        _ => h264(bytes, key, starts),
                    }
                });
                let payloads = payloads.collect();
                if last && place == self.trace.top() {
                    self.clock.sends(Kind::Video, number);
                }
                client.send_payloads(Kind::Video, place, number.wrapping_mul(FRAME_TICKS), payloads, last)?;
                if last {
                    (layer.key, layer.frames) = (None, number + 1);
                }
            }
        }
        self.next += count;
        if self.next == self.trace.packets.len() {
            self.next = 0;
            self.began += self.trace.length;
        }
        Ok(count as u64)
    }
}

/// A packet of a frame that nobody decodes: only heads are real. A key frame begins with the parameter sets of the clip,
/// in one packet with the start of the picture (STAP-A, RFC 6184 §5.7.1).
fn h264(bytes: usize, key: bool, starts: bool) -> Vec<u8> {
    let picture = if key { 0x65 } else { 0x41 };
    let mut payload = Vec::with_capacity(bytes);
    if key && starts {
        payload.push(0x78);
        for kind in [7, 8] {
            let unit = packetize::nal_units(CLIP)
                .into_iter()
                .find(|unit| unit.first().is_some_and(|head| head & 31 == kind))
                .expect("the clip has parameter sets");
            payload.extend((unit.len() as u16).to_be_bytes());
            payload.extend_from_slice(unit);
        }
        // The parameter sets alone, where there is no room for more.
        if let Some(rest) = bytes.checked_sub(payload.len() + 2).filter(|rest| *rest > 1) {
            payload.extend((rest as u16).to_be_bytes());
        }
        if payload.len() >= bytes {
            return payload;
        }
    }
    payload.push(picture);
    payload.resize(bytes.max(payload.len()), 0x55);
    payload
}

/// The same with VP8's descriptor and the head of its frames (RFC 7741 §4.2).
fn vp8(bytes: usize, number: u32, key: bool, starts: bool) -> Vec<u8> {
    let id = number as u16 & 0x7fff;
    let mut payload = vec![if starts { 0x90 } else { 0x80 }, 0x80, 0x80 | (id >> 8) as u8, id as u8];
    match (key, starts) {
        (true, true) => payload.extend(VP8_KEY_FRAME),
        _ => payload.push(0x11),
    }
    payload.resize(bytes.max(payload.len()), 0x55);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagedoor_sfu::{Incoming, Size};

    #[test]
    fn payloads_have_the_sizes_wanted_and_key_frames_are_seen() {
        for bytes in [200, 1080, 1180] {
            for (codec, payload) in [
                (Codec::H264, h264 as fn(usize, bool, bool) -> Vec<u8>),
                (Codec::Vp8, |bytes, key, starts| vp8(bytes, 70_000, key, starts)),
            ] {
                for (key, starts) in [(false, true), (false, false), (true, false), (true, true)] {
                    let payload = payload(bytes, key, starts);
                    assert_eq!(payload.len(), bytes, "{codec:?} {key} {starts}");
                    let seen = Incoming::describe(codec, 0, 1, 1, &payload);
                    assert_eq!(seen.starts_key_frame, key && starts, "{codec:?}");
                    assert!(!seen.bidirectional);
                    if codec == Codec::Vp8 && key && starts {
                        assert_eq!(seen.size, Some(Size { width: 1280, height: 720 }));
                    }
                }
            }
        }
        assert!(Incoming::describe(Codec::H264, 0, 1, 1, &h264(20, true, true)).starts_key_frame);
    }
}
