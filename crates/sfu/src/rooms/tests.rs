//! Stages on one shard and on several, in simulated time: whoever watches must not be able to tell.

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::codec::Codec;
use crate::packet::{Incoming, Outgoing, Size};

/// Milliseconds between two frames.
const STEP: u64 = 50;
const STEPS: u64 = 600;
const STAGES: [&str; 2] = ["one", "two"];
const PARTICIPANTS: [&str; 3] = ["alice", "bob", "carol"];
const RIDS: [&str; 3] = ["l", "h", "m"];

/// A generator of numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    fn choice(&mut self) -> Choice {
        match self.roll(5) {
            0 => Choice::Lowest,
            1 => Choice::Highest,
            2 => Choice::Rid(self.pick(&RIDS).into()),
            3 => Choice::Within(Size { width: 640, height: 640 }),
            _ => Choice::Automatic,
        }
    }
}

struct Publishing {
    stage: Arc<str>,
    participant: &'static str,
    codec: Codec,
    layers: usize,
    sequences: [u64; 3],
    asked: [bool; 3],
}

/// What a subscriber got: layer and number as they were sent, and the numbers under which they came.
type Got = Vec<(u8, u64, Outgoing)>;

/// What is on its way from one shard to another.
enum Mail {
    Notice(Notice),
    Packet(PeerKey, Incoming),
}

struct Sim {
    shards: Vec<Rooms>,
    /// By sender and receiver, if it is not delivered at once.
    mail: Option<BTreeMap<(usize, usize), VecDeque<Mail>>>,
    publishing: BTreeMap<u64, Publishing>,
    /// By key: the stage, and who is followed there.
    subscribed: BTreeMap<u64, (Arc<str>, String)>,
    got: BTreeMap<u64, Got>,
    requests: usize,
    /// Packets that one shard sent to another.
    crossed: usize,
    now: Duration,
}

impl Sim {
    fn new(shards: usize) -> Sim {
        Sim {
            shards: (0..shards).map(|_| Rooms::new(shards)).collect(),
            mail: None,
            publishing: BTreeMap::new(),
            subscribed: BTreeMap::new(),
            got: BTreeMap::new(),
            requests: 0,
            crossed: 0,
            now: Duration::ZERO,
        }
    }

    fn shard(&self, key: u64) -> usize {
        (key % self.shards.len() as u64) as usize
    }

    /// Delivers notices until nobody has any.
    fn deliver(&mut self) {
        while let Some(from) = self.shards.iter().position(|rooms| !rooms.notices.is_empty()) {
            for (to, notice) in self.shards[from].take_notices() {
                for shard in (0..self.shards.len()).filter(|shard| *shard != from) {
                    if to == To::Everybody || to == To::One(ShardId(shard as u16)) {
                        match &mut self.mail {
                            Some(mail) => {
                                let way = mail.entry((from, shard)).or_default();
                                way.push_back(Mail::Notice(notice.clone()));
                            }
                            None => self.hear(shard, from, notice.clone()),
                        }
                    }
                }
            }
        }
    }

    fn hear(&mut self, shard: usize, from: usize, notice: Notice) {
        match self.shards[shard].hear(ShardId(from as u16), notice, self.now) {
            Heard::Nothing | Heard::Followed(..) => {}
            Heard::KeyFrame(request) => self.ask(request),
            Heard::Mirrored(publisher) => self.greet(shard, publisher),
        }
    }

    fn greet(&mut self, shard: usize, publisher: PeerKey) {
        let rooms = &mut self.shards[shard];
        let stage = match rooms.stage_of_mirror(publisher) {
            Some(stage) => stage.clone(),
            None => self.publishing[&publisher.0].stage.clone(),
        };
        let followers = rooms.room(&stage).map(|room| room.followers(publisher).to_vec()).unwrap_or_default();
        for follower in followers {
            self.want_key_frame(follower, &stage);
        }
    }

