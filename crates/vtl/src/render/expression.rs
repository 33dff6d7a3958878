//! Values and truth of expressions.
//!
//! Velocity 1.7 asks an expression for its value or for its truth, and the two differ: a literal text, number, list or
//! the result of arithmetic is never true, while any reference with a value other than `false` is.

use std::cmp::Ordering;

use indexmap::IndexMap;

use super::{Flow, Renderer};
use crate::ast::{Expr, Operator};
use crate::error::RenderError;
use crate::heap::{ListKind, MapKind};
use crate::number::{self, Number};
use crate::value::{Key, Value};

/// Items a range may have. Twice as many bytes as the default memory would hold anyway.
const RANGE_ITEMS_MAX: i64 = 1_000_000;

impl Renderer<'_> {
    pub(crate) fn value(&mut self, expr: &Expr) -> Result<Value, RenderError> {
        self.meter.step()?;
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::Reference(reference) => self.reference(reference),
            Expr::Interpolated(block) => {
                let text = self.captured(|renderer| {
                    renderer.stopped |= renderer.block(block)? == Flow::Stop;
                    Ok(())
                })?;
                Ok(Value::Str(text))
            }
            _ => {
                self.enter()?;
                let value = self.compound(expr);
                self.depth -= 1;
                value
            }
        }
    }

    fn compound(&mut self, expr: &Expr) -> Result<Value, RenderError> {
        match expr {
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Range(ends) => self.range(&ends.0, &ends.1),
            Expr::Not(inner) => Ok(Value::Bool(!self.condition(inner)?)),
            Expr::Binary(operation) => self.operation(&operation.0, operation.1, &operation.2),
            Expr::Literal(_) | Expr::Reference(_) | Expr::Interpolated(_) => self.value(expr),
        }
    }

    /// Whether an expression is true, as `#if` asks.
    pub(super) fn condition(&mut self, expr: &Expr) -> Result<bool, RenderError> {
        match expr {
            Expr::Literal(Value::Bool(value)) => Ok(*value),
            Expr::Literal(_) | Expr::Interpolated(_) | Expr::List(_) | Expr::Map(_) | Expr::Range(_) => {
                Ok(false)
            }
            Expr::Reference(_) => Ok(match self.value(expr)? {
                Value::Null => false,
                Value::Bool(value) => value,
                _ => true,
            }),
            Expr::Not(_) => Ok(matches!(self.value(expr)?, Value::Bool(true))),
            Expr::Binary(operation) => match operation.1.rank() {
                5.. => Ok(false),
                _ => Ok(matches!(self.value(expr)?, Value::Bool(true))),
            },
        }
    }

    fn operation(&mut self, left: &Expr, operator: Operator, right: &Expr) -> Result<Value, RenderError> {
        match operator {
            Operator::Or => return Ok(Value::Bool(self.condition(left)? || self.condition(right)?)),
            Operator::And => return Ok(Value::Bool(self.condition(left)? && self.condition(right)?)),
            _ => {}
        }
        let a = self.value(left)?;
        let b = self.value(right)?;
        Ok(match operator {
            Operator::Equal => Value::Bool(self.equal(&a, &b)?),
            Operator::NotEqual => Value::Bool(!self.equal(&a, &b)?),
            Operator::Less => Value::Bool(order(&a, &b).is_some_and(Ordering::is_lt)),
            Operator::LessOrEqual => Value::Bool(order(&a, &b).is_some_and(Ordering::is_le)),
            Operator::Greater => Value::Bool(order(&a, &b).is_some_and(Ordering::is_gt)),
            Operator::GreaterOrEqual => Value::Bool(order(&a, &b).is_some_and(Ordering::is_ge)),
            Operator::Add if matches!(a, Value::Str(_)) || matches!(b, Value::Str(_)) => {
                self.concatenation((left, &a), (right, &b))?
            }
            _ => match (Number::of(&a), Number::of(&b)) {
                (Some(a), Some(b)) => number::calculate(a, operator, b),
                _ => Value::Null,
            },
        })
    }

    /// `+` with a text on one side. What has no value stands as it was written.
    fn concatenation(&mut self, left: (&Expr, &Value), right: (&Expr, &Value)) -> Result<Value, RenderError> {
        let mut joined = String::new();
        for (expr, value) in [left, right] {
            match (expr, value) {
                (Expr::Reference(reference), Value::Null) => joined.push_str(&reference.source),
                _ => joined.push_str(&self.text_of(value)?),
            }
        }
        self.meter.allocate(joined.len())?;
        Ok(Value::str(joined))
    }

    /// `==`: numbers by value, containers by what they hold, values of different kinds by their text.
    pub(crate) fn equal(&mut self, a: &Value, b: &Value) -> Result<bool, RenderError> {
        match (a, b) {
            (Value::Null, _) | (_, Value::Null) => return Ok(a.is_null() && b.is_null()),
            (Value::Str(a), Value::Str(b)) => {
                self.meter.read(a.len())?;
                return Ok(a == b);
            }
            (Value::Bool(a), Value::Bool(b)) => return Ok(a == b),
            (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => return self.same(a, b, 0),
            _ => {}
        }
        if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
            return Ok(number::compare(a, b) == Some(Ordering::Equal));
        }
        Ok(self.text_of(a)? == self.text_of(b)?)
    }

    /// Java's `equals`.
    pub(crate) fn same(&mut self, a: &Value, b: &Value, depth: usize) -> Result<bool, RenderError> {
        self.meter.step()?;
        if depth > crate::limits::VALUE_DEPTH_MAX {
            return Err(crate::error::Failure::TooDeep.into());
        }
        match (a, b) {
            (Value::List(x), Value::List(y)) => {
                if x == y {
                    return Ok(true);
                }
                let length = self.heap.list(*x).items.len();
                if length != self.heap.list(*y).items.len() {
                    return Ok(false);
                }
                for index in 0..length {
                    let (x, y) =
                        (self.heap.list(*x).items[index].clone(), self.heap.list(*y).items[index].clone());
                    if !self.same(&x, &y, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(x), Value::Map(y)) => {
                if x == y {
                    return Ok(true);
                }
                let length = self.heap.map(*x).entries.len();
                if length != self.heap.map(*y).entries.len() {
                    return Ok(false);
                }
                for index in 0..length {
                    let Some((key, x)) = self.heap.map(*x).entries.get_index(index) else { return Ok(false) };
                    let Some(y) = self.heap.map(*y).entries.get(key) else { return Ok(false) };
                    let (x, y) = (x.clone(), y.clone());
                    if !self.same(&x, &y, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Str(x), Value::Str(y)) => {
                self.meter.read(x.len())?;
                Ok(x == y)
            }
            _ => Ok(Key(a.clone()) == Key(b.clone())),
        }
    }

    fn list(&mut self, items: &[Expr]) -> Result<Value, RenderError> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.settled(item)?);
        }
        self.new_list(values)
    }

    fn map(&mut self, entries: &[(Expr, Expr)]) -> Result<Value, RenderError> {
        let mut map = IndexMap::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.settled(key)?;
            let value = self.settled(value)?;
            map.insert(Key(key), value);
        }
        self.new_map(map)
    }

    /// A value to keep or to hand over: what `#define` made becomes its text.
    pub(super) fn settled(&mut self, expr: &Expr) -> Result<Value, RenderError> {
        match self.value(expr)? {
            value @ Value::Define(_) => Ok(Value::Str(self.text_of(&value)?)),
            value => Ok(value),
        }
    }

    fn range(&mut self, first: &Expr, last: &Expr) -> Result<Value, RenderError> {
        let (first, last) = (self.value(first)?, self.value(last)?);
        let (Some(first), Some(last)) = (Number::of(&first), Number::of(&last)) else {
            return Ok(Value::Null);
        };
        let (first, last) = (i64::from(first.as_int()), i64::from(last.as_int()));
        let length = (first - last).abs() + 1;
        if length > RANGE_ITEMS_MAX {
            return Err(crate::error::Failure::TooMuchMemory.into());
        }
        let step = if first <= last { 1 } else { -1 };
        self.new_list((0..length).map(|index| Value::integer(first + index * step)).collect())
    }

    /// A list as a template makes it.
    pub(crate) fn new_list(&mut self, items: Vec<Value>) -> Result<Value, RenderError> {
        self.meter.allocate(32 + items.len() * size_of::<Value>())?;
        Ok(self.heap.new_list(items, ListKind::Java))
    }

    /// A map as a template makes it.
    pub(crate) fn new_map(&mut self, entries: IndexMap<Key, Value>) -> Result<Value, RenderError> {
        self.meter.allocate(64 + entries.len() * 3 * size_of::<Value>())?;
        Ok(Value::Map(self.heap.new_map(entries, MapKind::Plain)))
    }
}

/// Velocity compares numbers only.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    number::compare(Number::of(a)?, Number::of(b)?)
}
