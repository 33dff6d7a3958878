//! Integrations: defaults per protocol and type, updates, errors.

use serde_json::{Value as Json, json};

use crate::control::{Control, is_id};

const LAMBDA: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/f/invocations";

/// A merge of objects, for cases that differ in little.
fn with(base: &Json, more: Json) -> Json {
    let mut all = base.as_object().expect("an object").clone();
    all.extend(more.as_object().expect("an object").clone());
    all.retain(|_, value| !value.is_null());
    Json::Object(all)
}

#[test]
fn an_http_proxy_of_an_http_api_shows_its_defaults() {
    let control = Control::new();
    control.http_api("a");
    let sent = json!({
        "ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET",
        "IntegrationUri": "https://example.com/x", "PassthroughBehavior": "WHEN_NO_MATCH",
        "PayloadFormatVersion": "1.0", "TlsConfig": {"ServerNameToVerify": "example.com"},
    });
    let created = control.ok("CreateIntegration", sent);
    assert!(is_id(&created["IntegrationId"], 7), "{created}");
    let expected = json!({
        "ConnectionType": "INTERNET",
        "IntegrationId": created["IntegrationId"],
        "IntegrationMethod": "GET",
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": "https://example.com/x",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 30000,
    });
    assert_eq!(created, expected, "what HTTP APIs and public integrations do not have is dropped");
    let id = json!({"ApiId": "a", "IntegrationId": created["IntegrationId"]});
    assert_eq!(control.ok("GetIntegration", id), expected);
}

#[test]
fn integrations_of_websocket_apis_show_their_defaults() {
    let control = Control::new();
    control.websocket_api("w");
    for (sent, selection) in [
        (json!({"IntegrationType": "MOCK"}), "${integration.response.statuscode}"),
        (
            json!({
                "IntegrationType": "HTTP", "IntegrationMethod": "POST", "IntegrationUri": "https://example.com",
            }),
            "${integration.response.statuscode}",
        ),
        (
            json!({"IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": LAMBDA}),
            "${integration.response.body.errormessage}",
        ),
    ] {
        let created = control.ok("CreateIntegration", with(&sent, json!({"ApiId": "w"})));
        let defaults = json!({
            "ConnectionType": "INTERNET",
            "IntegrationId": created["IntegrationId"],
            "IntegrationResponseSelectionExpression": selection,
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": 29000,
        });
        assert_eq!(created, with(&sent, defaults));
    }
}

#[test]
fn private_integrations_keep_their_tls_configuration() {
    let control = Control::new();
    control.http_api("a");
    let listener = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/x/1/2";
    let sent = json!({
        "ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": listener,
        "ConnectionType": "VPC_LINK", "ConnectionId": "abc123", "PayloadFormatVersion": "1.0",
        "TlsConfig": {"ServerNameToVerify": "example.com"},
    });
    let created = control.ok("CreateIntegration", sent.clone());
    assert_eq!(created["TlsConfig"], json!({"ServerNameToVerify": "example.com"}));
    assert_eq!(created["ConnectionId"], "abc123");

    let without = with(&sent, json!({"ConnectionId": null}));
    let message =
        "BadRequestException 400: ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK";
    assert_eq!(control.err("CreateIntegration", without), message);
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/x/1";
    let message = "BadRequestException 400: For VpcLink VPC_LINK, integration uri should be a valid ELB listener \
                   ARN or a valid Cloud Map service ARN.";
    assert_eq!(control.err("CreateIntegration", with(&sent, json!({"IntegrationUri": balancer}))), message);
}

