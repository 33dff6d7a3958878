//! One subscriber: its connection, the streams it receives and the times of its coming in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use stagedoor_sfu::Kind;
use str0m::format::Codec;
use str0m::net::{Protocol, Receive};
use str0m::{Event, Input, Output, Rtc};

use crate::Result;
use crate::join::Joined;
use crate::publisher::SendClock;
use crate::stream::{Head, Stream};

/// A subscriber.
pub(crate) struct Member {
    pub(crate) address: Ipv4Addr,
    rtc: Rtc,
    port: u16,
    publisher: Arc<SendClock>,
    /// Whether the server starts timestamps anew for each subscriber.
    renumbered: bool,
    /// Sources and what came of them. There are two, and some more in a full subscriber.
    streams: Vec<(u32, Option<Kind>, Stream)>,
    posted: Instant,
    pub(crate) answered: f64,
    pub(crate) connected: Option<f64>,
    pub(crate) first_frame: Option<f64>,
    /// When the connection wants to be woken.
    pub(crate) wake_at: Instant,
    /// The one entry in the queue of timers that counts.
    pub(crate) queued_at: Option<Instant>,
}

impl Member {
    pub(crate) fn new(joined: Joined, address: Ipv4Addr, port: u16, publisher: Arc<SendClock>) -> Member {
        Member {
            address,
            rtc: joined.rtc,
            port,
            publisher,
            renumbered: joined.renumbered,
            streams: Vec::new(),
            posted: joined.posted,
            answered: millis(joined.answered - joined.posted),
            connected: None,
            first_frame: None,
            wake_at: joined.answered,
            queued_at: None,
        }
    }

    /// Moves the connection's time; it may have something to send.
    pub(crate) fn advance(&mut self, now: Instant, send: impl FnMut(SocketAddr, &[u8])) -> Result {
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain(now, send)
    }

    pub(crate) fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
        send: impl FnMut(SocketAddr, &[u8]),
    ) -> Result {
        let Ok(contents) = datagram.try_into() else { return Ok(()) };
        let destination = (self.address, self.port).into();
        let received = Receive { proto: Protocol::Udp, source: from, destination, contents };
        self.rtc.handle_input(Input::Receive(now, received))?;
        self.drain(now, send)
    }

    fn drain(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, &[u8])) -> Result {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return Ok(());
                }
                Output::Transmit(datagram) => send(datagram.destination, &datagram.contents),
                Output::Event(Event::Connected) => self.connected = Some(millis(now - self.posted)),
                Output::Event(Event::Closed) => {
                    return Err(format!("the subscriber {} was sent away", self.address).into());
                }
                Output::Event(_) => {}
            }
        }
    }

    /// Counts a packet. Returns how long it was on its way, in microseconds, if it is the last one of a frame or a
    /// sound.
    pub(crate) fn count(&mut self, head: &Head, now: Instant, arrived: u64) -> Option<f64> {
        let place = match self.streams.iter().position(|(source, ..)| *source == head.source) {
            Some(place) => place,
            None => {
                let kind = self.kind(head.payload_type);
                self.streams.push((head.source, kind, Stream::default()));
                self.streams.len() - 1
            }
        };
        let (_, kind, stream) = &mut self.streams[place];
        let kind = (*kind)?;
        stream.note(head.sequence);
        if kind == Kind::Video && !head.marker {
            return None;
        }
        if kind == Kind::Video && self.first_frame.is_none() {
            self.first_frame = Some(millis(now - self.posted));
        }
        // Where time is numbered anew, the first that arrives is taken for the last that was sent.
        let offset = *stream.time_offset.get_or_insert_with(|| match self.renumbered {
            true => head.time.wrapping_sub(self.publisher.latest(kind)),
            false => 0,
        });
        let sent = self.publisher.sent(kind, head.time.wrapping_sub(offset))?;
        Some(arrived.saturating_sub(sent) as f64 / 1000.0)
    }

    /// What a payload type carries; `None` for retransmissions.
    fn kind(&self, payload_type: u8) -> Option<Kind> {
        let params = self.rtc.codec_config().params();
        params.iter().find(|params| *params.pt() == payload_type).map(|params| match params.spec().codec {
            Codec::Opus => Kind::Audio,
            _ => Kind::Video,
        })
    }

    /// Counting starts here.
    pub(crate) fn begin(&mut self) {
        self.streams.iter_mut().for_each(|(.., stream)| stream.forget());
    }

    /// Packets that came and packets that are missing.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let media = self.streams.iter().filter(|(_, kind, _)| kind.is_some());
        media.fold((0, 0), |(count, missing), (.., stream)| {
            (count + stream.count(), missing + stream.missing())
        })
    }
}

fn millis(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
