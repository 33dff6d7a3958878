//! What a backend can answer: nothing may panic, and wherever it is cut the same is read, or refused.
#![no_main]

use bytes::BytesMut;
use http::Method;
use libfuzzer_sys::fuzz_target;
use stagedoor_http1::{AnswerReader, Chunks, Framing, Piece};

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, bytes.len().max(1));
    for part in [1, 2, 7, 61] {
        assert_eq!(read(bytes, part), whole, "in parts of {part}");
    }
});

/// Status, number of headers and chunked body; `None` if there is no whole answer.
fn read(bytes: &[u8], part: usize) -> Option<(u16, usize, Vec<u8>)> {
    let (mut reader, mut arrived, mut parts) = (AnswerReader::default(), BytesMut::new(), bytes.chunks(part));
    let answer = loop {
        match reader.read(&mut arrived, &Method::GET).ok()? {
            Some(answer) => break answer,
            None => arrived.extend_from_slice(parts.next()?),
        }
    };
    let mut body = Vec::new();
    if answer.framing == Framing::Chunked {
        let mut chunks = Chunks::default();
        loop {
            match chunks.next(&mut arrived).ok()? {
                Some(Piece::Data(data)) => body.extend_from_slice(&data),
                Some(Piece::End) => break,
                None => arrived.extend_from_slice(parts.next()?),
            }
        }
    }
    Some((answer.status.as_u16(), answer.headers.len(), body))
}
