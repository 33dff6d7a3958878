//! How much goes on at each stage, asked for by those who run the server and by nobody else: media threads answer when
//! they are asked and count nothing for it meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_sfu::room::Figures;
use stagedoor_sfu::{Kind, LayerFigures, PeerMap};
use tokio::time::timeout;

use crate::service::Handle;
use crate::shard::Measured;

/// How long a media thread may take to answer; its part is left out otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// One stage with somebody connected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StageFigures {
    pub stage_arn: Arc<str>,
    /// Participants that publish; encoders with the same content are one.
    pub publishers: u64,
    /// Participants that receive somebody.
    pub subscribers: u64,
    /// Connections by which somebody receives somebody.
    pub subscriptions: u64,
    /// What is sent to subscribers, in bits per second.
    pub subscribe_rate: u64,
    pub layers: Vec<LayerFigures>,
    /// What all who receive somebody say together.
    pub receiving: Received,
    /// The same for each participant that receives and publishes.
    pub receivers: BTreeMap<Arc<str>, Received>,
}

/// What is known of one connection by which somebody receives somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Receiving {
    /// Bits per second.
    pub audio: u64,
    pub video: u64,
    /// The share of packets that it reports as lost, from 0 to 1.
    pub lost: Option<f32>,
    /// The share of pictures that it reports as dropped, from 0 to 1.
    pub dropped: Option<f64>,
}

/// What is known of several of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Received {
    /// Bits per second.
    pub audio: u64,
    pub video: u64,
    pub lost: Mean,
    pub dropped: Mean,
}

/// A sum with its count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    count: u64,
}

impl Received {
    pub fn add(&mut self, one: &Receiving) {
        self.audio += one.audio;
        self.video += one.video;
        self.lost.add(one.lost.map(f64::from));
        self.dropped.add(one.dropped);
    }
}

impl Mean {
    pub fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    /// The mean of this one and others, each counted by how many it is of; `None` of nothing.
    pub fn of<'a>(all: impl Iterator<Item = &'a Mean>) -> Option<f64> {
        let (sum, count) = all.fold((0.0, 0), |(sum, count), one| (sum + one.sum, count + one.count));
        (count > 0).then(|| sum / count as f64)
    }
}

impl Handle {
    /// The stages with a connection, by their ARNs.
    pub async fn stages(&self) -> Vec<StageFigures> {
        let mut flows: HashMap<Arc<str>, Figures> = HashMap::new();
        let mut received: PeerMap<Receiving> = PeerMap::default();
        for answer in self.inner.shards.measure() {
            let Ok(Ok(Measured { rooms, losses })) = timeout(PATIENCE, answer).await else { continue };
            for (stage_arn, figures) in rooms {
                let sum = flows.entry(stage_arn).or_default();
                sum.subscribe_rate += figures.subscribe_rate;
                sum.layers.extend(figures.layers);
                for (key, kind, rate) in figures.received {
                    let receiving = received.entry(key).or_default();
                    match kind {
                        Kind::Audio => receiving.audio += rate,
                        Kind::Video => receiving.video += rate,
                    }
                }
            }
            for (key, lost) in losses {
                received.entry(key).or_default().lost = Some(lost);
            }
        }
        let stages: BTreeMap<Arc<str>, StageFigures> = self.inner.look(|presence| presence.counts(&received));
        let whole = |stage: StageFigures| {
            let Figures { subscribe_rate, mut layers, .. } =
                flows.remove(&stage.stage_arn).unwrap_or_default();
            layers.sort_by(|one, two| (&one.participant, &one.rid).cmp(&(&two.participant, &two.rid)));
            StageFigures { subscribe_rate, layers, ..stage }
        };
        stages.into_values().map(whole).collect()
    }
}
