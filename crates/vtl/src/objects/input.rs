//! `$input`: the payload and the request's parameters.

use crate::error::{Failure, RenderError};
use crate::heap::{Heap, ListKind, MapKind};
use crate::json;
use crate::jsonpath::{Document, Found, Path, Scalar};
use crate::methods::pattern::COMPILE_STEPS;
use crate::render::Renderer;
use crate::value::Value;

/// What has been made of the payload so far.
#[derive(Default)]
pub(crate) struct Input {
    /// The payload as JSON, once asked for.
    document: Option<Value>,
    params: Option<Value>,
    body: Option<Value>,
}

/// Nodes of the payload one search may visit.
const VISITS_MAX: u64 = 1_000_000;
/// Bytes of a path that count as one step of parsing it.
const PATH_BYTES_PER_STEP: usize = 4;

impl Renderer<'_> {
    /// `$input.body`: the payload as text; `{}` where there is none.
    pub(crate) fn input_body(&mut self) -> Result<Value, RenderError> {
        if let Some(body) = &self.input.body {
            return Ok(body.clone());
        }
        let body = if self.scope.body.is_empty() { "{}" } else { self.scope.body };
        self.meter.allocate(body.len())?;
        let body = Value::str(body);
        self.input.body = Some(body.clone());
        Ok(body)
    }

    /// A method of `$input`; `None` if it has no such method.
    pub(crate) fn input_method(&mut self, name: &str, args: &[Value]) -> Result<Option<Value>, RenderError> {
        Ok(Some(match (name, args) {
            ("path", [path]) => self.input_path(path)?,
            ("json", [path]) => self.input_json(path)?,
            ("params", []) => self.all_params()?,
            ("params", [name]) => self.param(name)?,
            ("getBody" | "body", []) => self.input_body()?,
            _ => return Ok(None),
        }))
    }

    fn input_path(&mut self, path: &Value) -> Result<Value, RenderError> {
        let path = self.text_of(path)?;
        let document = self.document()?;
        if document.is_null() {
            return Ok(document);
        }
        let found = self.search(&path, document)?;
        self.found(found)
    }

    /// JSON text of what the path leads to; two quotes where it leads nowhere.
    fn input_json(&mut self, path: &Value) -> Result<Value, RenderError> {
        let text = self.text_of(path)?;
        let document = self.document()?;
        if document.is_null() && text.trim() == "$" && self.scope.body.trim().is_empty() {
            return Ok(Value::str("{}"));
        }
        let found = self.search(&text, document)?;
        if found == Found::Missing {
            return Ok(Value::str("\"\""));
        }
        let value = self.found(found)?;
        Ok(Value::Str(self.json_of(&value)?))
    }

    /// Follows a JSONPath.
    fn search(&mut self, path: &str, root: Value) -> Result<Found<Value>, RenderError> {
        let has_pattern = path.contains("=~");
        self.meter
            .steps((path.len() / PATH_BYTES_PER_STEP) as u64 + if has_pattern { COMPILE_STEPS } else { 0 })?;
        let path = Path::parse(path).map_err(|error| Failure::InvalidPath(format!("{error} of {path}")))?;
        let visits = self.meter.steps_left().min(VISITS_MAX);
        let mut visits_left = visits;
        let found = path.find_in(&self.heap, root, &mut visits_left).map_err(|_| Failure::TooManySteps)?;
        self.meter.steps(visits - visits_left)?;
        Ok(found)
    }

    fn found(&mut self, found: Found<Value>) -> Result<Value, RenderError> {
        Ok(match found {
            Found::Missing => Value::Null,
            Found::One(value) => value,
            Found::Many(values) => {
                self.meter.allocate(values.len() * size_of::<Value>())?;
                self.heap.new_list(values, ListKind::Json)
            }
            Found::Count(count) => Value::integer(count as i64),
            Found::Number(number) => Value::Double(number),
            Found::Keys(keys) => {
                self.meter.allocate(keys.iter().map(|key| key.len() + size_of::<Value>()).sum())?;
                self.heap.new_list(keys.into_iter().map(Value::str).collect(), ListKind::Json)
            }
        })
    }

    /// The payload as JSON, read once; null where there is none.
    fn document(&mut self) -> Result<Value, RenderError> {
        if let Some(document) = &self.input.document {
            return Ok(document.clone());
        }
        let document = if self.scope.body.trim().is_empty() {
            Value::Null
        } else {
            json::parse(self.scope.body, &mut self.heap, &mut self.meter)?
        };
        self.input.document = Some(document.clone());
        Ok(document)
    }

    fn all_params(&mut self) -> Result<Value, RenderError> {
        if let Some(params) = &self.input.params {
            return Ok(params.clone());
        }
        let given = self.scope.params;
        let mut all = indexmap::IndexMap::new();
        for (name, pairs) in
            [("path", given.path), ("querystring", given.querystring), ("header", given.header)]
        {
            let map = self.map_of(pairs)?;
            if let (Value::Map(id), "header") = (&map, name) {
                self.heap.map_mut(*id).kind = MapKind::Headers;
            }
            all.insert(crate::value::Key(Value::str(name)), map);
        }
        let params = self.new_map(all)?;
        self.input.params = Some(params.clone());
        Ok(params)
    }

    /// Looked for in the path, then the query string, then the headers, whose names have no case; empty where it is in
    /// none.
    fn param(&mut self, name: &Value) -> Result<Value, RenderError> {
        let name = self.text_of(name)?;
        let given = self.scope.params;
        let mut pairs = given.path.iter().chain(given.querystring).chain(given.header);
        let exact = pairs.find(|(candidate, _)| *candidate == &*name);
        let header = || given.header.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(&name));
        let value = exact.or_else(header).map_or("", |(_, value)| value);
        self.meter.allocate(value.len())?;
        Ok(Value::str(value))
    }
}

impl Document for Heap {
    type Node = Value;

    fn member(&self, node: &Value, name: &str) -> Option<Value> {
        let Value::Map(id) = node else { return None };
        self.map(*id).get_str(name).cloned()
    }

    fn item(&self, node: &Value, index: usize) -> Option<Value> {
        let Value::List(id) = node else { return None };
        self.list(*id).items.get(index).cloned()
    }

    fn list_length(&self, node: &Value) -> Option<usize> {
        let Value::List(id) = node else { return None };
        Some(self.list(*id).items.len())
    }

    fn names(&self, node: &Value) -> Option<Vec<String>> {
        let Value::Map(id) = node else { return None };
        let names = self.map(*id).entries.keys();
        Some(
            names
                .filter_map(|key| if let Value::Str(name) = &key.0 { Some(name.to_string()) } else { None })
                .collect(),
        )
    }

    fn scalar<'a>(&'a self, node: &'a Value) -> Scalar<'a> {
        match node {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Str(text) => Scalar::Text(text),
            other => crate::number::Number::of(other)
                .map_or(Scalar::Container, |number| Scalar::Number(number.as_double())),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        crate::value::Key(self.clone()) == crate::value::Key(other.clone())
    }
}
