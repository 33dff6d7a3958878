//! What every request of every API uses, whichever way it takes.

use stagedoor_state::ids::SystemEntropy;

use crate::Config;
use crate::aws::Services;
use crate::backends::Backends;
use crate::ids::RequestIds;
use crate::lambda::Lambda;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) backends: Backends,
    pub(crate) ids: RequestIds,
    pub(crate) lambda: Lambda,
    pub(crate) services: Services,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            backends: Backends::new(&config),
            ids: RequestIds::new(&SystemEntropy),
            lambda: Lambda::new(&config),
            services: Services::new(&config),
            config,
        }
    }
}
