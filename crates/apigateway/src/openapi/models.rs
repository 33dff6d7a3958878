//! The models of a definition: those with a name, and those that are made of schemas written in place.

use std::collections::BTreeMap;
use std::hash::Hasher;

use serde_json::Value;

use super::document::{Document, reference};
use super::notes::Notes;

/// Models found so far.
pub struct Models<'a> {
    document: &'a Document,
    pub found: BTreeMap<String, Value>,
}

impl<'a> Models<'a> {
    pub fn new(document: &'a Document) -> Self {
        let named = document.schemas().into_iter().flatten();
        Self { document, found: named.map(|(name, schema)| (name.clone(), schema.clone())).collect() }
    }

    /// The name of the model for a schema; `None` if there is none to speak of.
    pub fn of(&mut self, schema: &Value, notes: &mut Notes) -> Option<String> {
        let Some(reference) = reference(schema) else { return self.in_place(schema) };
        match Document::schema_name(reference) {
            Some(name) if self.found.contains_key(name) => Some(name.to_owned()),
            _ => match self.document.resolve(schema) {
                // It leads nowhere.
                target if target == schema => {
                    let name = Document::schema_name(reference).unwrap_or(reference);
                    notes.warn(format!("Reference to model '{name}' not found. Ignoring."));
                    None
                }
                target => self.in_place(target),
            },
        }
    }

    /// A schema without a name gets a model whose name comes from what it says, so that equal schemas share one and
    /// the next import finds it again.
    fn in_place(&mut self, schema: &Value) -> Option<String> {
        if schema.as_object().is_none_or(serde_json::Map::is_empty) {
            return None;
        }
        let mut hasher = Fnv::new();
        hasher.write(schema.to_string().as_bytes());
        loop {
            let name = format!("MODEL{:06x}", hasher.finish() & 0xff_ffff);
            match self.found.get(&name) {
                Some(other) if other != schema => hasher.write(b" "),
                Some(_) => return Some(name),
                None => {
                    self.found.insert(name.clone(), schema.clone());
                    return Some(name);
                }
            }
        }
    }
}

/// FNV-1a with 64 bits: names must not change with the version of the standard library.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_in_place_get_models_that_equal_ones_share() {
        let document = json!({"openapi": "3.0.1", "components": {
            "schemas": {"Pet": {"type": "object"}},
            "other": {"Text": {"type": "string"}},
        }});
        let document = Document::read(&document.to_string()).expect("a definition");
        let (mut models, mut notes) = (Models::new(&document), Notes::default());
        let mut of = |schema: Value| models.of(&schema, &mut notes);
        assert_eq!(of(json!({"$ref": "#/components/schemas/Pet"})).as_deref(), Some("Pet"));
        let text = of(json!({"type": "string"})).expect("a model");
        assert!(text.starts_with("MODEL") && text.len() == 11, "{text}");
        assert_eq!(of(json!({"$ref": "#/components/other/Text"})), Some(text.clone()));
        assert_ne!(of(json!({"type": "array"})), Some(text));
        assert_eq!(of(json!({})), None);
        assert_eq!(of(json!({"$ref": "#/components/schemas/None"})), None);
        assert_eq!(notes.warnings, ["Reference to model 'None' not found. Ignoring."]);
    }
}
