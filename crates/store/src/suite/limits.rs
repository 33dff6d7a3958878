//! What is refused, and in which order keys are.

use std::sync::Arc;

use super::{keys, put_number};
use crate::{Error, KEY_BYTES_MAX, Store, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};

pub(super) fn limits(store: &Store) {
    let longest: Arc<[u8]> = vec![7; VALUE_BYTES_MAX].into();
    let key = "k".repeat(KEY_BYTES_MAX);
    let written = store.transact(|t| {
        t.put(&key, Arc::clone(&longest))?;
        let too_long = t.put("a", vec![7; VALUE_BYTES_MAX + 1]);
        assert!(matches!(too_long, Err(Error::ValueTooLong { bytes }) if bytes == VALUE_BYTES_MAX + 1));
        assert!(matches!(t.put("", Vec::new()), Err(Error::KeyEmpty)));
        assert!(matches!(t.get(""), Err(Error::KeyEmpty)));
        let too_long = format!("{key}k");
        assert!(matches!(t.delete(&too_long), Err(Error::KeyTooLong { bytes }) if bytes == too_long.len()));
        assert!(matches!(t.get(&too_long), Err(Error::KeyTooLong { .. })));
        Ok::<_, Error>(())
    });
    written.expect("write");
    let read = store.read(|t| t.get(&key)).expect("read");
    assert!(read.is_some_and(|document| document.bytes == longest));
    let too_large = store.transact(|t| {
        (0..=TRANSACTION_BYTES_MAX / VALUE_BYTES_MAX)
            .try_for_each(|number| t.put(&number.to_string(), Arc::clone(&longest)))
    });
    assert!(matches!(too_large, Err(Error::TransactionTooLarge)));
    assert_eq!(keys(store, ""), [key]);
}

pub(super) fn read_only(store: &Store) {
    let read = store.read(|t| {
        assert!(t.is_read_only());
        assert!(matches!(t.put("a", Vec::new()), Err(Error::ReadOnly)));
        assert!(matches!(t.delete("a"), Err(Error::ReadOnly)));
        t.get("a")
    });
    assert_eq!(read.expect("read"), None);
    let written = store.transact(|t| {
        assert!(!t.is_read_only());
        t.put("a", Vec::new())
    });
    written.expect("write");
    let read = store.read(|t| t.get("a")).expect("read").expect("an empty document is a document");
    assert_eq!((read.bytes.len(), read.revision), (0, store.head()));
}

pub(super) fn order(store: &Store) {
    let ordered =
        ["A", "a", "a\u{0}", "a ", "a/", "a/1", "a/10", "a/2", "a0", "aa", "z", "Ä", "ä", "\u{ffff}", "🎭"];
    for key in ordered.iter().rev() {
        store.transact(|t| put_number(t, key, 1)).expect("write");
    }
    assert_eq!(keys(store, ""), ordered);
    let cases: [(&str, Option<&str>, usize, &[&str]); 8] = [
        ("a/", None, 9, &["a/", "a/1", "a/10", "a/2"]),
        ("a/", None, 2, &["a/", "a/1"]),
        ("a/", Some("a/1"), 9, &["a/10", "a/2"]),
        ("a/", Some("a/15"), 9, &["a/2"]),
        ("a/", Some("a/2"), 9, &[]),
        ("a/", Some("A"), 1, &["a/"]),
        ("a/", Some("b"), 9, &[]),
        ("🎭", None, 9, &["🎭"]),
    ];
    for (prefix, after, limit, expected) in cases {
        let found = store.read(|t| t.scan(prefix, after, limit)).expect("scan");
        let found: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(found, expected, "{prefix:?} {after:?} {limit}");
    }
}
