//! Checks a value against a schema. Bounded: a value is followed only so deep, and so many errors are told.

use std::collections::HashSet;

use serde_json::{Map, Number, Value, json};

use super::{Bound, Dependency, Items, Node, Rest, Schema};

/// Schemas and values inside each other.
const DEPTH_MAX: usize = 128;
/// Errors told of one value.
const ERRORS_MAX: usize = 32;
/// Schemas that one value is held against: alternatives inside alternatives multiply.
const CHECKS_MAX: usize = 100_000;

/// The errors so far, and what checking has cost.
#[derive(Default)]
struct Findings {
    errors: Vec<String>,
    checks: usize,
}

impl Findings {
    fn add(&mut self, error: String) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }
}

impl Schema {
    /// What is wrong with a value; empty if nothing is.
    pub(crate) fn errors(&self, value: &Value) -> Vec<String> {
        let mut findings = Findings::default();
        self.check(self.root, value, 0, &mut findings);
        findings.errors
    }

    fn matches(&self, place: usize, value: &Value, depth: usize, findings: &mut Findings) -> bool {
        let mut inner = Findings { checks: findings.checks, ..Findings::default() };
        self.check(place, value, depth, &mut inner);
        findings.checks = inner.checks;
        inner.errors.is_empty()
    }

    fn check(&self, place: usize, value: &Value, depth: usize, findings: &mut Findings) {
        findings.checks += 1;
        if depth > DEPTH_MAX || findings.checks > CHECKS_MAX {
            return findings.add("the value is nested too deeply".to_owned());
        }
        let node = &self.nodes[place];
        if let Some(reference) = node.reference {
            return self.check(reference, value, depth + 1, findings);
        }
        if !node.types.is_empty() && !node.types.iter().any(|name| is_of(value, name)) {
            let (found, allowed) = (type_of(value), json!(node.types));
            return findings.add(format!(
                "instance type ({found}) does not match any allowed primitive type (allowed: {allowed})"
            ));
        }
        if let Some(values) = &node.values
            && !values.contains(value)
        {
            let possible = json!(values);
            findings.add(format!("instance value ({value}) not found in enum (possible values: {possible})"));
        }
        match value {
            Value::Object(members) => self.check_object(node, members, value, depth, findings),
            Value::Array(items) => self.check_list(node, items, depth, findings),
            Value::String(text) => check_text(node, text, findings),
            Value::Number(number) => check_number(node, number, findings),
            Value::Null | Value::Bool(_) => {}
        }
        self.check_combined(node, value, depth, findings);
    }

    fn check_object(
        &self,
        node: &Node,
        members: &Map<String, Value>,
        value: &Value,
        depth: usize,
        findings: &mut Findings,
    ) {
        check_shape(node, members, findings);
        for (name, dependency) in node.dependencies.iter().filter(|(name, _)| members.contains_key(name)) {
            match dependency {
                Dependency::Schema(place) => self.check(*place, value, depth + 1, findings),
                Dependency::Members(wanted) => {
                    let missing: Vec<_> = wanted.iter().filter(|name| !members.contains_key(*name)).collect();
                    if !missing.is_empty() {
                        let (wanted, missing) = (json!(wanted), json!(missing));
                        findings.add(format!(
                            "property \"{name}\" of object has missing property dependencies (schema requires \
                             {wanted}; missing: {missing})"
                        ));
                    }
                }
            }
        }
        let mut refused = Vec::new();
        for (name, member) in members {
            let patterns =
                node.pattern_properties.iter().filter(|(pattern, _)| pattern.is_match(name) == Ok(true));
            let named: Vec<usize> = node
                .properties
                .get(name)
                .copied()
                .into_iter()
                .chain(patterns.map(|(_, place)| *place))
                .collect();
            match (named.is_empty(), node.additional_properties) {
                (true, Rest::Nothing) => refused.push(name),
                (true, Rest::Schema(place)) => self.check(place, member, depth + 1, findings),
                (true, Rest::Anything) => {}
                (false, _) => named.iter().for_each(|place| self.check(*place, member, depth + 1, findings)),
            }
        }
        if !refused.is_empty() {
            refused.sort();
            let refused = json!(refused);
            findings.add(format!(
                "object instance has properties which are not allowed by the schema: {refused}"
            ));
        }
    }

    fn check_list(&self, node: &Node, items: &[Value], depth: usize, findings: &mut Findings) {
        let count = items.len() as u64;
        let places = if let Items::ByPlace(places) = &node.items { Some(places.len() as u64) } else { None };
        let closed = places.filter(|_| matches!(node.additional_items, Rest::Nothing));
        if let Some(most) = node.items_max.or(closed).filter(|most| count > *most) {
            findings.add(format!(
                "array is too long: must have at most {most} elements but instance has {count} elements"
            ));
        }
        if let Some(least) = node.items_min.filter(|least| count < *least) {
            findings.add(format!(
                "array is too short: must have at least {least} elements but instance has {count} elements"
            ));
        }
        if node.items_unique {
            let mut seen = HashSet::new();
            if !items.iter().all(|item| seen.insert(item.to_string())) {
                findings.add("array must not contain duplicate elements".to_owned());
            }
        }
        for (at, item) in items.iter().enumerate() {
            let place = match (&node.items, node.additional_items) {
                (Items::Each(place), _) => Some(*place),
                (Items::ByPlace(places), rest) => places.get(at).copied().or(match rest {
                    Rest::Schema(place) => Some(place),
                    Rest::Anything | Rest::Nothing => None,
                }),
                (Items::Anything, _) => None,
            };
            if let Some(place) = place {
                self.check(place, item, depth + 1, findings);
            }
        }
    }

