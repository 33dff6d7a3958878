//! What a participant receives by all its subscriptions together stays within a limit: layers go down for it, and when
//! not even the lowest ones fit for some seconds, the newest subscription ends with an error. How the limit is shared is
//! [`stagedoor_sfu::share`]'s; here participants with more than one subscription are looked after, once a second. One
//! subscription alone cannot exceed the limit, since its publisher may not send more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_sfu::{Demand, PeerKey, PeerMap, Violation};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::service::Inner;
use crate::shard::{Command, End};

const EVERY: Duration = Duration::from_secs(1);
/// For how long the lowest layers may exceed the limit: as long as publishers may exceed theirs.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a media thread may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Looks after the participants of all stages, for ever.
pub async fn watch(inner: Arc<Inner>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        tick.tick().await;
        let participants = inner.look(|presence| presence.several_subscriptions());
        let demands = demands(&inner, &participants).await;
        let actions =
            watch.decide(&participants, &demands, inner.config.limits.download_rate_max, inner.world.now());
        for action in actions {
            match action {
                // Overloaded: it is said again with the next look.
                Action::Cap(key, layer) => drop(inner.shards.send(Command::Cap(key, layer))),
                Action::End(key) => {
                    let end = End::Violated(Violation::BitRate);
                    inner.change(|presence, moment| presence.ended(key, end, moment));
                    inner.close([key]);
                }
            }
        }
    }
}

async fn demands(inner: &Inner, participants: &[Vec<PeerKey>]) -> PeerMap<Demand> {
    let subscriptions: Arc<[PeerKey]> = participants.iter().flatten().copied().collect();
    let mut demands = PeerMap::default();
    if subscriptions.is_empty() {
        return demands;
    }
    for answer in inner.shards.weigh(&subscriptions) {
        if let Ok(Ok(found)) = timeout(ANSWER_WITHIN, answer).await {
            demands.extend(found);
        }
    }
    demands
}

/// What is to be done about a subscription.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Cap(PeerKey, Option<u8>),
    End(PeerKey),
}

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
struct Watch {
    /// Since when the newest of a participant's subscriptions has been one too many.
    over: HashMap<PeerKey, Instant>,
    /// What subscriptions are limited to.
    caps: PeerMap<u8>,
}

impl Watch {
    fn decide(
        &mut self,
        participants: &[Vec<PeerKey>],
        demands: &PeerMap<Demand>,
        limit: u64,
        now: Instant,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut over = HashMap::new();
        let seen: HashSet<PeerKey> = participants.iter().flatten().copied().collect();
        for subscriptions in participants {
            let known: Vec<PeerKey> =
                subscriptions.iter().copied().filter(|key| demands.contains_key(key)).collect();
            let wanted: Vec<Demand> = known.iter().map(|key| demands[key].clone()).collect();
            let given = stagedoor_sfu::share(&wanted, limit);
            if let (None, Some(newest)) = (&given, known.last()) {
                let since = *self.over.get(newest).unwrap_or(&now);
                if now.saturating_duration_since(since) >= PATIENCE {
                    actions.push(Action::End(*newest));
                } else {
                    over.insert(*newest, since);
                }
            }
            let given = given.unwrap_or_else(|| vec![1; known.len()]);
            for ((key, demand), steps) in known.iter().zip(&wanted).zip(given) {
                let layer = demand.limit(steps);
                if self.caps.get(key).copied() != layer || (layer.is_some() && demand.held != steps) {
                    actions.push(Action::Cap(*key, layer));
                }
                match layer {
                    Some(layer) => _ = self.caps.insert(*key, layer),
                    None => _ = self.caps.remove(key),
                }
            }
        }
        // Who has one subscription left may have all of it.
        self.caps.retain(|key, _| {
            let stays = seen.contains(key);
            if !stays {
                actions.push(Action::Cap(*key, None));
            }
            stays
        });
        self.over = over;
        actions
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_sfu::share::Step;

    use super::*;

    const LIMIT: u64 = 1000;

    fn demand(held: usize, rates: &[u64]) -> Demand {
        let steps = rates.iter().enumerate().map(|(layer, rate)| Step { layer: layer as u8, rate: *rate });
        Demand { fixed: 0, steps: steps.collect(), held }
    }

    #[test]
    fn layers_go_down_and_come_back() {
        #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
        let now = Instant::now();
        let (one, two) = (PeerKey(1), PeerKey(2));
        let mut watch = Watch::default();
        let mut look = |participants: &[Vec<PeerKey>], demands: &[(PeerKey, Demand)]| {
            watch.decide(participants, &demands.iter().cloned().collect(), LIMIT, now)
        };
        let both = [vec![one, two]];
        let full = |held| demand(held, &[100, 700]);
        assert_eq!(look(&both, &[(one, full(2)), (two, full(2))]), [Action::Cap(two, Some(0))]);
        assert_eq!(look(&both, &[(one, full(2)), (two, full(1))]), []);
        // It is not held to it: its publisher came again, with other layers.
        assert_eq!(look(&both, &[(one, full(2)), (two, full(2))]), [Action::Cap(two, Some(0))]);
        assert_eq!(look(&both, &[(one, demand(2, &[100, 120])), (two, full(1))]), [Action::Cap(two, None)]);
        assert_eq!(look(&both, &[(one, full(2)), (two, full(2))]), [Action::Cap(two, Some(0))]);
        assert_eq!(look(&[], &[]), [Action::Cap(two, None)]);
        assert_eq!(look(&[], &[]), []);
    }

    #[test]
    fn the_newest_goes_when_nothing_gives_way() {
        #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
        let start = Instant::now();
        let (one, two) = (PeerKey(1), PeerKey(2));
        let mut watch = Watch::default();
        let demands: PeerMap<Demand> =
            [(one, demand(1, &[600])), (two, demand(2, &[600, 900]))].into_iter().collect();
        let mut look = |seconds, demands: &PeerMap<Demand>| {
            watch.decide(&[vec![one, two]], demands, LIMIT, start + Duration::from_secs(seconds))
        };
        assert_eq!(look(0, &demands), [Action::Cap(two, Some(0))]);
        assert_eq!(look(4, &demands), [Action::Cap(two, Some(0))]);
        let less: PeerMap<Demand> =
            [(one, demand(1, &[300])), (two, demand(1, &[600, 900]))].into_iter().collect();
        assert_eq!(look(5, &less), []);
        assert_eq!(look(6, &demands), [Action::Cap(two, Some(0))], "its time begins anew");
        assert!(look(11, &demands).contains(&Action::End(two)));
    }
}
