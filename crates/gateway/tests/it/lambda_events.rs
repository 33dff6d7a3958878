//! What functions are told of requests: the events of all three formats.

use http::Method;
use serde_json::{Value, json};

use crate::build::{aws_proxy, http_api, rest_api};
use crate::functions::function;
use crate::world::World;

async fn world() -> World {
    World::start_with(|config| config.functions = vec![function("pets", "well")]).await
}

/// The members that differ with every request, checked for their form, then made the same.
fn settled(mut event: Value) -> Value {
    let trace = "Root=1-6553f100-";
    for name in ["X-Amzn-Trace-Id", "x-amzn-trace-id"] {
        if let Some(value) = event["headers"].get_mut(name) {
            assert!(value.as_str().is_some_and(|value| value.starts_with(trace)), "{value}");
            *value = "trace".into();
        }
        if let Some(value) = event.get_mut("multiValueHeaders").and_then(|headers| headers.get_mut(name)) {
            *value = json!(["trace"]);
        }
    }
    for name in ["requestId", "extendedRequestId"] {
        if let Some(value) = event["requestContext"].get_mut(name) {
            let form = value.as_str().map(|id| (id.len(), id.ends_with('=')));
            assert!(form == Some((36, false)) || form == Some((16, true)), "{value}");
            *value = form.map_or(0, |(length, _)| length).into();
        }
    }
    event
}

#[tokio::test]
async fn rest_apis_tell_what_was_recorded() {
    let world = world().await;
    let api = rest_api("abc").method("ANY /{proxy+}", aws_proxy("pets"));
    world.store(api.deployed_to("stage")).await;
    let headers = [
        ("host", "abc.execute-api.eu-west-1.amazonaws.com"),
        ("accept", "*/*"),
        ("user-agent", "a-test"),
        ("authorization", "random-value"),
        ("content-md5", "dropped"),
    ];
    let answer = world.send(Method::GET, "/stage//proxy-value/?a=1&a=2+3&b=%2B", &headers, "").await;
    let told_headers = json!({
        "Host": "abc.execute-api.eu-west-1.amazonaws.com",
        "Accept": "*/*",
        "User-Agent": "a-test",
        "Authorization": "random-value",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "4566",
        "X-Forwarded-Proto": "http",
        "X-Amzn-Trace-Id": "trace",
    });
    let listed: serde_json::Map<String, Value> = told_headers
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    let expected = json!({
        "resource": "/{proxy+}",
        "path": "/proxy-value/",
        "httpMethod": "GET",
        "headers": told_headers,
        "multiValueHeaders": listed,
        "queryStringParameters": {"a": "2 3", "b": "+"},
        "multiValueQueryStringParameters": {"a": ["1", "2 3"], "b": ["+"]},
        "pathParameters": {"proxy": "proxy-value"},
        "stageVariables": null,
        "requestContext": {
            "resourceId": "res0",
            "resourcePath": "/{proxy+}",
            "httpMethod": "GET",
            "extendedRequestId": 16,
            "requestTime": "14/Nov/2023:22:13:20 +0000",
            "path": "/stage//proxy-value/",
            "accountId": "111122223333",
            "protocol": "HTTP/1.1",
            "stage": "stage",
            "domainPrefix": "abc",
            "requestTimeEpoch": 1_700_000_000_000u64,
            "requestId": 36,
            "identity": {
                "cognitoIdentityPoolId": null,
                "accountId": null,
                "cognitoIdentityId": null,
                "caller": null,
                "sourceIp": "127.0.0.1",
                "principalOrgId": null,
                "accessKey": null,
                "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null,
                "userArn": null,
                "userAgent": "a-test",
                "user": null,
            },
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "deploymentId": "dep1",
            "apiId": "abc",
        },
        "body": null,
        "isBase64Encoded": false,
    });
    assert_eq!(settled(answer.json()), expected);
}

#[tokio::test]
async fn paths_are_told_undecoded_as_recorded() {
    let world = world().await;
    let api = rest_api("abc")
        .method("ANY /{proxy+}", aws_proxy("pets"))
        .method("ANY /hardcoded", aws_proxy("pets"));
    world.store(api.deployed_as("dep1", "stage", &[("colour", "green")])).await;
    for (path, told, variable) in [
        ("/stage/proxy-value", "/proxy-value", json!({"proxy": "proxy-value"})),
        ("/stage/proxy-value//x", "/proxy-value//x", json!({"proxy": "proxy-value//x"})),
        ("//stage/proxy-value", "/proxy-value", json!({"proxy": "proxy-value"})),
        ("/stage/test%2Balias@x", "/test%2Balias@x", json!({"proxy": "test%2Balias@x"})),
        ("/stage/test+alias", "/test+alias", json!({"proxy": "test+alias"})),
        ("/stage//hardcoded", "/hardcoded", Value::Null),
    ] {
        let event = world.get(&format!("/_aws/execute-api/abc{path}")).await.json();
        assert_eq!((&event["path"], &event["pathParameters"]), (&json!(told), &variable), "{path}");
        assert_eq!(event["queryStringParameters"], Value::Null);
        assert_eq!(event["stageVariables"], json!({"colour": "green"}));
    }
}

