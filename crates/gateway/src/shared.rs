//! What every request of every API uses, whichever way it takes.

use std::sync::Arc;

use stagedoor_state::ids::SystemEntropy;
use tokio::time::Instant;

use crate::Config;
use crate::authorize::{AccessKeys, Documents};
use crate::aws::Services;
use crate::backends::Backends;
use crate::ids::RequestIds;
use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::rest::rendering::Renderings;
use crate::room::Room;

pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) backends: Backends,
    pub(crate) ids: RequestIds,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) services: Arc<Services>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) access_keys: Arc<AccessKeys>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) renderings: Renderings,
    pub(crate) room: Arc<Room>,
    began: Instant,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            backends: Backends::new(&config),
            ids: RequestIds::new(&SystemEntropy),
            lambda: Arc::new(Lambda::new(&config)),
            services: Arc::new(Services::new(&config)),
            logs: Arc::new(Logs::new(&config)),
            access_keys: Arc::new(AccessKeys::new(&config.access_keys)),
            documents: Arc::new(Documents::new(&config)),
            renderings: Renderings::default(),
            room: Arc::new(Room::new(config.request_bodies_bytes_max)),
            began: Instant::now(),
            config: Arc::new(config),
        }
    }

    /// The same for another thread: what requests change most, connections and ids, is that thread's own.
    pub(crate) fn for_thread(&self) -> Self {
        Self {
            backends: Backends::new(&self.config),
            ids: RequestIds::new(&SystemEntropy),
            lambda: Arc::clone(&self.lambda),
            services: Arc::clone(&self.services),
            logs: Arc::clone(&self.logs),
            access_keys: Arc::clone(&self.access_keys),
            documents: Arc::clone(&self.documents),
            renderings: self.renderings.clone(),
            room: Arc::clone(&self.room),
            began: self.began,
            config: Arc::clone(&self.config),
        }
    }

    /// The clock of throttles: nanoseconds since the gateway began.
    pub(crate) fn nanos(&self) -> u64 {
        self.nanos_at(Instant::now())
    }

    /// The same at a moment that was looked at before.
    pub(crate) fn nanos_at(&self, moment: Instant) -> u64 {
        u64::try_from((moment - self.began).as_nanos()).unwrap_or(u64::MAX)
    }
}
