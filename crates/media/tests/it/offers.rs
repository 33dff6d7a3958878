//! Offers that no client would write, through our checks and the WebRTC engine.

use proptest::prelude::*;
use stagedoor_media::client::Client;
use stagedoor_media::engine::str0m::Str0m;
use stagedoor_media::engine::{Direction, Engine, Terms};
use stagedoor_media::sdp::Offer;
use stagedoor_sfu::Codec;

use crate::support::*;

fn offer() -> Vec<String> {
    let (_, offer) =
        Client::publisher(LOCALHOST, &[Codec::Opus, Codec::H264, Codec::Vp8], world()).expect("a client");
    offer.lines().map(Into::into).collect()
}

fn answer(engine: &Str0m, lines: &[String]) {
    let Ok(offer) = Offer::parse(&lines.join("\r\n")) else { return };
    for direction in [Direction::Publish, Direction::Subscribe] {
        let terms = Terms {
            direction,
            video: offer.video_codec().into_iter().collect(),
            estimate: direction == Direction::Subscribe,
            candidates: vec![(LOCALHOST, 4570).into()],
            tcp_candidates: Vec::new(),
            ice_ufrag: "ufrag".into(),
            ice_password: "0123456789012345678901".into(),
        };
        drop(engine.answer(world().now(), &offer, terms));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Lines taken out, doubled, swapped, and bytes overwritten: refused or answered.
    #[test]
    fn a_damaged_offer_is_refused_or_answered(
        damage in proptest::collection::vec((0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 32..127_u8), 1..6),
    ) {
        let engine = Str0m::new().expect("a certificate");
        let mut lines = offer();
        for (kind, one, two, byte) in damage {
            let (one, two) = (one.index(lines.len()), two.index(lines.len()));
            match kind {
                0 => drop(lines.remove(one)),
                1 => lines.insert(one, lines[two].clone()),
                2 => lines.swap(one, two),
                3 => {
                    let at = two % lines[one].len().max(1);
                    let mut bytes = std::mem::take(&mut lines[one]).into_bytes();
                    if let Some(old) = bytes.get_mut(at) {
                        *old = byte;
                    }
                    lines[one] = String::from_utf8(bytes).expect("ASCII");
                }
                _ => {
                    let length = two % lines[one].len().max(1);
                    lines[one].truncate(length);
                }
            }
        }
        answer(&engine, &lines);
    }
}
