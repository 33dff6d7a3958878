//! What functions return, and the answers that become of it.

use super::*;

/// `status headers body`, or the fault's status for a REST API.
fn told(made: Made<Answered>) -> String {
    let Ok(answer) = made else {
        return match made {
            Err(GatewayFault::FunctionFailure(_)) => "malformed".to_owned(),
            Err(fault) => fault.to_string(),
            Ok(_) => unreachable!("it is an error"),
        };
    };
    let headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}={}", value.to_str().expect("visible characters")))
        .collect();
    format!("{} [{}] {}", answer.status.as_u16(), headers.join(" "), String::from_utf8_lossy(&answer.body))
}

/// The cases of the recording of real answers, and those beside them.
#[test]
fn rest_apis_take_what_aws_takes() {
    for (payload, expected) in [
        (r#"{"statusCode": 200}"#, "200 [] "),
        ("{}", "200 [] "),
        (
            r#"{"headers": {"test-header": "value", "header-bool": true}}"#,
            "200 [test-header=value header-bool=true] ",
        ),
        (r#"{"statusCode": 200, "headers": null}"#, "200 [] "),
        (r#"{"statusCode": 200, "wrongValue": "value"}"#, "malformed"),
        (r#"{"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": true}"#, "200 [] dGVzdC1kYXRh"),
        (r#"{"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": false}"#, "200 [] dGVzdC1kYXRh"),
        (
            r#"{"multiValueHeaders": {"test-multi": ["value1", "value2"]}}"#,
            "200 [test-multi=value1 test-multi=value2] ",
        ),
        (
            r#"{"headers": {"test-multi": "value-solo"}, "multiValueHeaders": {"test-multi": ["value-multi"]}}"#,
            "200 [test-multi=value-multi test-multi=value-solo] ",
        ),
        (
            r#"{"headers": {"test-multi": "value-solo"}, "multiValueHeaders": {"tesT-Multi": ["value-multi"]}}"#,
            "200 [test-multi=value-multi test-multi=value-solo] ",
        ),
        (r#"{"headers": {"a": "1"}, "multiValueHeaders": {"A": ["1", "2"]}}"#, "200 [a=1 a=2] "),
        (r#"{"multiValueHeaders": {"test-multi": "value1"}}"#, "malformed"),
        (r#"{"statusCode": "wrong"}"#, "malformed"),
        (r#"{"statusCode": "201"}"#, "201 [] "),
        (r#"{"statusCode": 204.0}"#, "204 [] "),
        (r#"{"statusCode": 101}"#, "malformed"),
        (r#"{"statusCode": 99999}"#, "malformed"),
        (r#"{"statusCode": [200]}"#, "malformed"),
        (r#""just a string""#, "malformed"),
        ("1", "malformed"),
        ("null", "malformed"),
        ("[]", "malformed"),
        ("no JSON", "malformed"),
        ("", "malformed"),
        (r#"{"statusCode": 200, "body": {"a": 1}}"#, "malformed"),
        (r#"{"statusCode": 200, "body": null}"#, "200 [] "),
        (r#"{"body": "x", "isBase64Encoded": "yes"}"#, "malformed"),
        (r#"{"headers": {"a": {"b": 1}}}"#, "malformed"),
        (r#"{"headers": {"a": "b\r\nset-cookie: c"}}"#, "malformed"),
        (r#"{"headers": {"a b": "c"}}"#, "malformed"),
        (r#"{"headers": []}"#, "malformed"),
    ] {
        assert_eq!(told(of_rest(payload.as_bytes(), false)), expected, "{payload}");
    }
}

#[test]
fn base64_is_decoded_for_clients_that_accept_bytes() {
    let payload = br#"{"body": "dGVzdC1kYXRh", "isBase64Encoded": true}"#;
    assert_eq!(told(of_rest(payload, true)), "200 [] test-data");
    assert_eq!(told(of_rest(br#"{"body": "dGVzdC1kYXRh"}"#, true)), "200 [] dGVzdC1kYXRh");
    let wrong = told(of_rest(br#"{"body": "not base64!", "isBase64Encoded": true}"#, true));
    assert_eq!(wrong, "execution failed due to configuration error: Unable to base64 decode the body.");
}

#[test]
fn format_2_infers_what_is_not_said() {
    const JSON: &str = "[content-type=application/json]";
    const PLAIN: &str = "[content-type=text/plain; charset=utf-8]";
    for (payload, expected) in [
        (r#"{"message": "hello"}"#, format!(r#"200 {JSON} {{"message": "hello"}}"#)),
        (r#""Hello from Lambda!""#, format!("200 {JSON} Hello from Lambda!")),
        ("[1, 2]", format!("200 {JSON} [1, 2]")),
        ("null", format!("200 {JSON} null")),
        (r#"{"statusCode": 201, "body": "made"}"#, format!("201 {PLAIN} made")),
        (r#"{"statusCode": 200, "body": "YQ==", "isBase64Encoded": true}"#, format!("200 {PLAIN} a")),
        (r#"{"statusCode": 200, "other": 1}"#, format!("200 {PLAIN} ")),
        (
            r#"{"statusCode": 200, "headers": {"Content-Type": "a/b"}, "cookies": ["a=1", "b=2; Secure"]}"#,
            "200 [content-type=a/b set-cookie=a=1 set-cookie=b=2; Secure] ".to_owned(),
        ),
        (r#"{"statusCode": "x"}"#, "malformed".to_owned()),
        (r#"{"statusCode": 200, "body": {}}"#, "malformed".to_owned()),
        (r#"{"statusCode": 200, "cookies": "a=1"}"#, "malformed".to_owned()),
        (r#"{"statusCode": 0}"#, "malformed".to_owned()),
        (r#"{"statusCode": 200.5}"#, "malformed".to_owned()),
        (
            r#"{"headers": {"content-type": "a/b"}}"#,
            format!(r#"200 {JSON} {{"headers": {{"content-type": "a/b"}}}}"#),
        ),
        (r#"{"name": "Ada", "age":"#, format!(r#"200 {JSON} {{"name": "Ada", "age":"#)),
        ("Hello, World!", format!("200 {JSON} Hello, World!")),
    ] {
        assert_eq!(told(of_http_v2(&Bytes::from(payload))), expected, "{payload}");
    }
}

#[test]
fn format_1_is_like_rest_but_always_decodes() {
    let plain = "content-type=text/plain; charset=utf-8";
    let decoded = told(of_http_v1(br#"{"body": "YQ==", "isBase64Encoded": true}"#));
    assert_eq!(decoded, format!("200 [{plain}] a"));
    assert_eq!(told(of_http_v1(br#"{"headers": {"Content-Type": "a/b"}}"#)), "200 [content-type=a/b] ");
    assert_eq!(told(of_http_v1(br#"{"statusCode": 0}"#)), "malformed");
    assert_eq!(told(of_http_v1(b"no JSON")), "malformed");
    assert_eq!(told(of_http_v1(br#"{"message": "hello"}"#)), "malformed");
}
