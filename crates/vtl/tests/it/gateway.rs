//! Templates over `$input`, `$context`, `$stageVariables` and `$util`: `../cases/gateway.txt`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use stagedoor_vtl::{Limits, Params, Rendered, Scope, Template};

const CASES: &str = include_str!("../cases/gateway.txt");

/// One case's sections by name.
type Sections<'a> = HashMap<&'a str, &'a str>;

#[test]
fn renders_over_the_objects_of_api_gateway() {
    let mut failures = Vec::new();
    let mut count = 0;
    for case in CASES.split("\n== ").skip(1) {
        count += 1;
        let (name, rest) = case.split_once('\n').unwrap();
        if let Err(failure) = check(&sections(rest)) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(count > 0);
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

fn sections(case: &str) -> Sections<'_> {
    let mut sections = HashMap::new();
    let mut rest = case.strip_prefix("-- ").unwrap();
    loop {
        let (section, more) =
            rest.split_once("\n-- ").map_or((rest, None), |(section, more)| (section, Some(more)));
        let (name, text) = section.split_once('\n').unwrap();
        // The last section of a case is followed by the blank line between cases.
        let text = if more.is_none() { text.strip_suffix('\n').unwrap_or(text) } else { text };
        sections.insert(name, text);
        match more {
            Some(more) => rest = more,
            None => return sections,
        }
    }
}

fn check(sections: &Sections<'_>) -> Result<(), String> {
    let got = render(sections);
    if let Some(want) = sections.get("fails") {
        return match got {
            Err(message) if message.contains(want) => Ok(()),
            other => Err(format!("\n  want failure {want}\n  got  {other:?}")),
        };
    }
    let got = got?;
    if got.text != sections["output"] {
        return Err(format!("\n  want {:?}\n  got  {:?}", sections["output"], got.text));
    }
    let Some(want) = sections.get("overrides") else { return Ok(()) };
    let overrides = json!({"request": got.overrides.request, "response": got.overrides.response});
    if serde_json::from_str::<Value>(want).unwrap() == overrides {
        Ok(())
    } else {
        Err(format!("got {overrides}"))
    }
}

fn render(sections: &Sections<'_>) -> Result<Rendered, String> {
    let given: Value = sections.get("scope").map_or(json!({}), |text| serde_json::from_str(text).unwrap());
    let empty = Map::new();
    let member = |name: &str| given.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let pairs = |name: &str| -> Vec<(&str, &str)> {
        member(name).iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
    };
    let (path, querystring, header) = (pairs("path"), pairs("querystring"), pairs("header"));
    let scope = Scope {
        body: sections.get("body").copied().unwrap_or_default(),
        params: Params { path: &path, querystring: &querystring, header: &header },
        context: Some(member("context")),
        stage_variables: &pairs("stageVariables"),
    };
    let template = Template::parse(sections["template"]).map_err(|error| error.to_string())?;
    template.render(&scope, &Limits::default()).map_err(|error| error.to_string())
}
