//! One encoder's connection: bytes between the socket and the protocol, and what its events mean. Whatever it does
//! has an end in time, and it waits for nobody but its own encoder and its own queue.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use stagedoor_rtmp::handshake::RANDOM_BYTES;
use stagedoor_rtmp::{Event, Session};
use stagedoor_sfu::PeerKey;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::admit::{self, Admitted};
use super::intake::{Intake, Made, Refused};
use super::sound::Sound;
use crate::engine::Packet;
use crate::ledger::ErrorCode;
use crate::presence::Visitor;
use crate::service::Inner;
use crate::shard::Command;

/// The application in `rtmp://host/app/key`.
const APP: &str = "app";
/// From the connection's first byte to its `publish` command.
const PUBLISH_WITHIN: Duration = Duration::from_secs(10);
/// Between two reads, and for one write.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;
/// `NetStream.Publish.BadName` is what encoders expect for a key that they cannot use.
const BAD_NAME: &str = "NetStream.Publish.BadName";
const REJECTED: &str = "NetStream.Publish.Rejected";

/// How a connection ended, unless the encoder ended it in good order.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    #[error("{0}")]
    Lost(#[from] io::Error),
    #[error("{0}")]
    Protocol(#[from] stagedoor_rtmp::Error),
    #[error("it was too slow")]
    TooSlow,
    #[error("refused: {0}")]
    Refused(&'static str),
    #[error("the stage ended it")]
    Dismissed,
}

/// Serves an encoder until one side ends the connection.
pub async fn run<S>(inner: &Arc<Inner>, stream: S, secure: bool) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut random = [0; RANDOM_BYTES];
    inner.world.random(&mut random);
    let session = Session::new(APP, &random);
    let mut connection = Connection { inner, stream, secure, session, publication: None };
    let ended = connection.work().await;
    if let Err(ending) = &ended {
        connection.say_why(ending).await;
    }
    ended
}

struct Connection<'a, S> {
    inner: &'a Arc<Inner>,
    stream: S,
    secure: bool,
    session: Session,
    publication: Option<Publication>,
}

