//! What every request of every API uses, whichever way it takes.

use stagedoor_state::ids::SystemEntropy;

use crate::Config;
use crate::backends::Backends;
use crate::ids::RequestIds;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) backends: Backends,
    pub(crate) ids: RequestIds,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self { backends: Backends::new(&config), ids: RequestIds::new(&SystemEntropy), config }
    }
}
