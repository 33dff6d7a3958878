//! AAC in, Opus out: decoding, resampling to 48 kHz, cutting into frames of 20 ms whose times follow the encoder's
//! clock. It reads no clock and starts no thread; see [`super::sound`] for that.

use std::collections::VecDeque;

use opus_rs::{Application, OpusEncoder};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};
use stagedoor_rtmp::aac::AacConfig;
use symphonia_codec_aac::AacDecoder;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

/// Opus' rate, in samples per second for each channel.
const RATE: u32 = 48_000;
/// Samples of an Opus frame for each channel: 20 ms.
pub const FRAME_SAMPLES: usize = 960;
/// Samples of an AAC frame for each channel.
const AAC_SAMPLES: usize = 1024;
/// Bits per second of one channel.
const CHANNEL_BITS: i32 = 64_000;
/// Bytes of an Opus packet (RFC 6716 §3.4).
const OPUS_BYTES_MAX: usize = 1275;
/// An encoder's time may be this far from the count of its samples before it is believed. RTMP's times are rounded
/// to milliseconds, and frames of 23 ms come in bursts.
const DRIFT_MAX: i32 = 40 * RATE as i32 / 1000;
/// The length of the resampling filter: enough for the ear, and a third of a millisecond of delay.
const FILTER_SAMPLES: usize = 64;

/// One Opus packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusFrame {
    /// In ticks of 48 kHz, by the encoder's clock.
    pub time: u32,
    pub payload: Vec<u8>,
    /// The first one after a gap.
    pub resumes: bool,
}

/// The stream cannot be decoded; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// One stream's way from AAC to Opus.
pub struct Transcoder {
    decoder: AacDecoder,
    resampler: Option<Async<f32>>,
    encoder: OpusEncoder,
    channels: usize,
    rate: u32,
    decoded: Vec<f32>,
    /// Interleaved samples at 48 kHz that make no whole frame yet.
    pending: VecDeque<f32>,
    /// The time of the first pending sample.
    time: Option<u32>,
    resumes: bool,
}

impl Transcoder {
    /// Fails for what is not AAC-LC in mono or stereo.
    pub fn new(config: &AacConfig) -> Result<Transcoder, Unusable> {
        let channels = config.channels as usize;
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_AAC).with_extra_data(Box::from(&config.raw[..]));
        let decoder = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).map_err(unusable)?;
        // Neither speech mode nor switching: music must sound like music, and the delay is the shortest.
        let mut encoder =
            OpusEncoder::new(RATE as i32, channels, Application::RestrictedLowDelay).map_err(unusable)?;
        encoder.bitrate_bps = CHANNEL_BITS * channels as i32;
        Ok(Transcoder {
            decoder,
            resampler: (config.rate != RATE).then(|| resampler(config.rate, channels)).transpose()?,
            encoder,
            channels,
            rate: config.rate,
            decoded: Vec::new(),
            pending: VecDeque::new(),
            time: None,
            resumes: true,
        })
    }

    /// Takes a raw AAC frame with its time in milliseconds; gives the Opus packets that it completes.
    ///
    /// Fails for a frame that cannot be decoded. The next one may be good: its time says how much is missing.
    pub fn push(&mut self, time: u32, frame: &[u8]) -> Result<Vec<OpusFrame>, Unusable> {
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, frame);
        let audio = self.decoder.decode_ref(&packet).map_err(unusable)?;
        if audio.spec().channels().count() != self.channels || audio.spec().rate() != self.rate {
            return Err(Unusable("a frame is not what the configuration says".into()));
        }
        audio.copy_to_vec_interleaved(&mut self.decoded);
        self.follow(time.wrapping_mul(RATE / 1000));
        self.resample()?;
        self.encode()
    }

    /// Corrects the time of what is pending if the encoder's clock has moved away from it.
    fn follow(&mut self, time: u32) {
        let ahead = (self.pending.len() / self.channels) as u32;
        let expected = self.time.map(|first| first.wrapping_add(ahead));
        let drift = expected.map_or(i32::MAX, |expected| time.wrapping_sub(expected) as i32);
        if drift.unsigned_abs() > DRIFT_MAX.unsigned_abs() {
            // What is pending is less than a frame of the time before the gap.
            self.pending.clear();
            self.time = Some(time);
            self.resumes = true;
        }
    }

    fn resample(&mut self) -> Result<(), Unusable> {
        let Some(resampler) = &mut self.resampler else {
            self.pending.extend(&self.decoded);
            return Ok(());
        };
        let frames = self.decoded.len() / self.channels;
        let input = InterleavedSlice::new(&self.decoded, self.channels, frames).map_err(unusable)?;
        let output = resampler.process(&input, None).map_err(unusable)?;
        self.pending.extend(output.take_data());
        Ok(())
    }

    fn encode(&mut self) -> Result<Vec<OpusFrame>, Unusable> {
        let mut frames = Vec::new();
        let samples = FRAME_SAMPLES * self.channels;
        while self.pending.len() >= samples {
            let input: Vec<f32> = self.pending.drain(..samples).collect();
            let mut payload = vec![0; OPUS_BYTES_MAX];
            let bytes = self.encoder.encode(&input, FRAME_SAMPLES, &mut payload).map_err(unusable)?;
            payload.truncate(bytes);
            let time = self.time.unwrap_or_default();
            self.time = Some(time.wrapping_add(FRAME_SAMPLES as u32));
            frames.push(OpusFrame { time, payload, resumes: std::mem::take(&mut self.resumes) });
        }
        Ok(frames)
    }
}

fn resampler(rate: u32, channels: usize) -> Result<Async<f32>, Unusable> {
    let parameters = SincInterpolationParameters::new(FILTER_SAMPLES, WindowFunction::BlackmanHarris2);
    let ratio = f64::from(RATE) / f64::from(rate);
    // The ratio is never changed: 1.0 is how far it may go.
    Async::new_sinc(ratio, 1.0, &parameters, AAC_SAMPLES, channels, FixedAsync::Input).map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> Unusable {
    Unusable(error.to_string())
}

#[cfg(test)]
mod tests;
