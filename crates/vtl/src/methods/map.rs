//! `java.util.Map`. `keySet`, `values` and `entrySet` are copies, not views.

use super::void;
use crate::error::RenderError;
use crate::heap::MapId;
use crate::render::Renderer;
use crate::value::{Key, Value};

impl Renderer<'_> {
    /// `None` if maps have no such method.
    pub(super) fn map_method(
        &mut self,
        id: MapId,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let length = self.heap.map(id).entries.len();
        Ok(Some(match (name, args) {
            ("get", [key]) => self.map_get(id, key)?,
            ("getOrDefault", [key, default]) => {
                if self.has_key(id, key) {
                    self.map_get(id, key)?
                } else {
                    default.clone()
                }
            }
            ("put", [key, value]) => self.put_in_map(id, key.clone(), value.clone())?,
            ("putIfAbsent", [key, value]) => {
                let held = self.map_get(id, key)?;
                if held.is_null() {
                    self.put_in_map(id, key.clone(), value.clone())?;
                }
                held
            }
            ("putAll", [Value::Map(other)]) => {
                let entries: Vec<_> = self
                    .heap
                    .map(*other)
                    .entries
                    .iter()
                    .map(|(key, value)| (key.0.clone(), value.clone()))
                    .collect();
                for (key, value) in entries {
                    self.put_in_map(id, key, value)?;
                }
                void()
            }
            ("replace", [key, value]) if self.has_key(id, key) => {
                self.put_in_map(id, key.clone(), value.clone())?
            }
            ("remove", [key]) => {
                self.meter.steps(length as u64 / 16)?;
                self.heap.map_mut(id).entries.shift_remove(&Key(key.clone())).unwrap_or(Value::Null)
            }
            ("clear", []) => {
                self.heap.map_mut(id).entries.clear();
                void()
            }
            ("size", []) => Value::Int(length as i32),
            ("isEmpty", []) => Value::Bool(length == 0),
            ("containsKey", [key]) => Value::Bool(self.has_key(id, key)),
            ("containsValue", [value]) => Value::Bool(self.has_value(id, value)?),
            ("keySet", []) => {
                let keys = self.heap.map(id).entries.keys().map(|key| key.0.clone()).collect();
                self.new_list(keys)?
            }
            ("values", []) => {
                let values = self.heap.map(id).entries.values().cloned().collect();
                self.new_list(values)?
            }
            ("entrySet", []) => self.entry_set(id)?,
            ("toJSONString", []) => Value::Str(self.json_of(&Value::Map(id))?),
            _ => return Ok(None),
        }))
    }

    pub(super) fn map_get(&mut self, id: MapId, key: &Value) -> Result<Value, RenderError> {
        let map = self.heap.map(id);
        let value =
            if let Value::Str(name) = key { map.get_str(name) } else { map.entries.get(&Key(key.clone())) };
        Ok(value.cloned().unwrap_or(Value::Null))
    }

    fn has_key(&self, id: MapId, key: &Value) -> bool {
        let map = self.heap.map(id);
        if let Value::Str(name) = key {
            map.get_str(name).is_some()
        } else {
            map.entries.contains_key(&Key(key.clone()))
        }
    }

    fn has_value(&mut self, id: MapId, value: &Value) -> Result<bool, RenderError> {
        for index in 0..self.heap.map(id).entries.len() {
            let Some((_, held)) = self.heap.map(id).entries.get_index(index) else { break };
            let held = held.clone();
            if self.same(&held, value, 0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn entry_set(&mut self, id: MapId) -> Result<Value, RenderError> {
        let entries: Vec<_> =
            self.heap.map(id).entries.iter().map(|(key, value)| (key.0.clone(), value.clone())).collect();
        self.meter.allocate(entries.len() * 2 * size_of::<Value>())?;
        let pairs = entries.into_iter().map(|(key, value)| self.heap.new_pair(key, value)).collect();
        self.new_list(pairs)
    }
}