    fn want_key_frame(&mut self, subscriber: PeerKey, stage: &str) {
        let (now, shard) = (self.now, self.shard(subscriber.0));
        let rooms = &mut self.shards[shard];
        let request = rooms.room(stage).and_then(|room| room.want_key_frame(subscriber, now));
        if let Some(request) = request.and_then(|request| rooms.route(request)) {
            self.ask(request);
        }
        self.deliver();
    }

    fn ask(&mut self, request: KeyFrameRequest) {
        self.requests += 1;
        if let Some(publishing) = self.publishing.get_mut(&request.publisher.0) {
            publishing.asked[usize::from(request.layer)] = true;
        }
    }

    /// A participant publishes, perhaps again; then its old connection ends.
    fn publish(&mut self, key: u64, stage: &str, participant: &'static str, codec: Codec, layers: usize) {
        let old = self.publishing.iter().find(|(_, p)| &*p.stage == stage && p.participant == participant);
        let old = old.map(|(key, _)| *key);
        let stage: Arc<str> = stage.into();
        let rids =
            if layers == 1 { Vec::new() } else { RIDS[..layers].iter().map(|r| Arc::from(*r)).collect() };
        let tracks = [TrackSpec::single(Codec::Opus), TrackSpec { codec, rids }];
        let shard = self.shard(key);
        self.shards[shard].publish(&stage, PeerKey(key), participant.into(), &tracks);
        let sequences = [key * 1000, 70_000, 5];
        let publishing = Publishing { stage, participant, codec, layers, sequences, asked: [true; 3] };
        self.publishing.insert(key, publishing);
        self.greet(shard, PeerKey(key));
        self.deliver();
        old.into_iter().for_each(|old| self.unpublish(old));
    }

    fn unpublish(&mut self, key: u64) {
        let shard = self.shard(key);
        self.shards[shard].unpublish(PeerKey(key));
        self.publishing.remove(&key);
        self.deliver();
    }

    fn subscribe(&mut self, key: u64, stage: &str, participant: &str, choice: Choice) {
        let stage: Arc<str> = stage.into();
        let wanted = [Codec::Opus, Codec::H264, Codec::Vp8]
            .map(|codec| Wanted { codec, first_sequence: key as u16 * 100 })
            .to_vec();
        let (now, shard) = (self.now, self.shard(key));
        self.shards[shard].subscribe(&stage, PeerKey(key), participant.into(), wanted, choice, now);
        self.want_key_frame(PeerKey(key), &stage);
        self.subscribed.insert(key, (stage, participant.to_owned()));
    }

    fn unsubscribe(&mut self, key: u64) {
        let Some((stage, _)) = self.subscribed.remove(&key) else { return };
        let shard = self.shard(key);
        self.shards[shard].unsubscribe(&stage, PeerKey(key));
        self.deliver();
    }

    fn choose(&mut self, key: u64, choice: Choice) {
        let Some((stage, _)) = self.subscribed.get(&key).cloned() else { return };
        let (now, shard) = (self.now, self.shard(key));
        let rooms = &mut self.shards[shard];
        let request = rooms.room(&stage).and_then(|room| room.choose(PeerKey(key), choice, now));
        if let Some(request) = request.and_then(|request| rooms.route(request)) {
            self.ask(request);
        }
        self.deliver();
    }

    fn set_budget(&mut self, key: u64, budget: u64) {
        let Some((stage, _)) = self.subscribed.get(&key).cloned() else { return };
        let shard = self.shard(key);
        if let Some(room) = self.shards[shard].room(&stage) {
            room.set_budget(PeerKey(key), budget);
        }
    }

