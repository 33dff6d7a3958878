//! One line of a statement's `Condition`: an operator, a key, and the values of the policy.

use serde_json::Value;

use super::document::{Malformed, texts};
use super::operator::{self, Comparison};
use super::pattern::Pattern;
use super::request::Context;

#[derive(Debug, Clone)]
pub(super) struct Condition {
    key: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// `Null`: whether the key is absent.
    Absent(bool),
    Compare {
        comparison: Comparison,
        negated: bool,
        if_exists: bool,
        over: Over,
        values: Vec<Pattern>,
    },
}

/// Which of the request's values must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// No set operator: keys of one value.
    One,
    All,
    Any,
}

/// Reads the whole member: `{"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}`.
pub(super) fn parse(member: &Value, variables: bool) -> Result<Vec<Condition>, Malformed> {
    let operators = member.as_object().ok_or(Malformed("Condition is not an object"))?;
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let keys = keys.as_object().ok_or(Malformed("an operator of Condition is not an object"))?;
        for (key, values) in keys {
            let test = test(operator, &texts(values)?, variables)?;
            conditions.push(Condition { key: key.clone(), test });
        }
    }
    Ok(conditions)
}

fn test(operator: &str, values: &[String], variables: bool) -> Result<Test, Malformed> {
    if operator == "Null" {
        return match values {
            [value] if value.eq_ignore_ascii_case("true") => Ok(Test::Absent(true)),
            [value] if value.eq_ignore_ascii_case("false") => Ok(Test::Absent(false)),
            _ => Err(Malformed("Null takes true or false")),
        };
    }
    let (over, name) = match operator.split_once(':') {
        None => (Over::One, operator),
        Some(("ForAllValues", name)) => (Over::All, name),
        Some(("ForAnyValue", name)) => (Over::Any, name),
        Some(_) => return Err(Malformed("Condition has an unknown set operator")),
    };
    let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
    let (comparison, negated) =
        operator::parse(name).ok_or(Malformed("Condition has an unknown operator"))?;
    if !values.iter().all(|value| comparison.takes(value)) {
        return Err(Malformed("a value of Condition is not of its operator's type"));
    }
    let values = values.iter().map(|value| Pattern::parse(value, variables, comparison.has_wildcards()));
    Ok(Test::Compare { comparison, negated, if_exists, over, values: values.collect() })
}

impl Condition {
    pub(super) fn holds(&self, context: &Context) -> bool {
        let theirs = context.values(&self.key);
        match &self.test {
            Test::Absent(absent) => theirs.is_empty() == *absent,
            Test::Compare { comparison, negated, if_exists, over, values } => {
                if theirs.is_empty() {
                    // What is absent is certainly not equal, but it is not any value either.
                    return *if_exists || *over == Over::All || *negated && *over == Over::One;
                }
                let passes = |value: &String| {
                    values.iter().any(|ours| comparison.holds(value, ours, context)) != *negated
                };
                match over {
                    Over::All => theirs.iter().all(passes),
                    Over::Any => theirs.iter().any(passes),
                    Over::One if *negated => theirs.iter().all(passes),
                    Over::One => theirs.iter().any(passes),
                }
            }
        }
    }
}
