//! What every request of every API uses, whichever way it takes.

use stagedoor_state::ids::SystemEntropy;
use tokio::time::Instant;

use crate::Config;
use crate::authorize::AccessKeys;
use crate::aws::Services;
use crate::backends::Backends;
use crate::ids::RequestIds;
use crate::lambda::Lambda;
use crate::logs::Logs;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) backends: Backends,
    pub(crate) ids: RequestIds,
    pub(crate) lambda: Lambda,
    pub(crate) services: Services,
    pub(crate) logs: Logs,
    pub(crate) access_keys: AccessKeys,
    began: Instant,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            backends: Backends::new(&config),
            ids: RequestIds::new(&SystemEntropy),
            lambda: Lambda::new(&config),
            services: Services::new(&config),
            logs: Logs::new(&config),
            access_keys: AccessKeys::new(&config.access_keys),
            began: Instant::now(),
            config,
        }
    }

    /// The clock of throttles: nanoseconds since the gateway began.
    pub(crate) fn nanos(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
