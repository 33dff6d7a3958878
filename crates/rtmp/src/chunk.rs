//! The chunk stream (RTMP 1.0 §5.3): messages cut into chunks that are interleaved on one connection.
//!
//! Each chunk stream is put together on its own. What a peer can make us hold is bounded: the number of chunk
//! streams, the length of a message, and the bytes of all unfinished messages together.

use std::collections::HashMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Error;
use crate::message::{Message, kind};

/// Chunk streams that one connection may use. Encoders use about six.
const STREAMS_MAX: usize = 64;
/// Bytes of an audio or video message of a peer that may publish. Two seconds of the fastest video that a stage
/// takes would fit.
pub const MEDIA_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of any other message, and of all messages of a peer of whom nothing is known yet.
const CONTROL_BYTES_MAX: usize = 64 * 1024;
/// Bytes of all unfinished messages, as a multiple of the longest one.
const HELD_MAX: usize = 2;
/// Bytes of a chunk until its sender says otherwise.
const CHUNK_BYTES_FIRST: usize = 128;
/// A timestamp field that says: the timestamp stands behind the header.
const EXTENDED: u32 = 0x00ff_ffff;

/// Puts messages together.
#[derive(Debug)]
pub struct ChunkReader {
    input: BytesMut,
    chunk_bytes: usize,
    media_bytes_max: usize,
    streams: HashMap<u32, Stream>,
    held: usize,
}

/// The header that the next chunk of a chunk stream may refer to, and the message under way.
#[derive(Debug, Default, Clone)]
struct Stream {
    time: u32,
    /// The timestamp field of the last header that had one: a time after type 0, else a difference.
    field: u32,
    extended: bool,
    length: usize,
    kind: u8,
    message_stream: u32,
    partial: Vec<u8>,
}

/// A chunk's headers, and how long they are.
struct Head {
    stream: u32,
    header: Stream,
    bytes: usize,
}

impl Default for ChunkReader {
    fn default() -> ChunkReader {
        ChunkReader {
            input: BytesMut::new(),
            chunk_bytes: CHUNK_BYTES_FIRST,
            media_bytes_max: CONTROL_BYTES_MAX,
            streams: HashMap::new(),
            held: 0,
        }
    }
}

impl ChunkReader {
    /// The peer may publish: its messages may be long from now on.
    pub fn admit_media(&mut self) {
        self.media_bytes_max = MEDIA_BYTES_MAX;
    }

