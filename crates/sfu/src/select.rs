//! Which layer of a simulcast track one subscriber gets: what it asked for, else what its network carries.
//!
//! There is always an answer: a subscriber whose wish cannot be met gets the nearest layer below it, and one whose
//! network carries nothing at all still gets the lowest.

use std::sync::Arc;
use std::time::Duration;

use crate::layer::View;
use crate::packet::Size;

/// After a step down for lack of bandwidth, no step up for this long: an estimate recovers faster than a network.
pub const REST_AFTER_DOWNGRADE: Duration = Duration::from_secs(9);
/// A higher layer must fit into this share of the estimate, in percent, before it is taken.
const UPGRADE_SHARE: u64 = 85;
/// The present layer may exceed the estimate by this much, in percent, before it is left.
const TOLERANCE: u64 = 10;

/// What a subscriber asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// The lowest layer at first, then what the bandwidth allows.
    #[default]
    Automatic,
    Lowest,
    Highest,
    /// The layer of this name.
    Rid(Arc<str>),
    /// The highest layer that is not larger.
    Within(Size),
}

/// A layer's name and state.
pub type Named = (Arc<str>, View);

/// One subscriber's choice and what is known of its network.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub choice: Choice,
    /// Bits per second that the network carries, as far as known.
    pub budget: Option<u64>,
    /// The highest layer that it may have, by index; `None` for any.
    pub cap: Option<usize>,
    downgraded: Option<Duration>,
}

impl Selection {
    pub fn new(choice: Choice) -> Selection {
        Selection { choice, budget: None, cap: None, downgraded: None }
    }

    /// The index of the layer to send; `None` while nothing flows. `present` is the index of the layer that the
    /// subscriber has, if it has one, `overhead` what else goes to it, in bits per second.
    pub fn pick(
        &mut self,
        layers: &[Named],
        present: Option<usize>,
        overhead: u64,
        now: Duration,
    ) -> Option<usize> {
        let ranked = ranked(layers);
        let usable = self.allowed(layers, usable(layers, &ranked, present));
        let lowest = *usable.first()?;
        // One above what it may have is taken for the highest that it may.
        let present =
            present.map(|index| if self.allows(layers, index) { index } else { usable[usable.len() - 1] });
        let highest = |fits: &dyn Fn(usize) -> bool| usable.iter().rev().copied().find(|index| fits(*index));
        let wish = match &self.choice {
            Choice::Lowest => Some(lowest),
            Choice::Highest => highest(&|_| true),
            Choice::Within(limit) => highest(&|index| layers[index].1.size.is_some_and(|s| s.within(*limit))),
            Choice::Rid(rid) => match layers.iter().position(|(name, _)| name == rid) {
                Some(wanted) if layers[wanted].1.flows && self.allows(layers, wanted) => Some(wanted),
                Some(wanted) => highest(&|index| rank(layers, index) < rank(layers, wanted)),
                None => None,
            },
            Choice::Automatic => present.and_then(|p| self.afford(layers, &usable, p, overhead, now)),
        };
        wish.or(Some(lowest))
    }

    /// The layers that it could be given if it might have any, lowest first, as far as it wishes; and how many of them
    /// it may have now.
    pub fn ladder(&self, layers: &[Named], present: Option<usize>, now: Duration) -> (Vec<usize>, usize) {
        let mut free = Selection { cap: None, ..self.clone() };
        let mut ladder = usable(layers, &ranked(layers), present);
        if !matches!(self.choice, Choice::Automatic | Choice::Highest)
            && let Some(wish) = free.pick(layers, present, 0, now)
        {
            ladder.retain(|index| rank(layers, *index) <= rank(layers, wish));
            if ladder.is_empty() {
                ladder.push(wish);
            }
        }
        let held = ladder.iter().filter(|index| self.allows(layers, **index)).count();
        (ladder, held)
    }

    /// The rate of the highest flowing layer that it may have: what a subscriber could use at most.
    pub fn top_rate(&self, layers: &[Named]) -> u64 {
        let flowing = self.allowed(layers, ranked(layers));
        flowing.into_iter().map(|index| layers[index].1.rate).max().unwrap_or(0)
    }

    fn allows(&self, layers: &[Named], index: usize) -> bool {
        let known = |index: usize| index < layers.len();
        self.cap.is_none_or(|cap| !known(cap) || !known(index) || rank(layers, index) <= rank(layers, cap))
    }

    /// Those that it may have, or else the lowest.
    fn allowed(&self, layers: &[Named], mut ranked: Vec<usize>) -> Vec<usize> {
        let allowed = ranked.iter().take_while(|index| self.allows(layers, **index)).count();
        ranked.truncate(allowed.max(1));
        ranked
    }

