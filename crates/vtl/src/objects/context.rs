//! `$context`: a tree of maps, in which a template may set overrides.

use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use crate::ast::Step;
use crate::error::{Failure, RenderError};
use crate::heap::{ListKind, MapId, MapKind};
use crate::limits::VALUE_DEPTH_MAX;
use crate::overrides::Overrides;
use crate::render::Renderer;
use crate::value::{Key, Value};

/// The maps behind `$context`, made when a template first asks for them.
#[derive(Clone, Copy)]
pub(crate) struct Maps {
    /// All of it. Most templates read single members only, which needs no map.
    root: Option<MapId>,
    request: MapId,
    response: MapId,
}

const REQUEST: &str = "requestOverride";
const RESPONSE: &str = "responseOverride";

impl Renderer<'_> {
    /// What `$context` followed by `steps` means, if it can be told without the map of all of it; and how many of the
    /// steps that took.
    pub(crate) fn context_member(&mut self, steps: &[Step]) -> Result<Option<(Value, usize)>, RenderError> {
        let Some(Step::Property(name)) = steps.first() else { return Ok(None) };
        if **name == *REQUEST || **name == *RESPONSE {
            let maps = self.context_maps()?;
            return Ok(Some((Value::Map(if **name == *REQUEST { maps.request } else { maps.response }), 1)));
        }
        let mut found = self.scope.context.and_then(|context| context.get(&**name));
        let mut taken = 1;
        while let (Some(Json::Object(members)), Some(Step::Property(name))) = (found, steps.get(taken)) {
            found = members.get(&**name);
            taken += 1;
        }
        match found {
            Some(Json::Object(_) | Json::Array(_)) => Ok(None),
            Some(scalar) => Ok(Some((self.imported(scalar, MapKind::Context, 0)?, taken))),
            None => Ok(Some((Value::Null, taken))),
        }
    }

    /// The map of all of `$context`.
    pub(crate) fn context_map(&mut self) -> Result<Value, RenderError> {
        let maps = self.context_maps()?;
        if let Some(root) = maps.root {
            return Ok(Value::Map(root));
        }
        let mut entries = IndexMap::new();
        for (name, value) in self.scope.context.into_iter().flatten() {
            let value = match name.as_str() {
                REQUEST => Value::Map(maps.request),
                RESPONSE => Value::Map(maps.response),
                _ => self.imported(value, MapKind::Context, 1)?,
            };
            entries.insert(Key(Value::str(name.as_str())), value);
        }
        entries.entry(Key(Value::str(REQUEST))).or_insert(Value::Map(maps.request));
        entries.entry(Key(Value::str(RESPONSE))).or_insert(Value::Map(maps.response));
        let root = self.heap.new_map(entries, MapKind::Context);
        self.context = Some(Maps { root: Some(root), ..maps });
        Ok(Value::Map(root))
    }

    fn context_maps(&mut self) -> Result<Maps, RenderError> {
        if let Some(maps) = self.context {
            return Ok(maps);
        }
        let request = self.override_map(REQUEST, &["header", "querystring", "path"])?;
        let response = self.override_map(RESPONSE, &["header"])?;
        let maps = Maps { root: None, request, response };
        self.context = Some(maps);
        Ok(maps)
    }

    /// A map of overrides: what it was given, and the members that must be there.
    fn override_map(&mut self, name: &str, members: &[&'static str]) -> Result<MapId, RenderError> {
        let given = self.scope.context.and_then(|context| context.get(name));
        let imported = given.map_or(Ok(Value::Null), |given| self.imported(given, MapKind::Override, 1))?;
        let id = match imported {
            Value::Map(id) => id,
            _ => self.heap.new_map(IndexMap::new(), MapKind::Override),
        };
        for member in members {
            if self.heap.map(id).get_str(member).is_none() {
                let empty = self.heap.new_map(IndexMap::new(), MapKind::Override);
                self.heap.map_mut(id).entries.insert(Key(Value::str(*member)), Value::Map(empty));
            }
        }
        Ok(id)
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
        request: exported_member(renderer, maps.root, REQUEST, maps.request)?,
        response: exported_member(renderer, maps.root, RESPONSE, maps.response)?,
    })
}

/// The map of overrides, or what a template has put in its place.
fn exported_member(
    renderer: &mut Renderer<'_>,
    root: Option<MapId>,
    name: &str,
    map: MapId,
) -> Result<Map<String, Json>, RenderError> {
    let value = match root {
        Some(root) => renderer.heap.map(root).get_str(name).cloned().unwrap_or(Value::Null),
        None => Value::Map(map),
    };
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
