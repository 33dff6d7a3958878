//! A process killed in the middle of thousands of commits restarts with every commit that it acknowledged, and none
//! torn.
//!
//! The test starts its own binary again as the process to be killed: the test `child` does nothing unless it is told
//! a file by the environment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use std::{env, thread};

use stagedoor_store::{Commit, Error, Follower, Result, Revision, Store, Transaction};

const FILE: &str = "STAGEDOOR_STORE_CRASH_FILE";
const THREADS: u64 = 4;
const ROUNDS: u64 = 12;
/// How long after its first commit the child is killed, at most.
const KILLED_AFTER_MILLIS_MAX: u64 = 600;
/// How long after its start it is killed, at most, in every third round: while it makes or repairs its file.
const KILLED_EARLY_AFTER_MILLIS_MAX: u64 = 40;

/// Every commit of a thread writes the same number to the first of these keys and to the last, and to each of them
/// a value of another length.
const KEYS_EACH: u64 = 5;

#[test]
fn a_killed_process_loses_no_acknowledged_commit_and_tears_none() {
    let seed = seed();
    eprintln!("seed {seed}");
    let mut random = seed;
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS {
        let early = round % 3 == 0;
        let limit = if early { KILLED_EARLY_AFTER_MILLIS_MAX } else { KILLED_AFTER_MILLIS_MAX };
        let killed_after = Duration::from_millis(xorshift(&mut random) % limit);
        let commits = kill(start(&path), early, killed_after, &mut acknowledged);
        let store = Store::open_embedded(&path).expect("open after the crash");
        check(&store, &acknowledged);
        eprintln!("round {round}: {commits} acknowledged in {killed_after:?}, now at {}", store.head());
    }
    let commits: u64 = acknowledged.values().sum();
    assert!(commits > 100, "only {commits} commits were made: nothing was tested");
}

/// The seed in the environment, for repeating a failure, or else a new one.
#[expect(clippy::disallowed_methods, reason = "the moment of the kill is to be different in each run")]
fn seed() -> u64 {
    if let Ok(seed) = env::var("STAGEDOOR_STORE_CRASH_SEED") {
        return seed.parse().expect("the seed is a number");
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is right");
    now.subsec_nanos().into()
}

fn xorshift(state: &mut u64) -> u64 {
    *state = (*state).max(1);
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

// === The process to be killed ===

fn start(path: &Path) -> Child {
    let mut command = Command::new(env::current_exe().expect("this binary"));
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(FILE, path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().expect("start the child")
}

#[test]
fn child() {
    let Some(path) = env::var_os(FILE) else { return };
    let store = Store::open_embedded(path).expect("open in the child");
    let output = Mutex::new(std::io::stdout());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, output) = (&store, &output);
            scope.spawn(move || {
                loop {
                    let number = store.transact(|transaction| write(transaction, thread)).expect("commit");
                    let mut output = output.lock().expect("no thread panicked");
                    writeln!(output, "ack {thread} {number}").and_then(|()| output.flush()).expect("report");
                }
            });
        }
    });
}

/// Writes the next number of a thread to all of its keys, and returns it.
fn write(transaction: &mut Transaction, thread: u64) -> Result<u64> {
    let number = read(transaction, thread, 0)? + 1;
    for part in 0..KEYS_EACH {
        // Lengths of up to some pages of the file, different in each commit.
        let padding = "x".repeat((number * 37 * part % 9000) as usize);
        transaction.put(&key(thread, part), format!("{number} {padding}").into_bytes())?;
    }
    let temporary = |number: u64| format!("temporary/{thread}/{}", number % 10);
    transaction.put(&temporary(number), Vec::new())?;
    transaction.delete(&temporary(number + 5))?;
    // All threads meet here, so that some transactions conflict.
    if number % 8 == 0 {
        let sum = transaction.get("shared")?.map_or(0, |document| parse(&document.bytes));
        transaction.put("shared", (sum + 1).to_string().into_bytes())?;
    }
    Ok(number)
}

fn key(thread: u64, part: u64) -> String {
    format!("thread/{thread}/{part}")
}

