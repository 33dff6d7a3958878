//! A room over changing networks, in simulated time: packets of the publisher are lost, late or doubled, and what its
//! subscribers' networks carry goes up and down, all from seeds. Each subscriber is held against rules that it must
//! see kept whatever happens to the others.

use proptest::prelude::*;

use super::*;
use crate::select::REST_AFTER_DOWNGRADE;

const PUBLISHER: PeerKey = PeerKey(1);
const FRAME_MS: u64 = 50;
const RIDS: [&str; 3] = ["l", "m", "h"];
/// Bytes of a frame: 80, 320 and 800 kbit/s.
const FRAME_BYTES: [usize; 3] = [500, 2000, 5000];
const RATES: [u64; 3] = [80_000, 320_000, 800_000];
/// From a request to the key frame.
const KEY_FRAME_AFTER_MS: u64 = 100;

/// A splitmix64 generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Of a thousand packets on the way to the server.
#[derive(Debug, Clone, Copy)]
struct Intake {
    lost: u64,
    late: u64,
    doubled: u64,
}

const FAIR: Intake = Intake { lost: 0, late: 0, doubled: 0 };

/// What a subscriber's network carries, in bits per second, for so many milliseconds.
type Steps = Vec<(u64, u64)>;

/// A packet that a subscriber got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Got {
    at: u64,
    layer: u8,
    /// The number that the publisher gave, and the one that the subscriber saw.
    source: u64,
    sequence: u64,
}

struct Show {
    room: Room,
    intake: Intake,
    dice: Dice,
    at: u64,
    sequences: [u64; 3],
    /// When each layer makes the key frame that it was asked for.
    key_frames: [Option<u64>; 3],
    late: Vec<(u64, Incoming)>,
    subscribers: Vec<(PeerKey, Steps, Vec<Got>)>,
}

impl Show {
    fn new(intake: Intake, seed: u64, networks: &[Steps]) -> Show {
        let mut room = Room::default();
        let spec = TrackSpec { codec: Codec::H264, rids: RIDS.map(Arc::from).to_vec() };
        room.publish(PUBLISHER, "alice".into(), &[spec]);
        let mut show = Show {
            room,
            intake,
            dice: Dice(seed),
            at: 0,
            sequences: [100, 70_000, 65_000],
            key_frames: [None; 3],
            late: Vec::new(),
            subscribers: Vec::new(),
        };
        // The layers have settled when the subscribers come.
        show.run(3000);
        for (number, steps) in networks.iter().enumerate() {
            let key = PeerKey(10 + number as u64);
            let wanted = vec![Wanted { codec: Codec::H264, first_sequence: 65_500 }];
            let now = Duration::from_millis(show.at);
            show.room.subscribe(key, "alice".into(), wanted, Choice::Automatic, now);
            let request = show.room.want_key_frame(key, now);
            show.ask(request);
            show.subscribers.push((key, steps.clone(), Vec::new()));
        }
        show
    }

    /// Runs through all steps; what each subscriber got.
    fn play(mut self) -> Vec<Vec<Got>> {
        let start = self.at;
        let longest = self.subscribers.iter().map(|(_, steps, _)| steps.iter().map(|(_, time)| time).sum());
        let end = start + longest.max().unwrap_or(0);
        while self.at < end {
            for (key, steps, _) in &self.subscribers {
                let mut left = self.at - start;
                let present = steps.iter().find(|(_, time)| {
                    let now = left < *time;
                    left = left.saturating_sub(*time);
                    now
                });
                if let Some((budget, _)) = present {
                    self.room.set_budget(*key, *budget);
                }
            }
            self.run(FRAME_MS);
        }
        self.subscribers.into_iter().map(|(.., got)| got).collect()
    }

    fn run(&mut self, time: u64) {
        for _ in 0..time / FRAME_MS {
            self.at += FRAME_MS;
            let due: Vec<Incoming> = {
                let (due, later) = self.late.drain(..).partition(|(at, _)| *at <= self.at);
                self.late = later;
                let due: Vec<(u64, Incoming)> = due;
                due.into_iter().map(|(_, packet)| packet).collect()
            };
            due.iter().for_each(|packet| self.deliver(packet));
            (0..3).for_each(|layer| self.send(layer));
            let now = Duration::from_millis(self.at);
            let requests: Vec<_> = self.room.adjust(now).into_iter().chain(self.room.due(now)).collect();
            self.ask(requests);
        }
    }

    fn ask(&mut self, requests: impl IntoIterator<Item = KeyFrameRequest>) {
        for request in requests {
            self.key_frames[usize::from(request.layer)].get_or_insert(self.at + KEY_FRAME_AFTER_MS);
        }
    }

