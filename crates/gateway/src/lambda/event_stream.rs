//! The event stream of `InvokeWithResponseStream`: pieces of a result in frames, and the frame that ends it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>; the frames are
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>. Pure.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// What answers with an event stream say of their body.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Longest frame that is read, in bytes: the protocol's most for a payload, and headers.
const FRAME_BYTES_MAX: u32 = 24 * 1024 * 1024 + 128 * 1024;
/// The length that a frame begins with.
const LENGTH_BYTES: usize = 4;

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A piece of the result.
    Chunk(Bytes),
    /// The result is complete, or has failed.
    Complete(Complete),
}

/// How a result ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Complete {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error_details: Option<String>,
    /// The end of what the function printed, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_result: Option<String>,
}

impl Complete {
    pub(crate) fn new(error: Option<(String, String)>, tail: Option<&Bytes>) -> Self {
        let (error_code, error_details) = error.unzip();
        Self { error_code, error_details, log_result: tail.map(|tail| STANDARD.encode(tail)) }
    }

    pub(crate) fn tail(&self) -> Option<Bytes> {
        STANDARD.decode(self.log_result.as_ref()?).ok().map(Bytes::from)
    }
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Malformed,
    TooLong,
    /// The service says so itself, as an exception in the stream.
    Exception,
}

/// Reads frames from bytes as they come.
#[derive(Default)]
pub(crate) struct Reader {
    unread: BytesMut,
    frames: MessageFrameDecoder,
    /// Whether the length of the frame that `unread` begins with was looked at.
    measured: bool,
}

impl Reader {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next event of what was added; `None` if it is not whole yet. Frames of other kinds are passed over.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Unreadable> {
        loop {
            if !self.measured {
                let Some(length) = self.unread.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
                if u32::from_be_bytes(*length) > FRAME_BYTES_MAX {
                    return Err(Unreadable::TooLong);
                }
                self.measured = true;
            }
            match self.frames.decode_frame(&mut self.unread).map_err(|_| Unreadable::Malformed)? {
                DecodedFrame::Incomplete => return Ok(None),
                DecodedFrame::Complete(message) => {
                    self.measured = false;
                    if let Some(event) = event(&message)? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }
}

fn event(message: &Message) -> Result<Option<Event>, Unreadable> {
    let header = |name: &str| {
        let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
        found.value().as_string().ok().map(|value| value.as_str())
    };
    match (header(":message-type"), header(":event-type")) {
        (Some("event"), Some("PayloadChunk")) => Ok(Some(Event::Chunk(message.payload().clone()))),
        (Some("event"), Some("InvokeComplete")) => {
            let complete = serde_json::from_slice(message.payload()).map_err(|_| Unreadable::Malformed)?;
            Ok(Some(Event::Complete(complete)))
        }
        (Some("event"), _) => Ok(None),
        (Some("exception" | "error"), _) => Err(Unreadable::Exception),
        _ => Err(Unreadable::Malformed),
    }
}

/// The frame of an event.
pub(crate) fn frame(event: &Event) -> Bytes {
    let (kind, media_type, payload) = match event {
        Event::Chunk(payload) => ("PayloadChunk", "application/octet-stream", payload.clone()),
        Event::Complete(complete) => {
            let json = serde_json::to_vec(complete).expect("a struct of strings");
            ("InvokeComplete", "application/json", json.into())
        }
    };
    let header = |name, value| Header::new(name, HeaderValue::String(value));
    let message = Message::new(payload)
        .add_header(header(":event-type", kind.into()))
        .add_header(header(":content-type", media_type.into()))
        .add_header(header(":message-type", "event".into()));
    let mut frame = BytesMut::new();
    write_message_to(&message, &mut frame).expect("short headers, and a payload of an answer's length");
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], step: usize) -> Result<Vec<Event>, Unreadable> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for piece in bytes.chunks(step) {
            reader.add(piece);
            while let Some(event) = reader.next()? {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn failed() -> Event {
        let error = ("Unhandled".to_owned(), "it \"failed\"".to_owned());
        Event::Complete(Complete::new(Some(error), Some(&Bytes::from_static(b"tail"))))
    }

    #[test]
    fn an_error_and_the_tail_are_told() {
        let Ok(events) = read(&frame(&failed()), 7) else { panic!("a frame") };
        let [Event::Complete(complete)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(complete.error_code.as_deref(), Some("Unhandled"));
        assert_eq!(complete.tail().as_deref(), Some(&b"tail"[..]));
        // The names are AWS's.
        let text = String::from_utf8_lossy(&frame(&failed())).into_owned();
        assert!(
            text.contains(
                r#"{"ErrorCode":"Unhandled","ErrorDetails":"it \"failed\"","LogResult":"dGFpbA=="}"#
            )
        );
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        assert_eq!(read(&[0xff; 64], 64), Err(Unreadable::TooLong));
        assert_eq!(read(&[0; 64], 64), Err(Unreadable::Malformed));
        let mut wrong = frame(&failed()).to_vec();
        *wrong.last_mut().expect("a frame") ^= 1;
        assert_eq!(read(&wrong, 64), Err(Unreadable::Malformed));
        let exception = Message::new(Bytes::new())
            .add_header(Header::new(":message-type", HeaderValue::String("exception".into())));
        let mut bytes = BytesMut::new();
        write_message_to(&exception, &mut bytes).expect("a message");
        assert_eq!(read(&bytes, 64), Err(Unreadable::Exception));
    }

    proptest! {
        #[test]
        fn what_was_framed_is_read_however_it_is_cut(
            chunks in vec(vec(any::<u8>(), 0..300), 0..8),
            step in 1_usize..500,
        ) {
            let mut events: Vec<Event> = chunks.into_iter().map(|chunk| Event::Chunk(chunk.into())).collect();
            events.push(failed());
            let bytes: Vec<u8> = events.iter().flat_map(|event| frame(event).to_vec()).collect();
            prop_assert_eq!(read(&bytes, step), Ok(events));
        }

        #[test]
        fn anything_is_read_without_panic(bytes in vec(any::<u8>(), 0..300), step in 1_usize..50) {
            let _ = read(&bytes, step);
        }

        #[test]
        fn damage_is_noticed(at in 0_usize..1000, bit in 0_u8..8) {
            let events = [Event::Chunk(Bytes::from_static(b"some text")), failed()];
            let mut bytes: Vec<u8> = events.iter().flat_map(|event| frame(event).to_vec()).collect();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(read(&bytes, 64), Ok(events.to_vec()));
        }
    }
}
