//! An expression's tree, applied to a value.

use jmespath::ast::{Ast, Comparator};
use stagedoor_model::Value;
use stagedoor_model::value::Key;

use super::functions;

pub fn evaluate(ast: &Ast, data: &Value) -> Result<Value, String> {
    Ok(match ast {
        Ast::Identity { .. } => data.clone(),
        Ast::Field { name, .. } => data.get(name).cloned().unwrap_or_default(),
        Ast::Literal { value, .. } => literal(value)?,
        Ast::Index { idx, .. } => index(data.items(), *idx).cloned().unwrap_or_default(),
        Ast::Slice { start, stop, step, .. } => slice(data, *start, *stop, *step)?,
        Ast::Subexpr { lhs, rhs, .. } => evaluate(rhs, &evaluate(lhs, data)?)?,
        Ast::Or { lhs, rhs, .. } => match evaluate(lhs, data)? {
            left if is_true(&left) => left,
            _ => evaluate(rhs, data)?,
        },
        Ast::And { lhs, rhs, .. } => match evaluate(lhs, data)? {
            left if is_true(&left) => evaluate(rhs, data)?,
            left => left,
        },
        Ast::Not { node, .. } => Value::Bool(!is_true(&evaluate(node, data)?)),
        Ast::Condition { predicate, then, .. } => match is_true(&evaluate(predicate, data)?) {
            true => evaluate(then, data)?,
            false => Value::Null,
        },
        Ast::Comparison { comparator, lhs, rhs, .. } => {
            compare(comparator, &evaluate(lhs, data)?, &evaluate(rhs, data)?)
        }
        Ast::ObjectValues { node, .. } => match evaluate(node, data)? {
            Value::Map(entries) => Value::List(entries.into_iter().map(|(_, value)| value).collect()),
            _ => Value::Null,
        },
        Ast::Projection { lhs, rhs, .. } => match evaluate(lhs, data)? {
            Value::List(items) => {
                let found = items.iter().map(|item| evaluate(rhs, item)).collect::<Result<Vec<_>, _>>()?;
                Value::List(found.into_iter().filter(|value| !value.is_null()).collect())
            }
            _ => Value::Null,
        },
        Ast::Flatten { node, .. } => match evaluate(node, data)? {
            Value::List(items) => Value::List(items.into_iter().flat_map(inner).collect()),
            _ => Value::Null,
        },
        Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_null() => Value::Null,
        Ast::MultiList { elements, .. } => {
            Value::List(elements.iter().map(|element| evaluate(element, data)).collect::<Result<_, _>>()?)
        }
        Ast::MultiHash { elements, .. } => {
            let mut entries: Vec<(Key, Value)> = Vec::new();
            for element in elements {
                put(&mut entries, element.key.clone().into(), evaluate(&element.value, data)?);
            }
            Value::Map(entries)
        }
        Ast::Function { name, args, .. } => functions::call(name, args, data)?,
        Ast::Expref { .. } => {
            return Err("an expression (&…) may only be an argument of a function".to_owned());
        }
    })
}

/// Sets a key; one that is there keeps its place.
pub fn put(entries: &mut Vec<(Key, Value)>, key: Key, value: Value) {
    match entries.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => entries.push((key, value)),
    }
}

fn literal(value: &jmespath::Variable) -> Result<Value, String> {
    let json = serde_json::to_value(value).map_err(|error| error.to_string())?;
    serde_json::from_value(json).map_err(|error| error.to_string())
}

fn inner(item: Value) -> Vec<Value> {
    match item {
        Value::List(items) => items,
        item => vec![item],
    }
}

/// Negative indices count from the end.
fn index(items: &[Value], index: i32) -> Option<&Value> {
    let at = if index < 0 { items.len().checked_sub(index.unsigned_abs() as usize)? } else { index as usize };
    items.get(at)
}

/// As Python slices lists.
fn slice(data: &Value, start: Option<i32>, stop: Option<i32>, step: i32) -> Result<Value, String> {
    let Value::List(items) = data else { return Ok(Value::Null) };
    if step == 0 {
        return Err("slice step cannot be zero".to_owned());
    }
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let step = i64::from(step);
    // Where a slice may begin or end: before the first item only when going backwards.
    let (least, most) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |at: Option<i32>, default: i64| match at.map(i64::from) {
        None => default,
        Some(at) => (if at < 0 { at + length } else { at }).clamp(least, most),
    };
    let (first, last) = if step > 0 { (0, length) } else { (length - 1, -1) };
    let (mut at, stop) = (place(start, first), place(stop, last));
    let mut found = Vec::new();
    while if step > 0 { at < stop } else { at > stop } {
        found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at += step;
    }
    Ok(Value::List(found))
}

fn compare(comparator: &Comparator, left: &Value, right: &Value) -> Value {
    match comparator {
        Comparator::Equal => return Value::Bool(equal(left, right)),
        Comparator::NotEqual => return Value::Bool(!equal(left, right)),
        _ => {}
    }
    // Numbers have an order, and so do strings, for the sake of times.
    let Some(order) = order(left, right) else { return Value::Null };
    Value::Bool(match comparator {
        Comparator::LessThan => order.is_lt(),
        Comparator::LessThanEqual => order.is_le(),
        Comparator::GreaterThan => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// The order of two numbers or two strings.
pub fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// Equality of JSON values: the order of members does not count.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Map(entries), Value::Map(others)) => {
            let same = |(key, value): &(Key, Value)| right.get(key).is_some_and(|other| equal(value, other));
            entries.len() == others.len() && entries.iter().all(same)
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left == right,
            _ => left == right,
        },
    }
}

/// False are `null`, `false`, and what is empty. Zero is true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        _ => true,
    }
}