    fn send(&mut self, layer: u8) {
        let index = usize::from(layer);
        let key = self.key_frames[index].take_if(|at| *at <= self.at).is_some();
        self.sequences[index] += 1;
        let mut payload = vec![0x41; FRAME_BYTES[index]];
        payload[0] = if key { 0x67 } else { 0x41 };
        let time = self.at as u32 * 90 + u32::from(layer) * 0x5555_5555;
        let packet = Incoming::describe(Codec::H264, layer, self.sequences[index], time, &payload);
        let fate = self.dice.below(1000);
        let Intake { lost, late, doubled } = self.intake;
        if fate < lost {
            return;
        }
        if fate < lost + late {
            let delay = self.dice.below(8 * FRAME_MS);
            return self.late.push((self.at + delay, packet));
        }
        self.deliver(&packet);
        if fate < lost + late + doubled {
            self.deliver(&packet);
        }
    }

    fn deliver(&mut self, packet: &Incoming) {
        let now = Duration::from_millis(self.at);
        let Some(source) = self.room.receive(PUBLISHER, packet, now) else { panic!("a known layer") };
        for (key, _, got) in &mut self.subscribers {
            if let Some(out) = self.room.forward(*key, source, packet, now) {
                let (layer, source, sequence) = (packet.layer, packet.sequence, out.sequence);
                got.push(Got { at: self.at, layer, source, sequence });
            }
        }
    }
}

fn networks() -> impl Strategy<Value = Steps> {
    proptest::collection::vec((0_u64..2_000_000, 500_u64..20_000), 1..12)
}

fn steady(budget: u64) -> Steps {
    vec![(budget, 60_000)]
}

/// Numbers that were skipped belong to packets that the publisher numbered and that never came: nothing was left out
/// by the server, and no number stands for two packets.
fn check_numbers(got: &[Got]) -> Result<(), TestCaseError> {
    let mut by_number: Vec<Got> = got.to_vec();
    by_number.sort_by_key(|one| (one.sequence, one.at));
    for two in by_number.windows(2) {
        let (one, next) = (two[0], two[1]);
        if one.sequence == next.sequence {
            prop_assert_eq!((one.layer, one.source), (next.layer, next.source), "one number, two packets");
        } else if one.layer == next.layer {
            prop_assert_eq!(next.sequence - one.sequence, next.source - one.source, "a gap of our own");
        } else {
            prop_assert_eq!(next.sequence - one.sequence, 1, "a gap at a switch");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One subscriber has a packet for each frame, under the next number and at once, whatever the networks of others
    /// do: their steps and the key frames that they need are not seen by it.
    #[test]
    fn nobodys_network_is_anothers(
        others in proptest::collection::vec(networks(), 1..4),
        budget in 0_u64..2_000_000,
        seed in any::<u64>(),
    ) {
        let numbers = |others: &[Steps]| -> Vec<(u64, u64)> {
            let all = [&[steady(budget)][..], others].concat();
            let got = Show::new(FAIR, seed, &all).play().swap_remove(0);
            got.iter().map(|one| (one.at, one.sequence)).take_while(|(at, _)| *at <= 60_000).collect()
        };
        prop_assert_eq!(numbers(&others), numbers(&[]));
    }

    #[test]
    fn the_server_makes_no_gap(
        steps in networks(),
        lost in 0_u64..300,
        late in 0_u64..300,
        doubled in 0_u64..100,
        seed in any::<u64>(),
    ) {
        for got in Show::new(Intake { lost, late, doubled }, seed, &[steps, steady(500_000)]).play() {
            check_numbers(&got)?;
        }
    }

    /// There is always a picture; what does not fit is left soon; and after a step down there is none up for a while.
    #[test]
    fn bandwidth_steps_lead_down_and_up_with_patience(steps in networks(), seed in any::<u64>()) {
        // At the end everything fits, and long enough.
        let steps: Steps = steps.into_iter().chain([(2_000_000, 15_000)]).collect();
        let got = Show::new(FAIR, seed, std::slice::from_ref(&steps)).play().swap_remove(0);
        let start = 3000;
        prop_assert!(got[0].at <= start + 500, "late at {}", got[0].at);
        for two in got.windows(2) {
            prop_assert!(two[1].at - two[0].at <= FRAME_MS, "nothing between {:?} and {:?}", two[0], two[1]);
        }
        let mut begun = start;
        for (budget, time) in &steps {
            for one in got.iter().filter(|one| (begun + 1500..begun + time).contains(&one.at)) {
                let fits = RATES[usize::from(one.layer)] <= budget + budget / 5;
                prop_assert!(fits || one.layer == 0, "{one:?} at {budget}");
            }
            begun += time;
        }
        let mut left: Option<u64> = None;
        for two in got.windows(2) {
            if two[1].layer < two[0].layer {
                left = Some(two[1].at);
            }
            if two[1].layer > two[0].layer {
                // The key frame of a step down may take its time, so the rest began a little before it was seen.
                let rest = REST_AFTER_DOWNGRADE.as_millis() as u64 - 3 * KEY_FRAME_AFTER_MS - 1000;
                prop_assert!(left.is_none_or(|at| two[1].at - at >= rest), "up at {} after {left:?}", two[1].at);
            }
        }
        prop_assert_eq!(got.last().map(|one| one.layer), Some(2), "the best in the end");
    }
}
