//! The words of an option become the value of its member: files, shorthand, JSON, scalars.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stagedoor_model::{Kind, Member, ShapeTable, Timestamp, Value};

use crate::failure::{Failure, Result};
use crate::{malformed, python, shorthand};

/// How text stands for bytes (`--cli-binary-format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinaryFormat {
    #[default]
    Base64,
    Raw,
}

/// The value that `words` give to a member.
pub fn member_value(option: &str, member: &Member, words: &[String]) -> Result<Value> {
    let shape = member.shape;
    let wrong = |message: String| Failure::parameter(option, message);
    let file = match words {
        [only] => load(only).map_err(wrong)?,
        _ => None,
    };
    let words = match file {
        Some(Value::String(text)) => vec![text],
        Some(bytes) => return Ok(bytes),
        None => words.to_vec(),
    };
    let is_list = matches!(shape.kind, Kind::List(_));
    let looks_like_json = words.first().is_some_and(|word| word.trim_start().starts_with(['[', '{']));
    if takes_shorthand(shape) && !looks_like_json {
        let parsed: std::result::Result<Vec<_>, _> =
            words.iter().map(|word| shorthand::parse(word, &load)).collect();
        let parsed = parsed.map_err(wrong)?;
        let whole = if is_list { Value::List(parsed) } else { parsed.into_iter().next().unwrap_or_default() };
        return shorthand::adapt(shape, whole).map_err(|message| match shorthand::is_of_number(&message) {
            true => Failure::Other(message),
            false => wrong(message),
        });
    }
    match (&shape.kind, words.as_slice()) {
        (Kind::List(_), [only]) if only.trim_start().starts_with('[') => json(option, only),
        (Kind::List(item), words) => {
            let items = words.iter().map(|word| single(option, item, word));
            Ok(Value::List(items.collect::<Result<_>>()?))
        }
        (_, words) => single(option, shape, words.first().map_or("", String::as_str)),
    }
}

/// One word as a value of the shape, without shorthand.
fn single(option: &str, shape: &ShapeTable, word: &str) -> Result<Value> {
    let number = |message: String| Failure::Other(message);
    match &shape.kind {
        Kind::Integer | Kind::Long => shorthand::integer(word).map(Value::Int).map_err(number),
        Kind::Float | Kind::Double => shorthand::float(word).map(Value::Float).map_err(number),
        Kind::Boolean => Ok(Value::Bool(!word.is_empty() && !word.eq_ignore_ascii_case("false"))),
        Kind::Structure { .. } | Kind::Map { .. } | Kind::List(_) => {
            if word.trim_start().starts_with(['{', '[']) {
                json(option, word)
            } else {
                Err(Failure::parameter(option, format!("Invalid JSON:\n{word}")))
            }
        }
        Kind::String | Kind::Blob | Kind::Timestamp(_) => Ok(Value::String(word.to_owned())),
    }
}

/// JSON of an option's value.
pub fn json(option: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let complaint = malformed::complaint(text).unwrap_or_else(|| error.to_string());
        // An option that holds the whole input is named without its dashes here, and only here.
        let dashes = if option == "cli-input-json" { "" } else { "--" };
        Failure::Value(format!(
            "Error parsing parameter '{dashes}{option}': Invalid JSON: {complaint}\nJSON received: {text}"
        ))
    })
}

/// YAML of an option's value.
pub fn yaml(option: &str, text: &str) -> Result<Value> {
    serde_saphyr::from_str(text)
        .map_err(|error| Failure::parameter(option, format!("Invalid YAML: {error}\nYAML received: {text}")))
}

/// Structures, maps, and lists of anything but scalars.
pub fn takes_shorthand(shape: &ShapeTable) -> bool {
    match &shape.kind {
        Kind::Structure { .. } | Kind::Map { .. } => true,
        Kind::List(item) => matches!(item.kind, Kind::Structure { .. } | Kind::Map { .. } | Kind::List(_)),
        _ => false,
    }
}

/// The contents of what `file://…` (text) or `fileb://…` (bytes) names; `None` for any other word.
pub fn load(word: &str) -> std::result::Result<Option<Value>, String> {
    let (path, text) = match (word.strip_prefix("file://"), word.strip_prefix("fileb://")) {
        (Some(path), _) => (path, true),
        (_, Some(path)) => (path, false),
        _ => return Ok(None),
    };
    let path = expand_home(path);
    let bytes = std::fs::read(&path)
        .map_err(|error| format!("Unable to load paramfile {word}: {}", python::os_error(&error, &path)))?;
    if !text {
        return Ok(Some(Value::Blob(bytes.into())));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        format!(
            "Unable to load paramfile ({}), text contents could not be decoded.  If this is a binary file, please use \
             the fileb:// prefix instead of the file:// prefix.",
            path.display()
        )
    })?;
    Ok(Some(Value::String(text)))
}

/// A path with `~` for the home folder.
pub fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

/// Text that stands for bytes or times, in a checked input, becomes those.
///
/// # Errors
/// [`Failure::Value`] for text that is not base64 or not a time.
pub fn typed(shape: &ShapeTable, value: Value, format: BinaryFormat) -> Result<Value> {
    Ok(match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Map(mut entries)) => {
            for (key, value) in &mut entries {
                if let Some(member) = members.iter().find(|member| member.name == key) {
                    *value = typed(member.shape, std::mem::take(value), format)?;
                }
            }
            Value::Map(entries)
        }
        (Kind::List(item), Value::List(items)) => {
            Value::List(items.into_iter().map(|value| typed(item, value, format)).collect::<Result<_>>()?)
        }
        (Kind::Map { value: shape, .. }, Value::Map(mut entries)) => {
            for (_, value) in &mut entries {
                *value = typed(shape, std::mem::take(value), format)?;
            }
            Value::Map(entries)
        }
        (Kind::Blob, Value::String(text)) if format == BinaryFormat::Raw => Value::Blob(text.into()),
        (Kind::Blob, Value::String(text)) => {
            // Line breaks do not count, as in Python's decoder.
            let packed: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
            let bytes =
                STANDARD.decode(packed).map_err(|_| Failure::Value(format!("Invalid base64: \"{text}\"")))?;
            Value::Blob(bytes.into())
        }
        (Kind::Timestamp(_), Value::String(text)) => {
            let seconds = || text.parse().ok().and_then(Timestamp::from_seconds_f64);
            let time = Timestamp::parse_iso8601(&text).or_else(seconds);
            Value::Time(time.ok_or_else(|| Failure::Value(format!("Invalid timestamp \"{text}\"")))?)
        }
        (Kind::Timestamp(_), Value::Int(seconds)) => Value::Time(Timestamp::from_seconds(seconds)),
        (_, value) => value,
    })
}
