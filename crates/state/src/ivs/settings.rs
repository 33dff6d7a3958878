//! What holds for stages on this server as a whole: how much there may be, and what its media plane can carry.

/// What operations on stages may know about the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub quotas: Quotas,
    pub carries: Carries,
    /// Whether the events that AWS sends to EventBridge have anywhere to go.
    pub event_targets: bool,
}

/// How much an account may have in a region, or a stage or participant of it. The defaults are those of AWS.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/service-quotas.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub stages: usize,
    /// At one time. The media plane's to keep, as the next one.
    pub publishers_per_stage: usize,
    /// At one time, publishing or not.
    pub participants_per_stage: usize,
    /// At one time, as the next one; also the media plane's to keep.
    pub concurrent_publishers: usize,
    pub concurrent_subscriptions: usize,
    pub storage_configurations: usize,
    pub encoder_configurations: usize,
    pub ingest_configurations: usize,
    pub public_keys: usize,
    /// At one time.
    pub compositions: usize,
    /// At one time.
    pub compositions_per_stage: usize,
    /// At one time.
    pub replications_per_participant: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            stages: 1000,
            publishers_per_stage: 12,
            participants_per_stage: 10_000,
            concurrent_publishers: 1000,
            concurrent_subscriptions: 20_000,
            storage_configurations: 5,
            encoder_configurations: 20,
            ingest_configurations: 100,
            public_keys: 3,
            compositions: 20,
            compositions_per_stage: 5,
            replications_per_participant: 5,
        }
    }
}

impl Quotas {
    /// Every quota's name, as operators write it, with its value.
    pub fn all(&mut self) -> [(&'static str, &mut usize); 12] {
        [
            ("stages", &mut self.stages),
            ("publishers-per-stage", &mut self.publishers_per_stage),
            ("participants-per-stage", &mut self.participants_per_stage),
            ("concurrent-publishers", &mut self.concurrent_publishers),
            ("concurrent-subscriptions", &mut self.concurrent_subscriptions),
            ("storage-configurations", &mut self.storage_configurations),
            ("encoder-configurations", &mut self.encoder_configurations),
            ("ingest-configurations", &mut self.ingest_configurations),
            ("public-keys", &mut self.public_keys),
            ("compositions", &mut self.compositions),
            ("compositions-per-stage", &mut self.compositions_per_stage),
            ("replications-per-participant", &mut self.replications_per_participant),
        ]
    }

    /// Sets the quota of that name; false if there is none.
    pub fn set(&mut self, name: &str, max: usize) -> bool {
        let found = self.all().into_iter().find(|(known, _)| *known == name);
        found.map(|(_, quota)| *quota = max).is_some()
    }
}

/// What the media plane can do besides forwarding within a stage. What it cannot do the control plane does not
/// promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carries {
    /// Mix a stage into one picture. Without it a composition fails as soon as it has started.
    pub compositions: bool,
    /// Bring a participant to other stages. Without it no replication can be started.
    pub replicas: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_set_by_name() {
        let mut quotas = Quotas::default();
        assert!(quotas.set("public-keys", 7) && !quotas.set("public_keys", 8));
        assert_eq!(quotas, Quotas { public_keys: 7, ..Quotas::default() });
    }
}
