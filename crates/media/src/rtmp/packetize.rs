//! Cuts access units into RTP payloads (RFC 6184, packetization mode 1): single NAL units, STAP-A for parameter sets,
//! FU-A for what is too long for one packet.

use std::sync::Arc;

use bytes::Bytes;
use stagedoor_rtmp::avc::{AvcConfig, nal};

/// Bytes of a payload, so that a datagram with all headers fits into 1,200.
const PAYLOAD_BYTES_MAX: usize = 1100;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The payloads of one access unit, in order; the last one is to carry the marker bit.
///
/// Parameter sets go before every IDR picture, in one packet with it where they fit, since a subscriber may begin
/// there; those inside the access unit take precedence over the configuration's. What says nothing about the picture
/// (delimiters, filler) is left out.
pub fn payloads(config: &AvcConfig, units: &[Bytes]) -> Vec<Arc<[u8]>> {
    let mut payloads = Vec::new();
    let is = |unit: &Bytes, kind: u8| unit.first().is_some_and(|head| head & 0x1f == kind);
    if units.iter().any(|unit| is(unit, nal::IDR)) {
        let own = |kind: u8| units.iter().filter(move |unit| is(unit, kind)).collect::<Vec<_>>();
        let mut sets = own(nal::SPS);
        if sets.is_empty() {
            sets.extend(&config.sps);
        }
        let pictures = own(nal::PPS);
        if pictures.is_empty() {
            sets.extend(&config.pps)
        } else {
            sets.extend(pictures)
        }
        aggregate(&sets, &mut payloads);
    }
    for unit in units.iter().filter(|unit| carries_picture(unit)) {
        if unit.len() <= PAYLOAD_BYTES_MAX {
            payloads.push(Arc::from(&unit[..]))
        } else {
            fragment(unit, &mut payloads)
        }
    }
    payloads
}

fn carries_picture(unit: &[u8]) -> bool {
    let kind = unit.first().map_or(0, |head| head & 0x1f);
    let idle = [nal::SPS, nal::PPS, nal::DELIMITER, nal::END_OF_SEQUENCE, nal::END_OF_STREAM, nal::FILLER];
    // 0 and those from 24 on are not NAL units but, in RTP, aggregations.
    (1..24).contains(&kind) && !idle.contains(&kind)
}

/// Puts units into as few STAP-A packets (§5.7.1) as they need.
fn aggregate(units: &[&Bytes], payloads: &mut Vec<Arc<[u8]>>) {
    let mut packet: Vec<u8> = Vec::new();
    for unit in units {
        if !packet.is_empty() && packet.len() + 2 + unit.len() > PAYLOAD_BYTES_MAX {
            payloads.push(Arc::from(std::mem::take(&mut packet)));
        }
        if packet.is_empty() {
            // The highest importance of its units; parameter sets have the highest that there is.
            packet.push(0x60 | STAP_A);
        }
        packet.extend_from_slice(&(unit.len() as u16).to_be_bytes());
        packet.extend_from_slice(unit);
    }
    if !packet.is_empty() {
        payloads.push(Arc::from(packet));
    }
}

/// Cuts a unit into FU-A packets (§5.8), all but the last of one length: equal datagrams leave in one system call.
fn fragment(unit: &Bytes, payloads: &mut Vec<Arc<[u8]>>) {
    let Some((&head, body)) = unit.split_first() else { return };
    let pieces = body.chunks(PAYLOAD_BYTES_MAX - 2);
    let last = pieces.len() - 1;
    for (index, piece) in pieces.enumerate() {
        let start = if index == 0 { 0x80 } else { 0 };
        let end = if index == last { 0x40 } else { 0 };
        let mut payload = Vec::with_capacity(piece.len() + 2);
        payload.extend_from_slice(&[head & 0xe0 | FU_A, start | end | head & 0x1f]);
        payload.extend_from_slice(piece);
        payloads.push(Arc::from(payload));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config() -> AvcConfig {
        let (sps, pps) = (Bytes::from_static(&[0x67, 1, 2]), Bytes::from_static(&[0x68, 3]));
        AvcConfig { length_bytes: 4, sps: vec![sps], pps: vec![pps] }
    }

    fn check(units: &[&[u8]], expected: &[&[u8]]) {
        let units: Vec<Bytes> = units.iter().map(|unit| Bytes::copy_from_slice(unit)).collect();
        let found = payloads(&config(), &units);
        let found: Vec<&[u8]> = found.iter().map(|payload| &**payload).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn access_units() {
        const SETS: &[u8] = &[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3];
        check(&[&[0x65, 9]], &[SETS, &[0x65, 9]]);
        check(&[&[0x41, 9]], &[&[0x41, 9]]);
        // Delimiter and filler go, supplemental information stays.
        check(&[&[9, 0xf0], &[6, 1], &[0x41, 9], &[12, 0xff]], &[&[6, 1], &[0x41, 9]]);
        // An access unit's own sets take precedence.
        check(&[&[0x67, 8], &[0x68, 3], &[0x65, 9]], &[&[0x78, 0, 2, 0x67, 8, 0, 2, 0x68, 3], &[0x65, 9]]);
        check(&[&[0x67, 8], &[0x65, 9]], &[&[0x78, 0, 2, 0x67, 8, 0, 2, 0x68, 3], &[0x65, 9]]);
        // What would be taken for an aggregation is no NAL unit.
        check(&[&[0x78, 0, 1, 1], &[0]], &[]);
    }

    proptest! {
        #[test]
        fn fragments_give_the_unit_again(length in 1usize..5000, head in prop_oneof![Just(0x41u8), Just(0x61)]) {
            let unit: Bytes = std::iter::once(head).chain((0..length).map(|at| at as u8)).collect::<Vec<_>>().into();
            let found = payloads(&config(), std::slice::from_ref(&unit));
            prop_assert!(found.iter().all(|payload| payload.len() <= PAYLOAD_BYTES_MAX));
            if found.len() == 1 {
                prop_assert_eq!(&found[0][..], &unit[..]);
                return Ok(());
            }
            let marks: Vec<u8> = found.iter().map(|payload| payload[1] & 0xc0).collect();
            prop_assert_eq!((marks[0], marks[marks.len() - 1]), (0x80, 0x40));
            prop_assert!(found[..found.len() - 1].iter().all(|payload| payload.len() == PAYLOAD_BYTES_MAX));
            let mut again = vec![found[0][0] & 0xe0 | found[0][1] & 0x1f];
            found.iter().for_each(|payload| again.extend_from_slice(&payload[2..]));
            prop_assert_eq!(again, unit.to_vec());
        }
    }
}
