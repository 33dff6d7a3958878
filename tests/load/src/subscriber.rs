//! A light subscriber: connects like any other, then only counts.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event};
use stagedoor_media::world::World;
use stagedoor_sfu::Codec;

use crate::{CONNECT_MAX, Result, http};

/// Packets that arrived, and gaps in their numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) received: u64,
    pub(crate) missing: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Counts) {
        self.received += other.received;
        self.missing += other.missing;
    }
}

/// A subscriber on a thread of its own.
pub(crate) struct Running {
    thread: JoinHandle<Result>,
    seen: Arc<Seen>,
}

impl Running {
    /// Counting starts here.
    pub(crate) fn begin(&self) {
        self.seen.received.store(0, Ordering::Relaxed);
        self.seen.streams.lock().expect("no thread panics while it counts").clear();
    }

    /// Waits until the thread has ended.
    pub(crate) fn finish(self) -> Result<Counts> {
        self.thread.join().map_err(|_| "a subscriber failed")??;
        let streams = self.seen.streams.lock().expect("the thread has ended");
        let missing = streams.values().map(Stream::missing).sum();
        Ok(Counts { received: self.seen.received.load(Ordering::Relaxed), missing })
    }
}

/// Connects and starts counting.
pub(crate) fn start(
    url: &str,
    token: &str,
    world: &Arc<dyn World>,
    over: &Arc<AtomicBool>,
) -> Result<Running> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (mut client, offer) = Client::subscriber(local, &[Codec::Opus, Codec::H264], Arc::clone(world))?;
    client.accept(&http::post_sdp(url, token, &offer)?)?;
    let deadline = Instant::now() + CONNECT_MAX;
    while !matches!(client.next_event(deadline)?, Some(Event::Connected)) {
        if Instant::now() >= deadline {
            return Err("a subscriber could not connect".into());
        }
    }
    let seen = Arc::new(Seen::default());
    let counting = Arc::clone(&seen);
    client.set_filter(Box::new(move |datagram| !counting.note(datagram)));
    let over = Arc::clone(over);
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(move || {
        while !over.load(Ordering::Relaxed) {
            client.run_until(Instant::now() + Duration::from_millis(100), |_| {})?;
        }
        client.close()?;
        Ok(())
    })?;
    Ok(Running { thread, seen })
}

#[derive(Default)]
struct Seen {
    received: AtomicU64,
    streams: Mutex<HashMap<u32, Stream>>,
}

impl Seen {
    /// Counts a media packet; whether it was one. Its head is not encrypted (RFC 3711).
    fn note(&self, datagram: &[u8]) -> bool {
        let Some(&[first, kind, high, low]) = datagram.first_chunk::<4>() else { return false };
        // RFC 7983: 128 to 191 is RTP or RTCP; RTCP's types are 192 to 223 (RFC 5761).
        if !(128..192).contains(&first) || (192..224).contains(&kind) {
            return (128..192).contains(&first);
        }
        let Some(source) = datagram.get(8..12).and_then(|bytes| bytes.try_into().ok()) else { return true };
        self.received.fetch_add(1, Ordering::Relaxed);
        let mut streams = self.streams.lock().expect("no thread panics while it counts");
        streams.entry(u32::from_be_bytes(source)).or_default().note(u16::from_be_bytes([high, low]));
        true
    }
}

/// The sequence numbers of one stream, unrolled.
#[derive(Default)]
struct Stream {
    first: Option<u64>,
    last: u64,
    count: u64,
}

impl Stream {
    fn note(&mut self, sequence: u16) {
        self.count += 1;
        if self.first.is_none() {
            (self.first, self.last) = (Some(sequence.into()), sequence.into());
        }
        let step = sequence.wrapping_sub(self.last as u16);
        // A step backwards is a packet that came late.
        if step < 0x8000 {
            self.last += u64::from(step);
        }
    }

    fn missing(&self) -> u64 {
        let Some(first) = self.first else { return 0 };
        (self.last - first + 1).saturating_sub(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_over_the_wrap_and_late_packets_close_them() {
        for (sequences, missing) in [
            (vec![1, 2, 3], 0),
            (vec![1, 2, 5], 2),
            (vec![65534, 65535, 1], 1),
            (vec![1, 3, 2], 0),
            (vec![], 0),
        ] {
            let mut stream = Stream::default();
            sequences.iter().for_each(|&sequence| stream.note(sequence));
            assert_eq!(stream.missing(), missing, "{sequences:?}");
        }
    }
}
