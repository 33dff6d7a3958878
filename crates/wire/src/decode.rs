//! From a request to the operation's input: path labels, query, headers and JSON body become one [`Value`].
//!
//! Only types are decided here; constraints are [`crate::check`]'s. Unknown members are ignored, as AWS does.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use stagedoor_auth::percent;
use stagedoor_model::value::Key;
use stagedoor_model::{Kind, Location, Member, Operation, ShapeTable, Timestamp, Value};

use crate::fault::Fault;
use crate::route::Routed;

/// Most bytes of a control-plane request's body: an API definition may have 6 MB.
pub const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The input of the operation, with the model's member names.
pub fn decode(routed: &Routed<'_>, query: &str, headers: &HeaderMap, body: &Bytes) -> Result<Value, Fault> {
    let Kind::Structure { members, payload } = &routed.operation.input.kind else {
        return Ok(Value::Map(Vec::new()));
    };
    let query = parse_query(query)?;
    let mut input = Vec::new();
    for member in members.iter() {
        let value = match member.location {
            Location::Body => continue,
            Location::Uri => {
                let label = routed.labels.iter().find(|(name, _)| *name == member.wire);
                label.map(|(_, text)| scalar(member.shape, text)).transpose()?
            }
            Location::Query => from_query(member, members, routed.operation, &query)?,
            Location::Header => {
                let text = headers.get(member.wire).map(|value| String::from_utf8_lossy(value.as_bytes()));
                text.map(|text| scalar(member.shape, &text)).transpose()?
            }
        };
        input.extend(value.map(|value| (Key::Borrowed(member.name), value)));
    }
    match payload {
        // No body is no payload: whether one is required is for the checks to say.
        Some(_) if body.is_empty() => {}
        Some(name) => input.push(((*name).into(), Value::Blob(body.clone()))),
        None if members.iter().any(|member| member.location == Location::Body) => {
            input.extend(body_members(members, body)?);
        }
        None => {}
    }
    Ok(Value::Map(input))
}

// === Query and path ===

fn parse_query(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((percent::decode_query(key)?.into_owned(), percent::decode_query(value)?.into_owned()))
    });
    decoded.collect::<Option<_>>().ok_or_else(|| Fault::serialization("The query string is not valid UTF-8"))
}

/// A list takes every occurrence of its key, a map every key that no other member claims.
fn from_query(
    member: &Member,
    members: &[Member],
    operation: &Operation,
    query: &[(String, String)],
) -> Result<Option<Value>, Fault> {
    let mut values = query.iter().filter(|(key, _)| key == member.wire).map(|(_, value)| value);
    match &member.shape.kind {
        Kind::List(item) => {
            let items = values.map(|text| scalar(item, text)).collect::<Result<Vec<_>, _>>()?;
            Ok((!items.is_empty()).then_some(Value::List(items)))
        }
        Kind::Map { .. } => {
            let claimed = |key: &str| {
                members.iter().any(|other| other.location == Location::Query && other.wire == key)
                    || operation.query.iter().any(|(literal, _)| *literal == key)
                    || key.to_ascii_lowercase().starts_with("x-amz-")
            };
            let free: BTreeMap<_, _> = query.iter().filter(|(key, _)| !claimed(key)).cloned().collect();
            let entries = free.into_iter().map(|(key, value)| (Key::Owned(key), Value::String(value)));
            let entries: Vec<_> = entries.collect();
            Ok((!entries.is_empty()).then_some(Value::Map(entries)))
        }
        _ => values.next_back().map(|text| scalar(member.shape, text)).transpose(),
    }
}

/// A value written as text, as in a path, a query or a header.
fn scalar(shape: &ShapeTable, text: &str) -> Result<Value, Fault> {
    let parsed = match &shape.kind {
        Kind::Boolean => match text {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Integer | Kind::Long => text.parse().ok().map(Value::Int),
        Kind::Float | Kind::Double => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float),
        Kind::Timestamp(_) => time(&Value::String(text.to_owned())).map(Value::Time),
        _ => Some(Value::String(text.to_owned())),
    };
    parsed.ok_or_else(|| cannot_convert("java.lang.String", shape))
}

// === Body ===

