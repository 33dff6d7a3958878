//! Encoders at the RTMP port: our own client publishes, WebRTC clients receive.

use std::net::SocketAddr;
use std::time::Duration;

use stagedoor_media::client::{Client, Received};
use stagedoor_media::config::Config;
use stagedoor_media::ledger::{Protocol, What};
use stagedoor_rtmp::client::{Client as Encoder, Progress};
use stagedoor_sfu::{Codec, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::stage::{Plane, config, hasty, limited};
use crate::support::{LOCALHOST, PATIENCE, expect_packet};

const AVC: &[u8] = &[0x17, 0, 0, 0, 0, 1, 66, 0xc0, 31, 0xff, 0xe1, 0, 2, 0x67, 66, 1, 0, 1, 0x68];
const AAC: &[u8] = &[0xaf, 0, 0x12, 0x10];
/// A tone in AAC, as an ADTS stream.
const TONE: &[u8] = include_bytes!("../../src/rtmp/transcode/tone-44100-stereo.aac");
const BOTH: &[Codec] = &[Codec::H264, Codec::Opus];

/// An encoder with its socket.
struct Studio {
    encoder: Encoder,
    stream: TcpStream,
    frames: u32,
}

async fn listen(plane: &Plane) -> SocketAddr {
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(plane.handle.clone().serve_rtmp(listener, None));
    address
}

impl Studio {
    async fn open(address: SocketAddr, key: &str) -> Studio {
        let stream = TcpStream::connect(address).await.expect("listens");
        Studio { encoder: Encoder::new("app", key), stream, frames: 0 }
    }

    /// Exchanges bytes until the server has said whether the key is good.
    async fn ask(&mut self) -> Progress {
        while *self.encoder.progress() == Progress::Waiting {
            self.flush().await;
            assert!(self.hear().await, "the server hung up without an answer");
        }
        self.encoder.progress().clone()
    }

    async fn publish(address: SocketAddr, key: &str) -> Studio {
        let mut studio = Studio::open(address, key).await;
        assert_eq!(studio.ask().await, Progress::Publishing);
        studio.encoder.video(0, AVC);
        studio.encoder.audio(0, AAC);
        studio.frame(true).await;
        studio
    }

    /// A picture, and as much sound as lies between two of them at 33 ms.
    async fn frame(&mut self, key: bool) {
        let time = self.frames * 33;
        let (head, nal) = if key { (0x17, 0x65) } else { (0x27, 0x41) };
        let length = 300_u32.to_be_bytes();
        // The slice header says: P, or I.
        let slice = [&[nal, 0b1100_0000][..], &[self.frames as u8; 298]].concat();
        self.encoder.video(time, &[&[head, 1, 0, 0, 0][..], &length, &slice].concat());
        self.encoder.audio(time, &[&[0xaf, 1][..], sound(self.frames as usize)].concat());
        self.frames += 1;
        self.flush().await;
    }

    async fn flush(&mut self) {
        // A server that has hung up is noticed when nothing more comes from it.
        drop(self.stream.write_all(&self.encoder.take_output()).await);
    }

    /// `false`: the server has hung up.
    async fn hear(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("in time");
        let count = read.unwrap_or(0);
        self.encoder.receive(&bytes[..count]).expect("a good server");
        count > 0
    }

    /// What the server said last before it hung up.
    async fn ends(&mut self) -> Progress {
        while self.hear().await {}
        self.encoder.progress().clone()
    }
}

/// A raw AAC frame of the tone.
fn sound(index: usize) -> &'static [u8] {
    let mut rest = TONE;
    for step in 0.. {
        let length = usize::from(rest[3] & 3) << 11 | usize::from(rest[4]) << 3 | usize::from(rest[5] >> 5);
        if step == index % 20 {
            return &rest[7..length];
        }
        rest = &rest[length..];
    }
    unreachable!("the tone has more than twenty frames")
}

/// Farewells are quick, but silence is none: on a busy machine the steps of a test may be further apart than the consent
/// of hasty settings.
fn patient() -> Config {
    let mut config = hasty();
    config.timeouts.consent = PATIENCE;
    config
}

fn bad_name() -> Progress {
    Progress::Refused("NetStream.Publish.BadName".into())
}

