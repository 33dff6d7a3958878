//! Follows requests of HTTP/1 through a stream of bytes: where heads begin and end, how long bodies are (RFC 9112,
//! sections 6 and 7). Pure.
//!
//! It is as lenient as hyper, which refuses what is malformed; who reads on from there learns nothing more.

use std::collections::VecDeque;

use memchr::memchr;

/// Longest head that is kept, in bytes. Stages take 10,240 bytes without the names.
const HEAD_BYTES_MAX: usize = 12 * 1024;
/// Most bytes of heads that are kept while nobody serves them: hyper reads no further ahead than that.
const WAITING_BYTES_MAX: usize = 64 * 1024;
/// A buffer that is larger is not kept for the next head.
const SPARE_BYTES_MAX: usize = 2 * 1024;
/// How every connection of HTTP/2 begins.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n";

#[derive(Debug, Default)]
pub(super) struct Follower {
    at: At,
    /// The head that is being read, and where its present line begins.
    head: Vec<u8>,
    line: usize,
    framing: Framing,
    /// Heads that were read and are not served yet, each with whether its request has two lengths.
    waiting: VecDeque<(Vec<u8>, bool)>,
    current: Vec<u8>,
    /// A buffer for a head to come.
    spare: Vec<u8>,
}

/// What is read next.
#[derive(Debug, Default)]
enum At {
    #[default]
    Head,
    /// So many bytes of a body.
    Body(u64),
    Chunks(Chunk),
    /// It is not known.
    Lost,
}

/// Where in a chunked body (RFC 9112, section 7.1).
#[derive(Debug)]
enum Chunk {
    Size(u64),
    /// The rest of the line of a chunk of this size.
    Extension(u64),
    Data(u64),
    /// The line's end after the data.
    DataEnd,
    /// Where a line of the trailer begins, or the one that ends it.
    TrailerBegin,
    /// In a line of the trailer, which a bare LF does not end, as with hyper.
    Trailer,
    TrailerEnd,
    /// The end of the last line.
    End,
}

/// What the lines of a head say of the body.
#[derive(Debug, Default)]
struct Framing {
    /// Whether there is a `Content-Length`, whatever it says.
    has_length: bool,
    length: Option<u64>,
    /// Whether the last coding is `chunked`.
    chunked: Option<bool>,
    malformed: bool,
}

