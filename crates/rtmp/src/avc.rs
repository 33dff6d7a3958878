//! H.264 in FLV: the decoder configuration record (ISO/IEC 14496-15 §5.3.3.1) and access units of NAL units with
//! lengths before them.

use bytes::{Buf, Bytes};

use crate::Error;

/// Parameter sets of one kind, and bytes of one of them, at most.
const SETS_MAX: usize = 8;
const SET_BYTES_MAX: usize = 1024;
/// NAL units of one access unit.
const UNITS_MAX: usize = 512;

/// The types of NAL units that mean something here (ITU-T H.264 table 7-1).
pub mod nal {
    pub const IDR: u8 = 5;
    pub const SPS: u8 = 7;
    pub const PPS: u8 = 8;
    pub const DELIMITER: u8 = 9;
    pub const END_OF_SEQUENCE: u8 = 10;
    pub const END_OF_STREAM: u8 = 11;
    pub const FILLER: u8 = 12;
}

/// What a decoder has to know before the first picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvcConfig {
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_bytes: usize,
    pub sps: Vec<Bytes>,
    pub pps: Vec<Bytes>,
}

impl AvcConfig {
    pub fn parse(mut record: Bytes) -> Result<AvcConfig, Error> {
        let &[version, _, _, _, lengths, ..] = &record[..] else { return Err(SHORT) };
        let length_bytes = usize::from(lengths & 3) + 1;
        if version != 1 || length_bytes == 3 {
            return Err(Error::Malformed("AVC configuration"));
        }
        record.advance(5);
        let sps = sets(&mut record, 0x1f)?;
        let pps = sets(&mut record, 0xff)?;
        if sps.is_empty() || pps.is_empty() {
            return Err(Error::Malformed("AVC configuration without parameter sets"));
        }
        Ok(AvcConfig { length_bytes, sps, pps })
    }

    /// The NAL units of an access unit. Empty ones are left out.
    pub fn units(&self, mut access_unit: Bytes) -> Result<Vec<Bytes>, Error> {
        let mut units = Vec::new();
        while !access_unit.is_empty() {
            if access_unit.len() < self.length_bytes {
                return Err(Error::Malformed("an access unit cut short"));
            }
            let length = access_unit.get_uint(self.length_bytes) as usize;
            if length > access_unit.len() {
                return Err(Error::Malformed("an access unit cut short"));
            }
            let unit = access_unit.split_to(length);
            if units.len() == UNITS_MAX {
                return Err(Error::TooMuch("the number of NAL units in an access unit"));
            }
            units.extend((!unit.is_empty()).then_some(unit));
        }
        Ok(units)
    }
}

const SHORT: Error = Error::Malformed("AVC configuration cut short");

fn sets(record: &mut Bytes, mask: u8) -> Result<Vec<Bytes>, Error> {
    let count = usize::from(record.try_get_u8().map_err(|_| SHORT)? & mask);
    if count > SETS_MAX {
        return Err(Error::TooMuch("the number of parameter sets"));
    }
    let mut sets = Vec::with_capacity(count);
    for _ in 0..count {
        let length = usize::from(record.try_get_u16().map_err(|_| SHORT)?);
        if length > record.len() {
            return Err(SHORT);
        }
        if length == 0 || length > SET_BYTES_MAX {
            return Err(Error::Malformed("a parameter set of an odd size"));
        }
        sets.push(record.split_to(length));
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORD: &[u8] = &[1, 66, 0xc0, 31, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 1, 0x68];

    fn parse(record: &[u8]) -> Result<AvcConfig, Error> {
        AvcConfig::parse(Bytes::copy_from_slice(record))
    }

    #[test]
    fn records() {
        let config = parse(RECORD).expect("good");
        assert_eq!((config.length_bytes, config.sps.len(), config.pps.len()), (4, 1, 1));
        assert_eq!(config.sps[0], [0x67, 66][..]);
        // What the high profiles append is passed over.
        assert!(parse(&[RECORD, &[0xfd, 0xf8, 0xf8, 0]].concat()).is_ok());
        for length in 0..RECORD.len() {
            assert!(parse(&RECORD[..length]).is_err(), "{length}");
        }
        let changed = |at: usize, to: u8| {
            let mut record = RECORD.to_vec();
            record[at] = to;
            parse(&record)
        };
        assert!(changed(0, 2).is_err() && changed(4, 0xfe).is_err() && changed(5, 0xe0).is_err());
    }

    #[test]
    fn access_units() {
        let config = parse(RECORD).expect("good");
        let unit = Bytes::from_static(&[0, 0, 0, 2, 0x65, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9]);
        assert_eq!(config.units(unit), Ok(vec![Bytes::from_static(&[0x65, 1]), Bytes::from_static(&[9])]));
        assert!(config.units(Bytes::from_static(&[0, 0, 0])).is_err());
        assert!(config.units(Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 1])).is_err());
        assert!(config.units([0, 0, 0, 1, 9].repeat(513).into()).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), lengths in 0u8..4) {
            let record: Vec<u8> = [&[1, 0, 0, 0, lengths][..], &bytes].concat();
            if let Ok(config) = parse(&record) {
                let _ = config.units(bytes.into());
            }
        }
    }
}