#[tokio::test]
async fn binary_bodies_are_told_in_base64() {
    let world = world().await;
    let api = rest_api("abc")
        .change(|api| api.binary_media_types = Some(vec!["image/*".to_owned()]))
        .method("ANY /x", aws_proxy("pets"));
    world.store(api.deployed_to("dev")).await;
    let path = "/_aws/execute-api/abc/dev/x";
    // The function does what a body says that it knows: `event` in base64 is no instruction, so it is returned.
    let bytes = world.send(Method::POST, path, &[("content-type", "image/png")], "{\"body\":1}").await;
    bytes.is(502, r#"{"message": "Internal server error"}"#);
    let text = world.send(Method::POST, path, &[("content-type", "text/plain")], "event").await.json();
    assert_eq!((&text["body"], &text["isBase64Encoded"]), (&json!("event"), &json!(false)));
}

#[tokio::test]
async fn format_2_leaves_out_what_is_not_there() {
    let world = world().await;
    let api = http_api("abc").function("ANY /a/{name}", "pets", "2.0").function("$default", "pets", "2.0");
    world.store(api.deployed_as("dep1", "dev", &[("colour", "green")])).await;
    world.store(api.deployed_to("$default")).await;
    let host = ("host", "abc.execute-api.eu-west-1.amazonaws.com");
    let bare = world.send(Method::GET, "/none", &[host, ("user-agent", "a-test")], "").await;
    let expected = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/none",
        "rawQueryString": "",
        "headers": {
            "host": "abc.execute-api.eu-west-1.amazonaws.com",
            "user-agent": "a-test",
            "content-length": "0",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "4566",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": "trace",
        },
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abc",
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "abc",
            "http": {
                "method": "GET",
                "path": "/none",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "a-test",
            },
            "requestId": 16,
            "routeKey": "$default",
            "stage": "$default",
            "time": "14/Nov/2023:22:13:20 +0000",
            "timeEpoch": 1_700_000_000_000u64,
        },
        "isBase64Encoded": false,
    });
    assert_eq!(settled(bare.json()), expected);

    let headers = [host, ("cookie", "a=1; b=2"), ("x-two", "1"), ("x-two", "2")];
    let full = world.send(Method::POST, "/dev/a/b%20c?q=1&q=2", &headers, "event").await.json();
    assert_eq!(full["routeKey"], "ANY /a/{name}");
    assert_eq!((&full["rawPath"], &full["rawQueryString"]), (&json!("/dev/a/b c"), &json!("q=1&q=2")));
    assert_eq!(full["requestContext"]["http"]["path"], "/dev/a/b c");
    assert_eq!(full["cookies"], json!(["a=1", "b=2"]));
    assert_eq!((&full["headers"]["cookie"], &full["headers"]["x-two"]), (&Value::Null, &json!("1,2")));
    assert_eq!(full["queryStringParameters"], json!({"q": "1,2"}));
    assert_eq!(full["pathParameters"], json!({"name": "b c"}));
    assert_eq!(full["stageVariables"], json!({"colour": "green"}));
    assert_eq!((&full["body"], &full["isBase64Encoded"]), (&json!("event"), &json!(false)));
}

#[tokio::test]
async fn format_1_is_like_that_of_rest_apis() {
    let world = world().await;
    let api = http_api("abc").function("GET /a/{name}", "pets", "1.0");
    world.store(api.deployed_to("$default")).await;
    let event = world.get("/_aws/execute-api/abc/a/b?q=1&q=2").await.json();
    assert_eq!((&event["version"], &event["path"]), (&json!("1.0"), &json!("/a/b")));
    assert_eq!(event["resource"], "/a/{name}");
    assert_eq!(event["multiValueQueryStringParameters"], json!({"q": ["1", "2"]}));
    assert_eq!(event["requestContext"]["authorizer"], json!({"claims": null, "scopes": null}));
    assert_eq!(event["requestContext"]["resourceId"], Value::Null);
    assert_eq!(event["requestContext"]["requestId"], event["requestContext"]["extendedRequestId"]);
    assert_eq!((&event["stageVariables"], &event["body"]), (&Value::Null, &Value::Null));
}

/// http-data D2: format 2.0 tells paths decoded, as captured from AWS; format 1.0 as they were sent.
#[tokio::test]
async fn paths_of_http_apis_are_decoded_in_format_2_only() {
    let world = world().await;
    let api =
        http_api("abc").function("ANY /one/{proxy+}", "pets", "1.0").function("$default", "pets", "2.0");
    world.store(api.deployed_to("$default")).await;
    let host = "/_aws/execute-api/abc";
    let one = world.get(&format!("{host}/one/a%20b%2525")).await.json();
    assert_eq!(one["path"], "/one/a%20b%2525");
    let two = world.get(&format!("{host}/two/a%20b%2525%3Fc?d=%20")).await.json();
    assert_eq!((&two["rawPath"], &two["rawQueryString"]), (&json!("/two/a b%"), &json!("d=%20")));
    assert_eq!(two["requestContext"]["http"]["path"], "/two/a b%");
    world.get(&format!("{host}/two/percent%25done")).await.is(400, r#"{"message":"Bad Request"}"#);
}
