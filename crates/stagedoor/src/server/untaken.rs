//! What the client of an HTTP/2 connection has asked for and not taken.
//!
//! HTTP/2 lets a client close its windows while the connection itself stays well, so that nothing is written and
//! nobody's time runs out: an answer would be held for ever. Here its time runs from when a piece of it is ready until
//! the piece is written, and that of a connection without requests from its last answer on. Clients that take back
//! requests faster than any use of it explains (CVE-2023-44487) are told to leave as well.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use stagedoor_gateway::{Body, BodyError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::held::{Held, Kept};

/// Bytes of an answer whose writing is watched together: one frame's, by default. Who takes so much in time is slow,
/// not gone.
const PIECE_BYTES_MAX: usize = 16 * 1024;
/// Requests that a client may take back before they are answered: at once, and a second.
const TAKEN_BACK_MAX: u32 = 1000;
const TAKEN_BACK_PER_SECOND: u32 = 33;

/// The requests and answers of one connection.
pub struct Untaken {
    state: Mutex<State>,
    /// Told when the connection speaks HTTP/2, and when its client has taken back too much.
    changed: Notify,
    /// What its answers take of the memory.
    held: Arc<Held>,
}

#[derive(Debug)]
struct State {
    speaks_http2: bool,
    /// Requests whose answers are not handed over.
    under_way: usize,
    /// Since when there are none, if there are none.
    quiet_since: Instant,
    /// Answers of which something waits to be written, by their numbers.
    waiting: HashMap<u64, Waiting>,
    answers: u64,
    taken_back: TakenBack,
}

#[derive(Debug)]
struct Waiting {
    pieces: usize,
    /// When the client last took some of it, or could have begun to.
    since: Instant,
}

/// A bucket of what a client may take back.
#[derive(Debug)]
struct TakenBack {
    left: u32,
    filled: Instant,
}

/// Why a client has to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    TakesNoAnswer,
    AsksNothing,
    TakesBackTooMuch,
}

impl Default for Untaken {
    fn default() -> Self {
        let now = Instant::now();
        let state = State {
            speaks_http2: false,
            under_way: 0,
            quiet_since: now,
            waiting: HashMap::new(),
            answers: 0,
            taken_back: TakenBack { left: TAKEN_BACK_MAX, filled: now },
        };
        Self { state: Mutex::new(state), changed: Notify::new(), held: Arc::default() }
    }
}

impl Untaken {
    /// The connection speaks HTTP/2: from now on its client is watched.
    pub fn speaks_http2(&self) {
        let mut state = self.state();
        (state.speaks_http2, state.quiet_since) = (true, Instant::now());
        self.changed.notify_one();
    }

    /// A request has come.
    pub fn request(self: &Arc<Self>) -> UnderWay {
        self.state().under_way += 1;
        UnderWay { connection: Arc::clone(self), answered: false }
    }

