//! A tone from AAC through Opus, and its times. The file is 0.6 s of 440 Hz at 44.1 kHz in stereo, by FFmpeg.

use super::*;
use bytes::Bytes;
use opus_rs::OpusDecoder;

const TONE: &[u8] = include_bytes!("tone-44100-stereo.aac");

fn config(raw: &'static [u8]) -> AacConfig {
    AacConfig::parse(Bytes::from_static(raw)).expect("good")
}

/// The raw frames of an ADTS stream, whose headers have seven bytes without a checksum.
fn frames() -> Vec<&'static [u8]> {
    let mut rest = TONE;
    let mut frames = Vec::new();
    while let [_, _, _, a, b, c, ..] = rest {
        let length = usize::from(a & 3) << 11 | usize::from(*b) << 3 | usize::from(c >> 5);
        frames.push(&rest[7..length]);
        rest = &rest[length..];
    }
    frames
}

/// Milliseconds at which the frame of this index begins, as an encoder rounds them.
fn time(index: usize) -> u32 {
    (index * 1024 * 1000 / 44_100) as u32
}

fn transcoder() -> Transcoder {
    Transcoder::new(&config(&[0x12, 0x10])).expect("AAC-LC")
}

#[test]
fn a_tone_stays_a_tone() {
    let mut transcoder = transcoder();
    let mut decoder = OpusDecoder::new(48_000, 2).expect("a rate that exists");
    let (mut samples, mut expected) = (Vec::new(), 0);
    for (index, frame) in frames().into_iter().enumerate() {
        for opus in transcoder.push(time(index), frame).expect("good") {
            assert_eq!((opus.time, opus.resumes), (expected, expected == 0));
            expected += 960;
            let mut pcm = vec![0.0; 2 * FRAME_SAMPLES];
            decoder.decode(&opus.payload, FRAME_SAMPLES, &mut pcm).expect("Opus");
            samples.extend(pcm.iter().step_by(2).copied());
        }
    }
    // Without the beginning, where encoders fade in.
    let steady = &samples[9600..];
    let crossings = steady.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    let hertz = crossings as f64 * 48_000.0 / steady.len() as f64;
    assert!((435.0..445.0).contains(&hertz), "{hertz} Hz");
    let power = steady.iter().map(|sample| sample * sample).sum::<f32>() / steady.len() as f32;
    // FFmpeg's sine has an amplitude of 1/8, and from one channel to two it keeps the power of both together.
    assert!((0.0035..0.0043).contains(&power), "{power}");
}

#[test]
fn times_follow_the_encoder() {
    let mut transcoder = transcoder();
    let frames = frames();
    let mut times = Vec::new();
    // Ten frames, a second of nothing, and more.
    for (index, frame) in frames.iter().enumerate() {
        let gap = if index < 10 { 0 } else { 1000 };
        let opus = transcoder.push(time(index) + gap, frame).expect("good");
        times.extend(opus.into_iter().map(|frame| (frame.time, frame.resumes)));
    }
    let resumed: Vec<usize> = (0..times.len()).filter(|index| times[*index].1).collect();
    assert_eq!(resumed.len(), 2, "{times:?}");
    assert_eq!(times[resumed[1]].0, (time(10) + 1000) * 48);
    for pair in times.windows(2).filter(|pair| !pair[1].1) {
        assert_eq!(pair[1].0 - pair[0].0, 960);
    }
}

#[test]
fn times_may_wrap_and_jitter() {
    let mut transcoder = transcoder();
    let first = u32::MAX - 200;
    let mut resumed = 0;
    for (index, frame) in frames().into_iter().enumerate() {
        let jitter = [0, 7, 13][index % 3];
        let frames = transcoder.push(first.wrapping_add(time(index) + jitter), frame).expect("good");
        resumed += frames.iter().filter(|frame| frame.resumes).count();
    }
    assert_eq!(resumed, 1);
}

#[test]
fn what_cannot_be_decoded_is_refused_and_survived() {
    // HE-AAC.
    assert!(Transcoder::new(&config(&[0x2b, 0x92, 0x08, 0x00])).is_err());
    let mut transcoder = transcoder();
    let frames = frames();
    assert!(transcoder.push(0, &[0x20, 0xff, 0xff, 0xff]).is_err());
    drop(transcoder.push(0, &[0xff; 40]));
    drop(transcoder.push(0, &[]));
    for index in 0..8 {
        drop(transcoder.push(time(index), &frames[index][..frames[index].len() / 2]));
    }
    let good = frames.iter().enumerate().map(|(index, frame)| transcoder.push(time(index) + 500, frame));
    assert!(good.flatten().flatten().count() > 20);
}
