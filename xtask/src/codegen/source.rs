//! Reading `models/<service>.json`, the corrections in `models/patches/` and the order of members.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use serde_json::Value as Json;

/// One service's model after its patches.
pub struct Model {
    pub service: Json,
    pub operations: BTreeMap<String, Json>,
    pub shapes: BTreeMap<String, Json>,
    /// How clients page through an operation's answers, by operation.
    pub paginators: BTreeMap<String, Json>,
}

impl Model {
    pub fn load(root: &Path, service: &str) -> Result<Self, Box<dyn Error>> {
        let mut model = read(&root.join(format!("models/{service}.json")))?;
        let patches = root.join(format!("models/patches/{service}.json"));
        if patches.exists() {
            for patch in read(&patches)?.as_array().ok_or("patches are a list")? {
                patch["reason"].as_str().ok_or("a patch needs a reason")?;
                merge(&mut model, &patch["merge"]);
            }
        }
        restore_order(&mut model, &read(&root.join("models/order.json"))?[service]);
        let map = |key: &str| -> Result<BTreeMap<String, Json>, Box<dyn Error>> {
            let object = model[key].as_object().ok_or_else(|| format!("{service}: {key} missing"))?;
            Ok(object.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        Ok(Self {
            operations: map("operations")?,
            shapes: map("shapes")?,
            paginators: map("paginators")?,
            service: model["service"].clone(),
        })
    }

    pub fn name(&self) -> &str {
        text(&self.service, "name")
    }

    pub fn shape(&self, name: &str) -> &Json {
        self.shapes.get(name).unwrap_or_else(|| panic!("{}: no shape {name}", self.name()))
    }

    pub fn is_error(&self, name: &str) -> bool {
        self.shape(name)["exception"].as_bool() == Some(true)
    }
}

/// Gives shapes the `memberOrder` of AWS's original models, unless a patch gave them another.
fn restore_order(model: &mut Json, orders: &Json) {
    for (shape, order) in orders.as_object().into_iter().flatten() {
        if let Some(shape) = model["shapes"][shape].as_object_mut() {
            shape.entry("memberOrder").or_insert_with(|| order.clone());
        }
    }
}

/// RFC 7396: objects merge, `null` removes, anything else replaces.
fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Default::default());
    }
    let object = target.as_object_mut().expect("made an object above");
    for (key, value) in patch {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Json::Null), value);
        }
    }
}

/// Operations without a function yet, as `service Operation` lines.
pub fn unimplemented(root: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let text = std::fs::read_to_string(root.join("models/unimplemented.txt"))?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

pub fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("{key} missing in {json}"))
}

fn read(path: &Path) -> Result<Json, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}
