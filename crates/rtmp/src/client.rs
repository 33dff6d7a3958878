//! The encoder's side of a connection, for tests and load: it connects, publishes under a key, and sends FLV tags.
//! It believes what the server says and is not for servers that nobody trusts.

use bytes::{Buf, BytesMut};

use crate::Error;
use crate::amf0::{self, Value};
use crate::chunk::{ChunkReader, ChunkWriter};
use crate::handshake::{PART_BYTES, VERSION};
use crate::message::{Message, kind};

/// Where the way to publishing has got to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Waiting,
    Publishing,
    /// The server said no, or no more: the code, like `NetStream.Publish.BadName`.
    Refused(String),
}

/// An encoder.
#[derive(Debug)]
pub struct Client {
    app: String,
    key: String,
    greeted: bool,
    input: BytesMut,
    reader: ChunkReader,
    writer: ChunkWriter,
    output: Vec<u8>,
    progress: Progress,
}

impl Client {
    pub fn new(app: &str, key: &str) -> Client {
        let mut output = vec![VERSION];
        output.extend_from_slice(&[0; PART_BYTES]);
        Client {
            app: app.to_owned(),
            key: key.to_owned(),
            greeted: false,
            input: BytesMut::new(),
            reader: ChunkReader::default(),
            writer: ChunkWriter::default(),
            output,
            progress: Progress::Waiting,
        }
    }

    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Takes bytes from the server.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.greeted {
            self.reader.push(bytes);
        } else {
            self.input.extend_from_slice(bytes);
            if self.input.len() < 1 + 2 * PART_BYTES {
                return Ok(());
            }
            self.output.extend_from_slice(&self.input[1..=PART_BYTES]);
            self.input.advance(1 + 2 * PART_BYTES);
            let rest = std::mem::take(&mut self.input);
            self.reader.push(rest.chunk());
            self.greeted = true;
            self.send(&Message::number(kind::SET_CHUNK_SIZE, 60_000));
            let wish = vec![("app".to_owned(), self.app.as_str().into())];
            self.send(&Message::command(0, "connect", 1.0, &[Value::Object(wish)]));
        }
        while let Some(message) = self.reader.next_message()? {
            if message.kind == kind::COMMAND {
                self.answer(&amf0::read_all(&message.payload)?);
            }
        }
        Ok(())
    }

    fn answer(&mut self, values: &[Value]) {
        let name = values.first().and_then(Value::string).unwrap_or_default();
        let code =
            values.get(3).and_then(|info| info.get("code")).and_then(Value::string).unwrap_or_default();
        let level = values.get(3).and_then(|info| info.get("level")).and_then(Value::string);
        match (name, values.get(1).and_then(Value::number)) {
            ("_result", Some(1.0)) => self.send(&Message::command(0, "createStream", 2.0, &[Value::Null])),
            ("_result", Some(2.0)) => {
                let arguments = [Value::Null, self.key.as_str().into(), "live".into()];
                self.send(&Message::command(1, "publish", 3.0, &arguments));
            }
            ("onStatus", _) if code == "NetStream.Publish.Start" => self.progress = Progress::Publishing,
            ("onStatus" | "_error", _) if level == Some("error") => {
                self.progress = Progress::Refused(code.to_owned());
            }
            _ => {}
        }
    }

    /// Sends an FLV audio tag's body.
    pub fn audio(&mut self, time: u32, tag: &[u8]) {
        self.send(&Message { kind: kind::AUDIO, time, stream: 1, payload: tag.to_vec().into() });
    }

    /// Sends an FLV video tag's body.
    pub fn video(&mut self, time: u32, tag: &[u8]) {
        self.send(&Message { kind: kind::VIDEO, time, stream: 1, payload: tag.to_vec().into() });
    }

    /// Ends the stream as encoders do.
    pub fn end(&mut self) {
        self.send(&Message::command(0, "deleteStream", 4.0, &[Value::Null, Value::Number(1.0)]));
    }

    /// Sends a command of any kind.
    pub fn command(&mut self, name: &str, arguments: &[Value]) {
        self.send(&Message::command(0, name, 9.0, arguments));
    }

    /// Bytes to send to the server.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn send(&mut self, message: &Message) {
        self.writer.write(message, &mut self.output);
    }
}
