//! Entries of maps, iterators, `$foreach`, and booleans.

use crate::error::RenderError;
use crate::heap::{IterId, LoopId, PairId};
use crate::render::Renderer;
use crate::value::Value;

impl Renderer<'_> {
    pub(super) fn entry_method(
        &mut self,
        id: PairId,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let (key, value) = self.heap.pair(id);
        Ok(match (name, args) {
            ("getKey", []) => Some(key.clone()),
            ("getValue", []) => Some(value.clone()),
            _ => None,
        })
    }

    pub(super) fn iterator_method(
        &mut self,
        id: IterId,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let iter = self.heap.iter_mut(id);
        Ok(match (name, args) {
            ("hasNext", []) => Some(Value::Bool(iter.next < iter.items.len())),
            ("next", []) => {
                let item = iter.items.get(iter.next).cloned();
                iter.next += 1;
                Some(item.ok_or_else(|| RenderError::method("no such element"))?)
            }
            _ => None,
        })
    }

    pub(super) fn loop_method(
        &mut self,
        id: LoopId,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let property = match (name, args) {
            ("getIndex", []) => "index",
            ("getCount", []) => "count",
            ("hasNext" | "getHasNext", []) => "hasNext",
            ("isFirst" | "getFirst", []) => "first",
            ("isLast" | "getLast", []) => "last",
            ("getParent", []) => "parent",
            ("getTopmost", []) => "topmost",
            _ => return Ok(None),
        };
        self.loop_property(id, property).map(Some)
    }

    pub(super) fn loop_property(&mut self, id: LoopId, name: &str) -> Result<Value, RenderError> {
        let state = self.heap.of_loop(id);
        Ok(match name {
            "index" => Value::integer(state.index as i64),
            "count" => Value::integer(state.index as i64 + 1),
            "hasNext" => Value::Bool(state.has_next),
            "first" => Value::Bool(state.index == 0),
            "last" => Value::Bool(!state.has_next),
            "parent" => state.parent.map_or(Value::Null, Value::Loop),
            "topmost" => {
                let mut topmost = id;
                while let Some(parent) = self.heap.of_loop(topmost).parent {
                    self.meter.step()?;
                    topmost = parent;
                }
                Value::Loop(topmost)
            }
            _ => Value::Null,
        })
    }

    pub(super) fn boolean_method(
        &mut self,
        boolean: bool,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        Ok(Some(match (name, args) {
            ("booleanValue", []) => Value::Bool(boolean),
            ("compareTo", [Value::Bool(other)]) => Value::Int(i32::from(boolean) - i32::from(*other)),
            ("parseBoolean" | "valueOf", [Value::Str(text)]) => {
                Value::Bool(text.eq_ignore_ascii_case("true"))
            }
            ("toString", [Value::Bool(other)]) => Value::str(other.to_string()),
            ("logicalAnd", [Value::Bool(a), Value::Bool(b)]) => Value::Bool(*a && *b),
            ("logicalOr", [Value::Bool(a), Value::Bool(b)]) => Value::Bool(*a || *b),
            ("logicalXor", [Value::Bool(a), Value::Bool(b)]) => Value::Bool(a != b),
            _ => return Ok(None),
        }))
    }
}
