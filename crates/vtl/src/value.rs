//! What a template computes with: Java's values, as far as templates can tell them apart.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::Equivalent;

use crate::ast::Define;
use crate::heap::{IterId, ListId, LoopId, MapId, PairId};

/// A value. Lists and maps are shared and live in the rendering's heap, as Java's do.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    /// An integer beyond 64 bits, in decimal.
    Big(Arc<str>),
    Str(Arc<str>),
    List(ListId),
    Map(MapId),
    /// An entry of a map.
    Pair(PairId),
    Iter(IterId),
    /// `$foreach`.
    Loop(LoopId),
    /// What `#define` made.
    Define(Arc<Define>),
    Object(Object),
}

/// The objects that API Gateway puts into a template's scope and that are no plain maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Input,
    /// Replaced by a map when first asked for.
    Context,
    /// Replaced by a map when first asked for.
    StageVariables,
    Util,
}

impl Value {
    pub(crate) fn str(text: impl Into<Arc<str>>) -> Value {
        Value::Str(text.into())
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// An integer as narrow as Java's literals and parsers make it.
    pub(crate) fn integer(number: i64) -> Value {
        i32::try_from(number).map_or(Value::Long(number), Value::Int)
    }
}

/// A value as the key of a map: equal as Java's `equals` has it for scalars, by identity for containers.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) Value);

/// Looks up a string key without making one.
pub(crate) struct StrKey<'a>(pub(crate) &'a str);

const STRING_TAG: u8 = 6;

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::Null => state.write_u8(0),
            Value::Bool(value) => (1_u8, value).hash(state),
            Value::Int(value) => (2_u8, value).hash(state),
            Value::Long(value) => (3_u8, value).hash(state),
            Value::Double(value) => (4_u8, value.to_bits()).hash(state),
            Value::Big(value) => (5_u8, value).hash(state),
            Value::Str(value) => (STRING_TAG, &**value).hash(state),
            Value::List(id) => (7_u8, id).hash(state),
            Value::Map(id) => (8_u8, id).hash(state),
            Value::Pair(id) => (9_u8, id).hash(state),
            Value::Iter(id) => (10_u8, id).hash(state),
            Value::Loop(id) => (11_u8, id).hash(state),
            Value::Define(body) => (12_u8, Arc::as_ptr(body)).hash(state),
            Value::Object(object) => (13_u8, *object as u8).hash(state),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        match (&self.0, &other.0) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Long(a), Value::Long(b)) => a == b,
            (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
            (Value::Big(a), Value::Big(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Pair(a), Value::Pair(b)) => a == b,
            (Value::Iter(a), Value::Iter(b)) => a == b,
            (Value::Loop(a), Value::Loop(b)) => a == b,
            (Value::Define(a), Value::Define(b)) => Arc::ptr_eq(a, b),
            (Value::Object(a), Value::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Key {}

impl Hash for StrKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (STRING_TAG, self.0).hash(state);
    }
}

impl Equivalent<Key> for StrKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(&key.0, Value::Str(text) if **text == *self.0)
    }
}
