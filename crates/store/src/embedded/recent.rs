//! Which keys the latest commits changed, so that the writer can tell whether a proposal's reads still hold.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use crate::document::range_start;
use crate::{Commit, Proposal, Read, Revision};

/// Most commits and changed keys remembered, together. A transaction older than all of them is taken for conflicting and tried again.
const ENTRIES_MAX: usize = 16 * 1024;

/// The keys changed by the commits after a floor.
pub(super) struct Recent {
    /// Commits up to here are forgotten.
    floor: Revision,
    /// The last commit that changed each key.
    changed: BTreeMap<Arc<str>, Revision>,
    /// The changed keys of each commit, oldest first.
    commits: VecDeque<(Revision, Vec<Arc<str>>)>,
    /// Commits and their keys.
    entries: usize,
    entries_max: usize,
}

impl Recent {
    /// Knows of no commits up to `floor`.
    pub(super) fn new(floor: Revision) -> Self {
        Self {
            floor,
            changed: BTreeMap::new(),
            commits: VecDeque::new(),
            entries: 0,
            entries_max: ENTRIES_MAX,
        }
    }

    /// Whether something that was read may have been changed after the proposal's base.
    pub(super) fn conflicts(&self, proposal: &Proposal) -> bool {
        if proposal.reads.is_empty() {
            return false;
        }
        proposal.base < self.floor
            || proposal.reads.iter().any(|read| self.changed_after(proposal.base, read))
    }

    fn changed_after(&self, base: Revision, read: &Read) -> bool {
        let (prefix, after) = match read {
            Read::Key(key) => {
                return self.changed.get(key.as_str()).is_some_and(|changed| *changed > base);
            }
            Read::Range { prefix, after, .. } => (prefix.as_str(), after.as_deref()),
        };
        let start = range_start(prefix, after);
        let candidates = self.changed.range::<str, _>((start, Bound::Unbounded));
        candidates.take_while(|(key, _)| read.covers(key)).any(|(_, changed)| *changed > base)
    }

    /// Remembers what a commit changes; it must be the one after the last.
    pub(super) fn add(&mut self, commit: &Commit) {
        if commit.cleared {
            *self = Self { entries_max: self.entries_max, ..Self::new(commit.revision) };
        }
        let keys: Vec<Arc<str>> = commit.changes.iter().map(|change| change.key.as_str().into()).collect();
        for key in &keys {
            self.changed.insert(Arc::clone(key), commit.revision);
        }
        self.entries += 1 + keys.len();
        self.commits.push_back((commit.revision, keys));
        while self.entries > self.entries_max {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((revision, keys)) = self.commits.pop_front() else {
            return;
        };
        self.floor = revision;
        self.entries -= 1 + keys.len();
        for key in keys {
            if self.changed.get(&key) == Some(&revision) {
                self.changed.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Change;

    fn commit(revision: u64, keys: &[&str]) -> Commit {
        let changes = keys.iter().map(|key| Change { key: (*key).to_owned(), value: None }).collect();
        Commit { revision: Revision::new(revision), cleared: false, changes }
    }

    fn range(prefix: &str, after: Option<&str>, through: Option<&str>) -> Read {
        let [after, through] = [after, through].map(|bound| bound.map(str::to_owned));
        Read::Range { prefix: prefix.to_owned(), after, through }
    }

    fn key(key: &str) -> Read {
        Read::Key(key.to_owned())
    }

    #[test]
    fn tells_what_was_changed_after_a_base() {
        let mut recent = Recent::new(Revision::new(10));
        recent.add(&commit(11, &["a/1", "b/5"]));
        recent.add(&commit(12, &["b/3"]));
        let cases = [
            (12, key("b/3"), false),
            (11, key("b/3"), true),
            (11, key("a/1"), false),
            (10, key("a/1"), true),
            (10, key("a/2"), false),
            (9, key("a/2"), true),
            (11, range("b/", None, None), true),
            (11, range("a/", None, None), false),
            (10, range("b/", Some("b/3"), None), true),
            (11, range("b/", Some("b/3"), None), false),
            (11, range("b/", None, Some("b/2")), false),
            (11, range("b/", None, Some("b/3")), true),
            (11, range("b/", Some("a"), Some("b/3")), true),
            (11, range("", None, None), true),
        ];
        for (base, read, expected) in cases {
            let proposal = Proposal { base: Revision::new(base), reads: vec![read], changes: Vec::new() };
            assert_eq!(recent.conflicts(&proposal), expected, "{proposal:?}");
        }
    }

    #[test]
    fn a_proposal_that_read_nothing_never_conflicts() {
        let recent = Recent::new(Revision::new(10));
        assert!(!recent.conflicts(&Proposal {
            base: Revision::ZERO,
            reads: Vec::new(),
            changes: Vec::new()
        }));
    }

    #[test]
    fn clearing_conflicts_with_every_earlier_read() {
        let mut recent = Recent::new(Revision::ZERO);
        recent.add(&Commit { cleared: true, ..commit(1, &[]) });
        let mut proposal = Proposal { base: Revision::ZERO, reads: vec![key("a")], changes: Vec::new() };
        assert!(recent.conflicts(&proposal));
        proposal.base = Revision::new(1);
        assert!(!recent.conflicts(&proposal));
    }

    #[test]
    fn forgets_the_oldest_but_not_that_it_did() {
        let mut recent = Recent { entries_max: 5, ..Recent::new(Revision::ZERO) };
        for (revision, keys) in [(1, ["a", "b"]), (2, ["b", "c"])] {
            recent.add(&commit(revision, &keys));
        }
        assert_eq!(recent.changed.keys().map(|key| &**key).collect::<Vec<_>>(), ["b", "c"]);
        let proposal =
            |base| Proposal { base: Revision::new(base), reads: vec![key("z")], changes: Vec::new() };
        assert!(recent.conflicts(&proposal(0)));
        assert!(!recent.conflicts(&proposal(1)));
    }
}
