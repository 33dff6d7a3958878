//! How much goes on at each stage, asked for by those who run the server and by nobody else: media threads answer when
//! they are asked and count nothing for it meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_sfu::LayerFigures;
use stagedoor_sfu::room::Figures;
use tokio::time::timeout;

use crate::service::Handle;

/// How long a media thread may take to answer; its part is left out otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// One stage with somebody connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
}

impl Handle {
    /// The stages with a connection, by their ARNs.
    pub async fn stages(&self) -> Vec<StageFigures> {
        let mut flows: HashMap<Arc<str>, Figures> = HashMap::new();
        for answer in self.inner.shards.measure() {
            let Ok(Ok(rooms)) = timeout(PATIENCE, answer).await else { continue };
            for (stage_arn, figures) in rooms {
                let sum = flows.entry(stage_arn).or_default();
                sum.subscribe_rate += figures.subscribe_rate;
                sum.layers.extend(figures.layers);
            }
        }
        let stages: BTreeMap<Arc<str>, StageFigures> = self.inner.look(|presence| presence.counts());
        let whole = |stage: StageFigures| {
            let Figures { subscribe_rate, mut layers } = flows.remove(&stage.stage_arn).unwrap_or_default();
            layers.sort_by(|one, two| (&one.participant, &one.rid).cmp(&(&two.participant, &two.rid)));
            StageFigures { subscribe_rate, layers, ..stage }
        };
        stages.into_values().map(whole).collect()
    }
}
