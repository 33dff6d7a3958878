//! The REST-JSON protocol as data: requests and what the engine makes of them, outputs and their bytes.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};
use stagedoor_model::{SERVICES, Service, Value};
use stagedoor_wire::check::check;
use stagedoor_wire::client::{decode_response, encode_request};
use stagedoor_wire::decode::decode;
use stagedoor_wire::dialect::Dialect;
use stagedoor_wire::encode::answer;
use stagedoor_wire::route::route;
use stagedoor_wire::{Fault, encode};

fn service(name: &str) -> &'static Service {
    SERVICES.into_iter().find(|service| service.name == name).expect("one of the four")
}

/// The input of a request such as `PUT /v2/x?y=z`, or `Code status: message`.
fn read(
    service: &'static Service,
    request: &str,
    headers: &[(&'static str, &'static str)],
    body: &str,
) -> Json {
    let (method, uri) = request.split_once(' ').expect("method and URI");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let routed = route(service, method, path, query).expect("an operation");
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let decoded = decode(&routed, query, &map, &Bytes::copy_from_slice(body.as_bytes()));
    let checked = decoded.and_then(|input| match check(routed.operation, &input).as_slice() {
        [] => Ok(input),
        violations => Err(Dialect::of(service).violations(routed.operation, violations)),
    });
    match checked {
        Ok(input) => serde_json::to_value(input).expect("a value is JSON"),
        Err(fault) => format!("{} {}: {}", fault.code, fault.status, fault.message).into(),
    }
}

#[test]
fn inputs_come_from_path_query_headers_and_body() {
    let v1 = service("apigateway");
    let ivs = service("ivs-realtime");
    let cases = [
        // Numbers, booleans and lists in the query; a label that was percent-encoded.
        (
            v1,
            "GET /restapis/a1/resources?limit=5&embed=methods&embed=x&position=p%2B1",
            "",
            json!({"embed": ["methods", "x"], "limit": 5, "position": "p+1", "restApiId": "a1"}),
        ),
        // A map in the query takes what no other member claims, and no signature.
        (
            v1,
            "PUT /restapis/a1?mode=merge&basepath=prepend&X-Amz-Signature=s",
            "{}",
            json!({"mode": "merge", "parameters": {"basepath": "prepend"}, "restApiId": "a1", "body": "e30="}),
        ),
        // The wire's name and the model's differ.
        (
            v1,
            "PUT /restapis/a1/resources/r1/methods/GET/integration",
            r#"{"type":"MOCK","httpMethod":"POST"}"#,
            json!({
                "httpMethod": "GET", "integrationHttpMethod": "POST", "resourceId": "r1", "restApiId": "a1",
                "type": "MOCK",
            }),
        ),
        // Null is absence; unknown members are nobody's business; the last of two equal keys counts.
        (
            ivs,
            "POST /CreateStage",
            r#"{"name":"a","name":"b","tags":null,"colour":"red"}"#,
            json!({"name": "b"}),
        ),
        // A client with nothing to say may send nothing.
        (ivs, "POST /ListStages", "", json!({})),
        (ivs, "POST /ListStages", "null", json!({})),
        (
            ivs,
            "DELETE /tags/arn%3Aaws%3Aivs%3Aus-east-1%3A1%3Astage%2Fa?tagKeys=x&tagKeys=y",
            "",
            json!({"resourceArn": "arn:aws:ivs:us-east-1:1:stage/a", "tagKeys": ["x", "y"]}),
        ),
    ];
    for (service, request, body, expected) in cases {
        let input = read(service, request, &[], body);
        let (mut input, mut expected) = (input, expected);
        for side in [&mut input, &mut expected] {
            side.as_object_mut().map(serde_json::Map::sort_keys);
        }
        assert_eq!(input, expected, "{request} {body}");
    }
}

