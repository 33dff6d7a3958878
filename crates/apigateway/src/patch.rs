//! The one engine behind all `Update…` operations: patch operations applied by a table.
//!
//! A noun's table says which paths it has, which operations each takes, and what they do. This file matches paths,
//! applies operations in order and words the refusals. It reads no store: what a change needs from there (does that
//! deployment exist?) the noun's update function checks afterwards, on the changed noun.
//!
//! Invariant: all or nothing. [`Table::apply`] changes a copy; an error leaves nothing behind.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{Op, PatchOperation};
use stagedoor_state::{Fault, Result};

use crate::messages::bad_request;

/// The paths that a noun's patch operations may name, and what becomes of those that it refuses.
pub struct Table<T: 'static> {
    /// Groups of rows, in the order in which refusals list them. Of several rows that match a path the first that
    /// takes the operation is used.
    pub rows: &'static [&'static [Row<T>]],
    pub refuse: fn(&Table<T>, &Refused<'_>) -> Fault,
}

/// One kind of path.
pub struct Row<T> {
    /// A JSON pointer in which `{}` stands for any one token: `/variables/{}`.
    pub path: &'static str,
    pub ops: &'static [Op],
    pub apply: fn(&mut T, &Change<'_>) -> Result<()>,
}

/// A patch operation that found its row.
#[derive(Debug)]
pub struct Change<'a> {
    pub op: Op,
    /// The path as it was given.
    pub path: &'a str,
    pub value: Option<&'a str>,
    pub from: Option<&'a str>,
    /// The tokens that stand where the row's path has `{}`, still escaped.
    wild: Vec<&'a str>,
}

/// A patch operation that no row takes.
pub struct Refused<'a> {
    pub op: Op,
    pub path: &'a str,
    pub from: Option<&'a str>,
    /// What the path takes, if it is known at all.
    pub ops: Option<&'static [Op]>,
}

impl<T: Clone> Table<T> {
    /// `target` with all `operations` applied in order.
    pub fn apply(&self, target: &T, operations: Option<&[PatchOperation]>) -> Result<T> {
        let mut changed = target.clone();
        for operation in operations.unwrap_or_default() {
            self.apply_one(&mut changed, operation)?;
        }
        Ok(changed)
    }

    fn apply_one(&self, target: &mut T, operation: &PatchOperation) -> Result<()> {
        let op = operation.op.unwrap_or_default();
        // A path that is missing is refused like any other that no row has; AWS prints Java's `null` for it.
        let path = operation.path.as_deref().unwrap_or("null");
        let from = operation.from.as_deref();
        let mut ops = None;
        for row in self.rows.iter().copied().flatten() {
            let Some(wild) = matched(row.path, path) else { continue };
            if row.ops.contains(&op) {
                let value = operation.value.as_deref();
                return (row.apply)(target, &Change { op, path, value, from, wild });
            }
            ops = ops.or(Some(row.ops));
        }
        Err((self.refuse)(self, &Refused { op, path, from, ops }))
    }
}

/// What most entries of maps and sets take.
pub const ADD_REPLACE_REMOVE: &[Op] = &[Op::Add, Op::Replace, Op::Remove];

impl Change<'_> {
    /// The `index`th token that stands for a `{}` of the row's path, unescaped.
    pub fn token(&self, index: usize) -> String {
        unescape(self.raw_token(index))
    }

    /// As [`Self::token`], but as it was given: AWS keeps the escapes in the keys of method settings.
    pub fn raw_token(&self, index: usize) -> &str {
        self.wild[index]
    }

    /// The value as a flag, read as Java's `Boolean.parseBoolean` does: whatever is not `true` is false.
    pub fn flag(&self) -> bool {
        self.value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The value, where an empty one means none.
    pub fn text(&self) -> Option<String> {
        self.value.filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// The value, where a missing one is an empty one.
    pub fn value_or_empty(&self) -> String {
        self.value.unwrap_or_default().to_owned()
    }
}

/// Adds, replaces or removes the entry that the path's first wild token names. An emptied map is no map.
pub fn patch_entry<T>(
    map: &mut Option<BTreeMap<String, T>>,
    change: &Change<'_>,
    value: T,
    missing: fn() -> Fault,
) -> Result<()> {
    let entries = map.get_or_insert_default();
    let key = change.token(0);
    if change.op != Op::Add && !entries.contains_key(&key) {
        return Err(missing());
    }
    if change.op == Op::Remove {
        entries.remove(&key);
    } else {
        entries.insert(key, value);
    }
    if entries.is_empty() {
        *map = None;
    }
    Ok(())
}

/// The first generation of refusals: resources, models, validators, documentation parts, API keys.
/// The two blanks are AWS's.
pub fn refuse_first_generation<T>(table: &Table<T>, refused: &Refused<'_>) -> Fault {
    let Refused { op, path, .. } = refused;
    let known = table.rows.iter().copied().flatten().filter(|row| row.ops.contains(op)).map(|row| row.path);
    let known = known.collect::<Vec<_>>().join(", ");
    let advice = match (known.as_str(), refused.ops) {
        ("", _) | (_, Some(_)) => "Please choose supported operations".to_owned(),
        (known, None) => format!("Must be one of: [{known}]"),
    };
    bad_request(format!("Invalid patch path  '{path}' specified for op '{op}'. {advice}"))
}

/// The second generation of refusals: APIs, methods, method responses, integrations, gateway responses.
pub fn refuse_second_generation<T>(_: &Table<T>, refused: &Refused<'_>) -> Fault {
    let Some(ops) = refused.ops else {
        return bad_request(format!("Invalid patch path {}", refused.path));
    };
    let ops = ops.iter().map(|op| op.as_str()).collect::<Vec<_>>().join(", ");
    bad_request(format!("Invalid patch operation specified. Must be one of: [{ops}]"))
}

/// The tokens of `path` that stand for the `{}` of `pattern`, if the two match.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    let mut wild = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(wild),
            (Some("{}"), Some(token)) => wild.push(token),
            (Some(literal), Some(token)) if literal == token => {}
            _ => return None,
        }
    }
}

