//! `--query`: JMESPath. <https://jmespath.org/specification.html>
//!
//! The `jmespath` crate parses; evaluation is ours because that crate's objects are sorted by key, while the AWS CLI
//! prints members in the order in which they were selected.

mod depth;
mod evaluate;
mod functions;
mod literal;

use stagedoor_model::Value;

/// A parsed expression.
pub struct Query(jmespath::ast::Ast);

impl Query {
    /// # Errors
    /// What is wrong with the expression, and where.
    pub fn parse(expression: &str) -> Result<Self, String> {
        depth::check(expression)?;
        let expression = literal::quote_bare(expression);
        jmespath::parse(&expression).map(Self).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// # Errors
    /// An unknown function, or one that is called with other values than it takes.
    pub fn search(&self, data: &Value) -> Result<Value, String> {
        evaluate::evaluate(&self.0, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests of the JMESPath project, with what each is expected to give or the error it must end with.
    const SUITE: [(&str, &str); 15] = [
        ("basic", include_str!("../../tests/jmespath/basic.json")),
        ("boolean", include_str!("../../tests/jmespath/boolean.json")),
        ("current", include_str!("../../tests/jmespath/current.json")),
        ("escape", include_str!("../../tests/jmespath/escape.json")),
        ("filters", include_str!("../../tests/jmespath/filters.json")),
        ("functions", include_str!("../../tests/jmespath/functions.json")),
        ("identifiers", include_str!("../../tests/jmespath/identifiers.json")),
        ("indices", include_str!("../../tests/jmespath/indices.json")),
        ("literal", include_str!("../../tests/jmespath/literal.json")),
        ("multiselect", include_str!("../../tests/jmespath/multiselect.json")),
        ("pipe", include_str!("../../tests/jmespath/pipe.json")),
        ("slice", include_str!("../../tests/jmespath/slice.json")),
        ("syntax", include_str!("../../tests/jmespath/syntax.json")),
        ("unicode", include_str!("../../tests/jmespath/unicode.json")),
        ("wildcard", include_str!("../../tests/jmespath/wildcard.json")),
    ];

    #[test]
    fn the_compliance_suite_passes() {
        let mut wrong = Vec::new();
        for (file, text) in SUITE {
            let groups: Value = serde_json::from_str(text).expect("the suite is JSON");
            for group in groups.items() {
                let given = group.get("given").cloned().unwrap_or_default();
                for case in group.get("cases").map(Value::items).unwrap_or_default() {
                    let expression = case.get("expression").and_then(Value::as_str).unwrap_or_default();
                    let found = Query::parse(expression).and_then(|query| query.search(&given));
                    let is_right = match (&found, case.get("error")) {
                        (Err(_), Some(_)) => true,
                        (Ok(found), None) => {
                            evaluate::equal(found, case.get("result").unwrap_or(&Value::Null))
                        }
                        _ => false,
                    };
                    if !is_right {
                        wrong.push(format!("{file}: {expression}: {found:?}"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn members_keep_their_order() {
        let data: Value = serde_json::from_str(r#"{"b":1,"a":{"d":2,"c":3}}"#).expect("valid JSON");
        let search =
            |expression| Query::parse(expression).and_then(|query| query.search(&data)).expect("valid");
        assert_eq!(
            serde_json::to_string(&search("{z: b, y: a}")).expect("JSON"),
            r#"{"z":1,"y":{"d":2,"c":3}}"#
        );
        assert_eq!(serde_json::to_string(&search("keys(@)")).expect("JSON"), r#"["b","a"]"#);
    }
}