    /// Returns when the client has to leave: what was done about its connection took longer than `patience`.
    pub async fn leave(&self, patience: Duration) -> Leave {
        loop {
            let until = match self.state().verdict(patience, Instant::now()) {
                Verdict::Leave(why) => return why,
                Verdict::Look(until) => until,
            };
            let look_again = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = look_again => {}
                () = self.changed.notified() => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Leave(Leave),
    /// When to look again; never if nothing can happen without a word.
    Look(Option<Instant>),
}

impl State {
    fn verdict(&self, patience: Duration, now: Instant) -> Verdict {
        if !self.speaks_http2 {
            return Verdict::Look(None);
        }
        if self.taken_back.left == 0 {
            return Verdict::Leave(Leave::TakesBackTooMuch);
        }
        let oldest = self.waiting.values().map(|waiting| waiting.since).min();
        let idle = (self.under_way == 0).then_some(self.quiet_since);
        let (since, why) = match (oldest, idle) {
            (Some(since), _) => (since, Leave::TakesNoAnswer),
            (None, Some(since)) => (since, Leave::AsksNothing),
            (None, None) => return Verdict::Look(Some(now + patience)),
        };
        if now.saturating_duration_since(since) >= patience {
            Verdict::Leave(why)
        } else {
            Verdict::Look(Some(since + patience))
        }
    }

    /// A piece of an answer waits to be written.
    fn waits(&mut self, answer: u64, now: Instant) {
        let waiting = self.waiting.entry(answer).or_insert(Waiting { pieces: 0, since: now });
        waiting.pieces += 1;
    }

    /// A piece is written, or will never be.
    fn taken(&mut self, answer: u64, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&answer) else { return };
        waiting.pieces -= 1;
        waiting.since = now;
        if waiting.pieces == 0 {
            self.waiting.remove(&answer);
            // What comes next is asked for from now on.
            self.quiet_since = now;
        }
    }
}

impl TakenBack {
    /// One request more; whether that was too much.
    fn count(&mut self, now: Instant) -> bool {
        let seconds = u32::try_from((now - self.filled).as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            let earned = seconds.saturating_mul(TAKEN_BACK_PER_SECOND);
            self.left = self.left.saturating_add(earned).min(TAKEN_BACK_MAX);
            self.filled = now;
        }
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }
}

/// A request from its first byte to the last of its answer.
pub struct UnderWay {
    connection: Arc<Untaken>,
    answered: bool,
}

impl UnderWay {
    /// Waits until the client has taken enough of its other answers.
    pub async fn room(&self) {
        self.connection.held.room().await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.connection.state();
        state.under_way -= 1;
        state.quiet_since = now;
        if !self.answered && state.taken_back.count(now) {
            self.connection.changed.notify_one();
        }
    }
}

/// An answer's body: of HTTP/2, in pieces whose writing is watched.
pub struct Answer {
    body: Body,
    watched: Option<Watched>,
}

struct Watched {
    number: u64,
    /// What has come of the body and is in no piece yet.
    rest: Bytes,
    /// What [`Self::rest`] is a part of, if that is long: its memory is free when all of it is taken.
    kept: Option<Arc<Kept>>,
    request: UnderWay,
}

impl Answer {
    /// The body of an answer to a request, which is given if it came by HTTP/2.
    pub fn new(body: Body, request: Option<UnderWay>) -> Self {
        let watched = request.map(|mut request| {
            request.answered = true;
            let mut state = request.connection.state();
            state.answers += 1;
            let number = state.answers;
            drop(state);
            Watched { number, rest: Bytes::new(), kept: None, request }
        });
        Self { body, watched }
    }
}

impl Watched {
    /// Something has come of the body.
    fn hold(&mut self, data: Bytes) -> Result<(), BodyError> {
        self.kept = match data.len() {
            ..=PIECE_BYTES_MAX => None,
            long => {
                let kept = self.request.connection.held.keep(long);
                Some(Arc::new(kept.ok_or("the client takes too few of its answers")?))
            }
        };
        self.rest = data;
        Ok(())
    }

    fn piece(&mut self) -> Bytes {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE_BYTES_MAX));
        let connection = Arc::clone(&self.request.connection);
        connection.state().waits(self.number, Instant::now());
        let kept = if self.rest.is_empty() { self.kept.take() } else { self.kept.clone() };
        Bytes::from_owner(Piece { bytes, connection, answer: self.number, _kept: kept })
    }
}

