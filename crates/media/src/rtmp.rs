//! RTMP and RTMPS ingest: encoders that publish to a stage by an ingest configuration's stream key.
//!
//! Reading order: here connections are accepted, within bounds; [`connection`] is one of them; [`admit`] decides
//! whether a key may publish; [`intake`] turns FLV tags into packets, [`packetize`] those of video, [`transcode`]
//! those of audio on the thread of [`sound`]; [`feed`] hands them to the media thread. The protocol itself is
//! `stagedoor_rtmp`.

mod admit;
mod connection;
mod feed;
pub mod intake;
mod packetize;
mod sound;
pub mod transcode;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::refusals::Door;
use crate::service::{Handle, Inner};

/// Connections of one listener at a time.
const CONNECTIONS_MAX: usize = 1024;
/// Connections from one address at a time: a studio behind one address has some encoders, an attacker thousands.
const PER_ADDRESS_MAX: usize = 32;
/// For the TLS handshake.
const TLS_WITHIN: Duration = Duration::from_secs(10);

impl Handle {
    /// Takes encoders in on a listener, over TLS if it has a configuration for it; for ever. Dropping the future ends
    /// all of its connections.
    pub async fn serve_rtmp(self, listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
        let tls = tls.map(TlsAcceptor::from);
        let places = Arc::new(Places::default());
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Mostly too many open files: pause instead of spinning.
                    tracing::warn!(%error, "cannot accept an encoder");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            while connections.try_join_next().is_some() {}
            match Places::take(&places, peer.ip()) {
                Some(place) => {
                    connections.spawn(serve(self.inner.clone(), stream, peer, tls.clone(), place));
                }
                None => {
                    self.inner.refusals.note(Door::Rtmp);
                    tracing::debug!(%peer, "too many encoders; connection closed");
                }
            }
        }
    }
}

/// One connection, until it ends. Its place is kept for as long.
async fn serve(
    inner: Arc<Inner>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    place: Place,
) {
    // What the server says is short and awaited.
    drop(stream.set_nodelay(true));
    let ended = match tls {
        None => connection::run(&inner, stream, false).await,
        Some(tls) => match tokio::time::timeout(TLS_WITHIN, tls.accept(stream)).await {
            Ok(Ok(stream)) => connection::run(&inner, stream, true).await,
            Ok(Err(error)) => Err(connection::Ending::Lost(error)),
            Err(_) => Err(connection::Ending::TooSlow),
        },
    };
    if let Err(ending) = ended {
        inner.refusals.note(Door::Rtmp);
        tracing::debug!(%peer, %ending, "an encoder's connection ended");
    }
    drop(place);
}

/// How many connections there are, and from where.
#[derive(Default)]
struct Places(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place; dropping it frees it.
struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    fn take(places: &Arc<Places>, address: IpAddr) -> Option<Place> {
        let mut taken = places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= CONNECTIONS_MAX {
            return None;
        }
        let mine = taken.entry(address).or_default();
        if *mine >= PER_ADDRESS_MAX {
            return None;
        }
        *mine += 1;
        Some(Place { places: places.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = taken.get_mut(&self.address) {
            *mine -= 1;
            if *mine == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_per_address_and_given_back() {
        let places = Arc::new(Places::default());
        let here = IpAddr::from([127, 0, 0, 1]);
        let mut held: Vec<Place> = (0..PER_ADDRESS_MAX).filter_map(|_| Places::take(&places, here)).collect();
        assert_eq!(held.len(), PER_ADDRESS_MAX);
        assert!(Places::take(&places, here).is_none());
        assert!(Places::take(&places, IpAddr::from([127, 0, 0, 2])).is_some());
        held.pop();
        assert!(Places::take(&places, here).is_some());
        held.clear();
        assert!(places.0.lock().expect("not poisoned").is_empty());
    }
}