fn body_members(members: &'static [Member], body: &Bytes) -> Result<Vec<(Key, Value)>, Fault> {
    // A client that has nothing to say may send nothing at all.
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| Fault::serialization(format!("The request body is not valid JSON: {error}")))?;
    match json {
        Value::Map(entries) => structure(members, entries),
        Value::Null => Ok(Vec::new()),
        _ => Err(Fault::serialization("Start of structure expected")),
    }
}

/// The members in the model's order; of a key that occurs twice the last one counts.
fn structure(members: &'static [Member], entries: Vec<(Key, Value)>) -> Result<Vec<(Key, Value)>, Fault> {
    let mut slots: Vec<Option<Value>> = vec![None; members.len()];
    for (key, value) in entries {
        let place = members.iter().position(|member| member.location == Location::Body && member.wire == key);
        if let Some(place) = place {
            slots[place] = if value.is_null() { None } else { Some(typed(members[place].shape, value)?) };
        }
    }
    let named =
        slots.into_iter().zip(members).filter_map(|(value, member)| Some((member.name.into(), value?)));
    Ok(named.collect())
}

/// A JSON value as the shape demands it.
pub(crate) fn typed(shape: &'static ShapeTable, value: Value) -> Result<Value, Fault> {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Map(entries)) => {
            Ok(Value::Map(structure(members, entries)?))
        }
        (Kind::List(item), Value::List(items)) => {
            let items = items.into_iter().filter(|value| !value.is_null()).map(|value| typed(item, value));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        (Kind::Map { value: entry, sparse, .. }, Value::Map(entries)) => {
            let mut map = BTreeMap::new();
            for (key, value) in entries {
                if !value.is_null() {
                    map.insert(key, typed(entry, value)?);
                } else if *sparse {
                    map.insert(key, Value::Null);
                }
            }
            Ok(Value::Map(map.into_iter().collect()))
        }
        (Kind::Boolean, value @ Value::Bool(_))
        | (Kind::Integer | Kind::Long, value @ Value::Int(_))
        | (Kind::String, value @ Value::String(_)) => Ok(value),
        // AWS reads numbers as such and then truncates.
        (Kind::Integer | Kind::Long, Value::Float(number)) => Ok(Value::Int(number as i64)),
        (Kind::Float | Kind::Double, Value::Int(number)) => Ok(Value::Float(number as f64)),
        (Kind::Float | Kind::Double, value @ Value::Float(_)) => Ok(value),
        (Kind::Timestamp(_), value) => time(&value).map(Value::Time).ok_or_else(|| wrong_type(shape, &value)),
        (Kind::Blob, Value::String(text)) => STANDARD
            .decode(text)
            .map(|bytes| Value::Blob(bytes.into()))
            .map_err(|_| Fault::serialization("Invalid base64 in a blob")),
        (_, value) => Err(wrong_type(shape, &value)),
    }
}

/// Both spellings of a time are understood, whichever the shape prefers.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Int(seconds) => Some(Timestamp::from_seconds(*seconds)),
        Value::Float(seconds) => Timestamp::from_seconds_f64(*seconds),
        Value::String(text) => {
            Timestamp::parse_iso8601(text).or_else(|| text.parse().ok().and_then(Timestamp::from_seconds_f64))
        }
        _ => None,
    }
}

// === AWS's words for wrong types ===

fn wrong_type(shape: &ShapeTable, value: &Value) -> Fault {
    let wants_collection = matches!(shape.kind, Kind::List(_) | Kind::Map { .. } | Kind::Structure { .. });
    match value {
        Value::Map(_) => Fault::serialization("Start of structure or map found where not expected."),
        Value::List(_) => Fault::serialization("Start of list found where not expected"),
        scalar if wants_collection => {
            Fault::serialization(format!("Unrecognized collection type class {}", java_class(scalar)))
        }
        scalar => cannot_convert(java_class(scalar), shape),
    }
}

fn cannot_convert(class: &str, shape: &ShapeTable) -> Fault {
    let wanted = match shape.kind {
        Kind::Boolean => "Boolean",
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Float => "Float",
        Kind::Double => "Double",
        Kind::Timestamp(_) => "Date",
        Kind::Blob => "ByteBuffer",
        _ => "String",
    };
    Fault::serialization(format!("class {class} can not be converted to an {wanted}"))
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "java.lang.Boolean",
        Value::Int(_) | Value::Float(_) => "com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        _ => "java.lang.String",
    }
}
