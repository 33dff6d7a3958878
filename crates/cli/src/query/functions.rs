//! The functions of JMESPath, with the values that each takes.

use std::cmp::Ordering;

use jmespath::ast::Ast;
use stagedoor_model::Value;

use super::evaluate::{equal, evaluate, number, order, put};

/// What one argument may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Any,
    Number,
    String,
    Array,
    Object,
    ArrayOrString,
    Measurable,
    Numbers,
    Strings,
    NumbersOrStrings,
    Expression,
}

use Type::{
    Any, Array, ArrayOrString, Expression, Measurable, Number, Numbers, NumbersOrStrings, Object, Strings,
};

/// Name, what it takes, and whether the last argument may come more than once.
const FUNCTIONS: [(&str, &[Type], bool); 26] = [
    ("abs", &[Number], false),
    ("avg", &[Numbers], false),
    ("ceil", &[Number], false),
    ("contains", &[ArrayOrString, Any], false),
    ("ends_with", &[Type::String, Type::String], false),
    ("floor", &[Number], false),
    ("join", &[Type::String, Strings], false),
    ("keys", &[Object], false),
    ("length", &[Measurable], false),
    ("map", &[Expression, Array], false),
    ("max", &[NumbersOrStrings], false),
    ("max_by", &[Array, Expression], false),
    ("merge", &[Object], true),
    ("min", &[NumbersOrStrings], false),
    ("min_by", &[Array, Expression], false),
    ("not_null", &[Any], true),
    ("reverse", &[ArrayOrString], false),
    ("sort", &[NumbersOrStrings], false),
    ("sort_by", &[Array, Expression], false),
    ("starts_with", &[Type::String, Type::String], false),
    ("sum", &[Numbers], false),
    ("to_array", &[Any], false),
    ("to_number", &[Any], false),
    ("to_string", &[Any], false),
    ("type", &[Any], false),
    ("values", &[Object], false),
];

/// Calls a function with arguments that are evaluated against `data`.
pub fn call(name: &str, arguments: &[Ast], data: &Value) -> Result<Value, String> {
    let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let (_, types, repeats) = known.ok_or_else(|| format!("Unknown function: {name}()"))?;
    let fits = arguments.len() == types.len() || (*repeats && arguments.len() > types.len());
    if !fits {
        let least = if *repeats { "at least " } else { "" };
        let (expected, received) = (types.len(), arguments.len());
        return Err(format!(
            "Expected {least}{expected} argument(s) for function {name}(), received {received}"
        ));
    }
    let mut values = Vec::new();
    let mut expression = None;
    for (at, argument) in arguments.iter().enumerate() {
        let wanted = types[at.min(types.len() - 1)];
        match (argument, wanted) {
            (Ast::Expref { ast, .. }, Expression) => expression = Some(&**ast),
            (Ast::Expref { .. }, _) | (_, Expression) => return Err(mistyped(name, "an expression")),
            (argument, wanted) => {
                let value = evaluate(argument, data)?;
                if !is_of(&value, wanted) {
                    return Err(mistyped(name, type_name(&value)));
                }
                values.push(value);
            }
        }
    }
    match expression {
        Some(expression) => with_expression(name, expression, values),
        None => Ok(apply(name, values)),
    }
}

fn mistyped(function: &str, found: &str) -> String {
    format!("In function {function}(), invalid type for value: {found}")
}