    /// Everybody sends a frame of each layer, and a sound.
    fn frames(&mut self) {
        let keys: Vec<u64> = self.publishing.keys().copied().collect();
        for key in keys {
            let Some(publishing) = self.publishing.get_mut(&key) else { continue };
            let time = self.now.as_millis() as u32 * 90;
            let mut packets =
                vec![Incoming::describe(Codec::Opus, 0, key + u64::from(time), time, &[0xfc; 100])];
            for layer in 0..publishing.layers {
                let asked = std::mem::take(&mut publishing.asked[layer]);
                publishing.sequences[layer] += 1;
                let mut payload = payload(publishing.codec, layer, asked);
                payload.resize([500, 5000, 2000][layer], 1);
                let sequence = publishing.sequences[layer];
                let time = time.wrapping_add(layer as u32 * 0x5555_5555);
                packets.push(Incoming::describe(publishing.codec, layer as u8, sequence, time, &payload));
            }
            let (stage, home) = (publishing.stage.clone(), self.shard(key));
            let audience: Vec<usize> =
                self.shards[home].audience(PeerKey(key)).iter().map(|shard| usize::from(shard.0)).collect();
            self.crossed += packets.len() * audience.len();
            for packet in packets {
                self.packet(home, &stage, PeerKey(key), &packet);
                for shard in &audience {
                    match &mut self.mail {
                        Some(mail) => {
                            let way = mail.entry((home, *shard)).or_default();
                            way.push_back(Mail::Packet(PeerKey(key), packet));
                        }
                        None => self.packet(*shard, &stage, PeerKey(key), &packet),
                    }
                }
            }
        }
    }

    fn packet(&mut self, shard: usize, stage: &str, publisher: PeerKey, packet: &Incoming) {
        let Some(room) = self.shards[shard].room(stage) else { return };
        let Some(source) = room.receive(publisher, packet, self.now) else { return };
        for follower in room.followers(publisher).to_vec() {
            if let Some(out) = room.forward(follower, source, packet, self.now) {
                self.got.entry(follower.0).or_default().push((packet.layer, packet.sequence, out));
            }
        }
    }

    /// Brings some of what is on its way, in order on each way; with `all` everything.
    fn bring(&mut self, dice: &mut Dice, all: bool) {
        loop {
            let ways: Vec<(usize, usize)> = self.mail.iter().flatten().map(|(way, _)| *way).collect();
            let mut brought = 0;
            for (from, to) in ways {
                let count = if all { u64::MAX } else { dice.roll(12) };
                for _ in 0..count {
                    let mail = self.mail.as_mut().and_then(|mail| mail.get_mut(&(from, to))?.pop_front());
                    let Some(mail) = mail else { break };
                    brought += 1;
                    match mail {
                        Mail::Notice(notice) => self.hear(to, from, notice),
                        Mail::Packet(publisher, packet) => {
                            if let Some(stage) = self.shards[to].stage_of_mirror(publisher).cloned() {
                                self.packet(to, &stage, publisher, &packet);
                            }
                        }
                    }
                    self.deliver();
                }
            }
            if !all || brought == 0 {
                return;
            }
        }
    }

    fn adjust(&mut self) {
        for shard in 0..self.shards.len() {
            for request in self.shards[shard].adjust(self.now) {
                self.ask(request);
            }
        }
        self.deliver();
    }

    /// What happens next is up to the dice, not to the number of shards.
    fn something(&mut self, dice: &mut Dice, key: u64) {
        let subscribed: Vec<u64> = self.subscribed.keys().copied().collect();
        let publishing: Vec<u64> = self.publishing.keys().copied().collect();
        let (stage, participant) = (dice.pick(&STAGES), dice.pick(&PARTICIPANTS));
        match dice.roll(12) {
            0 | 1 => {
                let (codec, layers) = (dice.pick(&[Codec::H264, Codec::Vp8]), dice.pick(&[1, 3, 3]));
                self.publish(key, stage, participant, codec, layers);
            }
            2 if !publishing.is_empty() => self.unpublish(dice.pick(&publishing)),
            3 if !subscribed.is_empty() => self.unsubscribe(dice.pick(&subscribed)),
            4 | 5 if !subscribed.is_empty() => {
                let (key, choice) = (dice.pick(&subscribed), dice.choice());
                self.choose(key, choice);
            }
            6..=8 if !subscribed.is_empty() => {
                self.set_budget(dice.pick(&subscribed), dice.pick(&[50_000, 400_000, 3_000_000]));
            }
            _ => {
                let choice = dice.choice();
                self.subscribe(key, stage, participant, choice);
            }
        }
    }