fn read(transaction: &mut Transaction, thread: u64, part: u64) -> Result<u64> {
    let document = transaction.get(&key(thread, part))?;
    Ok(document.map_or(0, |document| parse(&document.bytes)))
}

fn parse(bytes: &[u8]) -> u64 {
    let text = std::str::from_utf8(bytes).expect("text is stored");
    let (number, _) = text.split_once(' ').unwrap_or((text, ""));
    number.parse().expect("a number is stored")
}

// === The one that kills it ===

/// Kills the child so long after its start, if early, or else after its first commit; notes the last number that each
/// thread acknowledged, and returns how many commits were.
fn kill(mut child: Child, early: bool, after: Duration, acknowledged: &mut BTreeMap<u64, u64>) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().expect("the output is piped")).lines();
    let mut commits = 0;
    let mut note = |line: &str| {
        // A killed process may leave half a line, and the test harness adds lines of its own.
        let Some((thread, number)) = line.strip_prefix("ack ").and_then(|line| line.split_once(' ')) else {
            return;
        };
        let (Ok(thread), Ok(number)) = (thread.parse(), number.parse::<u64>()) else { return };
        let last = acknowledged.entry(thread).or_default();
        *last = (*last).max(number);
        commits += 1;
    };
    if !early {
        let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ack ")));
        note(&line.expect("the child makes a commit").expect("read what the child reports"));
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            // Not a wait for something to happen: the moment is what is random here.
            thread::sleep(after);
            child.kill().expect("kill the child");
        });
        for line in lines {
            note(&line.expect("read what the child reports"));
        }
    });
    let status = child.wait().expect("wait for the child");
    assert!(!status.success(), "the child ended by itself");
    commits
}

fn check(store: &Store, acknowledged: &BTreeMap<u64, u64>) {
    let stored = store.read(|transaction| {
        for (&thread, &number) in acknowledged {
            let parts: Result<Vec<u64>> =
                (0..KEYS_EACH).map(|part| read(transaction, thread, part)).collect();
            let parts = parts?;
            assert!(parts[0] >= number, "thread {thread} lost commits: {} of {number}", parts[0]);
            assert!(
                parts.iter().all(|part| *part == parts[0]),
                "a commit of thread {thread} is torn: {parts:?}"
            );
        }
        let shared = transaction.get("shared")?.map_or(0, |document| parse(&document.bytes));
        let expected: Result<u64> = (0..THREADS).map(|thread| Ok(read(transaction, thread, 0)? / 8)).sum();
        assert_eq!(shared, expected?, "increments of the shared number");
        transaction.scan("", None, usize::MAX)
    });
    let stored = stored.expect("read after the crash");
    let fed = replay(store);
    let stored: BTreeMap<_, _> = stored.into_iter().map(|(key, d)| (key, (d.bytes, d.revision))).collect();
    assert!(stored == fed, "feed and documents disagree");
}

type Documents = BTreeMap<String, (std::sync::Arc<[u8]>, Revision)>;

/// The documents as the feed has them, which in this test is never trimmed of the last commit of a document.
fn replay(store: &Store) -> Documents {
    let head = store.head();
    let mut follower = oldest(store);
    let mut documents = Documents::new();
    while follower.position() < head {
        let Commit { revision, changes, .. } = block_on(follower.next()).expect("the next commit");
        for change in changes {
            match change.value {
                Some(bytes) => documents.insert(change.key, (bytes, revision)),
                None => documents.remove(&change.key),
            };
        }
    }
    documents
}

/// A follower of all that the feed has.
fn oldest(store: &Store) -> Follower {
    let (mut lagged, mut held) = (0, store.head().get());
    let holds = |after: u64| match block_on(store.follow(Revision::new(after)).next()) {
        Ok(_) => true,
        Err(Error::Lagged { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    if held == 0 || holds(0) {
        return store.follow(Revision::ZERO);
    }
    while held - lagged > 1 {
        let middle = lagged.midpoint(held);
        if holds(middle) { held = middle } else { lagged = middle }
    }
    store.follow(Revision::new(held))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("start a runtime").block_on(future)
}
