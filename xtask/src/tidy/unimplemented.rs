//! `models/unimplemented.txt`: operations that answer 501 so far. Sorted, each once, and only ones that exist.
//!
//! That the list matches what is written is checked elsewhere: a handler that is missing without standing in the list,
//! or that is there although it stands in it, does not compile.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::Complaints;
use crate::Result;
use crate::workspace;

const LIST: &str = "models/unimplemented.txt";

/// Complaints about the list; none as long as there is no list.
pub(super) fn check() -> Result<Complaints> {
    let Ok(list) = workspace::read(Path::new(LIST)) else {
        return Ok(vec![format!("{LIST}: missing")]);
    };
    Ok(complaints_about(&list, &known_operations()?))
}

/// `service Operation` or `service.Operation` for each operation of each model.
fn known_operations() -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for path in workspace::files(".json")? {
        if path.parent() != Some(Path::new("models")) {
            continue;
        }
        let model: Value = serde_json::from_str(&workspace::read(&path)?)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let service = name.split('.').next().unwrap_or_default();
        // What else lies in the folder, such as the order of members, names no operations.
        let Some(operations) = model["operations"].as_object() else { continue };
        known.extend(operations.keys().map(|operation| format!("{service} {operation}")));
    }
    Ok(known)
}

fn complaints_about(list: &str, known: &BTreeSet<String>) -> Complaints {
    let mut complaints = Vec::new();
    let mut last = "";
    for (index, line) in list.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !known.contains(&line.replacen('.', " ", 1)) && !known.contains(line) {
            complaints.push(format!("{LIST}:{}: no such operation: {line}", index + 1));
        }
        if line <= last {
            complaints.push(format!("{LIST}:{}: not in order, or twice: {line}", index + 1));
        }
        last = line;
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_can_fail() {
        let known: BTreeSet<String> = ["ivs CreateStage", "ivs GetStage"].map(str::to_owned).into();
        let check = |list: &str| complaints_about(list, &known).len();
        assert_eq!(check("# why\nivs CreateStage\nivs GetStage\n"), 0);
        assert_eq!(check("ivs GetStage\nivs CreateStage\n"), 1);
        assert_eq!(check("ivs GetStage\nivs GetStage\n"), 1);
        assert_eq!(check("ivs MakeStage\n"), 1);
    }
}
