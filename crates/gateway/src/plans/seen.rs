//! The plans as one thread sees them. How many of its requests hold on to them is counted where no other thread counts:
//! a count that several processors change costs each of them more than a look at the plans.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::Plans;

/// All plans at a moment.
pub(crate) struct Seen(Arc<Plans>);

impl Deref for Seen {
    type Target = Plans;

    fn deref(&self) -> &Plans {
        &self.0
    }
}

/// What a thread saw last. It holds on to that until it looks again.
pub(crate) struct View(Mutex<Arc<Seen>>);

impl View {
    pub(crate) fn new(plans: &ArcSwap<Plans>) -> Self {
        Self(Mutex::new(Arc::new(Seen(plans.load_full()))))
    }

    /// The plans as they are now.
    pub(crate) fn look(&self, plans: &ArcSwap<Plans>) -> Arc<Seen> {
        let now = plans.load();
        // Nothing in here panics between two changes.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&seen.0, &now) {
            *seen = Arc::new(Seen(Arc::clone(&now)));
        }
        Arc::clone(&seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen_and_what_was_seen_stays() {
        let plans = ArcSwap::from_pointee(Plans::default());
        let view = View::new(&plans);
        let before = view.look(&plans);
        assert!(Arc::ptr_eq(&before, &view.look(&plans)));
        let new = Arc::new(Plans::default());
        plans.store(Arc::clone(&new));
        assert!(!Arc::ptr_eq(&before.0, &new));
        assert!(Arc::ptr_eq(&view.look(&plans).0, &new));
    }
}
