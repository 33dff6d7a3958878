//! Templates that Apache Velocity 1.7 rendered or refused; see `../cases/README.md`.

use serde_json::Value;
use stagedoor_vtl::{Dialect, Limits, Scope, Template};

const RENDERED: &str = include_str!("../cases/velocity-1.7.json");
const REFUSED: &str = include_str!("../cases/refused.json");

/// What Velocity 1.7 refuses and we take, for no template changes its meaning by it.
const BEYOND: &[(&str, &str)] = &[
    ("#set($a = 3-2)$a", "1"),
    ("#set($x = 5)#set($a = $x -2)$a", "3"),
    ("#set($x = 5)#set($a = -$x)$a", "-5"),
    ("#set($i = - 5)$i", "-5"),
    ("#set($s = \"abcd\")$s.substring(1 + 1)", "cd"),
    ("#set($l = [5, 6])$l[2 - 1]", "6"),
    ("#set($m = {\"a\": null})$m", "{a=null}"),
    ("#set($l = [1, null])$l", "[1, null]"),
    ("#set($l = [ ])$l#set($m = { })$m", "[]{}"),
    ("#set($s = \"x\")$s.length( )", "1"),
    ("5 $", "5 $"),
    ("$!", "$!"),
];

fn render(template: &str, dialect: Dialect) -> Result<String, String> {
    let template = Template::parse_as(template, dialect).map_err(|error| error.to_string())?;
    let rendered =
        template.render(&Scope::default(), &Limits::default()).map_err(|error| error.to_string())?;
    Ok(rendered.text)
}

#[test]
fn renders_as_velocity_does() {
    let cases: Vec<Value> = serde_json::from_str(RENDERED).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let template = case["template"].as_str().unwrap();
        for (dialect, member) in [(Dialect::Velocity, "velocity"), (Dialect::ApiGateway, "empty_for_nothing")]
        {
            let got = render(template, dialect);
            if got.as_deref().ok() != case[member].as_str() {
                failures.push(format!("{member} {template:?}\n  want {:?}\n  got  {got:?}", case[member]));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn refuses_what_velocity_refuses() {
    let cases: Vec<String> = serde_json::from_str(REFUSED).unwrap();
    assert!(!cases.is_empty());
    let accepted: Vec<_> =
        cases.iter().filter(|template| render(template, Dialect::Velocity).is_ok()).collect();
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}

#[test]
fn takes_what_changes_no_meaning() {
    for (template, output) in BEYOND {
        for dialect in [Dialect::Velocity, Dialect::ApiGateway] {
            assert_eq!(render(template, dialect).as_deref(), Ok(*output), "{template}");
        }
    }
}