    fn run(shards: usize, seed: u64) -> Sim {
        let (mut sim, mut dice) = (Sim::new(shards), Dice(seed));
        for step in 0..STEPS {
            sim.now = Duration::from_millis(step * STEP);
            if dice.roll(4) == 0 {
                sim.something(&mut dice, step + 1);
            }
            sim.frames();
            if step % 2 == 0 {
                sim.adjust();
            }
        }
        sim
    }
}

fn payload(codec: Codec, layer: usize, key: bool) -> Vec<u8> {
    let [low, high] = [320_u16, 1280, 640][layer].to_le_bytes();
    match (codec, key) {
        (Codec::Vp8, true) => vec![0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, low, high, 100, 0],
        (Codec::Vp8, false) => vec![0x10, 0x01],
        (_, true) => vec![0x67, 0x42],
        (_, false) => vec![0x41, 0xc0],
    }
}

#[test]
fn one_shard_and_several_give_everybody_the_same() {
    let mut packets = 0;
    for seed in 0..8 {
        let one = Sim::run(1, seed);
        for shards in [2, 3] {
            let several = Sim::run(shards, seed);
            for (key, got) in &one.got {
                let other = several.got.get(key).map_or(&[][..], Vec::as_slice);
                let differs = got.iter().zip(other).position(|(one, other)| one != other);
                assert_eq!(differs, None, "seed {seed}, {shards} shards, subscriber {key}: {:?}", {
                    let at = differs.unwrap_or_default();
                    (&got[at..(at + 3).min(got.len())], &other[at..(at + 3).min(other.len())])
                });
                assert_eq!(got.len(), other.len(), "seed {seed}, {shards} shards, subscriber {key}");
                packets += got.len();
            }
            assert_eq!(several.got.len(), one.got.len());
            assert!(one.crossed == 0 && several.crossed > 500, "{}", several.crossed);
            // Wishes for key frames are merged over all shards.
            assert!(
                several.requests <= one.requests + one.requests / 5 + 5,
                "{} {}",
                several.requests,
                one.requests
            );
        }
    }
    assert!(packets > 20_000, "{packets}");
}

/// However long notices and packets travel: in the end everybody gets what it follows, and nothing is left behind.
#[test]
fn late_notices_leave_nobody_without_a_picture() {
    for seed in 0..10 {
        let (mut sim, mut dice) = (Sim::new(3), Dice(seed));
        sim.mail = Some(BTreeMap::new());
        for step in 0..STEPS {
            sim.now = Duration::from_millis(step * STEP);
            if dice.roll(3) == 0 {
                sim.something(&mut dice, step + 1);
            }
            sim.frames();
            sim.adjust();
            sim.bring(&mut dice, false);
        }
        for step in STEPS..STEPS + 100 {
            if step == STEPS + 80 {
                sim.got.clear();
            }
            sim.now = Duration::from_millis(step * STEP);
            sim.frames();
            sim.adjust();
            sim.bring(&mut dice, true);
        }
        let published = |stage: &str, participant: &str| {
            sim.publishing.values().any(|p| &*p.stage == stage && p.participant == participant)
        };
        for (key, (stage, participant)) in &sim.subscribed {
            let got = sim.got.get(key).map_or(0, Vec::len);
            let wanted = if published(stage, participant) { 20..=60 } else { 0..=0 };
            assert!(wanted.contains(&got), "seed {seed}: {key} got {got} packets of {participant}");
        }
        for key in sim.subscribed.keys().copied().collect::<Vec<_>>() {
            sim.unsubscribe(key);
        }
        for key in sim.publishing.keys().copied().collect::<Vec<_>>() {
            sim.unpublish(key);
        }
        sim.bring(&mut dice, true);
        for rooms in &sim.shards {
            assert!(rooms.rooms.is_empty() && rooms.here.is_empty(), "{rooms:?}");
            assert!(rooms.elsewhere.is_empty() && rooms.followed.is_empty(), "{rooms:?}");
        }
    }
}
