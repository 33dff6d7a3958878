//! What all APIs of one account in one region share: who may ask, and the account's throttle.
//!
//! It outlives plans: every plan holds the same one, and the follower changes what is in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::clients::Clients;
use crate::throttle::Bucket;

#[derive(Default)]
pub(crate) struct Place {
    /// API keys and usage plans.
    pub(crate) clients: ArcSwap<Clients>,
    /// `targetArns` of VPC links of REST APIs, by the links' ids.
    pub(crate) links: ArcSwap<BTreeMap<String, Vec<String>>>,
    /// The account's throttle in this region.
    pub(crate) bucket: Bucket,
}

/// By account and region. Only the follower takes the lock, and whoever asks for all of them.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<(String, String), Arc<Place>>>);

impl Places {
    /// The place, made if nobody has been there.
    pub(crate) fn of(&self, account: &str, region: &str) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry((account.to_owned(), region.to_owned())).or_default())
    }

    pub(crate) fn all(&self) -> Vec<((String, String), Arc<Place>)> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.iter().map(|(place, shared)| (place.clone(), Arc::clone(shared))).collect()
    }

    /// Forgets keys, plans and links, as a cleared store does.
    pub(crate) fn clear(&self) {
        for (_, place) in self.all() {
            place.clients.store(Arc::default());
            place.links.store(Arc::default());
        }
    }
}
