//! Quick create: one call makes an API that serves.

use serde_json::json;

use crate::control::{Control, text};

#[test]
fn a_url_becomes_a_served_proxy() {
    let control = Control::new();
    let input = json!({"Name": "q", "ProtocolType": "HTTP", "Target": "https://example.com/{proxy}"});
    let api = text(&control.ok("CreateApi", input)["ApiId"]);

    let integrations = control.ok("GetIntegrations", json!({"ApiId": api}));
    let id = text(&integrations["Items"][0]["IntegrationId"]);
    let integration = json!({
        "ApiGatewayManaged": true,
        "ConnectionType": "INTERNET",
        "IntegrationId": id,
        "IntegrationMethod": "ANY",
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": "https://example.com/{proxy}",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 30000,
    });
    assert_eq!(integrations, json!({"Items": [integration]}));

    let routes = control.ok("GetRoutes", json!({"ApiId": api}));
    let route = json!({
        "ApiGatewayManaged": true,
        "ApiKeyRequired": false,
        "AuthorizationType": "NONE",
        "RouteId": routes["Items"][0]["RouteId"],
        "RouteKey": "$default",
        "Target": format!("integrations/{id}"),
    });
    assert_eq!(routes, json!({"Items": [route]}));

    let stage = control.ok("GetStage", json!({"ApiId": api, "StageName": "$default"}));
    assert_eq!((&stage["ApiGatewayManaged"], &stage["AutoDeploy"]), (&json!(true), &json!(true)));
    let deployment = text(&stage["DeploymentId"]);
    let message = format!("Successfully deployed stage with deployment ID '{deployment}'");
    assert_eq!(stage["LastDeploymentStatusMessage"], message);
    control.ok("GetDeployment", json!({"ApiId": api, "DeploymentId": deployment}));
}

#[test]
fn a_function_becomes_a_served_proxy_with_its_route_and_credentials() {
    let control = Control::new();
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:pets";
    let role = "arn:aws:iam::123456789012:role/caller";
    let input = json!({
        "Name": "q", "ProtocolType": "HTTP", "Target": function, "RouteKey": "POST /pets", "CredentialsArn": role,
    });
    let api = text(&control.ok("CreateApi", input)["ApiId"]);
    let integration = &control.ok("GetIntegrations", json!({"ApiId": api}))["Items"][0];
    for (member, value) in [
        ("IntegrationType", "AWS_PROXY"),
        ("IntegrationMethod", "POST"),
        ("IntegrationUri", function),
        ("PayloadFormatVersion", "2.0"),
        ("CredentialsArn", role),
    ] {
        assert_eq!(integration[member], value, "{member}");
    }
    assert_eq!(control.ok("GetRoutes", json!({"ApiId": api}))["Items"][0]["RouteKey"], "POST /pets");
}

#[test]
fn an_update_changes_what_was_made() {
    let control = Control::new();
    let input = json!({"Name": "q", "ProtocolType": "HTTP", "Target": "https://one.example.com"});
    let api = text(&control.ok("CreateApi", input)["ApiId"]);
    let stage = json!({"ApiId": api, "StageName": "$default"});
    let before = control.ok("GetStage", stage.clone());
    control
        .ok("UpdateApi", json!({"ApiId": api, "Target": "https://two.example.com", "RouteKey": "GET /two"}));
    let integrations = control.ok("GetIntegrations", json!({"ApiId": api}));
    assert_eq!(integrations["Items"].as_array().map(Vec::len), Some(1));
    assert_eq!(integrations["Items"][0]["IntegrationUri"], "https://two.example.com");
    assert_eq!(control.ok("GetRoutes", json!({"ApiId": api}))["Items"][0]["RouteKey"], "GET /two");
    assert_ne!(control.ok("GetStage", stage)["DeploymentId"], before["DeploymentId"]);
}

#[test]
fn refused() {
    let control = Control::new();
    let cases = [
        (
            json!({"Name": "q", "ProtocolType": "HTTP", "RouteKey": "$default"}),
            "A target is required to create a route or to set credentials with quick create",
        ),
        (
            json!({
                "Name": "q", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a",
                "Target": "https://example.com",
            }),
            "Quick create is only supported for HTTP APIs",
        ),
        (
            json!({"Name": "q", "ProtocolType": "HTTP", "Target": "nothing"}),
            "Invalid integration URI specified",
        ),
        (
            json!({"Name": "q", "ProtocolType": "HTTP", "Target": "https://example.com", "RouteKey": "pets"}),
            "The provided route key is not formatted properly for HTTP protocol. Format should be \
             \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"",
        ),
    ];
    for (input, message) in cases {
        assert_eq!(control.err("CreateApi", input), format!("BadRequestException 400: {message}"));
    }
    assert_eq!(control.ok("GetApis", json!({})), json!({"Items": []}), "nothing is left behind");

    control.http_api("plain");
    let message = control.err("UpdateApi", json!({"ApiId": "plain", "Target": "https://example.com"}));
    let expected = "BadRequestException 400: API plain has no integration and route made by quick create";
    assert_eq!(message, expected);
}