impl<S> Connection<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn work(&mut self) -> Result<(), Ending> {
        let began = self.inner.world.now();
        let mut input = BytesMut::with_capacity(READ_BYTES);
        loop {
            let now = self.inner.world.now();
            let deadline = match &self.publication {
                None => began + PUBLISH_WITHIN,
                Some(publication) => publication.intake.patience_ends(),
            };
            let patience = deadline.saturating_duration_since(now).min(PATIENCE);
            input.clear();
            let read = tokio::select! {
                read = timeout(patience, self.stream.read_buf(&mut input)) => read,
                () = dismissed(self.publication.as_ref()) => return Err(Ending::Dismissed),
            };
            match read {
                Ok(count) => {
                    if count? == 0 {
                        return Ok(());
                    }
                    self.session.receive(&input)?;
                }
                Err(_) => return Err(self.out_of_patience()),
            }
            let ended = self.heed().await?;
            self.flush().await?;
            if ended {
                return Ok(());
            }
        }
    }

    /// Nothing came for some time.
    fn out_of_patience(&self) -> Ending {
        let now = self.inner.world.now();
        let overdue = |publication: &Publication| {
            Some(publication.refuse(self.inner, publication.intake.overdue(now)?))
        };
        self.publication.as_ref().and_then(overdue).unwrap_or(Ending::TooSlow)
    }

    /// Does what the events ask for. `true`: the encoder has ended its stream.
    async fn heed(&mut self) -> Result<bool, Ending> {
        while let Some(event) = self.session.poll() {
            match event {
                Event::Publish { key } => self.publish(&key)?,
                Event::Audio { time, tag } => {
                    if let Some(publication) = &mut self.publication {
                        publication.audio(self.inner, time, tag).await?;
                    }
                }
                Event::Video { time, tag } => {
                    if let Some(publication) = &mut self.publication {
                        publication.video(self.inner, time, tag).await?;
                    }
                }
                Event::Ended => return Ok(true),
            }
        }
        let now = self.inner.world.now();
        if let Some(publication) = &self.publication
            && let Some(refused) = publication.intake.overdue(now)
        {
            return Err(publication.refuse(self.inner, refused));
        }
        Ok(false)
    }

    fn publish(&mut self, key: &str) -> Result<(), Ending> {
        match self.inner.admit_encoder(key, self.secure) {
            Ok(admitted) => {
                self.publication = Some(Publication::new(admitted, self.inner.world.now()));
                self.session.accept();
                Ok(())
            }
            Err(admit::Refused(why)) => {
                self.session.refuse(BAD_NAME, why);
                Err(Ending::Refused(why))
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        let write = async {
            self.stream.write_all(&output).await?;
            self.stream.flush().await
        };
        timeout(PATIENCE, write).await.map_err(|_| Ending::TooSlow)?.map_err(Ending::Lost)
    }

    /// Tells an encoder why the connection ends, if it is still there to hear it.
    async fn say_why(&mut self, ending: &Ending) {
        // What it published ends now, not when it has listened.
        let published = self.publication.take().is_some();
        match ending {
            Ending::Refused(why) if published => self.session.refuse(REJECTED, why),
            Ending::Dismissed => {
                self.session.refuse(REJECTED, "The stage has ended it; see the participant's events.");
            }
            _ => {}
        }
        if self.flush().await.is_ok() {
            drop(timeout(PATIENCE, self.stream.shutdown()).await);
        }
    }
}

/// Returns when the media thread has ended the publication.
async fn dismissed(publication: Option<&Publication>) {
    match publication {
        Some(publication) => publication.packets.closed().await,
        None => std::future::pending().await,
    }
}

/// What an admitted encoder publishes. Dropping it ends the publication.
struct Publication {
    visitor: Visitor,
    key: PeerKey,
    packets: mpsc::Sender<Packet>,
    intake: Intake,
    sound: Option<Sound>,
}

impl Publication {
    fn new(admitted: Admitted, now: Instant) -> Publication {
        let Admitted { visitor, key, packets } = admitted;
        Publication { visitor, key, packets, intake: Intake::new(now), sound: None }
    }

    /// Notes why the publication is refused.
    fn refuse(&self, inner: &Inner, Refused(code, why): Refused) -> Ending {
        inner.fail(&self.visitor, code);
        Ending::Refused(why)
    }

    async fn video(&mut self, inner: &Inner, time: u32, tag: Bytes) -> Result<(), Ending> {
        let made = self.intake.video(time, tag, inner.world.now());
        if let Made::Video(packets) = made.map_err(|refused| self.refuse(inner, refused))? {
            self.send(inner, packets).await?;
        }
        Ok(())
    }

    async fn audio(&mut self, inner: &Inner, time: u32, tag: Bytes) -> Result<(), Ending> {
        let made = self.intake.audio(time, tag, inner.world.now());
        match made.map_err(|refused| self.refuse(inner, refused))? {
            Made::SoundConfig(config) => self.sound(inner)?.configure(config),
            Made::Sound(time, frame) => {
                let waiting = self.intake.take_waiting();
                self.send(inner, waiting).await?;
                if !self.sound(inner)?.push(time, frame) {
                    let refused = Refused(ErrorCode::InvalidAudioCodec, "The audio cannot be decoded.");
                    return Err(self.refuse(inner, refused));
                }
            }
            Made::Video(_) | Made::Nothing => {}
        }
        Ok(())
    }

    /// The thread for the sound, started when it is first needed.
    fn sound(&mut self, inner: &Inner) -> io::Result<&mut Sound> {
        if self.sound.is_none() {
            let (shard, key) = (inner.shards.clone(), self.key);
            // Should the queue of commands be full, the thread looks by itself soon.
            let wake = move || drop(shard.send(Command::Look(key)));
            self.sound = Some(Sound::start(self.packets.clone(), inner.world.clone(), wake)?);
        }
        self.sound.as_mut().ok_or_else(|| io::Error::other("no thread"))
    }

    /// Hands packets to the media thread, waiting while its queue is full.
    async fn send(&self, inner: &Inner, packets: Vec<Packet>) -> Result<(), Ending> {
        if packets.is_empty() {
            return Ok(());
        }
        for packet in packets {
            if let Err(mpsc::error::TrySendError::Full(packet)) = self.packets.try_send(packet) {
                drop(inner.shards.send(Command::Look(self.key)));
                self.packets.send(packet).await.map_err(|_| Ending::Dismissed)?;
            }
        }
        drop(inner.shards.send(Command::Look(self.key)));
        Ok(())
    }
}
