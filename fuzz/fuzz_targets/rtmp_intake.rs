//! What an encoder that is let in can send: tags of picture and sound with any times, on their way to packets and
//! through the codecs. They come as in an FLV file, after its head (FLV 10.1, E.4.1). A codec that panics ends its stream
//! (`sound.rs` of the crate), so that is no finding; memory and time are.
#![no_main]

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use stagedoor_media::rtmp::intake::{Intake, Made};
use stagedoor_media::rtmp::transcode::Transcoder;

/// The kind of tag that is sound; every other is picture.
const SOUND: u8 = 8;
const HEAD_BYTES: usize = 11;
/// The length of a tag, again, after it.
const TAIL_BYTES: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut now = Instant::now();
    let mut intake = Intake::new(now);
    let mut transcoder = None;
    while let Some((head, after)) = rest.split_first_chunk::<HEAD_BYTES>() {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (is_sound, time) = (head[0] == SOUND, u32::from_be_bytes([head[7], head[4], head[5], head[6]]));
        let (tag, after) = after.split_at(length.min(after.len()));
        rest = after.get(TAIL_BYTES..).unwrap_or_default();
        let tag = Bytes::copy_from_slice(tag);
        now += Duration::from_millis(20);
        let made = if is_sound { intake.audio(time, tag, now) } else { intake.video(time, tag, now) };
        let Ok(made) = made else { return };
        intake.take_waiting();
        let codec = |work: &mut dyn FnMut() -> bool| {
            let before = std::panic::take_hook();
            set_hook(Box::new(|_| {}));
            let went_on = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
            set_hook(before);
            went_on
        };
        let went_on = match made {
            Made::SoundConfig(config) => codec(&mut || {
                transcoder = Transcoder::new(&config).ok();
                true
            }),
            Made::Sound(time, frame) => codec(&mut || {
                if let Some(transcoder) = &mut transcoder {
                    // One frame that cannot be decoded is passed over.
                    let _ = transcoder.push(time, &frame);
                }
                true
            }),
            Made::Video(_) | Made::Nothing => true,
        };
        if !went_on {
            return;
        }
    }
});
