//! `$context`: a tree of maps, in which a template may set overrides.

use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use crate::error::{Failure, RenderError};
use crate::heap::{ListKind, MapId, MapKind};
use crate::limits::VALUE_DEPTH_MAX;
use crate::overrides::Overrides;
use crate::render::Renderer;
use crate::value::{Key, Value};

/// The map behind `$context`.
#[derive(Clone, Copy)]
pub(crate) struct Maps {
    root: MapId,
}

const REQUEST: &str = "requestOverride";
const RESPONSE: &str = "responseOverride";

impl Renderer<'_> {
    /// The map of `$context`, made when a template first asks for it.
    pub(crate) fn context_map(&mut self) -> Result<Value, RenderError> {
        if let Some(maps) = self.context {
            return Ok(Value::Map(maps.root));
        }
        let mut entries = IndexMap::new();
        for (name, value) in self.scope.context.into_iter().flatten() {
            let kind = if name == REQUEST || name == RESPONSE { MapKind::Override } else { MapKind::Context };
            let value = self.imported(value, kind, 1)?;
            entries.insert(Key(Value::str(name.as_str())), value);
        }
        for (name, members) in [(REQUEST, &["header", "querystring", "path"][..]), (RESPONSE, &["header"])] {
            let slot = entries.entry(Key(Value::str(name))).or_insert(Value::Null);
            if !matches!(slot, Value::Map(_)) {
                *slot = Value::Map(self.heap.new_map(IndexMap::new(), MapKind::Override));
            }
            let Value::Map(id) = *slot else { continue };
            for member in members {
                let key = Key(Value::str(*member));
                if !self.heap.map(id).entries.contains_key(&key) {
                    let empty = self.heap.new_map(IndexMap::new(), MapKind::Override);
                    self.heap.map_mut(id).entries.insert(key, Value::Map(empty));
                }
            }
        }
        let root = self.heap.new_map(entries, MapKind::Context);
        self.context = Some(Maps { root });
        Ok(Value::Map(root))
    }

    fn imported(&mut self, json: &Json, kind: MapKind, depth: usize) -> Result<Value, RenderError> {
        if depth > VALUE_DEPTH_MAX {
            return Err(Failure::TooDeep.into());
        }
        self.meter.allocate(size_of::<Value>())?;
        Ok(match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => imported_number(number),
            Json::String(text) => {
                self.meter.allocate(text.len())?;
                Value::str(text.as_str())
            }
            Json::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(self.imported(item, kind, depth + 1)?);
                }
                self.heap.new_list(list, ListKind::Json)
            }
            Json::Object(members) => {
                let mut map = IndexMap::with_capacity(members.len());
                for (name, value) in members {
                    self.meter.allocate(name.len())?;
                    map.insert(Key(Value::str(name.as_str())), self.imported(value, kind, depth + 1)?);
                }
                Value::Map(self.heap.new_map(map, kind))
            }
        })
    }
}

/// What the override maps hold when a rendering ends. Of a template that never asked for `$context`, what it was given.
pub(crate) fn overrides(renderer: &mut Renderer<'_>) -> Result<Overrides, RenderError> {
    let Some(maps) = renderer.context else {
        let given = |name| {
            let value = renderer.scope.context.and_then(|context| context.get(name));
            value.and_then(Json::as_object).cloned().unwrap_or_default()
        };
        return Ok(Overrides { request: given(REQUEST), response: given(RESPONSE) });
    };
    Ok(Overrides {
        request: exported_member(renderer, maps, REQUEST)?,
        response: exported_member(renderer, maps, RESPONSE)?,
    })
}

fn exported_member(
    renderer: &mut Renderer<'_>,
    maps: Maps,
    name: &str,
) -> Result<Map<String, Json>, RenderError> {
    let Some(value) = renderer.heap.map(maps.root).get_str(name).cloned() else { return Ok(Map::new()) };
    let exported = exported(renderer, &value, 0)?;
    Ok(if let Json::Object(members) = exported { members } else { Map::new() })
}

fn exported(renderer: &mut Renderer<'_>, value: &Value, depth: usize) -> Result<Json, RenderError> {
    renderer.meter.allocate(size_of::<Json>())?;
    renderer.meter.step()?;
    if depth > VALUE_DEPTH_MAX {
        return Err(Failure::TooDeep.into());
    }
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => (*number).into(),
        Value::Long(number) => (*number).into(),
        Value::Double(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::List(id) => {
            let items = renderer.heap.list(*id).items.clone();
            let items: Result<_, _> = items.iter().map(|item| exported(renderer, item, depth + 1)).collect();
            Json::Array(items?)
        }
        Value::Map(id) => {
            let entries: Vec<_> = renderer
                .heap
                .map(*id)
                .entries
                .iter()
                .map(|(key, value)| (key.0.clone(), value.clone()))
                .collect();
            let mut members = Map::new();
            for (key, value) in entries {
                members.insert(renderer.text_of(&key)?.to_string(), exported(renderer, &value, depth + 1)?);
            }
            Json::Object(members)
        }
        other => Json::String(renderer.text_of(other)?.to_string()),
    })
}

fn imported_number(number: &Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return Value::integer(integer);
    }
    if let Some(integer) = number.as_u64() {
        return Value::Big(integer.to_string().into());
    }
    Value::Double(number.as_f64().unwrap_or(f64::NAN))
}
