//! An invocation whose result comes piece by piece, as the function writes it, here or at the endpoint.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::census::Census;
use super::event_stream::{Complete, Event, Reader, Unreadable};
use super::job::{Order, Returned};
use super::pool::Pool;
use crate::backends::AnswerBody;
use crate::fault::GatewayFault;

/// Pieces that a process may be ahead of its reader.
const CHUNKS_MAX: usize = 16;

/// A result under way. Dropping it lets the function go on; what it writes is then dropped too.
pub(crate) struct Streamed {
    /// Ends with the result.
    pub(crate) chunks: mpsc::Receiver<Bytes>,
    outcome: JoinHandle<Result<Returned, GatewayFault>>,
}

impl Streamed {
    pub(super) fn begin(pool: &Arc<Pool>, census: &Arc<Census>, order: &Order) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
        let order = Order { stream: Some(sender), ..order.clone() };
        let (pool, census) = (Arc::clone(pool), Arc::clone(census));
        let outcome = tokio::spawn(async move {
            let _counted = Census::count(&census.invocations);
            pool.invoke(&order).await
        });
        Self { chunks, outcome }
    }

    /// Of what the endpoint sends. Without a reader it is not read on.
    pub(super) fn of_events(census: &Arc<Census>, events: AnswerBody) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
        let census = Arc::clone(census);
        let outcome = tokio::spawn(async move {
            let _counted = Census::count(&census.invocations);
            read(events, &sender).await
        });
        Self { chunks, outcome }
    }

    /// How it ended: the payload is empty if all of it was streamed.
    pub(crate) async fn ended(self) -> Result<Returned, GatewayFault> {
        self.outcome.await.unwrap_or(Err(GatewayFault::IntegrationFailure("the invocation was lost")))
    }

    /// As [`Self::ended`].
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Result<Returned, GatewayFault>> {
        let lost = |_| Err(GatewayFault::IntegrationFailure("the invocation was lost"));
        Pin::new(&mut self.outcome).poll(cx).map(|outcome| outcome.unwrap_or_else(lost))
    }
}

/// Hands the pieces on, up to the event that ends them.
async fn read(mut events: AnswerBody, chunks: &mpsc::Sender<Bytes>) -> Result<Returned, GatewayFault> {
    let broken = |why| Err(GatewayFault::IntegrationFailure(why));
    let mut reader = Reader::default();
    loop {
        match reader.next() {
            Ok(Some(Event::Chunk(chunk))) => {
                if chunks.send(chunk).await.is_err() {
                    return broken("nobody reads its answer any more");
                }
                continue;
            }
            Ok(Some(Event::Complete(complete))) => return Ok(returned(complete)),
            Ok(None) => {}
            Err(Unreadable::Malformed) => return broken("its event stream is malformed"),
            Err(Unreadable::TooLong) => return broken("its event stream has a frame that is too long"),
            Err(Unreadable::Exception) => return broken("its event stream ends with an exception"),
        }
        let frame = tokio::select! {
            frame = events.frame() => frame,
            () = chunks.closed() => return broken("nobody reads its answer any more"),
        };
        match frame {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    reader.add(&data);
                }
            }
            Some(Err(_)) | None => return broken("its event stream broke off"),
        }
    }
}

fn returned(complete: Complete) -> Returned {
    let tail = complete.tail();
    let returned = match &complete.error_code {
        None => Returned::well(Bytes::new()),
        Some(code) => Returned::failure(code, complete.error_details.as_deref().unwrap_or_default()),
    };
    Returned { tail, ..returned }
}
