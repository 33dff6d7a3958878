//! One encoding of a track as it arrives: whether it flows, how fast, how large its picture is.

use std::sync::Arc;
use std::time::Duration;

use crate::forward::Source;
use crate::packet::{Incoming, Size};
use crate::pli::Gate;

/// A layer that has been silent for less than this still counts as flowing; one that has flowed for less than this is
/// not yet chosen for anybody. Encoders turn layers on and off when they feel out their own bandwidth.
pub const SETTLE: Duration = Duration::from_secs(2);
/// Bit rates are measured over this time.
const WINDOW: Duration = Duration::from_secs(1);

/// A layer of a publisher's track.
#[derive(Debug, Clone)]
pub struct Layer {
    pub source: Source,
    /// The name under which the publisher offered it (RFC 8851); empty without simulcast.
    pub rid: Arc<str>,
    pub key_frames: Gate,
    /// Bits.
    pub meter: Meter,
    /// Pictures; of sound, packets.
    pub frames: Meter,
    size: Option<Size>,
    /// The time of the newest picture.
    latest: Option<u32>,
    /// When the present run of packets began, and when the last one came.
    flowing: Option<(Duration, Duration)>,
}

impl Layer {
    pub fn new(source: Source, rid: Arc<str>) -> Layer {
        Layer {
            source,
            rid,
            key_frames: Gate::default(),
            meter: Meter::default(),
            frames: Meter::default(),
            size: None,
            latest: None,
            flowing: None,
        }
    }

    pub fn note(&mut self, packet: &Incoming, now: Duration) {
        if packet.starts_key_frame {
            self.key_frames.key_frame();
        }
        self.size = packet.size.or(self.size);
        self.meter.note(packet.bytes * 8, now);
        // All packets of a picture have its time; one that comes late begins no other.
        if self.latest.is_none_or(|latest| packet.time.wrapping_sub(latest) as i32 > 0) {
            self.latest = Some(packet.time);
            self.frames.note(1, now);
        }
        let since = self.flowing.filter(|(_, last)| now.saturating_sub(*last) < SETTLE);
        self.flowing = Some((since.map_or(now, |(since, _)| since), now));
    }

    /// Of its picture, as far as known.
    pub fn size(&self) -> Option<Size> {
        self.size
    }

    pub fn view(&self, now: Duration) -> View {
        let run = self.flowing.filter(|(_, last)| now.saturating_sub(*last) < SETTLE);
        View {
            flows: run.is_some(),
            settled: run.is_some_and(|(since, _)| now.saturating_sub(since) >= SETTLE),
            rate: self.meter.rate(now),
            steady: self.meter.steady(now),
            size: self.size,
        }
    }
}

/// What choosing a layer looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Packets came within the last two seconds.
    pub flows: bool,
    /// And have come for two seconds or more.
    pub settled: bool,
    /// Bits per second.
    pub rate: u64,
    /// The same without what is over in a second: a key frame is many times as large as another frame.
    pub steady: u64,
    pub size: Option<Size>,
}

/// So many per second, over whole windows.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    began: Option<Duration>,
    amount: u64,
    rate: Option<u64>,
    /// That of the window before.
    previous: Option<u64>,
}

impl Meter {
    pub fn note(&mut self, amount: u32, now: Duration) {
        let began = *self.began.get_or_insert(now);
        let elapsed = now.saturating_sub(began);
        if elapsed >= WINDOW {
            self.previous = self.rate.replace(per_second(self.amount, elapsed));
            self.amount = 0;
            self.began = Some(now);
        }
        self.amount += u64::from(amount);
    }

    /// The last whole window's rate, also during a short pause; before there is one, a guess.
    pub fn rate(&self, now: Duration) -> u64 {
        let Some(began) = self.began else { return 0 };
        let elapsed = now.saturating_sub(began);
        match self.rate {
            Some(rate) if elapsed < WINDOW + SETTLE => rate,
            _ => per_second(self.amount, elapsed.max(WINDOW / 4)),
        }
    }

    /// The lower one of the last two windows' rates.
    pub fn steady(&self, now: Duration) -> u64 {
        let rate = self.rate(now);
        self.previous.map_or(rate, |previous| previous.min(rate))
    }
}

fn per_second(amount: u64, time: Duration) -> u64 {
    let micros = time.as_micros().max(1);
    ((u128::from(amount) * 1_000_000 + micros / 2) / micros) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn pictures_are_counted_and_not_their_packets() {
        let mut layer = Layer::new(Source(1), "".into());
        let packet = |time| Incoming::describe(Codec::H264, 0, 1, time, &[0x41; 125]);
        // Thirty pictures a second, over the wrap of their times, in three packets each, of which one comes late.
        for picture in 0..=45_u32 {
            let time = (u32::MAX - 60_000).wrapping_add(picture * 3000);
            let at = ms(u64::from(picture) * 1000 / 30);
            for time in [time, time, time.wrapping_sub(3000)] {
                layer.note(&packet(time), at);
            }
        }
        assert_eq!(layer.frames.rate(ms(1500)), 30);
        assert_eq!(layer.frames.rate(ms(9000)), 2, "what there was is over; a guess of the rest");
    }

    #[test]
    fn a_key_frame_is_no_steady_rate() {
        let mut meter = Meter::default();
        let mut at = 0;
        let mut second = |amount: u32| {
            for _ in 0..100 {
                meter.note(amount, ms(at));
                at += 10;
            }
            (meter.rate(ms(at)), meter.steady(ms(at)))
        };
        second(125);
        second(125);
        second(500);
        assert_eq!(second(125), (50_000, 12_500));
        second(500);
        second(500);
        assert_eq!(second(125), (50_000, 50_000));
    }

    #[test]
    fn a_layer_settles_and_pauses() {
        let mut layer = Layer::new(Source(1), "h".into());
        let packet = Incoming::describe(Codec::H264, 0, 1, 0, &[0x41; 125]);
        assert!(!layer.view(ms(0)).flows);
        for at in (0..=2000).step_by(10) {
            layer.note(&packet, ms(at));
        }
        let view = layer.view(ms(2000));
        assert!(view.flows && view.settled);
        // 125 bytes each 10 ms.
        assert_eq!(view.rate, 100_000);
        // A pause of less than two seconds is none.
        layer.note(&packet, ms(3900));
        assert!(layer.view(ms(3900)).settled);
        assert!(!layer.view(ms(5900)).flows);
        layer.note(&packet, ms(6000));
        let view = layer.view(ms(6000));
        assert!(view.flows && !view.settled);
    }
}
