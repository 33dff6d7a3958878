//! AAC in FLV: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1), as far as it tells whether a stage can take the
//! stream.

use bytes::Bytes;

use crate::Error;

/// Bytes of a configuration.
const CONFIG_BYTES_MAX: usize = 64;
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const LOW_COMPLEXITY: u32 = 2;
const SBR: u32 = 5;
const PS: u32 = 29;
/// What stands before a backward compatible announcement of SBR.
const SYNC_EXTENSION: u32 = 0x2b7;

/// What a decoder has to know before the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AacConfig {
    /// MPEG-4 audio object type: 2 is AAC-LC.
    pub object_type: u32,
    /// Samples per second.
    pub rate: u32,
    /// 1 and 2 are mono and stereo; 0 means that the stream itself tells.
    pub channels: u32,
    /// Spectral band replication: the stream is HE-AAC.
    pub replication: bool,
    /// A frame has 960 samples instead of 1024.
    pub short_frames: bool,
    /// The configuration as it came.
    pub raw: Bytes,
}

impl AacConfig {
    pub fn parse(raw: Bytes) -> Result<AacConfig, Error> {
        if raw.len() > CONFIG_BYTES_MAX {
            return Err(Error::TooMuch("the size of an AAC configuration"));
        }
        let config = read(raw.clone()).ok_or(Error::Malformed("AAC configuration"))?;
        if config.rate == 0 {
            return Err(Error::Malformed("AAC configuration without a rate"));
        }
        Ok(config)
    }

    /// Whether it is AAC-LC in mono or stereo, which is what stages take.
    pub fn is_low_complexity(&self) -> bool {
        let plain = self.object_type == LOW_COMPLEXITY && !self.replication && !self.short_frames;
        plain && matches!(self.channels, 1 | 2)
    }
}

fn read(raw: Bytes) -> Option<AacConfig> {
    let mut bits = Bits { bytes: &raw, at: 0 };
    let object_type = bits.object_type()?;
    let rate = bits.rate()?;
    let channels = bits.take(4)?;
    let explicit = matches!(object_type, SBR | PS);
    // GASpecificConfig (§4.4.1).
    let short_frames = if object_type == LOW_COMPLEXITY { bits.take(1)? == 1 } else { false };
    let replication = explicit || announced_later(&mut bits).unwrap_or(false);
    Some(AacConfig { object_type, rate, channels, replication, short_frames, raw: raw.clone() })
}

/// SBR that is announced behind the configuration, where old decoders do not look.
fn announced_later(bits: &mut Bits<'_>) -> Option<bool> {
    if bits.take(1)? == 1 {
        bits.take(14)?;
    }
    bits.take(1)?;
    Some(bits.take(11)? == SYNC_EXTENSION && bits.object_type()? == SBR && bits.take(1)? == 1)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| {
            let byte = self.bytes.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            small => Some(small),
        }
    }

    fn rate(&mut self) -> Option<u32> {
        match self.take(4)? {
            15 => self.take(24),
            index => RATES.get(index as usize).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(raw: &[u8], expected: Option<(u32, u32, bool)>) {
        let parsed = AacConfig::parse(Bytes::copy_from_slice(raw)).ok();
        let found = parsed.map(|config| (config.rate, config.channels, config.is_low_complexity()));
        assert_eq!(found, expected, "{raw:x?}");
    }

    #[test]
    fn configurations() {
        check(&[0x12, 0x10], Some((44_100, 2, true)));
        check(&[0x11, 0x88], Some((48_000, 1, true)));
        // With the announcement that there is no SBR, as FFmpeg writes it; with one that there is.
        check(&[0x11, 0x90, 0x56, 0xe5, 0x00], Some((48_000, 2, true)));
        check(&[0x13, 0x90, 0x56, 0xe5, 0xa0], Some((22_050, 2, false)));
        // HE-AAC, HE-AAC v2, AAC Main, six channels, 960 samples.
        check(&[0x2b, 0x92, 0x08, 0x00], Some((22_050, 2, false)));
        check(&[0xeb, 0x8a, 0x08, 0x00], Some((22_050, 1, false)));
        check(&[0x0a, 0x10], Some((44_100, 2, false)));
        check(&[0x12, 0x30], Some((44_100, 6, false)));
        check(&[0x12, 0x14], Some((44_100, 2, false)));
        // A rate in figures; one that does not exist; cut short.
        check(&[0x17, 0x80, 0x5d, 0xc0, 0x10], Some((48_000, 2, true)));
        check(&[0x16, 0x90], None);
        check(&[0x12], None);
        check(&[], None);
        check(&[0; 65], None);
    }

    proptest! {
        #[test]
        fn never_panics(raw in proptest::collection::vec(any::<u8>(), 0..12)) {
            let _ = AacConfig::parse(raw.into());
        }
    }
}
