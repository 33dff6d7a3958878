//! `java.util.List`, and what Velocity lets one do with arrays.

use super::{utf16, void};
use crate::error::RenderError;
use crate::heap::ListId;
use crate::render::Renderer;
use crate::value::Value;

pub(super) fn out_of_bounds(index: i32, length: usize) -> RenderError {
    RenderError::method(format!("index {index} out of bounds for length {length}"))
}

impl Renderer<'_> {
    /// `None` if lists have no such method.
    pub(super) fn list_method(
        &mut self,
        id: ListId,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        let length = self.heap.list(id).items.len();
        Ok(Some(match (name, args) {
            ("size", []) => Value::Int(length as i32),
            ("isEmpty", []) => Value::Bool(length == 0),
            ("get", [Value::Int(index)]) => {
                let slot = slot(*index, length)?;
                self.heap.list(id).items[slot].clone()
            }
            ("add", [value]) => {
                self.insert(id, length, std::slice::from_ref(value))?;
                Value::Bool(true)
            }
            ("add", [Value::Int(index), value]) => {
                let slot = slot(*index, length + 1)?;
                self.insert(id, slot, std::slice::from_ref(value))?;
                void()
            }
            ("addAll", [Value::List(other)]) => {
                let items = self.heap.list(*other).items.clone();
                self.insert(id, length, &items)?;
                Value::Bool(!items.is_empty())
            }
            ("addAll", [Value::Int(index), Value::List(other)]) => {
                let items = self.heap.list(*other).items.clone();
                let slot = slot(*index, length + 1)?;
                self.insert(id, slot, &items)?;
                Value::Bool(!items.is_empty())
            }
            ("set", [Value::Int(index), value]) => {
                let slot = slot(*index, length)?;
                std::mem::replace(&mut self.heap.list_mut(id).items[slot], value.clone())
            }
            ("remove", [Value::Int(index)]) => {
                let slot = slot(*index, length)?;
                self.meter.steps(length as u64 / 64)?;
                self.heap.list_mut(id).items.remove(slot)
            }
            ("remove", [value]) => {
                let found = self.position(id, value)?;
                if let Some(slot) = found {
                    self.heap.list_mut(id).items.remove(slot);
                }
                Value::Bool(found.is_some())
            }
            ("clear", []) => {
                self.heap.list_mut(id).items.clear();
                void()
            }
            ("contains", [value]) => Value::Bool(self.position(id, value)?.is_some()),
            ("indexOf", [value]) => Value::Int(self.position(id, value)?.map_or(-1, |slot| slot as i32)),
            ("lastIndexOf", [value]) => {
                Value::Int(self.last_position(id, value)?.map_or(-1, |slot| slot as i32))
            }
            ("containsAll", [Value::List(other)]) => {
                let wanted = self.heap.list(*other).items.clone();
                let mut all = true;
                for value in wanted {
                    all = all && self.position(id, &value)?.is_some();
                }
                Value::Bool(all)
            }
            ("removeAll" | "retainAll", [Value::List(other)]) => {
                Value::Bool(self.retain(id, *other, name == "retainAll")?)
            }
            ("subList", [Value::Int(from), Value::Int(to)]) => {
                let to = slot(*to, length + 1)?;
                let from = slot(*from, to + 1)?;
                let items = self.heap.list(id).items[from..to].to_vec();
                self.new_list(items)?
            }
            ("toArray" | "clone", []) => {
                let items = self.heap.list(id).items.clone();
                self.new_list(items)?
            }
            ("iterator" | "listIterator", []) => {
                let items = self.heap.list(id).items.clone();
                self.meter.allocate(items.len() * size_of::<Value>())?;
                self.heap.new_iter(items)
            }
            ("toJSONString", []) => Value::Str(self.json_of(&Value::List(id))?),
            ("hashCode", []) => Value::Int(self.list_hash(id)?),
            _ => return Ok(None),
        }))
    }

    fn insert(&mut self, id: ListId, slot: usize, items: &[Value]) -> Result<(), RenderError> {
        self.meter.allocate(size_of_val(items))?;
        let list = &mut self.heap.list_mut(id).items;
        let moved = list.len() - slot;
        list.splice(slot..slot, items.iter().cloned());
        self.meter.steps(moved as u64 / 64)
    }

    fn position(&mut self, id: ListId, value: &Value) -> Result<Option<usize>, RenderError> {
        for slot in 0..self.heap.list(id).items.len() {
            let item = self.heap.list(id).items[slot].clone();
            if self.same(&item, value, 0)? {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    fn last_position(&mut self, id: ListId, value: &Value) -> Result<Option<usize>, RenderError> {
        for slot in (0..self.heap.list(id).items.len()).rev() {
            let item = self.heap.list(id).items[slot].clone();
            if self.same(&item, value, 0)? {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Keeps what `other` holds, or drops it. Whether anything went.
    fn retain(&mut self, id: ListId, other: ListId, keep: bool) -> Result<bool, RenderError> {
        let items = self.heap.list(id).items.clone();
        let before = items.len();
        let mut kept = Vec::new();
        for item in items {
            if self.position(other, &item)?.is_some() == keep {
                kept.push(item);
            }
        }
        let changed = kept.len() != before;
        self.heap.list_mut(id).items = kept;
        Ok(changed)
    }

    fn list_hash(&mut self, id: ListId) -> Result<i32, RenderError> {
        let mut hash = 1_i32;
        for item in self.heap.list(id).items.clone() {
            let text = self.text_of(&item)?;
            hash = hash.wrapping_mul(31).wrapping_add(utf16::hash_code(&text));
        }
        Ok(hash)
    }
}

/// An index below `bound`.
fn slot(index: i32, bound: usize) -> Result<usize, RenderError> {
    let slot = usize::try_from(index).ok().filter(|slot| *slot < bound);
    slot.ok_or_else(|| out_of_bounds(index, bound))
}