#[test]
fn refused_integrations_of_http_apis() {
    let control = Control::new();
    control.http_api("a");
    let proxy = json!({
        "ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY",
        "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0",
    });
    let function = json!({
        "ApiId": "a", "IntegrationType": "AWS_PROXY", "IntegrationUri": LAMBDA, "PayloadFormatVersion": "2.0",
    });
    let service = json!({
        "ApiId": "a", "IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage",
        "CredentialsArn": "arn:aws:iam::123456789012:role/r", "PayloadFormatVersion": "1.0",
        "RequestParameters": {"QueueUrl": "q", "MessageBody": "$request.body"},
    });
    for good in [&proxy, &function, &service] {
        control.ok("CreateIntegration", good.clone());
    }
    let proxies_only = "Currently, an API with a protocol type of HTTP may only be associated with proxy \
                        integrations (AWS_PROXY, HTTP_PROXY)";
    let cases = [
        (with(&proxy, json!({"IntegrationType": "MOCK"})), proxies_only),
        (with(&proxy, json!({"IntegrationType": "HTTP"})), proxies_only),
        (with(&function, json!({"IntegrationType": "AWS"})), proxies_only),
        (
            with(&function, json!({"PayloadFormatVersion": null})),
            "PayloadFormatVersion is a required parameter for integration",
        ),
        (
            with(&proxy, json!({"PayloadFormatVersion": null})),
            "PayloadFormatVersion is a required parameter for integration",
        ),
        (with(&function, json!({"PayloadFormatVersion": "3.0"})), "Unsupported PayloadFormatVersion: 3.0"),
        (
            with(&function, json!({"IntegrationUri": "https://example.com"})),
            "Invalid integration URI specified",
        ),
        (
            with(&proxy, json!({"PayloadFormatVersion": "2.0"})),
            "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY",
        ),
        (
            with(&proxy, json!({"IntegrationMethod": null})),
            "HttpMethod parameter method must be specified for integrationType HTTPPROXY",
        ),
        (
            with(&proxy, json!({"IntegrationMethod": "TRACE"})),
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        (with(&proxy, json!({"IntegrationUri": null})), "Invalid integration URI specified"),
        (with(&proxy, json!({"IntegrationUri": "ftp://example.com"})), "Invalid integration URI specified"),
        (with(&proxy, json!({"IntegrationUri": "http://"})), "Invalid integration URI specified"),
        (with(&proxy, json!({"TimeoutInMillis": 49})), "Timeout should be between 50 ms and 30000 ms"),
        (
            with(&proxy, json!({"RequestParameters": {"header.x": "1"}})),
            "Invalid Request Actioned Parameter destination specified: header.x",
        ),
        (
            with(&proxy, json!({"RequestParameters": {"overwrite:header.Authorization": "1"}})),
            "Operations on header Authorization are restricted",
        ),
        (
            with(&proxy, json!({"RequestParameters": {"append:header.x": "$request.header"}})),
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression specified: $request.header]",
        ),
        (
            with(&service, json!({"RequestParameters": {"QueueUrl": "q", "MessageBody": "${request.body"}})),
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression specified: ${request.body]",
        ),
        (
            with(&proxy, json!({"ResponseParameters": {"200": {"overwrite:path": "1"}}})),
            "Invalid Response Actioned Parameter destination specified: overwrite:path",
        ),
        (
            with(&service, json!({"IntegrationSubtype": "SQS-Nothing"})),
            "Operation: SQS-Nothing is not supported.",
        ),
        (
            with(&service, json!({"CredentialsArn": null})),
            "Role ARN must be specified for AWS integration configuration with Subtype: SQS-SendMessage",
        ),
        (
            with(&service, json!({"RequestParameters": {"QueueUrl": "q"}})),
            "Operation: SQS-SendMessage requires enabling passthrough, or defining all of the following \
             parameters: QueueUrl, MessageBody",
        ),
    ];
    for (input, message) in cases {
        let expected = format!("BadRequestException 400: {message}");
        assert_eq!(control.err("CreateIntegration", input.clone()), expected, "{input}");
    }
}

#[test]
fn refused_integrations_of_websocket_apis() {
    let control = Control::new();
    control.websocket_api("w");
    let function = json!({"ApiId": "w", "IntegrationType": "AWS_PROXY", "IntegrationUri": LAMBDA});
    let cases = [
        (
            json!({"ApiId": "w", "IntegrationType": "MOCK", "IntegrationUri": "https://example.com"}),
            "Integration URI is not supported for MOCK integrations",
        ),
        (with(&function, json!({"PayloadFormatVersion": "2.0"})), "Unsupported PayloadFormatVersion: 2.0"),
        (with(&function, json!({"TimeoutInMillis": 29001})), "Timeout should be between 50 ms and 29000 ms"),
        (with(&function, json!({"IntegrationUri": null})), "Invalid integration URI specified"),
        (
            with(&function, json!({"RequestParameters": {"true": "x"}})),
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
             expression specified: true]",
        ),
    ];
    for (input, message) in cases {
        assert_eq!(control.err("CreateIntegration", input), format!("BadRequestException 400: {message}"));
    }
}