    /// Takes bytes from the peer. Call [`ChunkReader::next_message`] until it has no more before the next call.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next whole message. Chunk sizes and aborts take effect here; the former are handed out too.
    pub fn next_message(&mut self) -> Result<Option<Message>, Error> {
        while let Some(head) = self.head()? {
            let wanted = head.header.length - head.header.partial.len();
            let payload = wanted.min(self.chunk_bytes);
            if self.input.len() < head.bytes + payload {
                self.keep_partial(head);
                return Ok(None);
            }
            self.input.advance(head.bytes);
            if let Some(message) = self.take(head, payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// A head that is parsed again later must not lose what its stream holds.
    fn keep_partial(&mut self, head: Head) {
        if let Some(stream) = self.streams.get_mut(&head.stream) {
            stream.partial = head.header.partial;
        }
    }

    fn take(&mut self, head: Head, payload: usize) -> Result<Option<Message>, Error> {
        let Head { stream, mut header, .. } = head;
        header.partial.extend_from_slice(&self.input[..payload]);
        self.input.advance(payload);
        self.held += payload;
        if self.held > HELD_MAX * self.media_bytes_max {
            return Err(Error::TooMuch("the size of unfinished messages"));
        }
        let message = (header.partial.len() == header.length).then(|| {
            self.held -= header.partial.len();
            let payload = Bytes::from(std::mem::take(&mut header.partial));
            Message { kind: header.kind, time: header.time, stream: header.message_stream, payload }
        });
        self.streams.insert(stream, header);
        message.map(|message| self.heed(message)).transpose()
    }

    /// Messages that concern the chunks themselves (§5.4.1, §5.4.2).
    fn heed(&mut self, message: Message) -> Result<Message, Error> {
        match message.kind {
            kind::SET_CHUNK_SIZE => {
                let size = message.first_number().ok_or(Error::Malformed("chunk size"))? as usize;
                if size == 0 || size > 0x7fff_ffff {
                    return Err(Error::Malformed("chunk size"));
                }
                self.chunk_bytes = size;
            }
            kind::ABORT => {
                let aborted = message.first_number().and_then(|stream| self.streams.get_mut(&stream));
                if let Some(stream) = aborted {
                    self.held -= std::mem::take(&mut stream.partial).len();
                }
            }
            _ => {}
        }
        Ok(message)
    }

    fn check_length(&self, header: &Stream) -> Result<(), Error> {
        let media = matches!(header.kind, kind::AUDIO | kind::VIDEO);
        let most = if media { self.media_bytes_max } else { CONTROL_BYTES_MAX };
        if header.length > most { Err(Error::TooMuch("the size of a message")) } else { Ok(()) }
    }

    /// Parses the headers of the chunk at the front of the input, if all of them are there.
    fn head(&mut self) -> Result<Option<Head>, Error> {
        let mut bytes = &self.input[..];
        let total = bytes.len();
        let Some((format, stream)) = basic_header(&mut bytes) else { return Ok(None) };
        let known = self.streams.get(&stream);
        let mut header = match (known, format) {
            (Some(known), _) => Stream { partial: Vec::new(), ..*known },
            (None, 0) if self.streams.len() < STREAMS_MAX => Stream::default(),
            (None, 0) => return Err(Error::TooMuch("the number of chunk streams")),
            (None, _) => return Err(Error::Malformed("a chunk that refers to none before it")),
        };
        let continues = known.is_some_and(|known| !known.partial.is_empty());
        if continues && format != 3 {
            return Err(Error::Malformed("a message begins inside another one"));
        }
        let Some(()) = message_header(format, &mut bytes, &mut header) else { return Ok(None) };
        if header.extended && !extended_time(format, continues, &mut bytes, &mut header) {
            return Ok(None);
        }
        if !continues {
            header.time = if format == 0 { header.field } else { header.time.wrapping_add(header.field) };
            self.check_length(&header)?;
        }
        let bytes = total - bytes.len();
        header.partial =
            self.streams.get_mut(&stream).map(|known| std::mem::take(&mut known.partial)).unwrap_or_default();
        Ok(Some(Head { stream, header, bytes }))
    }
}

/// Format and number of a chunk's stream (§5.3.1.1).
fn basic_header(bytes: &mut &[u8]) -> Option<(u8, u32)> {
    let first = bytes.try_get_u8().ok()?;
    let stream = match first & 0x3f {
        0 => u32::from(bytes.try_get_u8().ok()?) + 64,
        1 => u32::from(bytes.try_get_u16_le().ok()?) + 64,
        small => u32::from(small),
    };
    Some((first >> 6, stream))
}

/// The message header (§5.3.1.2): what the format leaves out stays as it was.
fn message_header(format: u8, bytes: &mut &[u8], header: &mut Stream) -> Option<()> {
    if format < 3 {
        header.field = u24(bytes)?;
        header.extended = header.field == EXTENDED;
    }
    if format < 2 {
        header.length = u24(bytes)? as usize;
        header.kind = bytes.try_get_u8().ok()?;
    }
    if format < 1 {
        header.message_stream = bytes.try_get_u32_le().ok()?;
    }
    Some(())
}

/// The extended timestamp (§5.3.1.3). Some senders leave it out of the chunks that continue a message, against the
/// specification; there it is taken for one only if it repeats the number. `false`: it is not all there yet.
fn extended_time(format: u8, continues: bool, bytes: &mut &[u8], header: &mut Stream) -> bool {
    let Some(number) = bytes.first_chunk().map(|number| u32::from_be_bytes(*number)) else {
        return false;
    };
    if format < 3 {
        header.field = number;
    }
    if format < 3 || !continues || number == header.field {
        bytes.advance(4);
    }
    true
}

fn u24(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<3>()?;
    *bytes = rest;
    Some(u32::from_be_bytes([0, number[0], number[1], number[2]]))
}

/// Cuts messages into chunks.
#[derive(Debug)]
pub struct ChunkWriter {
    chunk_bytes: usize,
}

impl Default for ChunkWriter {
    fn default() -> ChunkWriter {
        ChunkWriter { chunk_bytes: CHUNK_BYTES_FIRST }
    }
}

impl ChunkWriter {
    /// Appends a message. Each begins with a full header: what a server has to say is too little to save bytes on.
    pub fn write(&mut self, message: &Message, out: &mut Vec<u8>) {
        let stream = match message.kind {
            kind::SET_CHUNK_SIZE..=kind::PEER_BANDWIDTH => 2,
            kind::AUDIO => 4,
            kind::VIDEO => 6,
            _ => 3,
        };
        let extended = message.time >= EXTENDED;
        out.put_u8(stream);
        out.put_uint(u64::from(message.time.min(EXTENDED)), 3);
        out.put_uint(message.payload.len() as u64, 3);
        out.put_u8(message.kind);
        out.put_u32_le(message.stream);
        for (index, piece) in message.payload.chunks(self.chunk_bytes).enumerate() {
            if index > 0 {
                out.put_u8(0xc0 | stream);
            }
            if extended {
                out.put_u32(message.time);
            }
            out.put_slice(piece);
        }
        if extended && message.payload.is_empty() {
            out.put_u32(message.time);
        }
        if let (kind::SET_CHUNK_SIZE, Some(size)) = (message.kind, message.first_number()) {
            self.chunk_bytes = (size as usize).max(1);
        }
    }
}

#[cfg(test)]
mod tests;
