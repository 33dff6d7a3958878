//! What the real API Gateway rendered; see `../cases/README.md`.

use serde_json::{Map, Value};
use stagedoor_vtl::{Limits, Scope, Template};

const CASES: &str = include_str!("../cases/api-gateway-recorded.json");

/// The variables come as the request's body and are bound in front of the template, as they were at AWS.
fn render(template: &str, variables: &Map<String, Value>) -> Result<String, String> {
    let bindings: String =
        variables.keys().map(|name| format!("#set(${name} = $input.path('$.{name}'))\n")).collect();
    let body = Value::Object(variables.clone()).to_string();
    let template = Template::parse(&format!("{bindings}{template}")).map_err(|error| error.to_string())?;
    let scope = Scope { body: &body, ..Scope::default() };
    template
        .render(&scope, &Limits::default())
        .map(|rendered| rendered.text)
        .map_err(|error| error.to_string())
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn renders_as_api_gateway_did() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let template = case["template"].as_str().unwrap();
        let got = render(template, case["variables"].as_object().unwrap());
        let same = match (&got, case["answer"].as_str()) {
            (Ok(got), Some(want)) if case["fold_white_space"] == true => folded(got) == folded(want),
            (Ok(got), Some(want)) => got == want,
            // The recording kept an answer that is JSON as a value.
            (Ok(got), None) => serde_json::from_str::<Value>(got).ok().as_ref() == Some(&case["answer"]),
            (Err(_), _) => false,
        };
        if !same {
            failures
                .push(format!("{} {template:?}\n  want {}\n  got  {got:?}", case["name"], case["answer"]));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
