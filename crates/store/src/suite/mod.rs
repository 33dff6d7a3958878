//! The test suite that every back end has to pass: the specification of [`Backend`](crate::Backend) and, on top of
//! it, of transactions and followers. What happens in a crash is tested where the back end is.

mod conflicts;
pub(crate) mod feed;
mod limits;
mod model;
mod races;

use crate::{Document, Result, Revision, Store, Transaction};

/// The most commits that the change feed of a store under test may keep for long.
pub const FEED_COMMITS_MAX: u64 = 1000;

/// Runs every test on a store of its own. `make` returns an empty one, with a feed of [`FEED_COMMITS_MAX`].
///
/// # Panics
/// When a test fails; its name is on standard error.
pub fn run(make: impl Fn() -> Store) {
    for (name, test) in TESTS {
        eprintln!("store suite: {name}");
        let store = make();
        assert_eq!(store.head(), Revision::ZERO, "the store is not new");
        test(&store);
    }
}

/// What must hold, and how that is tested.
type Test = (&'static str, fn(&Store));

const TESTS: [Test; 17] = [
    ("a transaction conflicts exactly with changes of what it read", conflicts::exact),
    ("clearing conflicts with what is under way", conflicts::clear),
    ("a failed transaction stores nothing", conflicts::failed),
    ("a transaction without writes commits nothing", conflicts::without_writes),
    ("concurrent increments lose nothing", races::increments),
    ("write skew is prevented", races::write_skew),
    ("phantoms are prevented", races::phantom),
    ("readers see a consistent snapshot", races::snapshot),
    ("the feed delivers every commit once and in order", feed::once_in_order),
    ("a follower waits for the next commit", feed::waits),
    ("a follower that is too late is told so", feed::lagged),
    ("clearing is in the feed", feed::clear),
    ("dropping a clone of a handle closes nothing", feed::clones),
    ("keys and values have limits", limits::limits),
    ("reading transactions cannot write", limits::read_only),
    ("keys are ordered by their bytes", limits::order),
    ("random transactions agree with a map", model::random),
];

/// The number in the document with this key; 0 if there is none.
fn number(transaction: &mut Transaction, key: &str) -> Result<u64> {
    let document = transaction.get(key)?;
    Ok(document.map_or(0, |document| parse(&document)))
}

fn parse(document: &Document) -> u64 {
    let text = std::str::from_utf8(&document.bytes).expect("numbers are stored as text");
    text.parse().expect("numbers are stored as text")
}

fn put_number(transaction: &mut Transaction, key: &str, number: u64) -> Result<()> {
    transaction.put(key, number.to_string().into_bytes())
}

/// The keys that start with `prefix`.
fn keys(store: &Store, prefix: &str) -> Vec<String> {
    let found = store.read(|transaction| transaction.scan(prefix, None, usize::MAX)).expect("scan");
    found.into_iter().map(|(key, _)| key).collect()
}

/// Runs a future that uses nothing but Tokio's channels and blocking threads.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("start a runtime");
    runtime.block_on(future)
}