fn rejected() -> Progress {
    Progress::Refused("NetStream.Publish.Rejected".into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_is_received_and_leaves() {
    let plane = Plane::start(patient());
    plane.ingest("rt_key", "studio", true);
    let address = listen(&plane).await;
    let mut studio = Studio::publish(address, "rt_key").await;
    plane.told(2).await;
    for _ in 0..20 {
        studio.frame(false).await;
    }
    plane.counted(|counters| counters.packets_in > 20).await;
    // In the middle of the group: it comes whole, from its key frame on, and ends with what is live.
    let (mut viewer, _) = plane.subscribe("viewer", "studio", BOTH).await;
    let world = plane.world.clone();
    let (viewer, pictures) = tokio::task::spawn_blocking(move || {
        let pictures: Vec<_> = (0..10).map(|_| expect_packet(&mut viewer, &world, Kind::Video)).collect();
        (viewer, pictures)
    })
    .await
    .expect("packets");
    assert_eq!(pictures[0].payload[0] & 0x1f, 24, "parameter sets come first");
    assert_eq!(pictures[1].payload[0] & 0x1f, 5, "then the key frame");
    let (mut viewer, world) = (viewer, plane.world.clone());
    for _ in 0..20 {
        studio.frame(false).await;
    }
    tokio::task::spawn_blocking(move || expect_packet(&mut viewer, &world, Kind::Audio))
        .await
        .expect("sound");
    studio.encoder.end();
    studio.flush().await;
    studio.ends().await;
    plane.told(6).await;
    let told = plane.stop().await;
    assert_eq!(told[..3], ["studio joined", "studio publishes", "viewer joined"]);
    assert!(
        told.contains(&"studio stopped".to_owned()) && told.contains(&"studio left".to_owned()),
        "{told:?}"
    );
}

/// They are on several media threads, of which one has the encoder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_late_comers_get_the_group() {
    let plane = Plane::start(config());
    plane.ingest("rt_key", "studio", true);
    let mut studio = Studio::publish(listen(&plane).await, "rt_key").await;
    for _ in 0..20 {
        studio.frame(false).await;
    }
    plane.counted(|counters| counters.packets_in > 20).await;
    for viewer in ["ann", "ben", "cid", "dan", "eve", "fay", "gus", "hal"] {
        let (mut viewer, _) = plane.subscribe(viewer, "studio", BOTH).await;
        let world = plane.world.clone();
        let pictures = tokio::task::spawn_blocking(move || {
            let pictures = (0..10).map(|_| expect_packet(&mut viewer, &world, Kind::Video).payload[0] & 0x1f);
            pictures.collect::<Vec<u8>>()
        });
        assert_eq!(pictures.await.expect("packets")[..3], [24, 5, 1], "parameter sets, a key frame, another");
    }
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_an_encoder() {
    let plane = Plane::start(config());
    plane.ingest("rt_key", "studio", true);
    let address = listen(&plane).await;
    let studio = Studio::publish(address, "rt_key").await;
    plane.told(2).await;
    let notes = plane.ledger.notes();
    let What::Joined(joining) = &notes[0].what else { panic!("{notes:?}") };
    let arn = "arn:aws:ivs:us-east-1:000000000000:ingest-configuration/studio";
    assert_eq!((joining.protocol, joining.ingest_configuration_arn.as_deref()), (Protocol::Rtmp, Some(arn)));
    assert!(matches!(notes[1].what, What::PublishStarted { protocol: Protocol::Rtmp, .. }), "{notes:?}");
    drop(studio);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_refused() {
    let plane = Plane::start(limited(1));
    plane.ingest("rt_one", "one", true);
    plane.ingest("rt_two", "two", true);
    plane.ingest("rt_secure", "secure", false);
    let address = listen(&plane).await;
    let mut first = Studio::publish(address, "rt_one").await;
    plane.told(2).await;
    for key in ["wrong", "rt_one", "rt_two", "rt_secure"] {
        let mut other = Studio::open(address, key).await;
        assert_eq!(other.ask().await, bad_name(), "{key}");
        other.ends().await;
    }
    first.frame(false).await;
    plane.told(7).await;
    let expected = [
        "one joined",
        "one publishes",
        "one cannot publish: ReuseOfStreamKey",
        "two joined",
        "two cannot publish: QuotaExceeded",
        "secure joined",
        "secure cannot publish: InvalidProtocol",
    ];
    assert_eq!(plane.ledger.told(), expected);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_ends_a_publication() {
    let plane = Plane::start(config());
    plane.ingest("rt_key", "studio", true);
    let address = listen(&plane).await;
    let mut studio = Studio::publish(address, "rt_key").await;
    plane.told(2).await;
    plane.disconnect("studio").await;
    assert_eq!(studio.ends().await, rejected());
    assert_eq!(plane.told(4).await[2..], ["studio stopped", "studio left"]);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_refused() {
    const B_SLICE: &[u8] = &[0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x01, 0b1010_0000];
    const SORENSON: &[u8] = &[0x12, 0, 0];
    const MP3: &[u8] = &[0x2f, 1, 2];
    let plane = Plane::start(patient());
    let address = listen(&plane).await;
    for (tag, code) in
        [(B_SLICE, "BFramePresent"), (SORENSON, "InvalidVideoCodec"), (MP3, "InvalidAudioCodec")]
    {
        let (key, participant) = (format!("rt_{code}"), format!("p-{code}"));
        plane.ingest(&key, &participant, true);
        let before = plane.ledger.told().len();
        let mut studio = Studio::publish(address, &key).await;
        plane.told(before + 2).await;
        if tag[0] == 0x2f {
            studio.encoder.audio(50, tag)
        } else {
            studio.encoder.video(50, tag)
        }
        studio.flush().await;
        assert_eq!(studio.ends().await, rejected(), "{code}");
        plane.told(before + 4).await;
        let told = plane.ledger.told();
        assert!(told.contains(&format!("{participant} cannot publish: {code}")), "{told:?}");
    }
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_a_publication_without_an_error() {
    let plane = Plane::start(hasty());
    plane.ingest("rt_key", "studio", true);
    let address = listen(&plane).await;
    let mut studio = Studio::publish(address, "rt_key").await;
    plane.told(2).await;
    // Longer than the consent that these settings give.
    assert_eq!(timeout(Duration::from_secs(5), studio.ends()).await, Ok(rejected()));
    assert_eq!(plane.told(4).await[2..4], ["studio stopped", "studio left"]);
    plane.stop().await;
}

/// Two encoders with the same content, which begin a group of pictures and never another one. When the first goes, its
/// viewers, on all media threads, go on with what the second has sent since its own beginning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_goes_on_when_an_encoder_goes() {
    const VIEWERS: [&str; 6] = ["ann", "ben", "cid", "dan", "eve", "fay"];
    let plane = Plane::start(config());
    plane.ingest_for("rt_one", "one", "studio");
    plane.ingest_for("rt_two", "two", "studio");
    let address = listen(&plane).await;
    let mut one = Studio::publish(address, "rt_one").await;
    plane.told(2).await;
    let mut two = Studio::publish(address, "rt_two").await;
    plane.told(4).await;
    let mut viewers = Vec::new();
    for viewer in VIEWERS {
        viewers.push(plane.subscribe(viewer, "studio", BOTH).await.0);
    }
    for _ in 0..20 {
        one.frame(false).await;
        two.frame(false).await;
    }
    // Both encoders' parameter sets, key frame and twenty pictures, each with sound.
    plane.counted(|counters| counters.packets_in > 2 * 40).await;
    let viewers = run_all(&plane, viewers, |pictures| pictures.len() == 22).await;
    let viewers: Vec<Client> = viewers
        .into_iter()
        .map(|(viewer, before)| {
            assert_eq!(types(&before)[..3], [24, 5, 1]);
            viewer
        })
        .collect();
    let began = plane.world.now();
    drop(one);
    // Neither a key frame nor anything else comes of the second encoder.
    let viewers = run_all(&plane, viewers, |pictures| pictures.len() == 22).await;
    let without_picture = plane.world.now() - began;
    assert!(without_picture < Duration::from_secs(10), "{without_picture:?}");
    for (_, after) in &viewers {
        assert_eq!(types(after)[..3], [24, 5, 1], "parameter sets, a key frame, another");
        let sequences: Vec<u64> = after.iter().map(|picture| picture.sequence).collect();
        assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    }
    two.frame(false).await;
    let first = viewers.iter().map(|(_, after)| after[21].clone()).collect::<Vec<_>>();
    let viewers = viewers.into_iter().map(|(viewer, _)| viewer).collect();
    for ((_, live), last) in run_all(&plane, viewers, |pictures| pictures.len() == 1).await.iter().zip(first)
    {
        assert_eq!(live[0].sequence, last.sequence + 1);
        assert_eq!(live[0].time.wrapping_sub(last.time), 33 * 90, "the encoder's own distance");
    }
    plane.stop().await;
}

/// Lets each viewer, in turn, take pictures until there are enough.
async fn run_all(
    plane: &Plane,
    viewers: Vec<Client>,
    enough: fn(&[Received]) -> bool,
) -> Vec<(Client, Vec<Received>)> {
    let mut taken = Vec::new();
    for mut viewer in viewers {
        let world = plane.world.clone();
        let run = tokio::task::spawn_blocking(move || {
            let mut pictures = Vec::new();
            while !enough(&pictures) {
                pictures.push(expect_packet(&mut viewer, &world, Kind::Video));
            }
            (viewer, pictures)
        });
        taken.push(run.await.expect("pictures"));
    }
    taken
}

fn types(pictures: &[Received]) -> Vec<u8> {
    pictures.iter().map(|picture| picture.payload[0] & 0x1f).collect()
}