impl Follower {
    /// Takes what was read; `false` once it is lost.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            bytes = match &mut self.at {
                At::Head => self.read_head(bytes),
                At::Body(left) => {
                    let skipped = skip(left, bytes);
                    if *left == 0 {
                        self.at = At::Head;
                    }
                    skipped
                }
                At::Chunks(chunk) => match chunk.read(bytes) {
                    Some((rest, ended)) => {
                        if ended {
                            self.at = At::Head;
                        }
                        rest
                    }
                    None => self.lose(),
                },
                At::Lost => return false,
            };
        }
        !matches!(self.at, At::Lost)
    }

    /// The next head is that of the request being served; whether that has two lengths.
    pub(super) fn begin(&mut self) -> bool {
        let (head, two_lengths) = self.waiting.pop_front().unwrap_or_default();
        let mut before = std::mem::replace(&mut self.current, head);
        if before.capacity() <= SPARE_BYTES_MAX {
            before.clear();
            self.spare = before;
        }
        two_lengths
    }

    /// The head of the request being served was read by somebody else.
    pub(super) fn begin_with(&mut self, head: &[u8]) {
        self.current.clear();
        self.current.extend_from_slice(head);
    }

    pub(super) fn current(&self) -> &[u8] {
        &self.current
    }

    /// Returns what follows, if a line of the head ended.
    fn read_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.head.capacity() == 0 {
            self.head = std::mem::take(&mut self.spare);
        }
        let known = self.head.len();
        let taken = bytes.len().min(HEAD_BYTES_MAX - known);
        self.head.extend_from_slice(&bytes[..taken]);
        let mut from = known;
        while let Some(at) = memchr(b'\n', &self.head[from..]) {
            from += at + 1;
            if self.ends_with_line(from) {
                self.head.truncate(from);
                self.end_head();
                return &bytes[from - known..];
            }
        }
        if self.head.len() == HEAD_BYTES_MAX { self.lose() } else { &[] }
    }

    /// Reads the line that ends here; whether it is the last one.
    fn ends_with_line(&mut self, end: usize) -> bool {
        let line = trim_end(&self.head[self.line..end]);
        let first = self.line == 0 || self.head[..self.line].iter().all(|byte| b"\r\n".contains(byte));
        if line.is_empty() {
            self.line = end;
            // Empty lines before a request are none of it (section 2.2).
            return !first;
        }
        // Of all that begins alike, only these two say something of the body.
        if !first && matches!(line[0] | 0x20, b'c' | b't') {
            self.framing.read(line);
        }
        self.line = end;
        false
    }

    fn end_head(&mut self) {
        let framing = std::mem::take(&mut self.framing);
        let begins = self.head.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        if begins > 0 {
            self.head.drain(..begins);
        }
        self.line = 0;
        let waiting: usize = self.waiting.iter().map(|(head, _)| head.len()).sum();
        if framing.malformed || self.head.starts_with(HTTP_2) || waiting > WAITING_BYTES_MAX {
            self.lose();
            return;
        }
        self.at = match framing {
            Framing { chunked: Some(true), .. } => At::Chunks(Chunk::Size(0)),
            // Refused by hyper.
            Framing { chunked: Some(false), .. } => At::Lost,
            Framing { length: Some(length), .. } if length > 0 => At::Body(length),
            _ => At::Head,
        };
        let two_lengths = framing.has_length && framing.chunked.is_some();
        self.waiting.push_back((std::mem::take(&mut self.head), two_lengths));
    }

    /// Forgets what is not served yet. Nothing follows.
    fn lose(&mut self) -> &'static [u8] {
        self.at = At::Lost;
        self.head = Vec::new();
        &[]
    }
}

impl Framing {
    fn read(&mut self, line: &[u8]) {
        let Some(colon) = memchr(b':', line) else { return };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"content-length") {
            self.has_length = true;
            match length(value.trim_ascii()) {
                Some(length) => self.length = Some(length),
                // Of a chunked body the length says nothing, whatever it is.
                None => self.malformed = self.chunked.is_none(),
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            self.chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        }
    }
}

/// Digits and nothing else (RFC 9110, section 8.6).
fn length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok())?
}

impl Chunk {
    /// Takes bytes of a chunked body; what follows and whether the body has ended, or `None` where it is malformed.
    fn read<'b>(&mut self, bytes: &'b [u8]) -> Option<(&'b [u8], bool)> {
        if let Self::Data(left) = self {
            let rest = skip(left, bytes);
            if *left == 0 {
                *self = Self::DataEnd;
            }
            return Some((rest, false));
        }
        let (byte, rest) = bytes.split_first()?;
        let mut ended = false;
        *self = match (&*self, *byte) {
            (Self::Size(size), byte) if byte.is_ascii_hexdigit() => {
                let digit = u64::from((byte as char).to_digit(16)?);
                Self::Size(size.checked_mul(16)?.checked_add(digit)?)
            }
            (Self::Size(size) | Self::Extension(size), b'\n') if *size == 0 => Self::TrailerBegin,
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(*size),
            (Self::Size(size), b' ' | b'\t' | b';' | b'\r') | (Self::Extension(size), _) => {
                Self::Extension(*size)
            }
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size(0),
            (Self::TrailerBegin, b'\r') => Self::End,
            (Self::Trailer, b'\r') => Self::TrailerEnd,
            (Self::TrailerBegin | Self::Trailer, _) => Self::Trailer,
            (Self::TrailerEnd, b'\n') => Self::TrailerBegin,
            (Self::End, b'\n') => {
                ended = true;
                Self::End
            }
            (Self::Size(_) | Self::DataEnd | Self::Data(_) | Self::TrailerEnd | Self::End, _) => return None,
        };
        Some((rest, ended))
    }
}

