//! Rooms in simulated time.

use super::*;

const PUBLISHER: PeerKey = PeerKey(1);
const AGAIN: PeerKey = PeerKey(2);
const SUBSCRIBER: PeerKey = PeerKey(3);

fn tracks() -> [TrackSpec; 2] {
    [TrackSpec::single(Codec::Opus), TrackSpec::single(Codec::H264)]
}

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn wanted(codecs: &[Codec]) -> Vec<Wanted> {
    codecs.iter().map(|codec| Wanted { codec: *codec, first_sequence: 100 }).collect()
}

fn key_frame(sequence: u64) -> Incoming {
    Incoming::describe(Codec::H264, 0, sequence, 0, &[0x67])
}

fn send(room: &mut Room, from: PeerKey, packet: &Incoming, at: u64) -> Vec<(PeerKey, u64)> {
    let Some(source) = room.receive(from, packet, ms(at)) else {
        return Vec::new();
    };
    let followers = room.followers(from).to_vec();
    let forwarded = followers.into_iter().filter_map(|follower| {
        room.forward(follower, source, packet, ms(at)).map(|out| (follower, out.sequence))
    });
    forwarded.collect()
}

#[test]
fn packets_go_to_followers_only() {
    let mut room = Room::default();
    assert_eq!(room.publish(PUBLISHER, "alice".into(), &tracks()), None);
    room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::Opus, Codec::H264]), Choice::Automatic, ms(0));
    room.subscribe(PeerKey(9), "bob".into(), wanted(&[Codec::Opus, Codec::H264]), Choice::Automatic, ms(0));
    assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 0), [(SUBSCRIBER, 100)]);
    assert_eq!(send(&mut room, PeerKey(77), &key_frame(7), 0), []);
    room.unsubscribe(SUBSCRIBER);
    assert_eq!(send(&mut room, PUBLISHER, &key_frame(8), 0), []);
    room.unpublish(PUBLISHER);
    room.unsubscribe(PeerKey(9));
    assert!(room.is_empty() && room.participants.is_empty());
}

#[test]
fn a_subscriber_without_the_codec_gets_the_other_track() {
    let mut room = Room::default();
    room.publish(PUBLISHER, "alice".into(), &tracks());
    room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::Opus, Codec::Vp8]), Choice::Automatic, ms(0));
    assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 0), []);
    let audio = Incoming::describe(Codec::Opus, 0, 5, 0, &[0xfc]);
    assert_eq!(send(&mut room, PUBLISHER, &audio, 0), [(SUBSCRIBER, 100)]);
}

#[test]
fn the_newest_connection_of_a_participant_replaces_the_old_one() {
    let mut room = Room::default();
    room.publish(PUBLISHER, "alice".into(), &tracks());
    room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::H264]), Choice::Automatic, ms(0));
    send(&mut room, PUBLISHER, &key_frame(7), 0);
    assert_eq!(room.publish(AGAIN, "alice".into(), &tracks()), Some(PUBLISHER));
    assert_eq!(send(&mut room, PUBLISHER, &key_frame(8), 10), []);
    assert_eq!(send(&mut room, AGAIN, &key_frame(9_000), 20), [(SUBSCRIBER, 101)]);
    room.unpublish(PUBLISHER);
    assert_eq!(send(&mut room, AGAIN, &key_frame(9_001), 30), [(SUBSCRIBER, 102)]);
}

#[test]
fn a_subscriber_may_come_before_its_publisher() {
    let mut room = Room::default();
    room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[Codec::H264]), Choice::Automatic, ms(0));
    assert_eq!(room.want_key_frame(SUBSCRIBER, ms(0)), None);
    room.publish(PUBLISHER, "alice".into(), &tracks());
    let request = KeyFrameRequest { publisher: PUBLISHER, kind: Kind::Video, layer: 0 };
    assert_eq!(room.want_key_frame(SUBSCRIBER, ms(0)), Some(request));
    assert_eq!(room.want_key_frame(SUBSCRIBER, ms(1)), None);
    assert_eq!(room.next_due(), Some(ms(1000)));
    assert_eq!(room.due(ms(1000)), [request]);
    assert_eq!(send(&mut room, PUBLISHER, &key_frame(7), 1100), [(SUBSCRIBER, 100)]);
    assert_eq!(room.next_due(), None);
}

