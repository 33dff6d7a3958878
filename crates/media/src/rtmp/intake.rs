//! What an encoder's tags become: packets of video, frames of sound for the transcoder, or the reason to refuse it.
//! It does no I/O and is told the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use stagedoor_rtmp::aac::AacConfig;
use stagedoor_rtmp::avc::AvcConfig;
use stagedoor_rtmp::flv::{self, Audio, Video};
use stagedoor_sfu::{Codec, Kind};

use super::packetize;
use crate::engine::{Extensions, Packet};
use crate::ledger::ErrorCode;

/// Within this time both picture and sound must have come, and neither may pause for longer.
pub const BOTH_WITHIN: Duration = Duration::from_secs(8);
/// Packets of video that wait for the first sound.
const WAITING_MAX: usize = 1000;

/// Why a stream is refused: the participant event's code, and a text for the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub ErrorCode, pub &'static str);

/// What has come of a tag.
#[derive(Debug)]
pub enum Made {
    /// Packets of video to forward now.
    Video(Vec<Packet>),
    /// How the sound is to be decoded from here on.
    SoundConfig(AacConfig),
    /// A frame of sound, with its time in milliseconds.
    Sound(u32, Bytes),
    /// Nothing yet.
    Nothing,
}

/// One encoder's stream.
#[derive(Debug)]
pub struct Intake {
    avc: Option<AvcConfig>,
    sound_known: bool,
    sequence: u64,
    /// Video since its first key frame, until there is sound too.
    waiting: Vec<Packet>,
    began: Option<Instant>,
    picture_at: Instant,
    sound_at: Instant,
}

impl Intake {
    pub fn new(now: Instant) -> Intake {
        Intake {
            avc: None,
            sound_known: false,
            sequence: 0,
            waiting: Vec::new(),
            began: None,
            picture_at: now,
            sound_at: now,
        }
    }

    /// When [`Intake::overdue`] is worth asking.
    pub fn patience_ends(&self) -> Instant {
        self.picture_at.min(self.sound_at) + BOTH_WITHIN
    }

    /// A stream must carry both picture and sound
    /// (<https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-rtmp-publishing.html>).
    pub fn overdue(&self, now: Instant) -> Option<Refused> {
        let late = |since: Instant| now.saturating_duration_since(since) >= BOTH_WITHIN;
        match (late(self.picture_at), late(self.sound_at)) {
            (true, false) => Some(Refused(ErrorCode::InvalidInput, "The stream has no video.")),
            (false, true) => Some(Refused(ErrorCode::InvalidInput, "The stream has no audio.")),
            // With neither it is the network that is silent, or an encoder that does nothing.
            _ => None,
        }
    }

    pub fn video(&mut self, time: u32, tag: Bytes, now: Instant) -> Result<Made, Refused> {
        match flv::video(tag).map_err(malformed)? {
            Video::Config(config) => {
                self.avc = Some(config);
                Ok(Made::Nothing)
            }
            Video::Frame { key, composition, access_unit } => {
                self.picture(time.wrapping_add_signed(composition), key, access_unit, now)
            }
            Video::Nothing => Ok(Made::Nothing),
            Video::Foreign => Err(Refused(ErrorCode::InvalidVideoCodec, "The video codec must be H.264.")),
        }
    }

    fn picture(&mut self, time: u32, key: bool, access_unit: Bytes, now: Instant) -> Result<Made, Refused> {
        let Some(config) = &self.avc else { return Ok(Made::Nothing) };
        let units = config.units(access_unit).map_err(malformed)?;
        let payloads = packetize::payloads(config, &units);
        // What comes before the first key frame nobody could decode.
        if payloads.is_empty() || (self.began.is_none() && self.waiting.is_empty() && !key) {
            return Ok(Made::Nothing);
        }
        self.picture_at = now;
        let packets = self.packets(time, payloads, now);
        if self.began.is_some() {
            return Ok(Made::Video(packets));
        }
        if self.waiting.len() + packets.len() > WAITING_MAX {
            // The stream will begin with another key frame, or not at all.
            self.waiting.clear();
        } else {
            self.waiting.extend(packets);
        }
        Ok(Made::Nothing)
    }

    fn packets(&mut self, time: u32, payloads: Vec<Arc<[u8]>>, now: Instant) -> Vec<Packet> {
        let last = payloads.len() - 1;
        let first = self.sequence;
        self.sequence += payloads.len() as u64;
        let packets = payloads.into_iter().enumerate().map(|(index, payload)| Packet {
            kind: Kind::Video,
            codec: Codec::H264,
            layer: 0,
            sequence: first + index as u64,
            time: time.wrapping_mul(Codec::H264.clock_hz() / 1000),
            marker: index == last,
            payload,
            received: now,
            extensions: Extensions::default(),
        });
        packets.collect()
    }

    /// Sound also lets the video begin that was waiting for it: see [`Intake::take_waiting`].
    pub fn audio(&mut self, time: u32, tag: Bytes, now: Instant) -> Result<Made, Refused> {
        match flv::audio(tag).map_err(malformed)? {
            Audio::Config(config) if config.is_low_complexity() => {
                self.sound_known = true;
                Ok(Made::SoundConfig(config))
            }
            Audio::Config(_) | Audio::Foreign => {
                Err(Refused(ErrorCode::InvalidAudioCodec, "The audio codec must be AAC-LC, mono or stereo."))
            }
            // What comes before the configuration cannot be decoded.
            Audio::Frame(frame) if self.sound_known && !frame.is_empty() => {
                self.sound_at = now;
                if self.began.is_none() && self.waiting.is_empty() {
                    return Ok(Made::Nothing);
                }
                self.began.get_or_insert(now);
                Ok(Made::Sound(time, frame))
            }
            Audio::Frame(_) | Audio::Nothing => Ok(Made::Nothing),
        }
    }

    /// The video that waited for sound, once there is some.
    pub fn take_waiting(&mut self) -> Vec<Packet> {
        if self.began.is_some() { std::mem::take(&mut self.waiting) } else { Vec::new() }
    }
}

fn malformed(_: stagedoor_rtmp::Error) -> Refused {
    Refused(ErrorCode::InvalidInput, "The stream is malformed.")
}

#[cfg(test)]
mod tests;
