//! `models/untested.txt`: operations that no scenario test calls. What counts as a call:
//!
//! - in a control plane's `tests/it`, the operation's name as what `ok` is asked to do: the call has to succeed;
//! - in the Python clients' tests, a method call by boto3's name of it, if only one service has an operation of that name.
//!
//! Operations without a function yet are no business of this list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Complaints;
use crate::Result;
use crate::codegen::names;
use crate::workspace;

const LIST: &str = "models/untested.txt";
const UNWRITTEN: &str = "models/unimplemented.txt";
/// Services by their model's name, with where their operations are tested in process.
const SERVICES: [(&str, Option<&str>); 4] = [
    ("apigateway", Some("crates/apigateway/tests/it")),
    ("apigatewaymanagementapi", None),
    ("apigatewayv2", Some("crates/apigatewayv2/tests/it")),
    ("ivs-realtime", Some("crates/ivs/tests/it")),
];
const CLIENTS: &str = "tests/clients";

/// Complaints about operations that should stand in the list or should not.
pub(super) fn check(sources: &[PathBuf]) -> Result<Complaints> {
    let mut operations = BTreeMap::new();
    let mut called = BTreeSet::new();
    for (service, tests) in SERVICES {
        let model: Value =
            serde_json::from_str(&workspace::read(Path::new(&format!("models/{service}.json")))?)?;
        let names = model["operations"].as_object().ok_or("a model without operations")?;
        operations.insert(service, names.keys().cloned().collect());
        for path in tests.iter().flat_map(|tests| sources.iter().filter(move |path| path.starts_with(tests)))
        {
            called.extend(asked(&workspace::read(path)?).map(|name| (service, name.to_owned())));
        }
    }
    let python = workspace::files(".py")?;
    let clients: Vec<String> = python
        .iter()
        .filter(|path| path.starts_with(CLIENTS))
        .map(|path| workspace::read(path))
        .collect::<Result<_>>()?;
    let methods: BTreeSet<&str> = clients.iter().flat_map(|text| methods(text)).collect();
    called.extend(by_method(&operations, &methods));
    let lists =
        (entries(&workspace::read(Path::new(LIST))?), entries(&workspace::read(Path::new(UNWRITTEN))?));
    Ok(complaints(&operations, &called, &lists.0, &lists.1))
}

type Operations<'a> = BTreeMap<&'a str, Vec<String>>;

fn entries(list: &str) -> BTreeSet<String> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn complaints(
    operations: &Operations<'_>,
    called: &BTreeSet<(&str, String)>,
    listed: &BTreeSet<String>,
    unwritten: &BTreeSet<String>,
) -> Complaints {
    let mut untested = BTreeSet::new();
    for (service, names) in operations {
        for name in names {
            let line = format!("{service} {name}");
            if !called.contains(&(*service, name.clone())) && !unwritten.contains(&line) {
                untested.insert(line);
            }
        }
    }
    let missing = untested
        .difference(listed)
        .map(|line| format!("{LIST}: {line}: no scenario test calls it; write one"));
    let needless = listed.difference(&untested).map(|line| format!("{LIST}: {line}: does not belong here"));
    missing.chain(needless).collect()
}

/// The names in `ok("Name"`, whatever white space there is.
fn asked(text: &str) -> impl Iterator<Item = &str> {
    text.split("ok(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

/// The names in `.name(`.
fn methods(text: &str) -> impl Iterator<Item = &str> {
    text.split('(').filter_map(|before| {
        let (_, name) = before.rsplit_once('.')?;
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
    })
}

fn by_method<'a>(operations: &Operations<'a>, methods: &BTreeSet<&str>) -> Vec<(&'a str, String)> {
    let all =
        || operations.iter().flat_map(|(service, names)| names.iter().map(move |name| (*service, name)));
    all()
        .filter(|(_, name)| methods.contains(&*names::snake(name)))
        .filter(|(_, name)| all().filter(|(_, other)| other == name).count() == 1)
        .map(|(service, name)| (service, name.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found() {
        let text = "control.ok(\n    \"CreateStage\",\n    x)\ncontrol.err(\"GetStage\", x) ok(other)";
        assert_eq!(asked(text).collect::<Vec<_>>(), ["CreateStage"]);
        assert_eq!(
            methods("a.create_stage(b.c, d.get_stage ( e.f()").collect::<Vec<_>>(),
            ["create_stage", "f"]
        );
    }

    #[test]
    fn each_rule_can_fail() {
        let operations: Operations<'_> = [
            ("a", vec!["GetStage".to_owned(), "GetApi".to_owned(), "PutApi".to_owned()]),
            ("b", vec!["GetStage".to_owned()]),
        ]
        .into();
        let called: BTreeSet<_> =
            by_method(&operations, &["get_stage", "get_api"].into()).into_iter().collect();
        assert_eq!(called, [("a", "GetApi".to_owned())].into(), "two services have a GetStage");
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let check = |listed: &[&str], unwritten: &[&str]| {
            complaints(&operations, &called, &lines(listed), &lines(unwritten)).len()
        };
        assert_eq!(check(&["a GetStage", "a PutApi", "b GetStage"], &[]), 0);
        assert_eq!(check(&["a GetStage", "b GetStage"], &["a PutApi"]), 0);
        assert_eq!(check(&[], &[]), 3, "tests are missing");
        assert_eq!(check(&["a GetApi", "a GetStage", "a PutApi", "b GetStage"], &[]), 1, "one has a test");
    }
}