// === Simulcast ===

/// A publisher of three layers, 20 frames a second each, every frame one packet, and one subscriber of it.
struct Simulcast {
    room: Room,
    codec: Codec,
    at: u64,
    sequences: [u64; 3],
    /// Which layers send, and which have been asked for a key frame.
    sends: [bool; 3],
    asked: [bool; 3],
    requests: Vec<u8>,
    /// Layer and sequence number of what the subscriber got.
    got: Vec<(u8, u64)>,
    /// When the last packet came, and its timestamp.
    last_time: Option<(u64, u32)>,
}

/// Neither rising nor falling, as offers may be.
const RIDS: [&str; 3] = ["h", "l", "m"];
const HIGH: u8 = 0;
const LOW: u8 = 1;
const MIDDLE: u8 = 2;

impl Simulcast {
    fn start(codec: Codec, choice: Choice) -> Simulcast {
        let mut room = Room::default();
        let spec = TrackSpec { codec, rids: RIDS.map(Arc::from).to_vec() };
        room.publish(PUBLISHER, "alice".into(), &[spec]);
        let mut simulcast = Simulcast {
            room,
            codec,
            at: 0,
            sequences: [70_000, 5, 900],
            sends: [true; 3],
            asked: [true; 3],
            requests: Vec::new(),
            got: Vec::new(),
            last_time: None,
        };
        simulcast.run(3000);
        let now = ms(simulcast.at);
        simulcast.room.subscribe(SUBSCRIBER, "alice".into(), wanted(&[codec]), choice, now);
        let request = simulcast.room.want_key_frame(SUBSCRIBER, now);
        simulcast.note(request);
        simulcast
    }

    fn note(&mut self, requests: impl IntoIterator<Item = KeyFrameRequest>) {
        for request in requests {
            assert_eq!((request.publisher, request.kind), (PUBLISHER, Kind::Video));
            self.requests.push(request.layer);
            self.asked[usize::from(request.layer)] = true;
        }
    }

    fn choose(&mut self, choice: Choice) {
        let request = self.room.choose(SUBSCRIBER, choice, ms(self.at));
        self.note(request);
    }

    /// What the subscriber got in this time: the layers in order, without repetitions.
    fn run(&mut self, time: u64) -> Vec<u8> {
        let before = self.got.len();
        for _ in 0..time / 50 {
            self.at += 50;
            for layer in 0..3_u8 {
                self.frame(layer);
            }
            let now = ms(self.at);
            let requests = self.room.adjust(now).into_iter().chain(self.room.due(now)).collect::<Vec<_>>();
            self.note(requests);
        }
        let mut layers: Vec<u8> = self.got[before..].iter().map(|(layer, _)| *layer).collect();
        layers.dedup();
        layers
    }

    fn frame(&mut self, layer: u8) {
        let index = usize::from(layer);
        if !self.sends[index] {
            return;
        }
        let key = std::mem::take(&mut self.asked[index]);
        self.sequences[index] += 1;
        let mut payload = payload(self.codec, layer, key);
        payload.resize([5000, 500, 2000][index], 1);
        let time = (self.at as u32).wrapping_mul(90).wrapping_add(u32::from(layer) * 0x5555_5555);
        let packet = Incoming::describe(self.codec, layer, self.sequences[index], time, &payload);
        let Some(source) = self.room.receive(PUBLISHER, &packet, ms(self.at)) else { panic!("known") };
        if let Some(out) = self.room.forward(SUBSCRIBER, source, &packet, ms(self.at)) {
            if let Some((_, last)) = self.got.last() {
                assert_eq!(out.sequence, last + 1, "no gap");
            }
            // Every layer has its own clock; the subscriber sees one that goes on as time does.
            if let Some((at, time)) = self.last_time.replace((self.at, out.time)) {
                let elapsed = (self.at - at) as u32 * 90;
                assert!(out.time.wrapping_sub(time).abs_diff(elapsed) <= 1);
            }
            self.got.push((layer, out.sequence));
        }
    }
}