fn is_of(value: &Value, wanted: Type) -> bool {
    let all = |is: fn(&Value) -> bool| matches!(value, Value::List(items) if items.iter().all(is));
    let is_number = |value: &Value| number(value).is_some();
    let is_string = |value: &Value| matches!(value, Value::String(_));
    match wanted {
        Any => true,
        Number => is_number(value),
        Type::String => is_string(value),
        Array => matches!(value, Value::List(_)),
        Object => matches!(value, Value::Map(_)),
        ArrayOrString => matches!(value, Value::List(_) | Value::String(_)),
        Measurable => matches!(value, Value::List(_) | Value::String(_) | Value::Map(_)),
        Numbers => all(is_number),
        Strings => all(is_string),
        NumbersOrStrings => all(is_number) || all(is_string),
        Expression => false,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Float(_) => "number",
        Value::String(_) | Value::Blob(_) | Value::Time(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// The functions of values alone, whose types have been checked.
fn apply(name: &str, values: Vec<Value>) -> Value {
    let first = values.first().cloned().unwrap_or_default();
    let second = values.get(1).cloned().unwrap_or_default();
    match (name, first, second) {
        ("abs", Value::Int(number), _) => Value::Int(number.saturating_abs()),
        ("abs", Value::Float(number), _) => Value::Float(number.abs()),
        ("ceil", Value::Float(number), _) => Value::Int(number.ceil() as i64),
        ("floor", Value::Float(number), _) => Value::Int(number.floor() as i64),
        ("avg", Value::List(items), _) if items.is_empty() => Value::Null,
        ("avg", Value::List(items), _) => Value::Float(total(&items) / items.len() as f64),
        ("sum", Value::List(items), _) => sum(&items),
        ("contains", Value::List(items), item) => Value::Bool(items.iter().any(|other| equal(other, &item))),
        ("contains", Value::String(text), Value::String(part)) => Value::Bool(text.contains(&part)),
        ("contains", ..) => Value::Bool(false),
        ("ends_with", Value::String(text), Value::String(end)) => Value::Bool(text.ends_with(&end)),
        ("starts_with", Value::String(text), Value::String(start)) => Value::Bool(text.starts_with(&start)),
        ("join", Value::String(glue), items) => {
            Value::String(items.items().iter().filter_map(Value::as_str).collect::<Vec<_>>().join(&glue))
        }
        ("keys", Value::Map(entries), _) => {
            Value::List(entries.into_iter().map(|(key, _)| Value::String(key.into_owned())).collect())
        }
        ("values", Value::Map(entries), _) => {
            Value::List(entries.into_iter().map(|(_, value)| value).collect())
        }
        ("length", value, _) => Value::Int(i64::try_from(length(&value)).unwrap_or(i64::MAX)),
        ("max", Value::List(items), _) => extreme(items, Ordering::Greater),
        ("min", Value::List(items), _) => extreme(items, Ordering::Less),
        ("merge", ..) => merge(values),
        ("not_null", ..) => values.into_iter().find(|value| !value.is_null()).unwrap_or_default(),
        ("reverse", Value::String(text), _) => Value::String(text.chars().rev().collect()),
        ("reverse", Value::List(items), _) => Value::List(items.into_iter().rev().collect()),
        ("sort", Value::List(mut items), _) => {
            items.sort_by(|left, right| order(left, right).unwrap_or(Ordering::Equal));
            Value::List(items)
        }
        ("to_array", items @ Value::List(_), _) => items,
        ("to_array", value, _) => Value::List(vec![value]),
        ("to_number", number @ (Value::Int(_) | Value::Float(_)), _) => number,
        ("to_number", Value::String(text), _) => to_number(text.trim()),
        ("to_string", text @ Value::String(_), _) => text,
        ("to_string", value, _) => Value::String(serde_json::to_string(&value).unwrap_or_default()),
        ("type", value, _) => Value::String(type_name(&value).to_owned()),
        // `ceil` and `floor` of whole numbers.
        ("ceil" | "floor", number, _) => number,
        _ => Value::Null,
    }
}

/// The functions that apply an expression to each item of a list.
fn with_expression(name: &str, expression: &Ast, values: Vec<Value>) -> Result<Value, String> {
    let Some(Value::List(items)) = values.into_iter().next() else { return Ok(Value::Null) };
    let keys = items.iter().map(|item| evaluate(expression, item)).collect::<Result<Vec<_>, _>>()?;
    if name == "map" {
        return Ok(Value::List(keys));
    }
    let list = Value::List(keys);
    if !is_of(&list, NumbersOrStrings) {
        return Err(mistyped(name, "other than numbers or strings"));
    }
    let Value::List(keys) = list else { return Ok(Value::Null) };
    let mut pairs: Vec<_> = keys.into_iter().zip(items).collect();
    let by_key =
        |left: &(Value, Value), right: &(Value, Value)| order(&left.0, &right.0).unwrap_or(Ordering::Equal);
    if name == "sort_by" {
        pairs.sort_by(by_key);
        return Ok(Value::List(pairs.into_iter().map(|(_, item)| item).collect()));
    }
    let wanted = if name == "max_by" { Ordering::Greater } else { Ordering::Less };
    let better =
        |best: (Value, Value), pair: (Value, Value)| if by_key(&pair, &best) == wanted { pair } else { best };
    Ok(pairs.into_iter().reduce(better).map(|(_, item)| item).unwrap_or_default())
}

fn total(items: &[Value]) -> f64 {
    items.iter().filter_map(number).sum()
}

/// Whole as long as all items are.
fn sum(items: &[Value]) -> Value {
    let whole = items.iter().try_fold(0_i64, |sum, item| match item {
        Value::Int(number) => sum.checked_add(*number),
        _ => None,
    });
    whole.map_or_else(|| Value::Float(total(items)), Value::Int)
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Map(entries) => entries.len(),
        other => other.items().len(),
    }
}

fn extreme(items: Vec<Value>, wanted: Ordering) -> Value {
    let better = |best: Value, item: Value| if order(&item, &best) == Some(wanted) { item } else { best };
    items.into_iter().reduce(better).unwrap_or_default()
}

fn merge(values: Vec<Value>) -> Value {
    let mut merged = Vec::new();
    for value in values {
        if let Value::Map(entries) = value {
            entries.into_iter().for_each(|(key, value)| put(&mut merged, key, value));
        }
    }
    Value::Map(merged)
}

fn to_number(text: &str) -> Value {
    match (text.parse(), text.parse()) {
        (Ok(whole), _) => Value::Int(whole),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::Null,
    }
}
