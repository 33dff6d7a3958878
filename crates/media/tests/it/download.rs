//! What one participant may receive by all its subscriptions together.

use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event};
use stagedoor_media::config::{Config, Limits};
use stagedoor_sfu::{Codec, Kind};

use crate::stage::{Plane, config};
use crate::support::{LOCALHOST, PATIENCE};

const RIDS: [&str; 2] = ["h", "l"];
const CODECS: [Codec; 2] = [Codec::Opus, Codec::Vp8];
const FRAME: Duration = Duration::from_millis(100);
/// Bytes of a frame of each layer: 80 and 8 kbit/s.
const BYTES: [usize; 2] = [1000, 100];

fn limited(download_rate_max: u64) -> Config {
    Config { limits: Limits { download_rate_max, ..Limits::default() }, ..config() }
}

/// A VP8 frame that says which layer it is of.
fn frame(layer: usize, key: bool) -> Vec<u8> {
    let width = [1280_u16, 320][layer];
    let ([w0, w1], [h0, h1]) = (width.to_le_bytes(), (width / 16 * 9).to_le_bytes());
    let mut frame = vec![u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, layer as u8];
    frame.resize(BYTES[layer], 0x33);
    frame
}

struct Publisher {
    client: Client,
    asked: [bool; 2],
    frames: u32,
}

impl Publisher {
    fn send(&mut self) {
        for layer in 0..RIDS.len() {
            let key = std::mem::take(&mut self.asked[layer]);
            let frame = frame(layer, key);
            self.client.send_layer(Kind::Video, layer, self.frames.wrapping_mul(1800), &frame).expect("sent");
        }
        self.frames += 1;
    }
}

struct Subscriber {
    client: Client,
    /// The layer of the newest picture, and how many came of it in a row.
    layer: Option<u8>,
    run: usize,
    closed: bool,
}

/// Two publishers of two layers, and one participant who wants the highest of both.
struct Show {
    plane: Plane,
    publishers: Vec<Publisher>,
    subscribers: Vec<Subscriber>,
    /// When the next frames are due: a machine that is slow for a moment makes up for it, so that rates stay.
    next: Instant,
}

impl Show {
    async fn begin(config: Config) -> Show {
        let plane = Plane::start(config);
        let (mut publishers, mut subscribers) = (Vec::new(), Vec::new());
        for name in ["ann", "bob"] {
            let made = Client::simulcast(LOCALHOST, &CODECS, &RIDS, plane.world.clone());
            let (client, offer) = made.expect("a client");
            let answer = plane.post("/whip", &plane.token(name, true, true), offer).await;
            let (client, _) = plane.join(client, answer).await;
            publishers.push(Publisher { client, asked: [true; 2], frames: 0 });
            let (client, offer) =
                Client::subscriber(LOCALHOST, &CODECS, plane.world.clone()).expect("a client");
            let path = format!("/whip/subscribe/{name}?layer=highest");
            let answer = plane.post(&path, &plane.token("viewer", true, true), offer).await;
            let (client, _) = plane.join(client, answer).await;
            subscribers.push(Subscriber { client, layer: None, run: 0, closed: false });
        }
        let next = plane.world.now();
        Show { plane, publishers, subscribers, next }
    }

    /// Sends and receives until it holds.
    async fn until(mut self, what: &'static str, holds: fn(&[Subscriber]) -> bool) -> Show {
        let work = move || {
            let deadline = self.plane.world.now() + PATIENCE;
            while !holds(&self.subscribers) {
                assert!(
                    self.plane.world.now() < deadline,
                    "never: {what} {:?}",
                    self.subscribers.iter().map(|s| (s.layer, s.run, s.closed)).collect::<Vec<_>>()
                );
                self.turn();
            }
            self
        };
        tokio::task::spawn_blocking(work).await.expect("in time")
    }

    fn turn(&mut self) {
        let world = self.plane.world.clone();
        for Publisher { client, asked, .. } in &mut self.publishers {
            let slice = world.now() + FRAME / 20;
            let run = client.run_until(slice, |event| {
                if let Event::KeyFrameWanted(rid) = event {
                    let layer = RIDS.iter().position(|known| rid.as_deref() == Some(*known));
                    asked[layer.expect("a known layer")] = true;
                }
            });
            run.expect("works");
        }
        while self.next <= world.now() {
            self.publishers.iter_mut().for_each(Publisher::send);
            self.next += FRAME;
        }
        for Subscriber { client, layer, run, closed } in &mut self.subscribers {
            let slice = world.now() + FRAME / 20;
            let received = client.run_until(slice, |event| match event {
                Event::Packet(packet) if packet.kind == Kind::Video => {
                    let newest = Some(packet.payload[4 + 10]);
                    *run = if *layer == newest { *run + 1 } else { 1 };
                    *layer = newest;
                }
                Event::Closed => *closed = true,
                _ => {}
            });
            received.expect("works");
        }
    }
}

/// Whether both have had these layers for two seconds.
fn settled(subscribers: &[Subscriber], layers: [u8; 2]) -> bool {
    subscribers.iter().zip(layers).all(|(one, layer)| one.layer == Some(layer) && one.run > 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newer_subscription_gets_a_lower_layer() {
    let show = Show::begin(limited(110_000)).await;
    let show = show.until("the first one high, the second low", |all| settled(all, [0, 1])).await;
    let mut show = show;
    // Who publishes no more takes nothing.
    let first = show.subscribers.remove(0);
    drop(show.publishers.remove(0));
    drop(first);
    let show = show.until("the other one high", |all| all[0].layer == Some(0) && all[0].run > 20).await;
    show.plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_enough_is_left_alone() {
    let show = Show::begin(limited(1_000_000)).await;
    let show = show.until("both high", |all| settled(all, [0, 0])).await;
    show.plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_ends_when_not_even_the_lowest_fit() {
    let show = Show::begin(limited(12_000)).await;
    let show = show.until("the second one ends", |all| all[1].closed).await;
    assert!(!show.subscribers[0].closed);
    let told = show.plane.told(8).await;
    assert!(told.contains(&"viewer cannot receive bob: BitrateExceeded".to_owned()), "{told:?}");
    assert!(told.contains(&"viewer lost bob".to_owned()), "{told:?}");
    assert!(!told.contains(&"viewer lost ann".to_owned()), "{told:?}");
    show.plane.stop().await;
}
