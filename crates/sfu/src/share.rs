//! How a participant's subscriptions share what it may download: 8.5 Mbit/s for all of them together on Amazon IVS
//! (<https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/service-quotas.html>), which does not say what gives way.
//! Here layers go down, the highest first, so that everybody is seen; who was there first keeps more.

/// A further layer must fit into this share of what there is, in percent, before it is allowed: rates wobble.
const MORE_SHARE: u64 = 85;

/// What one subscription would have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Bits per second besides the picture.
    pub fixed: u64,
    /// The layers of the picture, lowest first, as far as they are wanted; one without simulcast.
    pub steps: Vec<Step>,
    /// How many of these it may have at present.
    pub held: usize,
}

/// A layer by its index, and its bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub layer: u8,
    pub rate: u64,
}

impl Demand {
    /// What it takes with the first so many steps.
    fn cost(&self, steps: usize) -> u64 {
        self.fixed + steps.checked_sub(1).and_then(|at| self.steps.get(at)).map_or(0, |step| step.rate)
    }

    /// The layer to which it is to be limited if it may have so many steps; `None` if these are all.
    pub fn limit(&self, steps: usize) -> Option<u8> {
        let top = steps.checked_sub(1).and_then(|at| self.steps.get(at));
        top.filter(|_| steps < self.steps.len()).map(|step| step.layer)
    }
}

/// How many of its steps each may have, in the order of the demands, the oldest first; `None` if not even the lowest
/// ones fit into `budget` bits per second.
pub fn share(demands: &[Demand], budget: u64) -> Option<Vec<usize>> {
    let mut given: Vec<usize> = demands.iter().map(|demand| demand.steps.len().min(1)).collect();
    let mut total: u64 = demands.iter().zip(&given).map(|(demand, steps)| demand.cost(*steps)).sum();
    if total > budget {
        return None;
    }
    let highest = demands.iter().map(|demand| demand.steps.len()).max().unwrap_or(0);
    for steps in 2..=highest {
        for (demand, given) in demands.iter().zip(&mut given) {
            if *given + 1 != steps || demand.steps.len() < steps {
                continue;
            }
            let with = (total - demand.cost(*given)).saturating_add(demand.cost(steps));
            let room = if steps <= demand.held { budget } else { budget / 100 * MORE_SHARE };
            if with <= room {
                (*given, total) = (steps, with);
            }
        }
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn demand(held: usize, rates: &[u64]) -> Demand {
        let steps = rates.iter().enumerate().map(|(layer, rate)| Step { layer: layer as u8, rate: *rate });
        Demand { fixed: 50, steps: steps.collect(), held }
    }

    fn check(demands: &[Demand], expected: Option<&[usize]>) {
        assert_eq!(share(demands, 8500).as_deref(), expected, "{demands:?}");
    }

    #[test]
    fn layers_go_down_before_anybody_does() {
        let full = || demand(3, &[200, 700, 1700]);
        check(&[full(), full(), full()], Some(&[3, 3, 3]));
        // Eleven, which is a full stage, are seen alike; of fewer the first ones best.
        check(&vec![full(); 11], Some(&[2; 11]));
        check(&[full(), full(), full(), full(), full()], Some(&[3, 3, 3, 3, 2]));
        // Without layers there is nothing to go down.
        check(&[demand(1, &[4000]), demand(1, &[4300])], Some(&[1, 1]));
        check(&[demand(1, &[4300]), demand(1, &[4300])], None);
        check(&[demand(1, &[6500]), full()], Some(&[1, 3]));
        check(&[demand(1, &[7000]), full()], Some(&[1, 2]));
        // Sound alone, and nobody.
        check(&[demand(0, &[]), full()], Some(&[0, 3]));
        check(&[], Some(&[]));
    }

    #[test]
    fn what_was_taken_away_comes_back_when_there_is_room() {
        check(&[demand(1, &[5700]), demand(2, &[200, 700, 1700])], Some(&[1, 2]));
        check(&[demand(1, &[5000]), demand(2, &[200, 700, 1700])], Some(&[1, 3]));
        check(&[demand(1, &[6500]), demand(3, &[200, 700, 1700])], Some(&[1, 3]));
    }

    #[test]
    fn limits_name_layers() {
        let demand = demand(3, &[200, 700, 1700]);
        assert_eq!([1, 2, 3].map(|steps| demand.limit(steps)), [Some(0), Some(1), None]);
        assert_eq!(Demand::default().limit(0), None);
    }

    proptest! {
        #[test]
        fn the_budget_is_kept(
            rates in proptest::collection::vec(
                (0u64..200, proptest::collection::vec(0u64..9000, 0..4), 0usize..4),
                0..13,
            ),
            budget in 0u64..20_000,
        ) {
            let demands: Vec<Demand> = rates
                .into_iter()
                .map(|(fixed, mut rates, held)| {
                    rates.sort_unstable();
                    Demand { fixed, ..demand(held, &rates) }
                })
                .collect();
            if let Some(given) = share(&demands, budget) {
                let total: u64 = demands.iter().zip(&given).map(|(demand, steps)| demand.cost(*steps)).sum();
                prop_assert!(total <= budget);
                let within = |(demand, steps): (&Demand, &usize)| {
                    (demand.steps.len().min(1)..=demand.steps.len()).contains(steps)
                };
                prop_assert!(demands.iter().zip(&given).all(within));
            }
        }
    }
}
