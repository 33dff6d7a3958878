//! Walking a document along a path.

use std::cell::Cell;

use super::document::{Borrowed, Document, Scalar};
use super::{Function, Path, Step};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<N> {
    /// Nothing, of a path that could name one node only.
    Missing,
    One(N),
    /// Of a path that can name several; perhaps none.
    Many(Vec<N>),
    /// `length()`, `size()`.
    Count(usize),
    /// `min()`, `max()`, `sum()`, `avg()`.
    Number(f64),
    /// `keys()`.
    Keys(Vec<String>),
}

/// The path visits more nodes of the document than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyNodes;

/// Visits of one search in a `serde_json` document.
const VISITS_MAX: u64 = 1_000_000;

/// How many nodes a search may still visit.
pub(super) struct Visits(Cell<u64>);

impl Visits {
    pub(super) fn one(&self) -> Result<(), TooManyNodes> {
        let left = self.0.get().checked_sub(1).ok_or(TooManyNodes)?;
        self.0.set(left);
        Ok(())
    }
}

impl Path {
    /// Follows the path from `root`.
    ///
    /// # Errors
    /// The search visits more than a million nodes.
    pub fn find<'v>(
        &self,
        root: &'v serde_json::Value,
    ) -> Result<Found<&'v serde_json::Value>, TooManyNodes> {
        let mut visits_left = VISITS_MAX;
        self.find_in(&Borrowed::default(), root, &mut visits_left)
    }

    /// Follows the path from `root` in a document of any kind, taking each node visited off `visits_left`.
    pub fn find_in<D: Document>(
        &self,
        document: &D,
        root: D::Node,
        visits_left: &mut u64,
    ) -> Result<Found<D::Node>, TooManyNodes> {
        let visits = Visits(Cell::new(*visits_left));
        let nodes = self.select(document, &root, &root, &visits);
        *visits_left = visits.0.get();
        let mut nodes = nodes?;
        if let Some(function) = self.function {
            return Ok(apply(function, document, &nodes, self.is_definite()));
        }
        if !self.is_definite() {
            return Ok(Found::Many(nodes));
        }
        Ok(nodes.pop().map_or(Found::Missing, Found::One))
    }

    /// All nodes on the path from `start`; `root` is what `$` means inside filters.
    pub(super) fn select<D: Document>(
        &self,
        document: &D,
        root: &D::Node,
        start: &D::Node,
        visits: &Visits,
    ) -> Result<Vec<D::Node>, TooManyNodes> {
        let mut nodes = vec![start.clone()];
        for step in &self.steps {
            let mut next = Vec::new();
            for node in &nodes {
                visits.one()?;
                follow(step, document, root, node, visits, &mut next)?;
            }
            nodes = next;
        }
        Ok(nodes)
    }
}

fn follow<D: Document>(
    step: &Step,
    document: &D,
    root: &D::Node,
    node: &D::Node,
    visits: &Visits,
    found: &mut Vec<D::Node>,
) -> Result<(), TooManyNodes> {
    match step {
        Step::Member(name) => found.extend(document.member(node, name)),
        Step::Members(names) => found.extend(names.iter().filter_map(|name| document.member(node, name))),
        Step::Item(index) => found.extend(item(document, node, *index)),
        Step::Items(indexes) => found.extend(indexes.iter().filter_map(|index| item(document, node, *index))),
        Step::Slice(from, to) => slice(document, node, *from, *to, visits, found)?,
        Step::All => children(document, node, visits, found)?,
        Step::Descend => descendants(document, node, visits, found)?,
        Step::Filter(filter) => {
            let mut candidates = Vec::new();
            match document.list_length(node) {
                Some(_) => children(document, node, visits, &mut candidates)?,
                None => candidates.push(node.clone()),
            }
            for candidate in candidates {
                if filter.accepts(document, root, &candidate, visits)? {
                    found.push(candidate);
                }
            }
        }
    }
    Ok(())
}

fn item<D: Document>(document: &D, node: &D::Node, index: i64) -> Option<D::Node> {
    let length = document.list_length(node)?;
    let index =
        usize::try_from(if index < 0 { index.checked_add_unsigned(length as u64)? } else { index }).ok()?;
    document.item(node, index)
}

fn slice<D: Document>(
    document: &D,
    node: &D::Node,
    from: Option<i64>,
    to: Option<i64>,
    visits: &Visits,
    found: &mut Vec<D::Node>,
) -> Result<(), TooManyNodes> {
    let Some(length) = document.list_length(node) else { return Ok(()) };
    let bound = |index: i64| -> usize {
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { length.saturating_sub(distance) } else { distance.min(length) }
    };
    for index in from.map_or(0, bound)..to.map_or(length, bound) {
        visits.one()?;
        found.extend(document.item(node, index));
    }
    Ok(())
}

fn children<D: Document>(
    document: &D,
    node: &D::Node,
    visits: &Visits,
    found: &mut Vec<D::Node>,
) -> Result<(), TooManyNodes> {
    if let Some(length) = document.list_length(node) {
        for index in 0..length {
            visits.one()?;
            found.extend(document.item(node, index));
        }
    } else if let Some(names) = document.names(node) {
        for name in names {
            visits.one()?;
            found.extend(document.member(node, &name));
        }
    }
    Ok(())
}

/// The node and everything below it, each before what it holds. Keeps its own stack: a document may be deep, or even a
/// circle, which the visits end.
fn descendants<D: Document>(
    document: &D,
    node: &D::Node,
    visits: &Visits,
    found: &mut Vec<D::Node>,
) -> Result<(), TooManyNodes> {
    let mut pending = vec![node.clone()];
    while let Some(next) = pending.pop() {
        let mut below = Vec::new();
        children(document, &next, visits, &mut below)?;
        pending.extend(below.into_iter().rev());
        found.push(next);
    }
    Ok(())
}

fn apply<D: Document>(function: Function, document: &D, nodes: &[D::Node], definite: bool) -> Found<D::Node> {
    match function {
        Function::Length if !definite => Found::Count(nodes.len()),
        Function::Length => {
            nodes.first().and_then(|node| length(document, node)).map_or(Found::Missing, Found::Count)
        }
        Function::Keys => {
            nodes.first().and_then(|node| document.names(node)).map_or(Found::Missing, Found::Keys)
        }
        Function::Min | Function::Max | Function::Sum | Function::Average => {
            let numbers = numbers(document, nodes);
            if numbers.is_empty() { Found::Missing } else { Found::Number(aggregate(function, &numbers)) }
        }
    }
}

fn length<D: Document>(document: &D, node: &D::Node) -> Option<usize> {
    if let Scalar::Text(text) = document.scalar(node) {
        return Some(text.encode_utf16().count());
    }
    document.list_length(node).or_else(|| document.names(node).map(|names| names.len()))
}

/// The numbers among the nodes, and among the items of those that are lists.
fn numbers<D: Document>(document: &D, nodes: &[D::Node]) -> Vec<f64> {
    let mut numbers = Vec::new();
    for node in nodes {
        let items =
            (0..document.list_length(node).unwrap_or(0)).filter_map(|index| document.item(node, index));
        for candidate in items.chain([node.clone()]) {
            if let Scalar::Number(number) = document.scalar(&candidate) {
                numbers.push(number);
            }
        }
    }
    numbers
}

fn aggregate(function: Function, numbers: &[f64]) -> f64 {
    let sum: f64 = numbers.iter().sum();
    match function {
        Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Function::Average => sum / numbers.len() as f64,
        Function::Sum | Function::Length | Function::Keys => sum,
    }
}
