//! The media port over TCP (ICE-TCP passive, RFC 6544) for clients whose network lets no UDP through. Connections are
//! accepted and read here, on the runtime; each frame (RFC 4571: two bytes of length, then a datagram) goes to the
//! media thread, which treats it as it does one from its UDP socket and answers into a bounded queue.
//!
//! A connection that is slow to take what it is sent loses packets, as on any congested path, and then its place. One
//! that says nothing meaningful is closed by the media thread, which knows the ICE user names. When all places are
//! taken, a newcomer gets that of whoever has waited longest without being answered: half-open connections, however
//! many, keep nobody out and disturb nobody who is served.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::udp::{DATAGRAM_BYTES_MAX, plain};

/// Connections at a time.
const CONNECTIONS_MAX: usize = 1024;
/// Datagrams of all connections that wait for the media thread; readers wait while it is full.
const INPUTS_MAX: usize = 1024;
/// Datagrams that wait for one connection; what comes on top is lost. About a second of 2.5 Mbit/s.
const OUTPUTS_MAX: usize = 256;
/// For a frame from the client, and for it to take one. Clients check their path every few seconds (RFC 7675).
const PATIENCE: Duration = Duration::from_secs(15);

/// What happened on a connection, by the client's address.
pub enum Input {
    /// It is there, and this is how to answer. The connection ends when the sender is dropped.
    Opened(SocketAddr, mpsc::Sender<Vec<u8>>),
    Datagram(SocketAddr, Vec<u8>),
    Closed {
        client: SocketAddr,
        /// Whether anything was ever said to it.
        served: bool,
    },
}

/// The way from the connections to the media thread.
pub fn channel() -> (mpsc::Sender<Input>, mpsc::Receiver<Input>) {
    mpsc::channel(INPUTS_MAX)
}

/// Accepts connections for ever. Each goes to the next of the media threads, of which there is one at least: the way to
/// it, and how to wake it after an input.
pub async fn serve<W>(listener: TcpListener, threads: Vec<(mpsc::Sender<Input>, W)>) -> io::Result<()>
where
    W: Fn() + Clone + Send + Sync + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Places::new(CONNECTIONS_MAX));
    let mut turns = threads.iter().cycle();
    loop {
        let (stream, client) = match listener.accept().await {
            Ok((stream, client)) => (stream, plain(client)),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a media connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Where everybody is served, there is no place for more.
        let Some(place) = Places::take(&places, client).await else { continue };
        let Some((inputs, wake)) = turns.next().cloned() else { return Ok(()) };
        tokio::spawn(async move {
            let (outputs, queue) = mpsc::channel(OUTPUTS_MAX);
            if inputs.send(Input::Opened(client, outputs)).await.is_ok() {
                let mut place = place;
                // How it ended does not matter: the client's ICE agent finds out and so does ours.
                drop(carry(stream, client, &inputs, queue, &mut place, &wake).await);
                drop(inputs.send(Input::Closed { client, served: place.served }).await);
                wake();
            }
        });
    }
}

/// The places for connections, and who has one without having been answered yet, oldest first.
struct Places {
    free: Arc<Semaphore>,
    waiting: Mutex<VecDeque<(SocketAddr, oneshot::Sender<()>)>>,
}

/// One connection's place; dropping it frees it.
struct Place {
    places: Arc<Places>,
    client: SocketAddr,
    served: bool,
    /// Another needs the place, as long as this one has not been served.
    wanted: oneshot::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    fn new(count: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(count)), waiting: Mutex::default() }
    }

    async fn take(places: &Arc<Places>, client: SocketAddr) -> Option<Place> {
        let permit = match places.free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let (_, oldest) = places.waiting().pop_front()?;
                drop(oldest);
                places.free.clone().acquire_owned().await.ok()?
            }
        };
        let (keep, wanted) = oneshot::channel();
        places.waiting().push_back((client, keep));
        Some(Place { places: places.clone(), client, served: false, wanted, _permit: permit })
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(SocketAddr, oneshot::Sender<()>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// It is being answered: the place is its own from now on. `false`: it is too late.
    fn keep(&mut self) -> bool {
        self.served = self.served || self.wait_no_more();
        self.served
    }

    fn wait_no_more(&self) -> bool {
        let mut waiting = self.places.waiting();
        let position = waiting.iter().position(|(client, _)| *client == self.client);
        position.and_then(|at| waiting.remove(at)).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.wait_no_more();
    }
}

