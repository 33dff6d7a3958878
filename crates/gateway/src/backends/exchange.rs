//! One request and its answer on a connection to a backend.
//!
//! Both go on at the same time, polled by who waits for the answer: a backend may answer before it has read the whole
//! request, and is heard even if it then reads no further.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, request};
use http_body::Body as _;
use stagedoor_http1::{Answer, AnswerReader, Chunks, Framing, Length, Piece, write_request};
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Refused;
use super::stream::Stream;
use crate::body::Body;
use crate::sending::{Sending, Unsent};
use crate::spelling::Names;

/// How much is read at once, in bytes: at first, and of a body that comes faster.
const READ_MIN: usize = 8 * 1024;
const READ_MAX: usize = 128 * 1024;
/// Parts of a body that are shorter, in bytes, are put together.
const PART_MIN: usize = 1024;
/// A buffer for requests that is larger is not kept.
const KEPT_MAX: usize = 16 * 1024;

/// A connection to a backend, and buffers for what is on it.
pub(super) struct Connection {
    stream: Stream,
    /// What has come and is not read yet.
    arrived: BytesMut,
    /// What is to be sent, between two requests an empty buffer.
    outgoing: Vec<u8>,
    /// Runs out when an answer is late. It stays with the connection: to set it later costs less than to make it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, arrived: BytesMut::new(), outgoing: Vec::with_capacity(1024), timer: None }
    }

    /// Whether it is open, and nothing has come that nobody asked for.
    pub(super) fn is_usable(&mut self) -> bool {
        self.arrived.is_empty() && self.stream.is_quiet()
    }

    /// Frees what a connection needs not keep while it waits.
    pub(super) fn forget(&mut self) {
        if self.outgoing.capacity() > KEPT_MAX {
            self.outgoing = Vec::new();
        }
        if self.arrived.capacity() > READ_MIN {
            self.arrived = BytesMut::new();
        }
    }

    /// Waits for more; whether more has come, or the connection has ended.
    fn poll_arrive(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<io::Result<bool>> {
        if self.arrived.capacity() - self.arrived.len() < bytes / 2 {
            self.arrived.reserve(bytes);
        }
        let reading = pin!(self.stream.read_buf(&mut self.arrived));
        reading.poll(cx).map_ok(|read| read > 0)
    }
}

pub(super) struct Exchange {
    connection: Connection,
    /// The request, until it is sent or can be sent no further.
    upload: Option<Sending>,
    /// Why it can be sent no further.
    broken: Option<Refused>,
    method: Method,
    reader: AnswerReader,
    rest: Rest,
    keeps_alive: bool,
    /// Whether anything of an answer has come.
    answered: bool,
    read_bytes: usize,
    deadline: Option<Instant>,
    /// Whether the timer is set to the deadline.
    timed: bool,
}

/// How a request is to be made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asking<'a> {
    /// How names of headers are written; if nothing is said, in lower case.
    pub(crate) names: Option<&'a Names>,
    /// Headers that are sent before the request's own, which they are not copied to.
    pub(crate) passing: &'a [(&'a HeaderName, &'a HeaderValue)],
    /// Until when the answer's head must have come.
    pub(crate) deadline: Option<Instant>,
}

/// An answer has not come in time.
#[derive(Debug, thiserror::Error)]
#[error("it has not answered in time")]
pub(super) struct Late;

/// What is to come of the answer's body.
enum Rest {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Nothing,
}