/// A token of a JSON pointer in plain form (RFC 6901 section 4).
fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Shelf {
        name: Option<String>,
        books: BTreeMap<String, String>,
    }

    const ROWS: &[Row<Shelf>] = &[
        Row { path: "/name", ops: &[Op::Replace], apply: rename },
        Row { path: "/books/{}", ops: &[Op::Add, Op::Replace], apply: put_book },
        Row { path: "/books/{}", ops: &[Op::Remove], apply: take_book },
    ];

    fn rename(shelf: &mut Shelf, change: &Change<'_>) -> Result<()> {
        shelf.name = change.text();
        Ok(())
    }

    fn put_book(shelf: &mut Shelf, change: &Change<'_>) -> Result<()> {
        shelf.books.insert(change.token(0), change.value_or_empty());
        Ok(())
    }

    fn take_book(shelf: &mut Shelf, change: &Change<'_>) -> Result<()> {
        let taken = shelf.books.remove(&change.token(0));
        taken.map(|_| ()).ok_or_else(|| bad_request("no such book"))
    }

    fn operation(op: Op, path: &str, value: &str) -> PatchOperation {
        let (path, value) = (Some(path.to_owned()), Some(value.to_owned()));
        PatchOperation { op: Some(op), path, value, from: None }
    }

    fn refusal(refuse: fn(&Table<Shelf>, &Refused<'_>) -> Fault, op: Op, path: &str) -> String {
        let table = Table { rows: &[ROWS], refuse };
        let refused = table.apply(&Shelf::default(), Some(&[operation(op, path, "x")]));
        refused.expect_err("the table does not take it").message
    }

    #[test]
    fn operations_apply_in_order_and_tokens_are_unescaped() {
        let table = Table { rows: &[ROWS], refuse: refuse_second_generation };
        let changed = table.apply(
            &Shelf::default(),
            Some(&[
                operation(Op::Add, "/books/a~1b", "first"),
                operation(Op::Replace, "/books/a~1b", "second"),
                operation(Op::Add, "/books/~01", "third"),
                operation(Op::Replace, "/name", ""),
            ]),
        );
        let books = BTreeMap::from([("a/b".into(), "second".into()), ("~1".into(), "third".into())]);
        assert_eq!(changed, Ok(Shelf { name: None, books }));
    }

    #[test]
    fn the_first_generation_of_refusals() {
        let first = |op, path| refusal(refuse_first_generation, op, path);
        assert_eq!(
            first(Op::Move, "/name"),
            "Invalid patch path  '/name' specified for op 'move'. Please choose supported operations"
        );
        assert_eq!(
            first(Op::Add, "/name"),
            "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations"
        );
        assert_eq!(
            first(Op::Replace, "/title"),
            "Invalid patch path  '/title' specified for op 'replace'. Must be one of: [/name, /books/{}]"
        );
    }

    #[test]
    fn the_second_generation_of_refusals() {
        let second = |op, path| refusal(refuse_second_generation, op, path);
        assert_eq!(second(Op::Replace, "/title"), "Invalid patch path /title");
        assert_eq!(second(Op::Replace, "/books/a/b"), "Invalid patch path /books/a/b");
        assert_eq!(second(Op::Add, "/name"), "Invalid patch operation specified. Must be one of: [replace]");
        assert_eq!(
            second(Op::Copy, "/books/a"),
            "Invalid patch operation specified. Must be one of: [add, replace]"
        );
    }
}