    /// What the budget carries; `None`: the lowest, also while there is no budget.
    fn afford(
        &mut self,
        layers: &[Named],
        usable: &[usize],
        present: usize,
        overhead: u64,
        now: Duration,
    ) -> Option<usize> {
        let position = usable.iter().position(|index| *index == present)?;
        let budget = self.budget?.saturating_sub(overhead);
        let rate = |index: usize| layers[index].1.rate;
        if layers[present].1.steady > budget.saturating_mul(100 + TOLERANCE) / 100 {
            if position > 0 {
                self.downgraded = Some(now);
            }
            return usable[..position].iter().rev().copied().find(|index| rate(*index) <= budget);
        }
        if self.downgraded.is_some_and(|at| now.saturating_sub(at) < REST_AFTER_DOWNGRADE) {
            return Some(present);
        }
        let comfortable = budget / 100 * UPGRADE_SHARE;
        let higher = usable[position + 1..].iter().rev().copied().find(|index| rate(*index) <= comfortable);
        Some(higher.unwrap_or(present))
    }
}

/// Flowing layers, lowest first. The order of an offer says nothing sure about sizes, so they are looked at.
fn ranked(layers: &[Named]) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..layers.len()).filter(|index| layers[*index].1.flows).collect();
    indexes.sort_by_key(|index| rank(layers, *index));
    indexes
}

fn rank(layers: &[Named], index: usize) -> (u32, u64, usize) {
    let known = layers.iter().all(|(_, view)| view.size.is_some() || !view.flows);
    let view = &layers[index].1;
    let pixels = if known { view.size.map_or(0, Size::pixels) } else { 0 };
    (pixels, view.rate, index)
}

