//! The body of a backend's answer. Its connection goes back into the pool as soon as it has ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http::uri::Authority;
use http_body::{Frame, SizeHint};
use stagedoor_http1::Answer;

use super::exchange::Exchange;
use super::pool::Pool;
use crate::body::BodyError;

/// Dropped before its end, it closes its connection.
pub(crate) struct AnswerBody(State);

enum State {
    /// All of it came with the head.
    Whole(Bytes),
    Arriving(Box<Arriving>),
    /// It breaks off, which is told when what came before has had its turn to be sent on.
    Broken(BodyError),
}

struct Arriving {
    /// What came with the head, before the rest.
    first: Bytes,
    exchange: Exchange,
    pool: Arc<Pool>,
    backend: Authority,
}

impl AnswerBody {
    /// The answer whose head has come.
    pub(super) fn answer(
        head: Answer,
        mut exchange: Exchange,
        pool: &Arc<Pool>,
        backend: &Authority,
    ) -> Response<Self> {
        let first = came_with_head(&mut exchange);
        let state = if exchange.has_ended() {
            if let Some(connection) = exchange.into_reusable() {
                pool.give_back(backend.as_str(), connection);
            }
            State::Whole(first)
        } else {
            let (pool, backend) = (Arc::clone(pool), backend.clone());
            State::Arriving(Box::new(Arriving { first, exchange, pool, backend }))
        };
        let mut response = Response::new(Self(state));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        response
    }
}

/// What is there of the body. That it is malformed is told to who reads on.
fn came_with_head(exchange: &mut Exchange) -> Bytes {
    let Ok(Some(first)) = exchange.part() else { return Bytes::new() };
    let Ok(Some(second)) = exchange.part() else { return first };
    let mut all = [first, second].concat();
    while let Ok(Some(next)) = exchange.part() {
        all.extend_from_slice(&next);
    }
    all.into()
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let part = match &mut self.0 {
            State::Whole(bytes) => (!bytes.is_empty()).then(|| Ok(std::mem::take(bytes))),
            State::Arriving(arriving) if !arriving.first.is_empty() => {
                Some(Ok(std::mem::take(&mut arriving.first)))
            }
            State::Arriving(arriving) => ready!(arriving.exchange.poll_part(cx)),
            State::Broken(_) => return Poll::Ready(self.broken().map(Err)),
        };
        match part {
            Some(Ok(part)) => Poll::Ready(Some(Ok(Frame::data(part)))),
            Some(Err(error)) => {
                self.0 = State::Broken(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                self.end();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Whole(bytes) => bytes.is_empty(),
            State::Arriving(_) | State::Broken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            State::Arriving(arriving) => match arriving.exchange.left() {
                Some(left) => SizeHint::with_exact(left.saturating_add(arriving.first.len() as u64)),
                None => SizeHint::default(),
            },
            State::Broken(_) => SizeHint::default(),
        }
    }
}

impl AnswerBody {
    fn broken(&mut self) -> Option<BodyError> {
        match std::mem::replace(&mut self.0, State::Whole(Bytes::new())) {
            State::Broken(error) => Some(error),
            State::Whole(_) | State::Arriving(_) => None,
        }
    }

    /// The end has come.
    fn end(&mut self) {
        if let State::Arriving(arriving) = std::mem::replace(&mut self.0, State::Whole(Bytes::new())) {
            let Arriving { exchange, pool, backend, .. } = *arriving;
            if let Some(connection) = exchange.into_reusable() {
                pool.give_back(backend.as_str(), connection);
            }
        }
    }
}