impl Exchange {
    /// Sends nothing yet.
    pub(super) fn begin(
        mut connection: Connection,
        head: &request::Parts,
        host: &str,
        body: Body,
        asking: Asking<'_>,
    ) -> Self {
        let length = length(&head.method, &body);
        let mut bytes = std::mem::take(&mut connection.outgoing);
        let host = head.headers.get(http::header::HOST).map_or(host.as_bytes(), |host| host.as_bytes());
        let line = (&head.method, &head.uri);
        let mut write = |write_name: &mut dyn FnMut(&mut Vec<u8>, &HeaderName)| {
            let headers = asking.passing.iter().copied().chain(&head.headers);
            write_request(&mut bytes, line, host, headers, length, write_name);
        };
        match asking.names {
            Some(names) => names.write(write),
            None => write(&mut |bytes, name| bytes.extend_from_slice(name.as_str().as_bytes())),
        }
        Self {
            connection,
            upload: Some(Sending::new(bytes, body, length)),
            broken: None,
            method: head.method.clone(),
            reader: AnswerReader::default(),
            rest: Rest::Nothing,
            keeps_alive: false,
            answered: false,
            read_bytes: READ_MIN,
            deadline: asking.deadline,
            timed: false,
        }
    }

    /// Sends the request and waits for the answer's head, until the deadline.
    ///
    /// # Errors
    /// As the connection, the request's body or the answer has them; [`Late`].
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Refused>> {
        // First: what comes without end must not keep it from running out.
        if self.timed && self.poll_late(cx).is_ready() {
            return Poll::Ready(Err(Late.into()));
        }
        let head = self.poll_answer(cx);
        if head.is_pending() && !self.timed && self.poll_late(cx).is_ready() {
            return Poll::Ready(Err(Late.into()));
        }
        head
    }

