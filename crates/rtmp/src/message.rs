//! RTMP messages by their type ids (RTMP 1.0 §5.4, §7.1), and those that the server itself sends.

use bytes::{BufMut, Bytes};

use crate::amf0::{self, Value};

/// Type ids.
pub mod kind {
    pub const SET_CHUNK_SIZE: u8 = 1;
    pub const ABORT: u8 = 2;
    pub const ACKNOWLEDGEMENT: u8 = 3;
    pub const USER_CONTROL: u8 = 4;
    pub const WINDOW_SIZE: u8 = 5;
    pub const PEER_BANDWIDTH: u8 = 6;
    pub const AUDIO: u8 = 8;
    pub const VIDEO: u8 = 9;
    pub const COMMAND_AMF3: u8 = 17;
    pub const DATA: u8 = 18;
    pub const COMMAND: u8 = 20;
}

/// Events of user control messages (§7.1.7).
pub mod user {
    pub const STREAM_BEGIN: u16 = 0;
    pub const PING: u16 = 6;
    pub const PONG: u16 = 7;
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    /// Milliseconds; it wraps after 49 days.
    pub time: u32,
    pub stream: u32,
    pub payload: Bytes,
}

impl Message {
    /// A message of the connection itself, not of a stream.
    pub fn control(kind: u8, payload: Vec<u8>) -> Message {
        Message { kind, time: 0, stream: 0, payload: payload.into() }
    }

    /// A command or its answer: a name, the transaction, and arguments.
    pub fn command(stream: u32, name: &str, transaction: f64, arguments: &[Value]) -> Message {
        let mut payload = amf0::write_all(&[name.into(), Value::Number(transaction)]);
        payload.extend(amf0::write_all(arguments));
        Message { kind: kind::COMMAND, time: 0, stream, payload: payload.into() }
    }

    /// A control message that is one number of four bytes.
    pub fn number(kind: u8, number: u32) -> Message {
        Message::control(kind, number.to_be_bytes().to_vec())
    }

    pub fn user_control(event: u16, data: u32) -> Message {
        let mut payload = Vec::with_capacity(6);
        payload.put_u16(event);
        payload.put_u32(data);
        Message::control(kind::USER_CONTROL, payload)
    }

    /// The number that a control message begins with.
    pub fn first_number(&self) -> Option<u32> {
        self.payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }
}
