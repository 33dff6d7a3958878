//! What every request changes, once for each of some threads: processors that change the same memory in turns wait for each
//! other, the longer the more there are of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many threads have one of their own; more share them.
const THREADS: usize = 8;

/// One for each thread that has asked for it.
#[derive(Debug)]
pub(crate) struct PerThread<T>([OnceLock<T>; THREADS]);

impl<T> Default for PerThread<T> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; THREADS])
    }
}

impl<T> PerThread<T> {
    /// This thread's, made when it first asks.
    pub(crate) fn own(&self, make: impl FnOnce() -> T) -> &T {
        self.0[number() % THREADS].get_or_init(make)
    }

    /// Those that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(OnceLock::get)
    }
}

/// Threads by the order in which they first asked.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn what_threads_count_is_all_there() {
        let counts = Arc::<PerThread<AtomicUsize>>::default();
        assert_eq!(counts.all().count(), 0);
        let count = |counts: &PerThread<AtomicUsize>| {
            for _ in 0..100 {
                counts.own(AtomicUsize::default).fetch_add(1, Ordering::Relaxed);
            }
        };
        let threads: Vec<_> = (0..2 * THREADS)
            .map(|_| {
                let counts = Arc::clone(&counts);
                thread::spawn(move || count(&counts))
            })
            .collect();
        for thread in threads {
            thread.join().expect("it counts");
        }
        let sum: usize = counts.all().map(|count| count.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, 200 * THREADS);
        assert_eq!(counts.all().count(), THREADS);
    }
}
