//! What a path walks over.

use serde_json::Value;

/// A tree of lists, objects and scalars, whose nodes are cheap to copy.
pub trait Document {
    type Node: Clone;

    /// The member of an object.
    fn member(&self, node: &Self::Node, name: &str) -> Option<Self::Node>;
    /// The item of a list.
    fn item(&self, node: &Self::Node, index: usize) -> Option<Self::Node>;
    /// How many items a list has; `None` of anything else.
    fn list_length(&self, node: &Self::Node) -> Option<usize>;
    /// The names of an object's members; `None` of anything else.
    fn names(&self, node: &Self::Node) -> Option<Vec<String>>;
    /// What a node is when it is compared.
    fn scalar<'a>(&'a self, node: &'a Self::Node) -> Scalar<'a>;
}

/// A node as filters and functions see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// A list or an object.
    Container,
}

/// The document of borrowed `serde_json` values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Borrowed<'v>(std::marker::PhantomData<&'v Value>);

impl<'v> Document for Borrowed<'v> {
    type Node = &'v Value;

    fn member(&self, node: &&'v Value, name: &str) -> Option<&'v Value> {
        node.as_object()?.get(name)
    }

    fn item(&self, node: &&'v Value, index: usize) -> Option<&'v Value> {
        node.as_array()?.get(index)
    }

    fn list_length(&self, node: &&'v Value) -> Option<usize> {
        node.as_array().map(Vec::len)
    }

    fn names(&self, node: &&'v Value) -> Option<Vec<String>> {
        Some(node.as_object()?.keys().cloned().collect())
    }

    fn scalar<'a>(&'a self, node: &'a &'v Value) -> Scalar<'a> {
        match node {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Number(number) => Scalar::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Scalar::Text(text),
            Value::Array(_) | Value::Object(_) => Scalar::Container,
        }
    }
}
