//! The claims of a token as integrations see them: all of them text. Pure.

use serde_json::{Map, Value};

/// As HTTP APIs and REST APIs' JWT authorizers write them: lists as `[a b]`, objects as JSON; null is left out.
pub(crate) fn written(claims: &Map<String, Value>) -> Map<String, Value> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            Some(format!("[{}]", values.join(" ")))
        }
        other => Some(other.to_string()),
    };
    claims.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?.into()))).collect()
}

/// As REST APIs write those of user pools: lists with commas, `exp` and `iat` as dates.
pub(crate) fn written_for_user_pools(claims: &Map<String, Value>) -> Map<String, Value> {
    let text = |name: &str, value: &Value| match (name, value) {
        (_, Value::Null) => None,
        ("exp" | "iat", Value::Number(seconds)) => Some(date(seconds.as_f64().unwrap_or_default())),
        (_, Value::Array(values)) => Some(values.iter().map(plain).collect::<Vec<_>>().join(",")),
        (_, other) => Some(plain(other)),
    };
    claims.iter().filter_map(|(name, value)| Some((name.clone(), text(name, value)?.into()))).collect()
}

/// The token's scopes: `scope`, separated by blanks, or `scp`, which may be a list.
pub(crate) fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(scopes)) => scopes.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(scopes)) => scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn plain(value: &Value) -> String {
    super::caller::text(value)
}

/// As Java writes a date: `Tue Nov 14 22:13:20 UTC 2023`.
fn date(seconds: f64) -> String {
    let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "sub": "me", "exp": 1_700_000_000, "ok": true, "none": null, "cognito:groups": ["a", "b"],
            "nested": {"a": [1]}, "scope": "x y",
        });
        let Value::Object(claims) = claims else { unreachable!("an object was written") };
        claims
    }

    #[test]
    fn claims_become_text() {
        assert_eq!(
            Value::Object(written(&claims())).to_string(),
            r#"{"sub":"me","exp":"1700000000","ok":"true","cognito:groups":"[a b]","nested":"{\"a\":[1]}","scope":"x y"}"#
        );
        let told = written_for_user_pools(&claims());
        assert_eq!(told["exp"], "Tue Nov 14 22:13:20 UTC 2023");
        assert_eq!(told["cognito:groups"], "a,b");
    }

    #[test]
    fn scopes_are_listed() {
        for (claims, expected) in [
            (json!({"scope": "a  b"}), vec!["a", "b"]),
            (json!({"scp": ["a", "b"]}), vec!["a", "b"]),
            (json!({"scp": "a"}), vec!["a"]),
            (json!({"scope": 7}), vec![]),
            (json!({}), vec![]),
        ] {
            let Value::Object(claims) = claims else { unreachable!("an object was written") };
            assert_eq!(scopes(&claims), expected);
        }
    }
}
