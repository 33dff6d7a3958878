//! An invocation whose result comes piece by piece, as the function's process writes it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::census::Census;
use super::job::{Order, Returned};
use super::pool::Pool;
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
            pool.invoke(order).await
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
