//! Filters: `[?(@.a == 1 && !(@.b in ['x', 'y']))]`.

use std::cmp::Ordering;

use regex::Regex;

use super::Path;
use super::document::{Document, Scalar};
use super::select::{TooManyNodes, Visits};

#[derive(Clone, Debug)]
pub(super) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    /// The path leads somewhere.
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
    Matches(Operand, Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// `@…`
    Here(Path),
    /// `$…`
    Root(Path),
    Literal(Literal),
}

#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Literal>),
}

/// An operand's value: nodes of the document, or a literal.
enum Side<'f, N> {
    Nodes(Vec<N>),
    Literal(&'f Literal),
}

impl Filter {
    pub(super) fn accepts<D: Document>(
        &self,
        document: &D,
        root: &D::Node,
        node: &D::Node,
        visits: &Visits,
    ) -> Result<bool, TooManyNodes> {
        visits.one()?;
        match self {
            Filter::Or(parts) => {
                for part in parts {
                    if part.accepts(document, root, node, visits)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::And(parts) => {
                for part in parts {
                    if !part.accepts(document, root, node, visits)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Not(part) => Ok(!part.accepts(document, root, node, visits)?),
            Filter::Exists(operand) => Ok(
                !matches!(operand.value(document, root, node, visits)?, Side::Nodes(nodes) if nodes.is_empty()),
            ),
            Filter::Compare(left, comparison, right) => {
                let left = left.value(document, root, node, visits)?;
                let right = right.value(document, root, node, visits)?;
                Ok(compare(document, &left, *comparison, &right))
            }
            Filter::Matches(operand, pattern) => {
                let side = operand.value(document, root, node, visits)?;
                Ok(matches!(side.scalar(document), Some(Scalar::Text(text)) if pattern.is_match(text)))
            }
        }
    }
}

impl Operand {
    fn value<'f, D: Document>(
        &'f self,
        document: &D,
        root: &D::Node,
        node: &D::Node,
        visits: &Visits,
    ) -> Result<Side<'f, D::Node>, TooManyNodes> {
        Ok(match self {
            Operand::Here(path) => Side::Nodes(path.select(document, root, node, visits)?),
            Operand::Root(path) => Side::Nodes(path.select(document, root, root, visits)?),
            Operand::Literal(literal) => Side::Literal(literal),
        })
    }
}

impl<N: Clone> Side<'_, N> {
    /// `None` where a path led nowhere.
    fn scalar<'a, D: Document<Node = N>>(&'a self, document: &'a D) -> Option<Scalar<'a>> {
        match self {
            Side::Nodes(nodes) => nodes.first().map(|node| document.scalar(node)),
            Side::Literal(literal) => Some(literal.scalar()),
        }
    }

    fn items<'a, D: Document<Node = N>>(&'a self, document: &'a D) -> Vec<Literal> {
        match self {
            Side::Literal(Literal::List(items)) => items.clone(),
            Side::Literal(_) => Vec::new(),
            Side::Nodes(nodes) => {
                let Some(node) = nodes.first() else { return Vec::new() };
                let length = document.list_length(node).unwrap_or(0);
                let items = (0..length).filter_map(|index| document.item(node, index));
                items.map(|item| Literal::of(document.scalar(&item))).collect()
            }
        }
    }

    fn length<D: Document<Node = N>>(&self, document: &D) -> Option<usize> {
        match self {
            Side::Literal(Literal::List(items)) => Some(items.len()),
            Side::Literal(Literal::Text(text)) => Some(text.encode_utf16().count()),
            Side::Literal(_) => None,
            Side::Nodes(nodes) => {
                let node = nodes.first()?;
                if let Scalar::Text(text) = document.scalar(node) {
                    return Some(text.encode_utf16().count());
                }
                document.list_length(node).or_else(|| document.names(node).map(|names| names.len()))
            }
        }
    }
}

impl Literal {
    fn scalar(&self) -> Scalar<'_> {
        match self {
            Literal::Null => Scalar::Null,
            Literal::Bool(value) => Scalar::Bool(*value),
            Literal::Number(number) => Scalar::Number(*number),
            Literal::Text(text) => Scalar::Text(text),
            Literal::List(_) => Scalar::Container,
        }
    }

    fn of(scalar: Scalar<'_>) -> Literal {
        match scalar {
            Scalar::Null => Literal::Null,
            Scalar::Bool(value) => Literal::Bool(value),
            Scalar::Number(number) => Literal::Number(number),
            Scalar::Text(text) => Literal::Text(text.to_owned()),
            Scalar::Container => Literal::List(Vec::new()),
        }
    }
}

fn compare<D: Document>(
    document: &D,
    left: &Side<'_, D::Node>,
    comparison: Comparison,
    right: &Side<'_, D::Node>,
) -> bool {
    let (a, b) = (left.scalar(document), right.scalar(document));
    match comparison {
        Comparison::Equal => a.is_some() && equal(a, b),
        Comparison::NotEqual => !(a.is_some() && equal(a, b)),
        Comparison::Less => order(a, b).is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order(a, b).is_some_and(Ordering::is_le),
        Comparison::Greater => order(a, b).is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(a, b).is_some_and(Ordering::is_ge),
        Comparison::In => right.items(document).iter().any(|item| equal(a, Some(item.scalar()))),
        Comparison::NotIn => !right.items(document).iter().any(|item| equal(a, Some(item.scalar()))),
        Comparison::Contains => match (a, b) {
            (Some(Scalar::Text(text)), Some(Scalar::Text(part))) => text.contains(part),
            _ => left.items(document).iter().any(|item| equal(Some(item.scalar()), b)),
        },
        Comparison::Size => {
            let expected = if let Some(Scalar::Number(number)) = b { Some(number) } else { None };
            left.length(document).map(|length| length as f64) == expected
        }
        Comparison::Empty => left.length(document).is_some_and(|length| Some(Scalar::Bool(length == 0)) == b),
    }
}

fn equal(a: Option<Scalar<'_>>, b: Option<Scalar<'_>>) -> bool {
    match (a, b) {
        (Some(Scalar::Container), _) | (_, Some(Scalar::Container)) => false,
        _ => a == b,
    }
}

fn order(a: Option<Scalar<'_>>, b: Option<Scalar<'_>>) -> Option<Ordering> {
    match (a?, b?) {
        (Scalar::Number(a), Scalar::Number(b)) => a.partial_cmp(&b),
        (Scalar::Text(a), Scalar::Text(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
