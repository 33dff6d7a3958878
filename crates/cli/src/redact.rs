//! What `--debug` must not show: session tokens, signatures, and members that the model calls sensitive.

use http::{HeaderName, HeaderValue};
use stagedoor_model::{Kind, ShapeTable, Value};

const HIDDEN: &str = "*****";

/// A header's value as it may be shown.
pub fn header(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    match name.as_str() {
        "x-amz-security-token" => HIDDEN.to_owned(),
        "authorization" => match text.split_once("Signature=") {
            Some((head, _)) => format!("{head}Signature={HIDDEN}"),
            None => HIDDEN.to_owned(),
        },
        _ => text,
    }
}

/// An answer's body as it may be shown; `answer` is what it was decoded to.
pub fn body(shape: Option<&ShapeTable>, answer: Option<&Value>, body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    let mut secrets = Vec::new();
    if let (Some(shape), Some(answer)) = (shape, answer) {
        sensitive(shape, answer, &mut secrets);
    }
    for secret in secrets {
        // As it stands in JSON, without its quotes.
        let quoted = serde_json::to_string(secret).unwrap_or_default();
        text = text.replace(quoted.trim_matches('"'), HIDDEN);
    }
    text
}

/// Collects the strings below shapes that are sensitive.
fn sensitive<'v>(shape: &ShapeTable, value: &'v Value, secrets: &mut Vec<&'v str>) {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Map(entries)) => {
            for (key, value) in entries {
                if let Some(member) = members.iter().find(|member| member.name == key) {
                    sensitive(member.shape, value, secrets);
                }
            }
        }
        (Kind::Map { value: shape, .. }, Value::Map(entries)) => {
            entries.iter().for_each(|(_, value)| sensitive(shape, value, secrets));
        }
        (Kind::List(item), Value::List(items)) => {
            items.iter().for_each(|value| sensitive(item, value, secrets));
        }
        (Kind::String, Value::String(text)) if shape.constraint.sensitive && !text.is_empty() => {
            secrets.push(text);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let shown = |name: &'static str, value: &'static str| {
            header(&HeaderName::from_static(name), &HeaderValue::from_static(value))
        };
        assert_eq!(
            shown("authorization", "AWS4 Credential=a, Signature=0f"),
            "AWS4 Credential=a, Signature=*****"
        );
        assert_eq!(shown("x-amz-security-token", "secret"), "*****");
        assert_eq!(shown("x-amz-date", "now"), "now");
        let operation = stagedoor_model::ivs_realtime::SERVICE.operation("CreateParticipantToken");
        let output = operation.and_then(|operation| operation.output);
        let text = r#"{"participantToken":{"participantId":"p","token":"se\"cret"}}"#;
        let answer: Value = serde_json::from_str(text).expect("valid JSON");
        let expected = r#"{"participantToken":{"participantId":"p","token":"*****"}}"#;
        assert_eq!(body(output, Some(&answer), text.as_bytes()), expected);
    }
}