/// Carries datagrams both ways until one side ends it.
async fn carry(
    mut stream: TcpStream,
    client: SocketAddr,
    inputs: &mpsc::Sender<Input>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    place: &mut Place,
    wake: &impl Fn(),
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(DATAGRAM_BYTES_MAX + 2);
    let mut silence = Box::pin(tokio::time::sleep(PATIENCE));
    loop {
        tokio::select! {
            () = &mut silence => return Ok(()),
            _ = &mut place.wanted, if !place.served => return Ok(()),
            count = stream.read_buf(&mut received) => {
                if count? == 0 {
                    return Ok(());
                }
                while let Some(datagram) = next_frame(&mut received)? {
                    if inputs.send(Input::Datagram(client, datagram)).await.is_err() {
                        return Ok(());
                    }
                    silence = Box::pin(tokio::time::sleep(PATIENCE));
                }
                wake();
            }
            datagram = queue.recv() => {
                let Some(datagram) = datagram else { return Ok(()) };
                if !place.keep() {
                    return Ok(());
                }
                let mut bytes = frame(&datagram);
                // Whatever else is waiting leaves with it.
                while let Ok(more) = queue.try_recv() {
                    bytes.extend(frame(&more));
                }
                timeout(PATIENCE, stream.write_all(&bytes)).await??;
            }
        }
    }
}

/// Takes the first whole frame from what was received. A frame longer than any datagram of ours ends the connection.
fn next_frame(received: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
    let Some(head) = received.first_chunk::<2>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*head));
    if length > DATAGRAM_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    if received.len() < length + 2 {
        received.reserve(length + 2 - received.len());
        return Ok(None);
    }
    received.advance(2);
    Ok(Some(received.split_to(length).to_vec()))
}

/// A datagram with its length before it. Those of the media thread are shorter than 64 KiB.
fn frame(datagram: &[u8]) -> Vec<u8> {
    let length = u16::try_from(datagram.len()).unwrap_or(u16::MAX);
    let mut frame = Vec::with_capacity(datagram.len() + 2);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&datagram[..usize::from(length)]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[tokio::test]
    async fn who_waits_longest_makes_way_and_who_is_served_does_not() {
        let client = |port| SocketAddr::from(([192, 0, 2, 1], port));
        let places = Arc::new(Places::new(2));
        let mut served = Places::take(&places, client(1)).await.expect("free");
        assert!(served.keep());
        let mut first = Places::take(&places, client(2)).await.expect("free");
        let newcomer = tokio::spawn({
            let places = places.clone();
            async move { Places::take(&places, client(3)).await }
        });
        drop((&mut first.wanted).await);
        assert!(!first.keep(), "its place is promised");
        drop(first);
        let mut newcomer = newcomer.await.expect("runs").expect("has the place");
        assert!(newcomer.keep());
        assert!(Places::take(&places, client(4)).await.is_none(), "everybody is served");
        drop(newcomer);
        assert!(Places::take(&places, client(5)).await.is_some());
        assert!(served.keep() && places.waiting().is_empty());
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused() {
        assert!(next_frame(&mut BytesMut::from(&[0xff, 0xff][..])).is_err());
    }

    proptest! {
        /// However the network cuts the stream, the datagrams come out as they went in.
        #[test]
        fn frames_survive_every_cut(
            datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
            cut in 1usize..50,
        ) {
            let stream: Vec<u8> = datagrams.iter().flat_map(|datagram| frame(datagram)).collect();
            let mut received = BytesMut::new();
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                received.extend_from_slice(piece);
                while let Some(datagram) = next_frame(&mut received).expect("short frames") {
                    found.push(datagram);
                }
            }
            prop_assert_eq!(found, datagrams);
        }
    }
}