    fn check_combined(&self, node: &Node, value: &Value, depth: usize, findings: &mut Findings) {
        let matched = |places: &[usize], findings: &mut Findings| {
            places.iter().filter(|place| self.matches(**place, value, depth + 1, findings)).count()
        };
        let (all, any, one) = (&node.all_of, &node.any_of, &node.one_of);
        let count = matched(all, findings);
        if count < all.len() {
            let of = all.len();
            findings.add(format!(
                "instance failed to match all required schemas (matched only {count} out of {of})"
            ));
        }
        if !any.is_empty() && matched(any, findings) == 0 {
            let of = any.len();
            findings.add(format!("instance failed to match at least one required schema among {of}"));
        }
        let count = matched(one, findings);
        if !one.is_empty() && count != 1 {
            let of = one.len();
            findings
                .add(format!("instance failed to match exactly one schema (matched {count} out of {of})"));
        }
        if node.not.is_some_and(|not| matched(&[not], findings) == 1) {
            findings.add("instance matched a schema which it should not have".to_owned());
        }
    }
}

fn check_shape(node: &Node, members: &Map<String, Value>, findings: &mut Findings) {
    let missing: Vec<_> = node.required.iter().filter(|name| !members.contains_key(*name)).collect();
    if !missing.is_empty() {
        let missing = json!(missing);
        findings.add(format!("object has missing required properties ({missing})"));
    }
    let count = members.len() as u64;
    if let Some(least) = node.properties_min.filter(|least| count < *least) {
        findings.add(format!(
            "object has too few properties (found {count} but schema requires at least {least})"
        ));
    }
    if let Some(most) = node.properties_max.filter(|most| count > *most) {
        findings.add(format!(
            "object has too many properties (found {count} but schema requires at most {most})"
        ));
    }
}

fn check_text(node: &Node, text: &str, findings: &mut Findings) {
    let length = text.chars().count() as u64;
    if let Some(most) = node.length_max.filter(|most| length > *most) {
        findings.add(format!("string \"{text}\" is too long (length: {length}, maximum allowed: {most})"));
    }
    if let Some(least) = node.length_min.filter(|least| length < *least) {
        findings.add(format!("string \"{text}\" is too short (length: {length}, required minimum: {least})"));
    }
    if let Some(pattern) = node.pattern.as_ref().filter(|pattern| pattern.is_match(text) != Ok(true)) {
        findings.add(format!("ECMA 262 regex \"{pattern}\" does not match input string \"{text}\""));
    }
    if let Some(error) = node.format.and_then(|format| format.error(text)) {
        findings.add(error);
    }
}

fn check_number(node: &Node, number: &Number, findings: &mut Findings) {
    let value = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    let found = value(number);
    if let Some(Bound { value: least, exclusive }) = &node.minimum {
        if found < value(least) {
            findings.add(format!(
                "numeric instance is lower than the required minimum (minimum: {least}, found: {number})"
            ));
        } else if *exclusive && found <= value(least) {
            findings
                .add(format!("numeric instance is not strictly greater than the required minimum {least}"));
        }
    }
    if let Some(Bound { value: most, exclusive }) = &node.maximum {
        if found > value(most) {
            findings.add(format!(
                "numeric instance is greater than the required maximum (maximum: {most}, found: {number})"
            ));
        } else if *exclusive && found >= value(most) {
            findings.add(format!("numeric instance is not strictly lower than the required maximum {most}"));
        }
    }
    if let Some(step) = node.multiple_of.filter(|step| *step > 0.0 && !is_multiple(number, *step)) {
        findings.add(format!("remainder of division is not zero ({number} / {step})"));
    }
}

/// Whether it is a multiple by the decimals that it is written with: 19.99 is one of 0.01, though not as binary
/// fractions.
fn is_multiple(number: &Number, step: f64) -> bool {
    let (step, step_exponent) = decimals(step);
    let (number, exponent) = match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => (u128::from(whole.unsigned_abs()), 0),
        (None, Some(whole)) => (u128::from(whole), 0),
        (None, None) => decimals(number.as_f64().unwrap_or(f64::NAN)),
    };
    match u32::try_from(exponent - step_exponent) {
        Ok(zeros) => (number % step * power_of_ten(zeros, step)).is_multiple_of(step),
        Err(_) => {
            let zeros = exponent.abs_diff(step_exponent);
            let step = 10_u128.checked_pow(zeros).and_then(|scale| step.checked_mul(scale));
            // One that cannot be written here is greater than every number.
            number == 0 || step.is_some_and(|step| number % step == 0)
        }
    }
}

/// What remains of so high a power by `step`, which has 17 digits at most: nothing overflows.
fn power_of_ten(mut exponent: u32, step: u128) -> u128 {
    let (mut power, mut square) = (1 % step, 10 % step);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * square % step;
        }
        square = square * square % step;
        exponent /= 2;
    }
    power
}

/// A number's size as digits and how many zeros follow them; fewer than none where digits are decimals.
fn decimals(number: f64) -> (u128, i32) {
    let text = format!("{:e}", number.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
    let fraction = i32::try_from(fraction.len()).unwrap_or_default();
    (digits, exponent.parse::<i32>().unwrap_or_default() - fraction)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_integer(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

fn is_of(value: &Value, name: &str) -> bool {
    type_of(value) == name || (name == "number" && value.is_number())
}