/// Bytes that say when nobody needs them any more.
struct Piece {
    bytes: Bytes,
    connection: Arc<Untaken>,
    answer: u64,
    _kept: Option<Arc<Kept>>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.connection.state().taken(self.answer, Instant::now());
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { body, watched } = &mut *self;
        let Some(watched) = watched else { return Pin::new(body).poll_frame(cx) };
        if watched.rest.is_empty() {
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Ok(data) => {
                        if let Err(error) = watched.hold(data) {
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(watched.piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.watched.as_ref().is_none_or(|watched| watched.rest.is_empty()) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.watched.as_ref().map_or(0, |watched| watched.rest.len() as u64);
        if rest > 0 {
            // The upper bound first: it is never below the lower one.
            if let Some(upper) = hint.upper() {
                hint.set_upper(upper.saturating_add(rest));
            }
            hint.set_lower(hint.lower().saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn after(connection: &Untaken, seconds: u64) -> Option<Leave> {
        match connection.state().verdict(PATIENCE, Instant::now() + Duration::from_secs(seconds)) {
            Verdict::Leave(why) => Some(why),
            Verdict::Look(_) => None,
        }
    }

    fn answer(connection: &Arc<Untaken>, bytes: usize) -> Answer {
        let body = Full::new(Bytes::from(vec![b'x'; bytes])).map_err(|never| match never {}).boxed();
        Answer::new(body, Some(connection.request()))
    }

    async fn piece(answer: &mut Answer) -> Bytes {
        let frame = answer.frame().await.expect("there is more").expect("nothing fails");
        frame.into_data().expect("there are no trailers")
    }

    #[tokio::test]
    async fn what_is_written_in_time_is_well() {
        let connection = Arc::new(Untaken::default());
        assert_eq!(after(&connection, 1000), None, "others watch clients of HTTP/1");
        connection.speaks_http2();
        assert_eq!((after(&connection, 29), after(&connection, 31)), (None, Some(Leave::AsksNothing)));
        let request = connection.request();
        assert_eq!(after(&connection, 1000), None, "the client waits, not the server");
        drop(request);
        let mut answer = answer(&connection, 2 * PIECE_BYTES_MAX + 1);
        assert_eq!(answer.size_hint().exact(), Some(2 * PIECE_BYTES_MAX as u64 + 1));
        assert_eq!(after(&connection, 1000), None, "nothing of it is ready");
        let first = piece(&mut answer).await;
        assert_eq!((first.len(), answer.is_end_stream()), (PIECE_BYTES_MAX, false));
        assert_eq!(answer.size_hint().exact(), Some(PIECE_BYTES_MAX as u64 + 1));
        assert_eq!((after(&connection, 29), after(&connection, 31)), (None, Some(Leave::TakesNoAnswer)));
        drop(first);
        assert_eq!(after(&connection, 1000), None);
        let (second, third) = (piece(&mut answer).await, piece(&mut answer).await);
        assert_eq!((second.len(), third.len(), answer.is_end_stream()), (PIECE_BYTES_MAX, 1, true));
        drop(answer);
        // The connection holds the last piece still.
        drop(second);
        assert_eq!(after(&connection, 31), Some(Leave::TakesNoAnswer));
        drop(third);
        assert_eq!(after(&connection, 31), Some(Leave::AsksNothing));
    }

    #[tokio::test]
    async fn no_more_is_held_than_there_is_room_for() {
        const LONG: usize = 30 * 1024 * 1024;
        let connection = Arc::new(Untaken::default());
        let mut held = Vec::new();
        for _ in 0..4 {
            let mut answer = answer(&connection, LONG);
            held.push((piece(&mut answer).await, answer));
        }
        let mut beyond = answer(&connection, LONG);
        assert!(beyond.frame().await.expect("it is told").is_err(), "a fifth does not fit");
        let waiting = connection.request();
        let until = Duration::from_millis(10);
        assert!(tokio::time::timeout(until, waiting.room()).await.is_err(), "others wait");
        for (piece, mut answer) in held {
            drop(piece);
            // The last piece keeps all of it.
            while let Some(Ok(piece)) = answer.frame().await {
                drop(piece);
            }
        }
        waiting.room().await;
        let mut answer = answer(&connection, LONG);
        drop(piece(&mut answer).await);
    }

    #[tokio::test]
    async fn requests_that_are_taken_back_are_counted() {
        let connection = Arc::new(Untaken::default());
        connection.speaks_http2();
        for _ in 1..TAKEN_BACK_MAX {
            drop(connection.request());
            drop(answer(&connection, 1));
        }
        assert_eq!(after(&connection, 0), None);
        drop(connection.request());
        assert_eq!(connection.leave(PATIENCE).await, Leave::TakesBackTooMuch);
        let mut bucket = TakenBack { left: 1, filled: Instant::now() };
        assert!(!bucket.count(bucket.filled + Duration::from_secs(1)), "some are earned again");
        assert_eq!(bucket.left, TAKEN_BACK_PER_SECOND);
    }
}
