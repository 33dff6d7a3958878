//! The server's side of one connection of an encoder: bytes in, events and bytes out (RTMP 1.0 §7.2).
//!
//! A connection publishes one stream. Whether it may is the caller's to say: after [`Event::Publish`] media is
//! dropped until [`Session::accept`]. Sessions do not play.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::Error;
use crate::amf0::{self, Value};
use crate::chunk::{ChunkReader, ChunkWriter};
use crate::handshake::{Handshake, RANDOM_BYTES};
use crate::message::{Message, kind, user};

/// Bytes after which we want and give acknowledgements.
const WINDOW_BYTES: u32 = 2_500_000;
/// Bytes of the chunks that we send.
const CHUNK_BYTES: u32 = 4096;
/// The one message stream that a connection has.
const STREAM: u32 = 1;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The encoder wants to publish: answer with [`Session::accept`] or [`Session::refuse`].
    Publish { key: String },
    /// An FLV audio tag's body, with its time in milliseconds.
    Audio { time: u32, tag: Bytes },
    /// An FLV video tag's body, with its decoding time in milliseconds.
    Video { time: u32, tag: Bytes },
    /// The encoder has ended its stream, or cannot be served; the connection is to be closed.
    Ended,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    /// The application that exists, which is the first part of the path.
    app: &'static str,
    handshake: Option<Handshake>,
    input: BytesMut,
    reader: ChunkReader,
    writer: ChunkWriter,
    output: Vec<u8>,
    events: VecDeque<Event>,
    publication: Publication,
    connected: bool,
    received: u32,
    acknowledged: u32,
    window: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Publication {
    None,
    Asked,
    Live,
}

impl Session {
    /// `random` goes into the handshake; `app` is the only application that there is.
    pub fn new(app: &'static str, random: &[u8; RANDOM_BYTES]) -> Session {
        Session {
            app,
            handshake: Some(Handshake::new(random)),
            input: BytesMut::new(),
            reader: ChunkReader::default(),
            writer: ChunkWriter::default(),
            output: Vec::new(),
            events: VecDeque::new(),
            publication: Publication::None,
            connected: false,
            received: 0,
            acknowledged: 0,
            window: WINDOW_BYTES,
        }
    }

