//! An encoder's packets as a connection of a media thread: what the connection's task has made of RTMP waits in a
//! bounded queue, from which the thread takes it as it takes packets from a WebRTC peer.

use std::time::{Duration, Instant};

use stagedoor_sfu::{Kind, Outgoing};
use tokio::sync::mpsc;

use crate::engine::{Connection, Failure, IceRestart, Output, Packet, Path};

/// Packets that wait for the media thread; the encoder's task waits while it is full, and with it the encoder.
pub const PACKETS_MAX: usize = 1024;
/// How soon the thread looks by itself, should a wake-up not have reached it.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The media thread's end of the queue. It is connected with the first packet, and closed with the last sender.
pub struct Feed {
    packets: mpsc::Receiver<Packet>,
    first: Option<Packet>,
    connected: bool,
    clock: Instant,
}

impl Feed {
    pub fn new(now: Instant) -> (mpsc::Sender<Packet>, Feed) {
        let (sender, packets) = mpsc::channel(PACKETS_MAX);
        (sender, Feed { packets, first: None, connected: false, clock: now })
    }
}

impl Connection for Feed {
    fn receive(&mut self, _now: Instant, _from: Path, _datagram: &[u8]) -> Result<bool, Failure> {
        Ok(false)
    }

    fn advance(&mut self, now: Instant) -> Result<(), Failure> {
        self.clock = now;
        Ok(())
    }

    fn write(&mut self, _now: Instant, _packet: &Packet, _numbers: &Outgoing) {}

    fn request_key_frame(&mut self, _kind: Kind, _layer: u8) {}

    fn plan(&mut self, _present: u64, _top: u64) {}

    fn poll(&mut self) -> Result<Output, Failure> {
        if let Some(packet) = self.first.take() {
            return Ok(Output::Packet(packet));
        }
        match self.packets.try_recv() {
            Ok(packet) if !self.connected => {
                self.connected = true;
                self.first = Some(packet);
                Ok(Output::Connected)
            }
            Ok(packet) => Ok(Output::Packet(packet)),
            Err(mpsc::error::TryRecvError::Empty) => Ok(Output::Wait(self.clock + LOOK_AGAIN)),
            Err(mpsc::error::TryRecvError::Disconnected) => Ok(Output::Closed),
        }
    }

    fn restart_ice(&mut self, _restart: &IceRestart) -> Result<(), Failure> {
        Err(Failure("an encoder has no ICE to restart".into()))
    }

    fn close(&mut self) {
        self.packets.close();
    }

    fn makes_key_frames(&self) -> bool {
        false
    }
}
