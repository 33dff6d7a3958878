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