/// Goes over so many bytes, or all there are.
fn skip<'b>(left: &mut u64, bytes: &'b [u8]) -> &'b [u8] {
    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= skipped as u64;
    &bytes[skipped..]
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heads found in these bytes, read in parts of this size; each with `!` if its request has two lengths.
    fn heads(text: &str, part: usize) -> Vec<String> {
        let mut follower = Follower::default();
        for part in text.as_bytes().chunks(part) {
            follower.read(part);
        }
        let found = follower.waiting.into_iter().map(|(head, two_lengths)| {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            format!("{}{}", String::from_utf8_lossy(line), if two_lengths { "!" } else { "" })
        });
        found.collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for part in [1, 2, 3, 7, 10_000] {
            assert_eq!(heads(text, part), expected, "in parts of {part}");
        }
    }

    #[test]
    fn requests_follow_each_other() {
        check(
            "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
            &["GET / HTTP/1.1", "GET /2 HTTP/1.1"],
        );
        check("\r\n\r\nA\r\nb: c\r\n\r\n\r\nD\r\n\r\nE\r\n", &["A", "D"]);
        check("A\r\nContent-length: 5\r\n\r\nB\r\n\r\nC\r\n\r\n", &["A", "C"]);
        check("A\r\ncontent-LENGTH:0\r\n\r\nC\r\n\r\n", &["A", "C"]);
        check(
            "A\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;x=y\r\nB\r\n\r\n0a \r\n0123456789\r\n0\r\nX: y\r\n\r\nC\r\n\r\n",
            &["A", "C"],
        );
        check("A\r\nTransfer-Encoding: chunked\r\n\r\n000\r\n\r\nC\r\n\r\n", &["A", "C"]);
    }

    #[test]
    fn two_lengths_are_noticed() {
        check("A\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nC\r\n\r\n", &["A!", "C"]);
        check("A\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nC\r\n\r\n", &["A!", "C"]);
        // hyper does not look at a length after the coding; somebody else may read `5, 5` as five.
        for length in ["5, 5", "", "x", "99999999999999999999"] {
            let text =
                format!("A\r\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n");
            check(&text, &["A!"]);
        }
    }

    /// A bare LF was taken for the end of a trailer, which it is not to hyper: what then was the next request was
    /// followed as another one, in which two lengths were not noticed.
    #[test]
    fn trailers_end_where_they_end_for_hyper() {
        for trailer in ["", "\n\r\n0\r\n", "\nX: y\r\n", "X: y\nZ: z\r\n", "X: y\r\n\n\n\r\n"] {
            let chunked = "A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
            let both = "C\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
            check(&format!("{chunked}{trailer}\r\n{both}"), &["A", "C!"]);
        }
        check("A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\rZ: z\r\n\r\nC\r\n\r\n", &["A"]);
        check("A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\rC\r\n\r\n", &["A"]);
    }

    #[test]
    fn what_is_malformed_ends_it() {
        check("A\r\nContent-Length: +1\r\n\r\nB\r\n\r\n", &[]);
        check("A\r\nTransfer-Encoding: gzip\r\n\r\nB\r\n\r\n", &["A"]);
        check("A\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n\r\nxyz\r\n", &["A"]);
        check("A\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\nC\r\n\r\n", &["A"]);
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[]);
        check(&format!("A\r\nx: {}\r\n\r\nC\r\n\r\n", "x".repeat(HEAD_BYTES_MAX)), &[]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut follower = Follower::default();
        let request = format!("A\r\nx: {}\r\n\r\n", "x".repeat(1000));
        assert!(!(0..100).all(|_| follower.read(request.as_bytes())));
        let kept: usize = follower.waiting.iter().map(|(head, _)| head.len()).sum();
        assert!(kept <= WAITING_BYTES_MAX + 2 * request.len(), "{kept}");
    }

    #[test]
    fn buffers_are_used_again() {
        let mut follower = Follower::default();
        let mut serve = || {
            follower.read(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            follower.begin();
            follower.current().as_ptr()
        };
        let (first, second) = (serve(), serve());
        assert_ne!(first, second);
        for _ in 0..10 {
            assert_eq!([serve(), serve()], [first, second]);
        }
    }
}
