//! Typed structures out of values and back, without a line of code per type.
//!
//! [`structure!`] and [`string_enum!`] define what `crates/api` consists of. Constraints are not checked here
//! but by `wire`, which knows the tables; conversion fails only on a wrong type.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::{Timestamp, Value};

/// A type that a [`Value`] can become and be made of.
pub trait Shape: Sized {
    fn from_value(value: Value) -> Result<Self, Mismatch>;
    fn into_value(self) -> Value;
}

/// A value did not have the type that its shape demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The Rust type that was wanted.
    pub wanted: &'static str,
    /// Member names from the outside in.
    pub path: Vec<String>,
}

impl Mismatch {
    pub fn new(wanted: &'static str) -> Self {
        Self { wanted, path: Vec::new() }
    }

    /// The same mismatch seen from the structure that holds `member`.
    pub fn inside(mut self, member: &str) -> Self {
        self.path.insert(0, member.to_owned());
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "value at '{}' is not a {}", self.path.join("."), self.wanted)
    }
}

impl std::error::Error for Mismatch {}

// === Scalars ===

macro_rules! scalar {
    ($type:ty, $wanted:literal, $($from:pat => $to:expr),+; $into:expr) => {
        impl Shape for $type {
            fn from_value(value: Value) -> Result<Self, Mismatch> {
                match value {
                    $($from => Ok($to),)+
                    _ => Err(Mismatch::new($wanted)),
                }
            }

            fn into_value(self) -> Value {
                $into(self)
            }
        }
    };
}

scalar!(bool, "boolean", Value::Bool(flag) => flag; Value::Bool);
scalar!(i64, "integer", Value::Int(number) => number; Value::Int);
scalar!(f64, "number", Value::Float(number) => number, Value::Int(number) => number as f64; Value::Float);
scalar!(String, "string", Value::String(text) => text; Value::String);

impl Shape for Value {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        Ok(value)
    }

    fn into_value(self) -> Value {
        self
    }
}

impl Shape for () {
    fn from_value(_: Value) -> Result<Self, Mismatch> {
        Ok(())
    }

    fn into_value(self) -> Value {
        Value::Null
    }
}

impl Shape for Bytes {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Blob(bytes) => Ok(bytes),
            Value::String(text) => {
                STANDARD.decode(text).map(Bytes::from).map_err(|_| Mismatch::new("base64 string"))
            }
            _ => Err(Mismatch::new("blob")),
        }
    }

    fn into_value(self) -> Value {
        Value::Blob(self)
    }
}

impl Shape for Timestamp {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        let time = match value {
            Value::Time(time) => Some(time),
            Value::Int(seconds) => Some(Timestamp::from_seconds(seconds)),
            Value::Float(seconds) => Timestamp::from_seconds_f64(seconds),
            Value::String(text) => Timestamp::parse_iso8601(&text),
            _ => None,
        };
        time.ok_or(Mismatch::new("timestamp"))
    }

    fn into_value(self) -> Value {
        Value::Time(self)
    }
}

// === Composites ===

impl<T: Shape> Shape for Option<T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }

    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

impl<T: Shape> Shape for Box<T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        T::from_value(value).map(Box::new)
    }

    fn into_value(self) -> Value {
        T::into_value(*self)
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect(),
            _ => Err(Mismatch::new("list")),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn from_value(value: Value) -> Result<Self, Mismatch> {
        let Value::Map(entries) = value else { return Err(Mismatch::new("map")) };
        let typed = |(key, value): (crate::value::Key, Value)| {
            let value = T::from_value(value).map_err(|wrong| wrong.inside(&key))?;
            Ok((key.into_owned(), value))
        };
        entries.into_iter().map(typed).collect()
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, value)| (key.into(), value.into_value())).collect())
    }
}

