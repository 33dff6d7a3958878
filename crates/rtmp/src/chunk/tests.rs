//! Messages through chunks, whole, cut, interleaved, hostile.

use super::*;
use proptest::prelude::*;

fn message(kind: u8, time: u32, payload: &[u8]) -> Message {
    Message { kind, time, stream: 1, payload: Bytes::copy_from_slice(payload) }
}

fn read(bytes: &[u8]) -> Result<Vec<Message>, Error> {
    let mut reader = ChunkReader::default();
    reader.admit_media();
    reader.push(bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.next_message()? {
        messages.push(message);
    }
    Ok(messages)
}

/// Basic header and message header of type 0.
fn head(stream: u8, time: u32, length: u32, kind: u8) -> Vec<u8> {
    [&[stream][..], &time.to_be_bytes()[1..], &length.to_be_bytes()[1..], &[kind, 1, 0, 0, 0]].concat()
}

#[test]
fn short_headers_refer_to_the_one_before() {
    let bytes = [
        head(4, 1000, 2, 8),
        b"aa".to_vec(),
        // Type 1: a difference, another length and kind. Type 2: a difference. Type 3: all as before.
        vec![0x44, 0, 0, 20, 0, 0, 1, 9, b'b'],
        vec![0x84, 0, 0, 30, b'c'],
        vec![0xc4, b'd'],
    ];
    let found = read(&bytes.concat()).expect("good");
    let expected =
        [message(8, 1000, b"aa"), message(9, 1020, b"b"), message(9, 1050, b"c"), message(9, 1080, b"d")];
    assert_eq!(found, expected);
}

#[test]
fn chunk_streams_interleave() {
    let (audio, video) = ([b'a'; 200], [b'v'; 300]);
    let bytes = [
        head(6, 10, 300, 9),
        video[..128].to_vec(),
        head(4, 11, 200, 8),
        audio[..128].to_vec(),
        [&[0xc6][..], &video[..128]].concat(),
        [&[0xc4][..], &audio[..72]].concat(),
        [&[0xc6][..], &video[..44]].concat(),
    ];
    assert_eq!(read(&bytes.concat()).expect("good"), [message(8, 11, &audio), message(9, 10, &video)]);
}

#[test]
fn extended_times_with_and_without_repetition() {
    let time = 0x0123_4567_u32;
    let first = [head(6, EXTENDED, 200, 9), time.to_be_bytes().to_vec(), vec![7; 128]].concat();
    for repeated in [&time.to_be_bytes()[..], &[]] {
        let bytes = [&first, &[0xc6][..], repeated, &[7; 72]].concat();
        assert_eq!(read(&bytes).expect("good"), [message(9, time, &[7; 200])], "{repeated:?}");
    }
}

#[test]
fn an_abort_drops_what_was_begun() {
    let bytes =
        [head(6, 0, 200, 9), vec![1; 128], head(2, 0, 4, 2), vec![0, 0, 0, 6], head(6, 5, 1, 9), vec![2]];
    let found = read(&bytes.concat()).expect("good");
    assert_eq!(found[1], message(9, 5, &[2]));
}

#[test]
fn bounds() {
    let check = |bytes: &[u8], expected: Error| assert_eq!(read(bytes), Err(expected));
    check(&head(4, 0, 0x00ff_ffff, 9), Error::TooMuch("the size of a message"));
    check(&head(4, 0, 65_537, 20), Error::TooMuch("the size of a message"));
    check(&[0xc4], Error::Malformed("a chunk that refers to none before it"));
    check(&[head(2, 0, 4, 1), vec![0; 4]].concat(), Error::Malformed("chunk size"));
    check(&[head(2, 0, 2, 1), vec![0; 2]].concat(), Error::Malformed("chunk size"));
    let inside = [head(4, 0, 200, 8), vec![0; 128], head(4, 0, 1, 8)].concat();
    check(&inside, Error::Malformed("a message begins inside another one"));
    let many: Vec<u8> = (0..=64_u8).flat_map(|n| [&[0, n][..], &head(0, 0, 0, 8)[1..]].concat()).collect();
    check(&many, Error::TooMuch("the number of chunk streams"));
    // Of a stranger nothing long is taken.
    let mut reader = ChunkReader::default();
    reader.push(&head(4, 0, 65_537, 9));
    assert_eq!(reader.next_message(), Err(Error::TooMuch("the size of a message")));
    // Many unfinished messages, each within its bound.
    let size = [head(2, 0, 4, 1), vec![0, 0x30, 0, 0]].concat();
    let begun = |stream: u8| [head(stream, 0, 0x40_0000, 9), vec![0; 0x30_0000]].concat();
    check(&[size, begun(4), begun(5), begun(6)].concat(), Error::TooMuch("the size of unfinished messages"));
}

proptest! {
    /// Whatever the size of chunks and however the network cuts them, messages come out as they went in.
    #[test]
    fn what_is_written_is_read(
        messages in proptest::collection::vec(
            (prop_oneof![Just(8u8), Just(9), Just(20)], any::<u32>(), proptest::collection::vec(any::<u8>(), 0..700)),
            1..8,
        ),
        size in 1u32..400,
        cut in 1usize..300,
    ) {
        let (mut writer, mut bytes) = (ChunkWriter::default(), Vec::new());
        let size = Message::number(kind::SET_CHUNK_SIZE, size);
        let messages: Vec<Message> = std::iter::once(size)
            .chain(messages.iter().map(|(kind, time, payload)| message(*kind, *time, payload)))
            .collect();
        messages.iter().for_each(|message| writer.write(message, &mut bytes));
        let (mut reader, mut found) = (ChunkReader::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            reader.push(piece);
            while let Some(message) = reader.next_message().expect("good") {
                found.push(message);
            }
        }
        prop_assert_eq!(found, messages);
        prop_assert_eq!(reader.held, 0);
    }

    #[test]
    fn never_panics(pieces in proptest::collection::vec(
        proptest::collection::vec(prop_oneof![Just(2u8), 0u8..8, any::<u8>()], 0..60), 0..20,
    )) {
        let mut reader = ChunkReader::default();
        for piece in pieces {
            reader.push(&piece);
            while let Ok(Some(_)) = reader.next_message() {}
        }
    }
}
