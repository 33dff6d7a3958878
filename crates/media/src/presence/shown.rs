//! What participants report of the pictures that they receive: only who decodes them knows how many were dropped.

use super::Presence;

/// A subscription's reports.
#[derive(Debug, Default)]
pub struct Shown {
    received: u64,
    dropped: u64,
    /// Of what was received between the last two reports.
    share: Option<f64>,
}

impl Shown {
    /// Pictures received and dropped since the subscription began. Less than before means that it has begun anew.
    fn note(&mut self, received: u64, dropped: u64) {
        let anew = received < self.received || dropped < self.dropped;
        let before = if anew { (0, 0) } else { (self.received, self.dropped) };
        let (came, lost) = (received - before.0, dropped - before.1);
        (self.received, self.dropped) = (received, dropped);
        if came > 0 {
            self.share = Some((lost as f64 / came as f64).min(1.0));
        }
    }

    /// The share that was dropped lately, from 0 to 1; `None` if nothing is reported.
    pub fn share(&self) -> Option<f64> {
        self.share
    }
}

impl Presence {
    /// A participant says how many pictures of `remote` it has received and dropped. `false`: it does not receive it.
    pub fn report_frames(
        &mut self,
        stage_arn: &str,
        participant_id: &str,
        remote: &str,
        received: u64,
        dropped: u64,
    ) -> bool {
        let newest = self.subscriptions(stage_arn, participant_id, remote).pop();
        match newest.and_then(|key| self.connections.get_mut(&key)) {
            Some(attached) => {
                attached.shown.note(received, dropped);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_compared_with_the_one_before() {
        let mut shown = Shown::default();
        assert_eq!(shown.share(), None);
        for (received, dropped, expected) in [
            (0, 0, None),
            (100, 10, Some(0.1)),
            (200, 60, Some(0.5)),
            (200, 60, Some(0.5)),
            (50, 0, Some(0.0)),
            (51, 9, Some(1.0)),
        ] {
            shown.note(received, dropped);
            assert_eq!(shown.share(), expected, "{received} {dropped}");
        }
    }
}