/// Defines a structure of the model: `field: Type => "memberName"`.
///
/// Absent members become their type's default; members that hold [`Value::Null`] are left out on the way back.
/// serde goes by way of [`Value`], so that a structure can be stored as a document.
#[macro_export]
macro_rules! structure {
    ($($(#[$meta:meta])* pub struct $name:ident { $($field:ident: $type:ty => $member:literal,)* })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $(pub $field: $type,)*
        }

        impl $crate::Shape for $name {
            fn from_value(value: $crate::Value) -> ::std::result::Result<Self, $crate::Mismatch> {
                let $crate::Value::Map(entries) = value else {
                    return Err($crate::Mismatch::new(stringify!($name)));
                };
                let this = &mut Self::default();
                for (key, value) in entries {
                    match &*key {
                        $($member if !value.is_null() => {
                            this.$field = <$type as $crate::Shape>::from_value(value)
                                .map_err(|wrong| wrong.inside($member))?;
                        })*
                        _ => {}
                    }
                }
                Ok(::std::mem::take(this))
            }

            fn into_value(self) -> $crate::Value {
                let entries = &mut ::std::vec::Vec::new();
                $($crate::shape::push(entries, $member, $crate::Shape::into_value(self.$field));)*
                $crate::Value::Map(::std::mem::take(entries))
            }
        }

        $crate::serde_by_value!($name);
    )+};
}

/// Adds a member unless it is absent.
pub fn push(entries: &mut Vec<(crate::value::Key, Value)>, member: &'static str, value: Value) {
    if !value.is_null() {
        entries.push((member.into(), value));
    }
}

/// Defines an enumeration of strings: `Variant => "VALUE"`. The first variant is the default.
#[macro_export]
macro_rules! string_enum {
    ($($(#[$meta:meta])* pub enum $name:ident { $first:ident => $first_text:literal,
                                                $($variant:ident => $text:literal,)* })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            #[default]
            $first,
            $($variant,)*
        }

        impl $name {
            /// As the wire spells it.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                }
            }

            /// The variant that the wire spells like that.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $first_text => Some(Self::$first),
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::Shape for $name {
            fn from_value(value: $crate::Value) -> ::std::result::Result<Self, $crate::Mismatch> {
                let wrong = $crate::Mismatch::new(stringify!($name));
                value.as_str().and_then(Self::parse).ok_or(wrong)
            }

            fn into_value(self) -> $crate::Value {
                $crate::Value::String(self.as_str().to_owned())
            }
        }

        $crate::serde_by_value!($name);
    )+};
}

/// serde for a [`Shape`], by way of [`Value`].
#[macro_export]
macro_rules! serde_by_value {
    ($name:ident) => {
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::serde::Serialize::serialize(&$crate::Shape::into_value(self.clone()), serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let value = <$crate::Value as $crate::serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::Shape>::from_value(value).map_err($crate::serde::de::Error::custom)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    string_enum! {
        pub enum Colour { Red => "RED", DarkBlue => "DARK_BLUE", }
    }

    structure! {
        pub struct Paint {
            name: String => "name",
            colour: Option<Colour> => "colour",
            tins: Option<Vec<i64>> => "tins",
            notes: Option<BTreeMap<String, Option<String>>> => "notes",
            mixed: Option<Timestamp> => "mixedAt",
        }
    }

    fn paint() -> Paint {
        Paint {
            name: "sky".to_owned(),
            colour: Some(Colour::DarkBlue),
            tins: Some(vec![1, 2]),
            notes: Some(BTreeMap::from([("a".to_owned(), None)])),
            mixed: Some(Timestamp::from_seconds(7)),
        }
    }

    #[test]
    fn a_structure_survives_the_way_there_and_back() {
        let value = paint().into_value();
        assert_eq!(Paint::from_value(value), Ok(paint()));
        let json = serde_json::to_string(&paint()).expect("a value is always JSON");
        let same = r#"{"name":"sky","colour":"DARK_BLUE","tins":[1,2],"notes":{"a":null},"mixedAt":7.0}"#;
        assert_eq!(json, same);
        assert_eq!(serde_json::from_str::<Paint>(&json).ok(), Some(paint()));
    }

    #[test]
    fn a_wrong_type_names_its_path() {
        let json = r#"{"name":"sky","notes":{"a":1}}"#;
        let value: Value = serde_json::from_str(json).expect("valid JSON");
        let wrong = Paint::from_value(value).expect_err("a number is not a string");
        assert_eq!(wrong.to_string(), "value at 'notes.a' is not a string");
    }
}
