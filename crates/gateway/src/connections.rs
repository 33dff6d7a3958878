//! The clients that are connected to stages of WebSocket APIs, as the management API finds them.
//!
//! A stage that accepts a connection [opens](Connections::open) it here and writes to the client what comes out of its
//! [`Outbox`]; when it ends, the outbox is dropped and the connection [closed](Connections::close). Messages between
//! client and backend do not come by here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Messages that may wait for a client; one more is refused.
const OUTBOX_MESSAGES_MAX: usize = 32;

/// Which connection is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionKey {
    pub account: String,
    pub region: String,
    pub api: String,
    pub stage: String,
    pub id: String,
}

/// A client that is connected.
#[derive(Debug)]
pub struct Connection {
    /// In microseconds since 1970.
    pub connected_at: i64,
    pub source_ip: IpAddr,
    pub user_agent: String,
    last_active: AtomicI64,
    outgoing: mpsc::Sender<Outgoing>,
}

/// What the management API has for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    Message(Bytes),
    /// The connection is to end.
    Close,
}

/// Where a stage takes what it has to write to a client.
pub type Outbox = mpsc::Receiver<Outgoing>;

/// Why something did not reach a connection's outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The connection has ended.
    Gone,
    /// The client does not read fast enough.
    Full,
}

impl Connection {
    /// A connection that was made at `now`, in microseconds since 1970, and where it takes what is sent to it.
    pub fn new(now: i64, source_ip: IpAddr, user_agent: String) -> (Self, Outbox) {
        let (outgoing, outbox) = mpsc::channel(OUTBOX_MESSAGES_MAX);
        let last_active = AtomicI64::new(now);
        (Self { connected_at: now, source_ip, user_agent, last_active, outgoing }, outbox)
    }

    /// When the client last sent or was sent something, in microseconds since 1970.
    pub fn last_active(&self) -> i64 {
        self.last_active.load(Ordering::Relaxed)
    }

    /// Notes that there was something at `now`, in microseconds since 1970.
    pub fn active(&self, now: i64) {
        self.last_active.store(now, Ordering::Relaxed);
    }

    /// Hands something over to the client's connection, without waiting for it to be written.
    pub fn send(&self, outgoing: Outgoing) -> Result<(), SendError> {
        self.outgoing.try_send(outgoing).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Gone,
        })
    }
}

/// All connections.
#[derive(Debug, Default)]
pub struct Connections(RwLock<HashMap<ConnectionKey, Arc<Connection>>>);

impl Connections {
    /// Lets the management API find a connection.
    pub fn open(&self, key: ConnectionKey, connection: Connection) -> Arc<Connection> {
        let connection = Arc::new(connection);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(&connection));
        connection
    }

    /// Forgets a connection that has ended.
    pub fn close(&self, key: &ConnectionKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub fn find(&self, key: &ConnectionKey) -> Option<Arc<Connection>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn key(stage: &str) -> ConnectionKey {
        let [account, region, api] = ["1", "eu-west-1", "a"].map(str::to_owned);
        ConnectionKey { account, region, api, stage: stage.to_owned(), id: "R0oXAdfD0kwCH6w=".to_owned() }
    }

    #[test]
    fn a_connection_is_found_until_it_is_closed_and_takes_messages_until_it_has_ended() {
        let connections = Connections::default();
        let (connection, mut outbox) = Connection::new(5, Ipv4Addr::LOCALHOST.into(), "test".to_owned());
        connections.open(key("dev"), connection).active(7);
        assert!(connections.find(&key("prod")).is_none());
        let found = connections.find(&key("dev")).expect("it is open");
        assert_eq!((found.connected_at, found.last_active()), (5, 7));

        for _ in 0..OUTBOX_MESSAGES_MAX {
            assert_eq!(found.send(Outgoing::Message(Bytes::from_static(b"x"))), Ok(()));
        }
        assert_eq!(found.send(Outgoing::Close), Err(SendError::Full));
        assert_eq!(outbox.try_recv(), Ok(Outgoing::Message(Bytes::from_static(b"x"))));
        assert_eq!(found.send(Outgoing::Close), Ok(()));
        drop(outbox);
        assert_eq!(found.send(Outgoing::Close), Err(SendError::Gone));
        connections.close(&key("dev"));
        assert!(connections.find(&key("dev")).is_none());
    }
}