    /// Takes bytes from the peer. What they mean comes out of [`Session::poll`], answers out of
    /// [`Session::take_output`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.received = self.received.wrapping_add(bytes.len() as u32);
        if let Some(handshake) = &mut self.handshake {
            self.input.extend_from_slice(bytes);
            if handshake.advance(&mut self.input, &mut self.output)? {
                self.handshake = None;
                let rest = std::mem::take(&mut self.input);
                self.reader.push(rest.chunk());
            }
        } else {
            self.reader.push(bytes);
        }
        while let Some(message) = if self.handshake.is_none() { self.reader.next_message()? } else { None } {
            self.take(message)?;
        }
        if self.handshake.is_none() && self.received.wrapping_sub(self.acknowledged) >= self.window {
            self.acknowledged = self.received;
            self.send(&Message::number(kind::ACKNOWLEDGEMENT, self.received));
        }
        Ok(())
    }

    /// The next event.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to send to the peer, now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The encoder may publish.
    pub fn accept(&mut self) {
        if self.publication == Publication::Asked {
            self.publication = Publication::Live;
            self.reader.admit_media();
            self.send(&Message::user_control(user::STREAM_BEGIN, STREAM));
            self.status("status", "NetStream.Publish.Start", "Publishing.");
        }
    }

    /// Tells the encoder why it may not publish, or not any more. The caller closes the connection after sending it.
    pub fn refuse(&mut self, code: &str, description: &str) {
        self.publication = Publication::None;
        self.status("error", code, description);
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            kind::COMMAND => self.command(&message.payload),
            // The AMF 3 form begins with a byte that says: AMF 0 follows.
            kind::COMMAND_AMF3 => match message.payload.split_first() {
                Some((0, command)) => self.command(command),
                _ => Err(Error::Malformed("a command in AMF 3")),
            },
            kind::AUDIO | kind::VIDEO if self.publication != Publication::Live => Ok(()),
            kind::AUDIO => {
                self.events.push_back(Event::Audio { time: message.time, tag: message.payload });
                Ok(())
            }
            kind::VIDEO => {
                self.events.push_back(Event::Video { time: message.time, tag: message.payload });
                Ok(())
            }
            kind::WINDOW_SIZE => {
                // A window of nothing would be an acknowledgement for every byte.
                self.window = message.first_number().unwrap_or(WINDOW_BYTES).max(CHUNK_BYTES);
                Ok(())
            }
            kind::USER_CONTROL => {
                self.user_control(&message.payload);
                Ok(())
            }
            // Chunk sizes and aborts have taken effect; metadata and acknowledgements say nothing that is needed.
            _ => Ok(()),
        }
    }

    fn user_control(&mut self, mut payload: &[u8]) {
        let event = payload.try_get_u16();
        if let (Ok(user::PING), Ok(time)) = (event, payload.try_get_u32()) {
            self.send(&Message::user_control(user::PONG, time));
        }
    }

    fn command(&mut self, payload: &[u8]) -> Result<(), Error> {
        let values = amf0::read_all(payload)?;
        let name =
            values.first().and_then(Value::string).ok_or(Error::Malformed("a command without a name"))?;
        let transaction = values.get(1).and_then(Value::number).unwrap_or(0.0);
        let argument = |index: usize| values.get(index).unwrap_or(&Value::Null);
        match name {
            "connect" => self.connect(transaction, argument(2)),
            _ if !self.connected => return Err(Error::Malformed("a command before connect")),
            "createStream" => self.result(transaction, &[Value::Null, Value::Number(f64::from(STREAM))]),
            "releaseStream" | "FCUnpublish" => {
                self.result(transaction, &[Value::Null, Value::Null]);
            }
            "_checkbw" => {
                self.result(transaction, &[Value::Null, Value::Null]);
                self.send(&Message::command(0, "onBWDone", 0.0, &[Value::Null]));
            }
            "FCPublish" => {
                let info = info("status", "NetStream.Publish.Start", "FCPublish");
                self.send(&Message::command(0, "onFCPublish", 0.0, &[Value::Null, info]));
            }
            "publish" => self.publish(argument(3)),
            "deleteStream" | "closeStream" => self.events.push_back(Event::Ended),
            "play" | "play2" => {
                self.status("error", "NetStream.Play.Failed", "Stages are not played by RTMP.");
                self.events.push_back(Event::Ended);
            }
            // Answers to calls that we never make.
            "_result" | "_error" | "onStatus" => {}
            _ if transaction != 0.0 => {
                let info = info("error", "NetConnection.Call.Failed", "There is no such method.");
                self.send(&Message::command(0, "_error", transaction, &[Value::Null, info]));
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, transaction: f64, wish: &Value) {
        let app = wish.get("app").and_then(Value::string).unwrap_or_default();
        let app = app.split('?').next().unwrap_or_default().trim_matches('/');
        if app != self.app {
            let info = info("error", "NetConnection.Connect.InvalidApp", "There is no such application.");
            self.send(&Message::command(0, "_error", transaction, &[Value::Null, info]));
            return self.events.push_back(Event::Ended);
        }
        self.connected = true;
        self.send(&Message::number(kind::WINDOW_SIZE, WINDOW_BYTES));
        // The last byte: the limit is a dynamic one.
        self.send(&Message::control(kind::PEER_BANDWIDTH, [&WINDOW_BYTES.to_be_bytes()[..], &[2]].concat()));
        self.send(&Message::number(kind::SET_CHUNK_SIZE, CHUNK_BYTES));
        let properties =
            object(&[("fmsVer", "FMS/3,5,7,7009".into()), ("capabilities", Value::Number(31.0))]);
        let Value::Object(mut info) =
            info("status", "NetConnection.Connect.Success", "Connection succeeded.")
        else {
            return;
        };
        info.push(("objectEncoding".to_owned(), Value::Number(0.0)));
        // Enhanced RTMP: the codecs that can be named by four letters.
        info.push(("fourCcList".to_owned(), Value::Array(vec!["avc1".into(), "mp4a".into()])));
        self.result(transaction, &[properties, Value::Object(info)]);
    }

    fn publish(&mut self, name: &Value) {
        let key = name.string().unwrap_or_default().split('?').next().unwrap_or_default();
        if self.publication != Publication::None {
            return self.status("error", "NetStream.Publish.BadName", "The connection publishes already.");
        }
        self.publication = Publication::Asked;
        self.events.push_back(Event::Publish { key: key.to_owned() });
    }

    fn result(&mut self, transaction: f64, values: &[Value]) {
        self.send(&Message::command(0, "_result", transaction, values));
    }

    fn status(&mut self, level: &str, code: &str, description: &str) {
        let info = info(level, code, description);
        self.send(&Message::command(STREAM, "onStatus", 0.0, &[Value::Null, info]));
    }

    fn send(&mut self, message: &Message) {
        self.writer.write(message, &mut self.output);
    }
}

fn object(members: &[(&str, Value)]) -> Value {
    Value::Object(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn info(level: &str, code: &str, description: &str) -> Value {
    object(&[("level", level.into()), ("code", code.into()), ("description", description.into())])
}

#[cfg(test)]
mod tests;