/// Those that have settled, or are what the subscriber has; all, if there would be none.
fn usable(layers: &[Named], ranked: &[usize], present: Option<usize>) -> Vec<usize> {
    let settled = |index: &usize| layers[*index].1.settled || Some(*index) == present;
    let usable: Vec<usize> = ranked.iter().copied().filter(settled).collect();
    if usable.is_empty() { ranked.to_vec() } else { usable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layer(rid: &str, width: u16, rate: u64) -> Named {
        let size = Some(Size { width, height: width / 16 * 9 });
        (rid.into(), View { flows: true, settled: true, rate, steady: rate, size })
    }

    /// In an order that is neither rising nor falling.
    fn three() -> Vec<Named> {
        vec![layer("h", 1280, 1_700_000), layer("l", 320, 200_000), layer("m", 640, 700_000)]
    }

    const HIGH: usize = 0;
    const LOW: usize = 1;
    const MIDDLE: usize = 2;

    fn check(choice: Choice, present: Option<usize>, change: impl Fn(&mut [Named]), expected: Option<usize>) {
        let mut layers = three();
        change(&mut layers);
        let picked = Selection::new(choice.clone()).pick(&layers, present, 0, Duration::ZERO);
        assert_eq!(picked, expected, "{choice:?} {layers:?}");
    }

    fn stop(layer: &mut Named) {
        (layer.1.flows, layer.1.settled) = (false, false);
    }

    #[test]
    fn choices() {
        let as_is = |_: &mut [Named]| {};
        let rid = |name: &str| Choice::Rid(name.into());
        let within = |width, height| Choice::Within(Size { width, height });
        check(Choice::Automatic, None, as_is, Some(LOW));
        check(Choice::Automatic, Some(HIGH), as_is, Some(LOW));
        check(Choice::Lowest, Some(HIGH), as_is, Some(LOW));
        check(Choice::Highest, None, as_is, Some(HIGH));
        check(rid("m"), None, as_is, Some(MIDDLE));
        check(rid("none"), None, as_is, Some(LOW));
        check(within(800, 600), None, as_is, Some(MIDDLE));
        check(within(10, 10), None, as_is, Some(LOW));
        // What does not flow is not chosen; the next lower one stands in for it.
        check(Choice::Highest, None, |layers| stop(&mut layers[HIGH]), Some(MIDDLE));
        check(rid("h"), None, |layers| stop(&mut layers[HIGH]), Some(MIDDLE));
        check(rid("l"), None, |layers| stop(&mut layers[LOW]), Some(MIDDLE));
        check(Choice::Automatic, Some(HIGH), |layers| stop(&mut layers[HIGH]), Some(LOW));
        check(Choice::Lowest, Some(LOW), |layers| layers.iter_mut().for_each(stop), None);
        // A layer that has just begun is chosen only by name, or if there is none that has settled.
        let fresh = |layers: &mut [Named]| layers[LOW].1.settled = false;
        check(Choice::Lowest, None, fresh, Some(MIDDLE));
        check(Choice::Lowest, Some(LOW), fresh, Some(LOW));
        check(rid("l"), None, fresh, Some(LOW));
        let all = |layers: &mut [Named]| layers.iter_mut().for_each(|layer| layer.1.settled = false);
        check(Choice::Lowest, None, all, Some(LOW));
        // Without sizes, rates tell.
        let unknown = |layers: &mut [Named]| layers.iter_mut().for_each(|layer| layer.1.size = None);
        check(Choice::Lowest, None, unknown, Some(LOW));
        check(Choice::Highest, None, unknown, Some(HIGH));
    }

    #[test]
    fn the_budget_decides_with_patience() {
        let mut selection = Selection::new(Choice::Automatic);
        let mut present = Some(LOW);
        let mut at = |seconds: u64, budget: u64, expected: usize| {
            selection.budget = Some(budget);
            present = selection.pick(&three(), present, 50_000, Duration::from_secs(seconds));
            assert_eq!(present, Some(expected), "after {seconds} s");
        };
        at(0, 500_000, LOW);
        at(1, 900_000, MIDDLE);
        at(2, 3_000_000, HIGH);
        // A little over the budget is borne.
        at(3, 1_700_000, HIGH);
        at(4, 1_000_000, MIDDLE);
        at(5, 5_000_000, MIDDLE);
        at(12, 5_000_000, MIDDLE);
        at(14, 5_000_000, HIGH);
        at(15, 10, LOW);
        at(16, 0, LOW);
        at(24, 9_000_000, HIGH);
    }

    #[test]
    fn nobody_gets_more_than_he_may() {
        let pick = |choice: Choice, present: Option<usize>, budget: Option<u64>, cap: Option<usize>| {
            let mut selection = Selection { budget, cap, ..Selection::new(choice) };
            selection.pick(&three(), present, 0, Duration::ZERO)
        };
        let rid = |name: &str| Choice::Rid(name.into());
        let plenty = Some(9_000_000);
        for (choice, present, budget, cap, expected) in [
            (Choice::Highest, None, None, Some(MIDDLE), MIDDLE),
            (Choice::Highest, Some(HIGH), None, Some(LOW), LOW),
            (rid("h"), Some(HIGH), None, Some(MIDDLE), MIDDLE),
            (rid("l"), Some(HIGH), None, Some(MIDDLE), LOW),
            (Choice::Automatic, Some(HIGH), plenty, Some(MIDDLE), MIDDLE),
            (Choice::Automatic, Some(LOW), plenty, Some(MIDDLE), MIDDLE),
            (Choice::Automatic, Some(HIGH), Some(300_000), Some(MIDDLE), LOW),
            (Choice::Automatic, Some(LOW), plenty, None, HIGH),
        ] {
            assert_eq!(
                pick(choice.clone(), present, budget, cap),
                Some(expected),
                "{choice:?} {present:?} {cap:?}"
            );
        }
        let ladder = |choice: Choice, cap| {
            let selection = Selection { cap, ..Selection::new(choice) };
            selection.ladder(&three(), None, Duration::ZERO)
        };
        assert_eq!(ladder(Choice::Automatic, None), (vec![LOW, MIDDLE, HIGH], 3));
        assert_eq!(ladder(Choice::Highest, Some(MIDDLE)), (vec![LOW, MIDDLE, HIGH], 2));
        assert_eq!(ladder(rid("m"), Some(LOW)), (vec![LOW, MIDDLE], 1));
        assert_eq!(ladder(Choice::Lowest, None), (vec![LOW], 1));
        let capped = Selection { cap: Some(MIDDLE), ..Selection::default() };
        assert_eq!(capped.top_rate(&three()), 700_000);
    }

    proptest! {
        /// While anything flows, there is something to see, and only what flows is chosen.
        #[test]
        fn there_is_always_an_answer(
            flows in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u64..5_000_000), 1..5),
            present in proptest::option::of(0usize..5),
            budget in proptest::option::of(any::<u64>()),
            kind in 0u8..5,
            cap in proptest::option::of(0usize..5),
        ) {
            let layers: Vec<Named> = flows
                .iter()
                .enumerate()
                .map(|(index, (flows, settled, rate))| {
                    let (flows, settled, rate) = (*flows, *flows && *settled, *rate);
                    let view = View { flows, settled, rate, steady: rate, size: None };
                    (index.to_string().into(), view)
                })
                .collect();
            let choice = match kind {
                0 => Choice::Automatic,
                1 => Choice::Lowest,
                2 => Choice::Highest,
                3 => Choice::Rid("1".into()),
                _ => Choice::Within(Size { width: 100, height: 100 }),
            };
            let mut selection = Selection::new(choice);
            (selection.budget, selection.cap) = (budget, cap);
            let picked = selection.pick(&layers, present, 0, Duration::ZERO);
            prop_assert_eq!(picked.is_some(), flows.iter().any(|(flows, ..)| *flows));
            prop_assert!(picked.is_none_or(|index| flows[index].0));
        }
    }
}