#[test]
fn wrong_types_are_named_in_the_framework_s_words() {
    let ivs = service("ivs-realtime");
    let cases = [
        (r#"{"name":true}"#, "class java.lang.Boolean can not be converted to an String"),
        (
            r#"{"name":7}"#,
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
        ),
        (r#"{"name":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"name":[]}"#, "Start of list found where not expected"),
        (r#"{"tags":"a"}"#, "Unrecognized collection type class java.lang.String"),
        (
            r#"{"tags":{"a":1.5}}"#,
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
        ),
        ("[]", "Start of structure expected"),
    ];
    for (body, message) in cases {
        let expected = format!("SerializationException 400: {message}");
        assert_eq!(read(ivs, "POST /CreateStage", &[], body), expected, "{body}");
    }
    let broken = read(ivs, "POST /CreateStage", &[], "{\"name\": ");
    assert!(broken.as_str().is_some_and(|text| text.starts_with("SerializationException 400: ")), "{broken}");
}

#[test]
fn all_violations_are_reported_together() {
    let v1 = service("apigateway");
    let ivs = service("ivs-realtime");
    let long = "x".repeat(129);
    let cases = [
        (v1, "POST /restapis", "{}".to_owned(), "ValidationException 400: 1 validation error detected: Value null at 'createRestApiInput.name' failed to satisfy constraint: Member must not be null".to_owned()),
        (v1, "PUT /restapis/a/resources/b/methods/GET/responses/wrong", "{}".to_owned(), r"ValidationException 400: 1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d".to_owned()),
        (v1, "PATCH /restapis/a", r#"{"patchOperations":[{"op":"add"},{"op":"wrong_op"}]}"#.to_owned(), "ValidationException 400: 1 validation error detected: Value 'wrong_op' at 'updateRestApiInput.patchOperations.2.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]".to_owned()),
        (v1, "POST /restapis", r#"{"name":"n","endpointConfiguration":{"types":["wrong"]}}"#.to_owned(), "ValidationException 400: 1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]".to_owned()),
        (ivs, "POST /CreateStage", format!(r#"{{"name":"{long}"}}"#), format!("ValidationException 400: 1 validation error detected: Value '{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 128")),
        (ivs, "POST /ListStages", r#"{"maxResults":0,"nextToken":"?"}"#.to_owned(), "ValidationException 400: 2 validation errors detected: Value '?' at 'nextToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9+/=_-]*; Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
    ];
    for (service, request, body, expected) in cases {
        assert_eq!(read(service, request, &[], &body), expected, "{request} {body}");
    }
}

/// Status, selected headers and body of an answer.
fn written(service: &'static Service, operation: &str, result: Result<Json, Fault>) -> (u16, String, Json) {
    let operation = service.operation(operation);
    let result = result.map(|output| serde_json::from_value::<Value>(output).expect("any JSON is a value"));
    let response = answer(service, operation, result, "request-1");
    assert_eq!(response.headers()["x-amzn-requestid"], "request-1");
    let kind =
        response.headers().get("x-amzn-errortype").map(|value| value.to_str().expect("ASCII").to_owned());
    let body = if response.body().is_empty() {
        Json::Null
    } else {
        serde_json::from_slice(response.body()).expect("JSON")
    };
    (response.status().as_u16(), kind.unwrap_or_default(), body)
}

#[test]
fn outputs_have_their_status_names_and_times() {
    let (v1, v2, ivs) = (service("apigateway"), service("apigatewayv2"), service("ivs-realtime"));
    // Lists are `item` on the v1 wire; a float stays one.
    let stages = json!({"item": [{"stageName": "dev"}]});
    assert_eq!(written(v1, "GetStages", Ok(stages.clone())), (200, String::new(), stages));
    let apis = written(v1, "GetRestApis", Ok(json!({"items": [{"id": "a1"}]})));
    assert_eq!(apis, (200, String::new(), json!({"item": [{"id": "a1"}]})));
    assert_eq!(written(v1, "DeleteRestApi", Ok(Json::Null)), (202, String::new(), Json::Null));
    assert_eq!(written(v2, "DeleteApi", Ok(Json::Null)), (204, String::new(), Json::Null));
    assert_eq!(written(ivs, "DeleteStage", Ok(json!({}))), (200, String::new(), json!({})));
    let created = written(v2, "CreateApi", Ok(json!({"ApiId": "a1", "Name": "n"})));
    assert_eq!(created, (201, String::new(), json!({"apiId": "a1", "name": "n"})));
}

#[test]
fn times_are_spelled_as_each_service_does() {
    use stagedoor_model::Timestamp;
    let time = Value::Time(Timestamp::from_seconds(1_704_067_200));
    let cases = [
        ("apigateway", "GetRestApi", "createdDate", json!({"createdDate": 1_704_067_200})),
        ("apigatewayv2", "GetApi", "CreatedDate", json!({"createdDate": "2024-01-01T00:00:00Z"})),
    ];
    for (name, operation, member, expected) in cases {
        let service = service(name);
        let output = Value::Map(vec![(member.into(), time.clone())]);
        let response = answer(service, service.operation(operation), Ok(output), "r");
        assert_eq!(serde_json::from_slice::<Json>(response.body()).ok(), Some(expected));
    }
}

#[test]
fn faults_have_their_service_s_form() {
    let fault = || Fault::new("NotFoundException", 404, "Invalid stage identifier specified");
    let v1 = written(service("apigateway"), "GetStage", Err(fault()));
    let message = json!({"message": "Invalid stage identifier specified"});
    assert_eq!(v1, (404, "NotFoundException".to_owned(), message));
    let ivs = service("ivs-realtime");
    let response = encode::answer(ivs, None, Err(fault()), "r");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let body: Json = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["exceptionMessage"], body["message"]);
    let mut slow = Fault::new("TooManyRequestsException", 429, "Too Many Requests");
    slow.retry_after = Some(3);
    let response = encode::answer(service("apigateway"), None, Err(slow), "r");
    assert_eq!(response.headers()["retry-after"], "3");
}

/// What the client sends for a call is what the server decodes, and what the server answers the client decodes.
#[test]
fn client_and_server_understand_each_other() {
    let v2 = service("apigatewayv2");
    let operation = v2.operation("CreateRoute").expect("it exists");
    let input: Value = serde_json::from_value(json!({
        "ApiId": "a/1", "RouteKey": "GET /ä", "AuthorizationScopes": ["x", "y"], "RequestModels": {"k": "v"},
    }))
    .expect("any JSON is a value");
    let request = encode_request(operation, &input).expect("it can be sent");
    assert_eq!(request.uri(), "/v2/apis/a%2F1/routes");
    let routed = route(v2, request.method().as_str(), request.uri().path(), "").expect("an operation");
    let decoded = decode(&routed, "", request.headers(), request.body()).expect("it is well-formed");
    for member in ["ApiId", "RouteKey", "AuthorizationScopes", "RequestModels"] {
        assert_eq!(decoded.get(member), input.get(member), "{member}");
    }
    let output: Value = serde_json::from_value(json!({"RouteId": "r1"})).expect("any JSON is a value");
    let response = answer(v2, Some(operation), Ok(output.clone()), "r");
    assert_eq!(decode_response(operation, &response), Ok(output));
    let fault = Fault::new("ConflictException", 409, "taken");
    let refused = decode_response(operation, &answer(v2, Some(operation), Err(fault), "r"));
    let error = refused.expect_err("it was refused");
    assert_eq!(
        (error.code.as_str(), error.status, error.message.as_str()),
        ("ConflictException", 409, "taken")
    );
}

mod arbitrary {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever arrives, the engine answers; it never panics.
        #[test]
        fn bodies_and_uris_never_panic(body in ".{0,200}", path in "/[a-z/%0-9]{0,40}", query in ".{0,40}") {
            for service in SERVICES {
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                    let Some(routed) = route(service, method, &path, &query) else { continue };
                    let body = Bytes::copy_from_slice(body.as_bytes());
                    if let Ok(input) = decode(&routed, &query, &HeaderMap::new(), &body) {
                        check(routed.operation, &input);
                    }
                }
            }
        }

        /// JSON of any shape in the body of an operation with nested structures.
        #[test]
        fn any_json_is_decoded_or_refused(text in r#"[\[\]{}",:a-z0-9.\-]{0,80}"#) {
            let body = format!(r#"{{"name":{text},"endpointConfiguration":{text},"tags":{text}}}"#);
            let v1 = service("apigateway");
            let routed = route(v1, "POST", "/restapis", "").expect("CreateRestApi");
            if let Ok(input) = decode(&routed, "", &HeaderMap::new(), &Bytes::from(body)) {
                check(routed.operation, &input);
            }
        }
    }
}
