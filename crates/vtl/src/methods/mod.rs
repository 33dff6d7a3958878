//! The Java methods and properties that templates use, by the kind of value they are called on.
//!
//! A method that a value does not have gives null, as in Velocity. `getClass` and `class` are not there: API Gateway
//! keeps templates away from reflection.

mod entry;
mod format;
mod list;
mod map;
mod number;
pub(crate) mod pattern;
mod string;
mod utf16;

use crate::error::RenderError;
use crate::render::Renderer;
use crate::value::{Object, Value};

/// The item that an index in brackets means. From Velocity 1.7 on a negative one counts from the end.
pub(crate) fn slot(index: i32, length: usize) -> Result<usize, RenderError> {
    let from_end = length.checked_sub(index.unsigned_abs() as usize);
    let slot = if index < 0 { from_end } else { usize::try_from(index).ok() };
    slot.filter(|slot| *slot < length).ok_or_else(|| list::out_of_bounds(index, length))
}

/// What a method without a result gives: Velocity prints nothing for it.
fn void() -> Value {
    Value::str("")
}

impl Renderer<'_> {
    /// `value.name(args)`.
    pub(crate) fn invoke(&mut self, value: &Value, name: &str, args: &[Value]) -> Result<Value, RenderError> {
        let own = match value {
            Value::Str(text) => self.string_method(text, name, args)?,
            Value::List(id) => self.list_method(*id, name, args)?,
            Value::Map(id) => self.map_method(*id, name, args)?,
            Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Big(_) => {
                self.number_method(value, name, args)?
            }
            Value::Bool(boolean) => self.boolean_method(*boolean, name, args)?,
            Value::Pair(id) => self.entry_method(*id, name, args)?,
            Value::Iter(id) => self.iterator_method(*id, name, args)?,
            Value::Loop(id) => self.loop_method(*id, name, args)?,
            Value::Object(Object::Input) => self.input_method(name, args)?,
            Value::Object(Object::Util) => self.util_method(name, args)?,
            Value::Null | Value::Define(_) | Value::Object(_) => None,
        };
        match own {
            Some(result) => Ok(result),
            None => self.any_method(value, name, args),
        }
    }

    /// What every Java object has.
    fn any_method(&mut self, value: &Value, name: &str, args: &[Value]) -> Result<Value, RenderError> {
        Ok(match (name, args) {
            ("toString", []) => Value::Str(self.text_of(value)?),
            ("equals", [other]) => Value::Bool(self.same(value, other, 0)?),
            ("hashCode", []) => {
                let text = self.text_of(value)?;
                Value::Int(utf16::hash_code(&text))
            }
            _ => Value::Null,
        })
    }

    /// `value.name`: a member of a map; else what `getName()` or `isName()` gives.
    pub(crate) fn property(&mut self, value: &Value, name: &str) -> Result<Value, RenderError> {
        match (value, name) {
            (Value::Map(id), _) => Ok(self.heap.map(*id).get_str(name).cloned().unwrap_or(Value::Null)),
            (Value::Object(Object::Input), "body") => self.input_body(),
            (Value::Pair(_), "key") => self.invoke(value, "getKey", &[]),
            (Value::Pair(_), "value") => self.invoke(value, "getValue", &[]),
            (Value::Str(_) | Value::List(_), "empty") => self.invoke(value, "isEmpty", &[]),
            (Value::Str(_), "blank") => self.invoke(value, "isBlank", &[]),
            (Value::Double(_), "naN") => self.invoke(value, "isNaN", &[]),
            (Value::Double(_), "infinite") => self.invoke(value, "isInfinite", &[]),
            (Value::Loop(id), _) => self.loop_property(*id, name),
            _ => Ok(Value::Null),
        }
    }

    /// `value[index]`.
    pub(crate) fn index(&mut self, value: &Value, index: &Value) -> Result<Value, RenderError> {
        match (value, index) {
            (Value::List(id), Value::Int(index)) => {
                let items = &self.heap.list(*id).items;
                Ok(items[slot(*index, items.len())?].clone())
            }
            (Value::Map(id), _) => self.map_get(*id, index),
            (Value::Str(_) | Value::Null, _) => Ok(Value::Null),
            (_, Value::Str(name)) => self.property(value, name),
            _ => Ok(Value::Null),
        }
    }
}