#[test]
fn an_update_merges() {
    let control = Control::new();
    control.http_api("a");
    let mut expected = control.ok(
        "CreateIntegration",
        json!({
            "ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "Description": "d",
            "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 5000,
            "RequestParameters": {"append:header.a": "1", "append:header.b": "2"},
            "ResponseParameters": {"200": {"append:header.a": "1"}, "500": {"overwrite:statuscode": "400"}},
        }),
    );
    let ids = json!({"ApiId": "a", "IntegrationId": expected["IntegrationId"]});
    let update = json!({
        "Description": "", "IntegrationUri": "https://other.example.com",
        "RequestParameters": {"append:header.a": "", "append:header.c": "3"},
        "ResponseParameters": {"200": {}, "500": {"overwrite:statuscode": "404"}},
    });
    expected.as_object_mut().expect("an object").remove("Description");
    expected["IntegrationUri"] = json!("https://other.example.com");
    expected["RequestParameters"] = json!({"append:header.b": "2", "append:header.c": "3"});
    expected["ResponseParameters"] = json!({"500": {"overwrite:statuscode": "404"}});
    assert_eq!(control.ok("UpdateIntegration", with(&ids, update)), expected);

    let malformed = with(&ids, json!({"RequestParameters": {"append:header.c": "$request.header"}}));
    let refusal = control.err("UpdateIntegration", malformed);
    assert!(refusal.ends_with("[Invalid mapping expression specified: $request.header]"), "{refusal}");

    let nothing = with(&ids, json!({"RequestParameters": {}, "ResponseParameters": {}}));
    assert_eq!(control.ok("UpdateIntegration", nothing), expected);
}

#[test]
fn the_update_of_a_service_integration_names_its_subtype_again() {
    let control = Control::new();
    control.http_api("a");
    let created = control.ok(
        "CreateIntegration",
        json!({
            "ApiId": "a", "IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-PurgeQueue",
            "CredentialsArn": "arn:aws:iam::123456789012:role/r", "PayloadFormatVersion": "1.0",
            "RequestParameters": {"QueueUrl": "q"},
        }),
    );
    let update = json!({"ApiId": "a", "IntegrationId": created["IntegrationId"], "Description": "x"});
    let message = "BadRequestException 400: Invalid integration URI specified";
    assert_eq!(control.err("UpdateIntegration", update.clone()), message);
    let update = with(&update, json!({"IntegrationSubtype": "SQS-PurgeQueue"}));
    assert_eq!(control.ok("UpdateIntegration", update)["Description"], "x");
}

#[test]
fn an_integration_in_use_stays() {
    let control = Control::new();
    control.http_api("a");
    let id = control.proxy("a");
    let target = format!("integrations/{id}");
    let route = control.ok("CreateRoute", json!({"ApiId": "a", "RouteKey": "$default", "Target": target}));
    let route = route["RouteId"].as_str().expect("it has an id");
    let ids = json!({"ApiId": "a", "IntegrationId": id});
    let message = format!(
        "ConflictException 409: Cannot delete Integration because it is referenced by the following Routes with \
         Ids: [{route}]"
    );
    assert_eq!(control.err("DeleteIntegration", ids.clone()), message);
    control.ok("DeleteRoute", json!({"ApiId": "a", "RouteId": route}));
    control.ok("DeleteIntegration", ids.clone());
    let gone = format!("NotFoundException 404: Invalid Integration identifier specified {id}");
    for operation in ["GetIntegration", "UpdateIntegration", "DeleteIntegration"] {
        assert_eq!(control.err(operation, ids.clone()), gone, "{operation}");
    }
}

#[test]
fn an_api_has_at_most_300_integrations() {
    let control = Control::new();
    control.http_api("a");
    for _ in 0..300 {
        control.proxy("a");
    }
    let one_more = json!({
        "ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY",
        "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0",
    });
    let message = "TooManyRequestsException 429: Maximum number of Integrations for this API has been reached.  \
                   Please contact AWS if you need additional Integrations.";
    assert_eq!(control.err("CreateIntegration", one_more), message);
}
