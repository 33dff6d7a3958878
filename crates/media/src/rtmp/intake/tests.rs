//! Streams as encoders send them, and those that are refused.

use super::*;

const AVC: &[u8] = &[0x17, 0, 0, 0, 0, 1, 66, 0xc0, 31, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 1, 0x68];
const AAC: &[u8] = &[0xaf, 0, 0x12, 0x10];
const KEY: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88];
const DELTA: &[u8] = &[0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 0x9a];
const SOUND: &[u8] = &[0xaf, 1, 1, 2, 3];

struct Stream {
    intake: Intake,
    start: Instant,
    at: u64,
}

impl Stream {
    fn new() -> Stream {
        #[expect(clippy::disallowed_methods, reason = "an origin for times that are added to it")]
        let start = Instant::now();
        Stream { intake: Intake::new(start), start, at: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.at)
    }

    /// What came of a tag, in a word.
    fn give(&mut self, tag: &'static [u8]) -> Result<String, Refused> {
        let (time, now, tag) = (self.at as u32, self.now(), Bytes::from_static(tag));
        let made = match tag[0] {
            0xaf | 0x2f => self.intake.audio(time, tag, now),
            _ => self.intake.video(time, tag, now),
        };
        let waiting = self.intake.take_waiting();
        let said = match made? {
            Made::Video(packets) => format!("{} packets at {}", packets.len(), packets[0].time),
            Made::SoundConfig(config) => format!("sound of {} Hz", config.rate),
            Made::Sound(time, frame) => format!("{} bytes of sound at {time}", frame.len()),
            Made::Nothing => "nothing".into(),
        };
        Ok(if waiting.is_empty() { said } else { format!("{} waiting, then {said}", waiting.len()) })
    }
}

fn check(tags: &[(&'static [u8], &str)]) {
    let mut stream = Stream::new();
    for (index, (tag, expected)) in tags.iter().enumerate() {
        assert_eq!(stream.give(tag).as_deref(), Ok(*expected), "tag {index}");
        stream.at += 10;
    }
}

#[test]
fn video_waits_for_sound() {
    check(&[
        (DELTA, "nothing"),
        (AVC, "nothing"),
        (DELTA, "nothing"),
        (SOUND, "nothing"),
        (AAC, "sound of 44100 Hz"),
        (SOUND, "nothing"),
        (KEY, "nothing"),
        (DELTA, "nothing"),
        (SOUND, "3 waiting, then 3 bytes of sound at 80"),
        (DELTA, "1 packets at 8100"),
        // Parameter sets go before every key frame.
        (KEY, "2 packets at 9000"),
    ]);
}

#[test]
fn pictures_are_timed_by_when_they_are_shown() {
    const LATER: &[u8] = &[0x27, 1, 0, 0, 40, 0, 0, 0, 2, 0x41, 0x9a];
    check(&[
        (AVC, "nothing"),
        (AAC, "sound of 44100 Hz"),
        (KEY, "nothing"),
        (SOUND, "2 waiting, then 3 bytes of sound at 30"),
        (LATER, "1 packets at 7200"),
    ]);
}

#[test]
fn foreign_codecs_are_refused() {
    let check = |tag: &'static [u8], code: ErrorCode| {
        assert_eq!(Stream::new().give(tag).map_err(|refused| refused.0), Err(code), "{tag:x?}");
    };
    check(&[0x12, 0], ErrorCode::InvalidVideoCodec);
    check(b"\x90hvc1\x00", ErrorCode::InvalidVideoCodec);
    check(&[0x2f, 1, 2], ErrorCode::InvalidAudioCodec);
    // HE-AAC, and six channels.
    check(&[0xaf, 0, 0x2b, 0x92, 0x08, 0x00], ErrorCode::InvalidAudioCodec);
    check(&[0xaf, 0, 0x12, 0x30], ErrorCode::InvalidAudioCodec);
    check(&[0x17, 0, 0, 0, 0, 1], ErrorCode::InvalidInput);
    check(&[0xaf, 0], ErrorCode::InvalidInput);
}

#[test]
fn picture_and_sound_must_both_come_and_stay() {
    let overdue = |tags: &[&'static [u8]]| {
        let mut stream = Stream::new();
        for _ in 0..10 {
            tags.iter().for_each(|tag| assert!(stream.give(tag).is_ok()));
            stream.at += 1000;
        }
        stream.intake.overdue(stream.now()).map(|refused| refused.1)
    };
    assert_eq!(overdue(&[AVC, AAC, KEY, SOUND]), None);
    assert_eq!(overdue(&[AVC, KEY]), Some("The stream has no audio."));
    assert_eq!(overdue(&[AVC, AAC, KEY]), Some("The stream has no audio."));
    assert_eq!(overdue(&[AAC, SOUND]), Some("The stream has no video."));
    // A delta frame alone is no picture.
    assert_eq!(overdue(&[AVC, AAC, DELTA, SOUND]), Some("The stream has no video."));
    // Silence is the network's.
    assert_eq!(overdue(&[]), None);
}
