//! The embedded back end passes the suite, in memory and in a file.

use std::sync::Mutex;

use stagedoor_store::embedded::{Config, Embedded};
use stagedoor_store::{Store, suite};

fn config() -> Config {
    Config { feed_commits_max: suite::FEED_COMMITS_MAX, ..Config::default() }
}

#[test]
fn in_memory() {
    suite::run(|| Store::new(Embedded::in_memory(config()).expect("open")));
}

#[test]
fn in_a_file() {
    let directories = Mutex::new(Vec::new());
    suite::run(|| {
        let directory = tempfile::tempdir().expect("make a directory");
        let store = Embedded::open(directory.path().join("store.redb"), config()).expect("open");
        directories.lock().expect("no test panicked").push(directory);
        Store::new(store)
    });
}