    /// Ready after the deadline.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let timer = self.connection.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if !std::mem::replace(&mut self.timed, true) {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Refused>> {
        self.poll_upload(cx)?;
        loop {
            if let Some(answer) = self.reader.read(&mut self.connection.arrived, &self.method)? {
                self.keeps_alive = answer.keeps_alive;
                self.rest = match answer.framing {
                    Framing::None => Rest::Nothing,
                    Framing::Length(length) => Rest::Length(length),
                    Framing::Chunked => Rest::Chunked(Chunks::default()),
                    Framing::UntilClose => Rest::UntilClose,
                };
                return Poll::Ready(Ok(answer));
            }
            match ready!(self.connection.poll_arrive(cx, READ_MIN)) {
                Ok(true) => self.answered = true,
                // What went wrong first says most.
                Ok(false) => {
                    let unanswered = || "it closes the connection before it has answered".into();
                    return Poll::Ready(Err(self.broken.take().unwrap_or_else(unanswered)));
                }
                Err(error) => {
                    return Poll::Ready(Err(self.broken.take().unwrap_or_else(|| error.into())));
                }
            }
        }
    }

    /// Sends on. That the backend reads no further is no error: it may have answered.
    ///
    /// # Errors
    /// That of the request's body.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<(), Refused> {
        let Some(upload) = &mut self.upload else { return Ok(()) };
        match upload.poll(cx, &mut self.connection.stream) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(Unsent::Connection(error))) => self.broken = Some(error.into()),
            Poll::Ready(Err(Unsent::Body(error))) => return Err(error),
        }
        if let Some(upload) = self.upload.take() {
            self.connection.outgoing = upload.into_buffer();
        }
        Ok(())
    }

    /// The next part of the answer's body, never empty; `None` at its end.
    ///
    /// # Errors
    /// As of [`Self::poll_head`]; also if the body breaks off.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refused>>> {
        if let Some(part) = self.parts().transpose() {
            return Poll::Ready(Some(part));
        }
        if self.has_ended() {
            return Poll::Ready(None);
        }
        if let Err(error) = self.poll_upload(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            let there = match ready!(self.connection.poll_arrive(cx, self.read_bytes)) {
                Ok(there) => there,
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            };
            if !there {
                let whole = matches!(self.rest, Rest::UntilClose);
                (self.rest, self.keeps_alive) = (Rest::Nothing, false);
                return Poll::Ready((!whole).then(|| Err("its answer breaks off".into())));
            }
            if self.connection.arrived.len() == self.connection.arrived.capacity() {
                self.read_bytes = (2 * self.read_bytes).min(READ_MAX);
            }
            if let Some(part) = self.parts().transpose() {
                return Poll::Ready(Some(part));
            }
            if self.has_ended() {
                return Poll::Ready(None);
            }
        }
    }

    /// What has come already of the body. Small parts are put together: each has its cost, and chunks may be of a byte.
    ///
    /// # Errors
    /// If its first part is malformed.
    fn parts(&mut self) -> Result<Option<Bytes>, Refused> {
        let Some(first) = self.part()? else { return Ok(None) };
        if first.len() >= PART_MIN {
            return Ok(Some(first));
        }
        let Ok(Some(second)) = self.part() else { return Ok(Some(first)) };
        let mut all = [first, second].concat();
        // What is malformed is so the next time, too.
        while all.len() < PART_MIN
            && let Ok(Some(next)) = self.part()
        {
            all.extend_from_slice(&next);
        }
        Ok(Some(all.into()))
    }

    /// A part of the body that has come already.
    ///
    /// # Errors
    /// If it is malformed.
    pub(super) fn part(&mut self) -> Result<Option<Bytes>, Refused> {
        let arrived = &mut self.connection.arrived;
        match &mut self.rest {
            Rest::Length(left) => {
                let there = usize::try_from(*left).unwrap_or(usize::MAX).min(arrived.len());
                *left -= there as u64;
                if *left == 0 {
                    self.rest = Rest::Nothing;
                }
                Ok((there > 0).then(|| arrived.split_to(there).freeze()))
            }
            Rest::Chunked(chunks) => match chunks.next(arrived)? {
                Some(Piece::Data(part)) => Ok(Some(part)),
                Some(Piece::End) => {
                    self.rest = Rest::Nothing;
                    Ok(None)
                }
                None => Ok(None),
            },
            Rest::UntilClose if !arrived.is_empty() => Ok(Some(arrived.split().freeze())),
            Rest::UntilClose | Rest::Nothing => Ok(None),
        }
    }

    /// Whether nothing more comes of the answer.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    /// How many bytes are still to come of the body, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self.rest {
            Rest::Length(left) => Some(left),
            Rest::Nothing => Some(0),
            Rest::Chunked(_) | Rest::UntilClose => None,
        }
    }

    /// Whether nothing has come since the request.
    pub(super) fn is_unanswered(&self) -> bool {
        !self.answered
    }

    /// The connection, if another request can follow on it.
    pub(super) fn into_reusable(self) -> Option<Connection> {
        let whole = self.upload.is_none() && self.broken.is_none() && self.has_ended();
        (whole && self.keeps_alive && self.connection.arrived.is_empty()).then_some(self.connection)
    }
}

/// What a request says of its body. Methods that have none in most cases have none if its length is not known; those that
/// are about their body say also that it is empty (RFC 9110, section 8.6).
fn length(method: &Method, body: &Body) -> Length {
    match body.size_hint().exact() {
        _ if body.is_end_stream() => match *method {
            Method::POST | Method::PUT | Method::PATCH => Length::Known(0),
            _ => Length::None,
        },
        Some(length) => Length::Known(length),
        None if [Method::GET, Method::HEAD, Method::CONNECT].contains(method) => Length::None,
        None => Length::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body;

    #[test]
    fn what_is_empty_is_said_where_a_body_is_expected() {
        for (method, bytes, expected) in [
            (Method::POST, "", Length::Known(0)),
            (Method::PUT, "", Length::Known(0)),
            (Method::PATCH, "", Length::Known(0)),
            (Method::GET, "", Length::None),
            (Method::DELETE, "", Length::None),
            (Method::DELETE, "four", Length::Known(4)),
            (Method::GET, "four", Length::Known(4)),
        ] {
            assert_eq!(length(&method, &body::full(bytes)), expected, "{method} {bytes:?}");
        }
    }
}
