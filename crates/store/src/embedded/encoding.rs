//! Commits as bytes, for the change feed: a flag byte, then for each change the key and, unless it is a deletion,
//! the value. Lengths are LEB128 integers; the length of a key is doubled, plus one if a value follows.

use crate::{Change, Commit, Error, Result, Revision};

/// The flag of a commit that deleted every document.
const CLEARED: u8 = 1;

/// Encodes a commit, without its revision, which is its key in the feed.
pub(super) fn encode(commit: &Commit) -> Vec<u8> {
    let content: usize = commit.changes.iter().map(Change::bytes).sum();
    let mut bytes = Vec::with_capacity(1 + content + 8 * commit.changes.len());
    bytes.push(if commit.cleared { CLEARED } else { 0 });
    for change in &commit.changes {
        put_integer(&mut bytes, change.key.len() << 1 | usize::from(change.value.is_some()));
        bytes.extend_from_slice(change.key.as_bytes());
        if let Some(value) = &change.value {
            put_integer(&mut bytes, value.len());
            bytes.extend_from_slice(value);
        }
    }
    bytes
}

/// Decodes what [`encode`] made.
pub(super) fn decode(revision: Revision, bytes: &[u8]) -> Result<Commit> {
    parse(revision, bytes).ok_or_else(|| Error::corrupt(format_args!("commit {revision} is unreadable")))
}

fn parse(revision: Revision, bytes: &[u8]) -> Option<Commit> {
    let (&flags, mut rest) = bytes.split_first()?;
    if flags & !CLEARED != 0 {
        return None;
    }
    let mut changes = Vec::new();
    while !rest.is_empty() {
        changes.push(take_change(&mut rest)?);
    }
    Some(Commit { revision, cleared: flags & CLEARED != 0, changes })
}

fn take_change(rest: &mut &[u8]) -> Option<Change> {
    let head = take_integer(rest)?;
    let key = std::str::from_utf8(rest.split_off(..head >> 1)?).ok()?.to_owned();
    if head & 1 == 0 {
        return Some(Change { key, value: None });
    }
    let length = take_integer(rest)?;
    Some(Change { key, value: Some(rest.split_off(..length)?.into()) })
}

fn put_integer(bytes: &mut Vec<u8>, mut integer: usize) {
    while integer >= 0x80 {
        bytes.push((integer & 0x7f) as u8 | 0x80);
        integer >>= 7;
    }
    bytes.push(integer as u8);
}

fn take_integer(rest: &mut &[u8]) -> Option<usize> {
    let mut integer = 0_usize;
    // Five groups of seven bits are more than any length here needs.
    for shift in [0, 7, 14, 21, 28] {
        let byte = *rest.split_off_first()?;
        integer |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(integer);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let value = prop_oneof![
            1 => Just(None),
            3 => vec(any::<u8>(), 0..300).prop_map(|value| Some(value.into())),
        ];
        vec((".{1,90}", value).prop_map(|(key, value)| Change { key, value }), 0..6)
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(revision: u64, cleared: bool, changes in changes()) {
            let commit = Commit { revision: Revision::new(revision), cleared, changes };
            prop_assert_eq!(decode(commit.revision, &encode(&commit)).expect("decode"), commit);
        }

        #[test]
        fn survives_any_bytes(bytes in vec(any::<u8>(), 0..200)) {
            // Either outcome is right; there must be one.
            let _ = decode(Revision::new(1), &bytes);
        }
    }

    #[test]
    fn refuses_what_was_never_encoded() {
        let cases: [&[u8]; 6] =
            [&[], &[2], &[0, 2], &[0, 3, b'a'], &[0, 2, 0xff], &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 1]];
        for bytes in cases {
            assert!(matches!(decode(Revision::new(1), bytes), Err(Error::Corrupt { .. })), "{bytes:?}");
        }
    }
}
