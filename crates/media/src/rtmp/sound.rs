//! The thread on which one encoder's sound is transcoded, so that neither the runtime nor a media thread waits for a
//! codec.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use stagedoor_rtmp::aac::AacConfig;
use stagedoor_sfu::{Codec, Kind};
use tokio::sync::mpsc;

use super::transcode::{OpusFrame, Transcoder, Unusable};
use crate::engine::{Extensions, Packet};
use crate::world::World;

/// Frames that wait to be transcoded: some seconds. What comes on top is lost, and the times tell.
const FRAMES_MAX: usize = 128;
/// Frames in a row that cannot be decoded before the stream is given up.
const BAD_FRAMES_MAX: u32 = 50;

/// A running transcoder. Dropping it ends its thread.
pub struct Sound {
    jobs: SyncSender<Job>,
    config: Option<AacConfig>,
    failed: Arc<AtomicBool>,
}

/// What the thread is given.
enum Job {
    Configure(AacConfig),
    /// A frame, with its time in milliseconds.
    Frame(u32, Bytes),
}

impl Sound {
    /// Starts the thread. Packets go to `packets`; `wake` is called after them.
    pub fn start(
        packets: mpsc::Sender<Packet>,
        world: Arc<dyn World>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Sound> {
        let (jobs, queue) = sync_channel(FRAMES_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let work = Work { transcoder: None, sequence: 0, bad: 0, packets, world, failed: failed.clone() };
        std::thread::Builder::new().name("rtmp-sound".into()).spawn(move || work.run(&queue, wake))?;
        Ok(Sound { jobs, config: None, failed })
    }

    /// Says how the frames from here on are to be decoded. Encoders that repeat themselves change nothing.
    pub fn configure(&mut self, config: AacConfig) {
        if self.config.as_ref() != Some(&config) && self.jobs.try_send(Job::Configure(config.clone())).is_ok()
        {
            self.config = Some(config);
        }
    }

    /// Gives the thread a frame, with its time in milliseconds. `false`: the stream cannot be decoded.
    pub fn push(&self, time: u32, frame: Bytes) -> bool {
        // A full queue means an overloaded machine: the frame is lost.
        drop(self.jobs.try_send(Job::Frame(time, frame)));
        !self.failed.load(Ordering::Relaxed)
    }
}

struct Work {
    transcoder: Option<Transcoder>,
    sequence: u64,
    /// Frames in a row that could not be decoded.
    bad: u32,
    packets: mpsc::Sender<Packet>,
    world: Arc<dyn World>,
    failed: Arc<AtomicBool>,
}

impl Work {
    /// Works until the queue's or the packets' other end is gone, or the stream is given up.
    fn run(mut self, queue: &Receiver<Job>, wake: impl Fn()) {
        while let Ok(job) = queue.recv() {
            // A codec panics on what it holds impossible; that must end this stream and no other.
            match catch_unwind(AssertUnwindSafe(|| self.work(job))) {
                Ok(Ok(frames)) => {
                    if !frames.into_iter().all(|frame| self.send(frame)) {
                        return;
                    }
                    wake();
                }
                Ok(Err(error)) => return self.give_up(&error.to_string()),
                Err(_) => return self.give_up("the codec panicked"),
            }
        }
    }

    fn work(&mut self, job: Job) -> Result<Vec<OpusFrame>, Unusable> {
        match job {
            Job::Configure(config) => self.transcoder = Some(Transcoder::new(&config)?),
            Job::Frame(time, frame) => {
                let Some(transcoder) = &mut self.transcoder else { return Ok(Vec::new()) };
                match transcoder.push(time, &frame) {
                    Ok(frames) => {
                        self.bad = 0;
                        return Ok(frames);
                    }
                    Err(error) if self.bad >= BAD_FRAMES_MAX => return Err(error),
                    Err(_) => self.bad += 1,
                }
            }
        }
        Ok(Vec::new())
    }

    fn give_up(&self, why: &str) {
        tracing::info!(why, "an encoder's audio cannot be decoded");
        self.failed.store(true, Ordering::Relaxed);
    }

    /// `false`: nobody takes packets any more.
    fn send(&mut self, frame: OpusFrame) -> bool {
        let packet = Packet {
            kind: Kind::Audio,
            codec: Codec::Opus,
            layer: 0,
            sequence: self.sequence,
            time: frame.time,
            // The first packet after a pause (RFC 7587 §4.1).
            marker: frame.resumes,
            payload: frame.payload.into(),
            received: self.world.now(),
            extensions: Extensions::default(),
        };
        self.sequence += 1;
        self.packets.blocking_send(packet).is_ok()
    }
}
