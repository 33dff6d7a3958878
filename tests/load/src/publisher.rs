//! The publisher: 30 frames of nine packets and 50 sounds per second, which is 320 packets and 2.6 Mbit/s.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event, packetize};
use stagedoor_media::world::World;
use stagedoor_sfu::{Codec, Kind};

use crate::{CONNECT_MAX, Result, http};

static CLIP: &[u8] = include_bytes!("../../../assets/clip/clip.h264");

const FRAME_BYTES: usize = 9 * 1080;
const SOUND_BYTES: usize = 120;
const FRAMES_PER_SECOND: u32 = 30;
const SOUNDS_PER_SECOND: u32 = 50;
/// Least common multiple of the two rates: the clock of the loop.
const STEPS_PER_SECOND: u32 = 150;

/// A connected publisher.
pub(crate) fn connect(whip: &str, token: &str, world: &Arc<dyn World>) -> Result<Client> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (mut client, offer) = Client::publisher(local, &[Codec::Opus, Codec::H264], Arc::clone(world))?;
    client.accept(&http::post_sdp(whip, token, &offer)?)?;
    let deadline = Instant::now() + CONNECT_MAX;
    while !matches!(client.next_event(deadline)?, Some(Event::Connected)) {
        if Instant::now() >= deadline {
            return Err("the publisher could not connect".into());
        }
    }
    Ok(client)
}

/// Sends until it is over; how many packets it sent after the warm-up.
pub(crate) fn run(mut client: Client, warm: &AtomicBool, over: &AtomicBool) -> Result<u64> {
    let key_frame = key_frame();
    let frame = coded_slice(0x41);
    let sound = vec![0x78; SOUND_BYTES];
    let start = Instant::now();
    let (mut sent, mut wants_key_frame) = (0, true);
    for step in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let due = start + Duration::from_secs(1) * step / STEPS_PER_SECOND;
        client.run_until(due, |event| wants_key_frame |= matches!(event, Event::KeyFrameWanted(_)))?;
        let mut packets = 0;
        if step % (STEPS_PER_SECOND / FRAMES_PER_SECOND) == 0 {
            let ticks = step.wrapping_mul(90_000 / STEPS_PER_SECOND);
            let data = if std::mem::take(&mut wants_key_frame) { &key_frame } else { &frame };
            packets += client.send_frame(Kind::Video, ticks, data)?;
        }
        if step % (STEPS_PER_SECOND / SOUNDS_PER_SECOND) == 0 {
            let ticks = step.wrapping_mul(48_000 / STEPS_PER_SECOND);
            packets += client.send_frame(Kind::Audio, ticks, &sound)?;
        }
        if !warm.load(Ordering::Relaxed) {
            sent += packets as u64;
        }
    }
    client.close()?;
    Ok(sent)
}

/// A frame that begins like the clip's first one, with its parameter sets, and is as long as the others.
fn key_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    for kind in [7, 8] {
        let unit = packetize::nal_units(CLIP)
            .into_iter()
            .find(|unit| unit.first().is_some_and(|head| head & 31 == kind));
        frame.extend_from_slice(&[0, 0, 0, 1]);
        frame.extend_from_slice(unit.expect("the clip has parameter sets"));
    }
    frame.extend(coded_slice(0x65));
    frame
}

/// A slice that nobody decodes: only its head is real.
fn coded_slice(head: u8) -> Vec<u8> {
    let mut unit = vec![0, 0, 0, 1, head];
    unit.resize(FRAME_BYTES, 0x55);
    unit
}
