//! Reads a chunked body (RFC 9112, section 7.1). Lines end with CRLF and nothing else; extensions and the trailer are
//! checked and passed over.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

use crate::Malformed;

/// Most bytes of a body's chunk extensions together.
const EXTENSION_BYTES_MAX: u32 = 16 * 1024;
/// Longest trailer, in bytes, and most fields of it.
const TRAILER_BYTES_MAX: usize = 16 * 1024;
const TRAILERS_MAX: usize = 100;

/// A body that is being read.
#[derive(Debug, Default)]
pub struct Chunks {
    at: At,
    extension_bytes: u32,
}

/// What is read next, with the size of the chunk that it belongs to.
#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    SizeStart,
    Size(u64),
    /// White space after the size.
    Space(u64),
    Extension(u64),
    SizeEnd(u64),
    Data(u64),
    DataReturn,
    DataEnd,
    Trailer,
    Ended,
    /// It was malformed, and stays so.
    Malformed(Malformed),
}

/// What comes next of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Data(Bytes),
    End,
}

impl Chunks {
    /// Takes the next piece off the bytes that have come; `None` if more has to come. Data is never empty.
    ///
    /// # Errors
    /// [`Malformed::Chunk`], [`Malformed::Trailer`]
    pub fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Piece>, Malformed> {
        self.piece(bytes).inspect_err(|error| self.at = At::Malformed(*error))
    }

    fn piece(&mut self, bytes: &mut BytesMut) -> Result<Option<Piece>, Malformed> {
        loop {
            match self.at {
                At::Data(left) => {
                    let there = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    if there == 0 {
                        return Ok(None);
                    }
                    let left = left - there as u64;
                    self.at = if left == 0 { At::DataReturn } else { At::Data(left) };
                    return Ok(Some(Piece::Data(bytes.split_to(there).freeze())));
                }
                At::Trailer => {
                    let Some(length) = trailer(bytes)? else { return Ok(None) };
                    bytes.advance(length);
                    self.at = At::Ended;
                }
                At::Ended => return Ok(Some(Piece::End)),
                At::Malformed(error) => return Err(error),
                _ => {
                    if !self.read_line(bytes)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads what is between data; whether data or the trailer comes next.
    fn read_line(&mut self, bytes: &mut BytesMut) -> Result<bool, Malformed> {
        let mut read = 0;
        for byte in bytes.iter() {
            self.at = self.after(*byte)?;
            read += 1;
            if matches!(self.at, At::Data(_) | At::Trailer) {
                bytes.advance(read);
                return Ok(true);
            }
        }
        bytes.advance(read);
        Ok(false)
    }

    fn after(&mut self, byte: u8) -> Result<At, Malformed> {
        Ok(match (self.at, byte) {
            (At::SizeStart, digit) => At::Size(hex(digit).ok_or(Malformed::Chunk)?),
            (At::Size(size), digit) if digit.is_ascii_hexdigit() => {
                let shifted = size.checked_mul(16).ok_or(Malformed::Chunk)?;
                At::Size(shifted + hex(digit).unwrap_or_default())
            }
            (At::Size(size) | At::Space(size), b' ' | b'\t') => At::Space(size),
            (At::Size(size) | At::Space(size), b';') => At::Extension(size),
            (At::Size(size) | At::Space(size) | At::Extension(size), b'\r') => At::SizeEnd(size),
            (At::Extension(size), byte) if byte != b'\n' && self.extension_bytes < EXTENSION_BYTES_MAX => {
                self.extension_bytes += 1;
                At::Extension(size)
            }
            (At::SizeEnd(0), b'\n') => At::Trailer,
            (At::SizeEnd(size), b'\n') => At::Data(size),
            (At::DataReturn, b'\r') => At::DataEnd,
            (At::DataEnd, b'\n') => At::SizeStart,
            _ => return Err(Malformed::Chunk),
        })
    }
}

fn hex(digit: u8) -> Option<u64> {
    char::from(digit).to_digit(16).map(u64::from)
}

/// The length of a trailer with the empty line that ends it; `None` if that has not come.
fn trailer(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.starts_with(b"\r\n") {
        return Ok(Some(2));
    }
    let Some(at) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > TRAILER_BYTES_MAX { Err(Malformed::Trailer) } else { Ok(None) };
    };
    let length = at + 4;
    let mut fields = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    match httparse::parse_headers(&bytes[..length], &mut fields) {
        Ok(httparse::Status::Complete((parsed, _))) if parsed == length && length <= TRAILER_BYTES_MAX => {
            Ok(Some(length))
        }
        _ => Err(Malformed::Trailer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body in parts of some sizes: its data, how it ended, and what follows.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        for part in [1, 2, 3, 7, 100_000] {
            assert_eq!(read(text, part), expected, "in parts of {part}: {text:?}");
        }
    }

    fn read(text: &str, part: usize) -> String {
        let (mut chunks, mut bytes, mut data) = (Chunks::default(), BytesMut::new(), Vec::new());
        let mut parts = text.as_bytes().chunks(part);
        let end = loop {
            match chunks.next(&mut bytes) {
                Ok(Some(Piece::Data(piece))) => data.extend_from_slice(&piece),
                Ok(Some(Piece::End)) => break "|",
                Err(Malformed::Chunk) => break "!",
                Err(_) => break "?",
                Ok(None) => match parts.next() {
                    Some(part) => bytes.extend_from_slice(part),
                    None => break "...",
                },
            }
        };
        bytes.extend(parts.flatten());
        let rest = if end == "|" { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() };
        format!("{}{end}{rest}", String::from_utf8_lossy(&data))
    }

    #[test]
    fn chunks_are_put_together() {
        check("4\r\nwell\r\n0\r\n\r\nnext", "well|next");
        check("2\r\nwe\r\n02;x=\"y\"\r\nll\r\n0 ;z\r\n\r\n", "well|");
        check("a \t\r\n0123456789\r\n000\r\n\r\n", "0123456789|");
        check("A\r\n0123456789\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\nnext", "0123456789|next");
        check("4\r\nwe", "we...");
        check("4\r\nwell\r\n0\r\n", "well...");
        check("0\r\n\r", "...");
    }

    #[test]
    fn what_is_malformed_ends_it() {
        for text in [
            "zz\r\n",
            "-1\r\n",
            "+0\r\n",
            "0x0\r\n",
            "\r\n",
            " 4\r\n",
            ";\r\n",
            "4\nwell",
            "4;x\nwell",
            "4\r\r\nwell",
            "4 4\r\nwell",
            "10000000000000000\r\n",
            "fffffffffffffffff\r\n",
        ] {
            check(text, "!");
        }
        check("4\r\nfourmore\r\n0\r\n\r\n", "four!");
        check("4\r\nfour\n0\r\n\r\n", "four!");
        check("0\r\nX Y: 1\r\n\r\n", "?");
        check("0\r\nno field\r\n\r\n", "?");
        check("0\r\n\nX: 1\r\n\r\n", "?");
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        check(&format!("4;{}", "x".repeat(20_000)), "!");
        check(&format!("0\r\nx: {}", "x".repeat(20_000)), "?");
        let many = "x: y\r\n".repeat(TRAILERS_MAX + 1);
        check(&format!("0\r\n{many}\r\n"), "?");
    }
}
