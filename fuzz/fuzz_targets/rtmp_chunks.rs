//! What a stranger can send to the RTMP port, cut at every place: nothing may panic, and what is held is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_rtmp::handshake::{PART_BYTES, RANDOM_BYTES, VERSION};
use stagedoor_rtmp::{Event, Session, chunk::ChunkReader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = ChunkReader::default();
    for piece in bytes.chunks(13) {
        reader.push(piece);
        while let Ok(Some(_)) = reader.next_message() {}
    }
    let mut session = Session::new("app", &[0; RANDOM_BYTES]);
    let mut greeting = vec![VERSION];
    greeting.resize(1 + 2 * PART_BYTES, 0);
    for piece in std::iter::once(&greeting[..]).chain(bytes.chunks(29)) {
        if session.receive(piece).is_err() {
            return;
        }
        while let Some(event) = session.poll() {
            if let Event::Publish { .. } = event {
                session.accept();
            }
        }
        session.take_output();
    }
});
