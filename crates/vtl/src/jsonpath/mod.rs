//! JSONPath in the dialect of Jayway's Java library, which API Gateway uses for `$input.path`, `$input.json` and for
//! parameter mappings from a body: `$`, `.name`, `['name']`, `['a','b']`, `[0]`, `[-1]`, `[0,2]`, `[1:3]`, `[*]`, `..`,
//! filters `[?(@.price < 10 && @.name =~ /a.*/i)]`, and the functions `length() size() keys() min() max() sum() avg()`
//! at the end.
//!
//! Works on any document that implements [`Document`]; `serde_json::Value` does.

mod document;
mod filter;
mod parse;
mod select;

pub use document::{Document, Scalar};
pub use select::{Found, TooManyNodes};

use std::fmt;

use filter::Filter;

/// A parsed path.
#[derive(Clone, Debug)]
pub struct Path {
    steps: Vec<Step>,
    function: Option<Function>,
}

/// The text is no JSONPath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// Byte offset into the path.
    pub offset: usize,
    pub message: String,
}

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Members(Vec<String>),
    Item(i64),
    Items(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    /// `..`: the nodes so far and everything below them, for the next step to choose from.
    Descend,
    Filter(Box<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Length,
    Keys,
    Min,
    Max,
    Sum,
    Average,
}

impl Path {
    /// Parses a path. One that does not begin with `$` is taken as if it began with `$.`.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        parse::path(text)
    }

    /// Whether the path names at most one node.
    fn is_definite(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Member(_) | Step::Item(_)))
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Found, Path};

    fn store() -> Value {
        json!({
            "store": {
                "book": [
                    {"category": "reference", "author": "Nigel Rees", "price": 8.95},
                    {"category": "fiction", "author": "Evelyn Waugh", "price": 12.99, "tags": ["war"]},
                    {"category": "fiction", "author": "Herman Melville", "isbn": "0-553", "price": 8.99, "tags": []},
                ],
                "bicycle": {"color": "red", "price": 19.95},
                "odd.name": {"it's": 1},
            },
            "expensive": 10,
            "nothing": null,
        })
    }

    fn found(path: &str) -> Value {
        let store = store();
        match Path::parse(path).unwrap().find(&store).unwrap() {
            Found::Missing => json!("missing"),
            Found::One(value) => value.clone(),
            Found::Many(values) => json!({"many": values}),
            Found::Count(count) => json!({"count": count}),
            Found::Number(number) => json!({"number": number}),
            Found::Keys(keys) => json!({"keys": keys}),
        }
    }

    #[test]
    fn paths_lead_where_they_should() {
        let authors = |names: &[&str]| json!({"many": names});
        let cases = [
            ("$", store()),
            ("", store()),
            ("$.expensive", json!(10)),
            ("expensive", json!(10)),
            ("$['expensive']", json!(10)),
            ("$.nothing", Value::Null),
            ("$.none", json!("missing")),
            ("$.expensive.deeper", json!("missing")),
            ("$.store.book[0].author", json!("Nigel Rees")),
            ("$.store.book[-1].author", json!("Herman Melville")),
            ("$.store.book[9]", json!("missing")),
            ("$['store']['odd.name']['it\\'s']", json!(1)),
            ("$[\"store\"].bicycle['color']", json!("red")),
            ("$.store.book[*].author", authors(&["Nigel Rees", "Evelyn Waugh", "Herman Melville"])),
            ("$.store.book[0,2].author", authors(&["Nigel Rees", "Herman Melville"])),
            ("$.store.book[:2].author", authors(&["Nigel Rees", "Evelyn Waugh"])),
            ("$.store.book[1:].author", authors(&["Evelyn Waugh", "Herman Melville"])),
            ("$.store.book[-2:-1].author", authors(&["Evelyn Waugh"])),
            ("$.store.book[5:9].author", authors(&[])),
            ("$..author", authors(&["Nigel Rees", "Evelyn Waugh", "Herman Melville"])),
            ("$.store.bicycle.*", json!({"many": ["red", 19.95]})),
            ("$.store.bicycle['price','color']", json!({"many": [19.95, "red"]})),
            ("$..bicycle[?(@ == 'red')]", json!({"many": []})),
            ("$..book[?(@.isbn)].author", authors(&["Herman Melville"])),
            ("$..book[?(!@.isbn)].author", authors(&["Nigel Rees", "Evelyn Waugh"])),
            ("$..book[?(@.price < $.expensive)].author", authors(&["Nigel Rees", "Herman Melville"])),
            ("$..book[?(@.price < 9 && @.category == 'fiction')].author", authors(&["Herman Melville"])),
            (
                "$..book[?(@.price > 12 || (@.category == \"reference\"))].author",
                authors(&["Nigel Rees", "Evelyn Waugh"]),
            ),
            ("$..book[?(@.author =~ /.*m(el|xx).*/i)].author", authors(&["Herman Melville"])),
            ("$..book[?(@.category in ['reference', 'x'])].author", authors(&["Nigel Rees"])),
            (
                "$..book[?(@.category nin ['reference'])].author",
                authors(&["Evelyn Waugh", "Herman Melville"]),
            ),
            ("$..book[?(@.tags contains 'war')].author", authors(&["Evelyn Waugh"])),
            ("$..book[?(@.tags size 0)].author", authors(&["Herman Melville"])),
            ("$..book[?(@.tags empty true)].author", authors(&["Herman Melville"])),
            ("$..book[?(@['price'] >= 12.99)].author", authors(&["Evelyn Waugh"])),
            ("$.store.book.length()", json!({"count": 3})),
            ("$..author.length()", json!({"count": 3})),
            ("$.store.bicycle.color.length()", json!({"count": 3})),
            ("$.store.bicycle.keys()", json!({"keys": ["color", "price"]})),
            ("$..price.max()", json!({"number": 19.95})),
            ("$.store.book[*].price.min()", json!({"number": 8.95})),
        ];
        for (path, expected) in cases {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let cases = [
            "$.",
            "$[",
            "$[]",
            "$['a'",
            "$[?(",
            "$[?(@.a ==)]",
            "$[?(@.a =~ /(/)]",
            "$.a.nosuch()",
            "$x",
            "$.a b",
            "$[1:2",
        ];
        for path in cases {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
