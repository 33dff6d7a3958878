//! SDP offers and trickle fragments, through our checks and then the WebRTC engine's own parser: nothing may panic, but
//! for the engine itself, which is let do so: such an offer is refused.
#![no_main]

use std::sync::LazyLock;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use stagedoor_media::engine::str0m::Str0m;
use stagedoor_media::engine::{Direction, Engine, Terms};
use stagedoor_media::sdp::{Offer, fragment, spread_candidates};

static ENGINE: LazyLock<Str0m> = LazyLock::new(|| Str0m::new().expect("makes a certificate"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(Some(credentials)) = fragment::credentials(&text) {
        fragment::with_credentials(&text, &credentials);
    }
    spread_candidates(&text);
    let Ok(offer) = Offer::parse(&text) else { return };
    for direction in [Direction::Publish, Direction::Subscribe] {
        let terms = Terms {
            direction,
            video: offer.video_codec().into_iter().collect(),
            candidates: vec![([127, 0, 0, 1], 4570).into()],
            tcp_candidates: vec![([127, 0, 0, 1], 4570).into()],
            estimate: true,
            ice_ufrag: "ufrag".into(),
            ice_password: "0123456789012345678901".into(),
        };
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let answered = ENGINE.answer(Instant::now(), &offer, terms);
        std::panic::set_hook(before);
        if let Ok(answer) = answered {
            spread_candidates(&answer.sdp);
        }
    }
});