fn payload(codec: Codec, layer: u8, key: bool) -> Vec<u8> {
    let width = [1280_u16, 320, 640][usize::from(layer)];
    let [low, high] = width.to_le_bytes();
    match (codec, key) {
        (Codec::Vp8, true) => vec![0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, low, high, 100, 0],
        (Codec::Vp8, false) => vec![0x10, 0x01],
        // Sizes of H.264 are unknown here: rates decide.
        (_, true) => vec![0x67, 0x42],
        (_, false) => vec![0x41, 0xc0],
    }
}

#[test]
fn a_subscriber_starts_low_and_switches_on_key_frames() {
    for codec in [Codec::H264, Codec::Vp8] {
        let mut stage = Simulcast::start(codec, Choice::Automatic);
        assert_eq!(stage.run(1000), [LOW]);
        stage.choose(Choice::Highest);
        assert_eq!(stage.run(1000).last(), Some(&HIGH));
        stage.choose(Choice::Rid("m".into()));
        assert_eq!(stage.run(1000), [HIGH, MIDDLE]);
        // Not before a key frame: the publisher takes its time.
        stage.choose(Choice::Rid("l".into()));
        stage.asked = [false; 3];
        assert_eq!(stage.run(500), [MIDDLE]);
        assert_eq!(stage.run(2000), [MIDDLE, LOW], "it was asked again");
        stage.choose(Choice::Automatic);
        assert_eq!(stage.run(1000), [LOW]);
    }
}

#[test]
fn a_choice_can_come_with_the_subscription() {
    assert_eq!(Simulcast::start(Codec::Vp8, Choice::Highest).run(1000), [HIGH]);
    let within = Choice::Within(crate::Size { width: 700, height: 700 });
    assert_eq!(Simulcast::start(Codec::Vp8, within).run(1000), [MIDDLE]);
}

#[test]
fn the_bandwidth_chooses_with_hysteresis() {
    let mut stage = Simulcast::start(Codec::H264, Choice::Automatic);
    let mut at = |budget: u64, time: u64, expected: &[u8]| {
        stage.room.set_budget(SUBSCRIBER, budget);
        assert_eq!(stage.run(time), expected, "{budget} at {} ms", stage.at);
    };
    // The layers have 800, 80 and 320 kbit/s.
    at(100_000, 1000, &[LOW]);
    at(500_000, 1000, &[LOW, MIDDLE]);
    at(1_000_000, 1000, &[MIDDLE, HIGH]);
    at(200_000, 1000, &[HIGH, LOW]);
    at(5_000_000, 7000, &[LOW]);
    at(5_000_000, 2000, &[LOW, HIGH]);
    at(1, 1000, &[HIGH, LOW]);
}

#[test]
fn a_layer_that_stops_is_left_and_a_short_pause_is_not() {
    let mut stage = Simulcast::start(Codec::Vp8, Choice::Highest);
    assert_eq!(stage.run(1000), [HIGH]);
    stage.sends[usize::from(HIGH)] = false;
    assert_eq!(stage.run(1900), []);
    stage.sends[usize::from(HIGH)] = true;
    assert_eq!(stage.run(1000), [HIGH]);
    stage.sends[usize::from(HIGH)] = false;
    stage.run(2500);
    assert_eq!(stage.run(1000), [MIDDLE]);
    // It comes back, and is trusted after two seconds.
    stage.sends[usize::from(HIGH)] = true;
    assert_eq!(stage.run(1900), [MIDDLE]);
    assert_eq!(stage.run(1000), [MIDDLE, HIGH]);
}

#[test]
fn key_frame_requests_are_merged_for_each_layer() {
    let mut stage = Simulcast::start(Codec::H264, Choice::Automatic);
    stage.run(1000);
    stage.requests.clear();
    stage.asked = [false; 3];
    let now = ms(stage.at);
    for other in 10..60 {
        let choice = if other % 2 == 0 { Choice::Highest } else { Choice::Rid("m".into()) };
        stage.room.subscribe(PeerKey(other), "alice".into(), wanted(&[Codec::H264]), choice, now);
        let request = stage.room.want_key_frame(PeerKey(other), now);
        stage.note(request);
    }
    stage.requests.sort_unstable();
    assert_eq!(stage.requests, [HIGH, MIDDLE]);
    assert_eq!(stage.run(500), [LOW], "one subscriber's wish is not another's");
}
