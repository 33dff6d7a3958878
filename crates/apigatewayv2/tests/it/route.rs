//! Routes: keys, targets, authorization, updates, errors.

use serde_json::{Value as Json, json};
use stagedoor_api::apigatewayv2::{Authorizer, AuthorizerType};

use crate::control::{Control, is_id, text};

const HTTP_FORMAT: &str = "BadRequestException 400: The provided route key is not formatted properly for HTTP \
                           protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"";

fn authorizer(control: &Control, api: &str, id: &str, kind: AuthorizerType) {
    let stored = Authorizer { authorizer_type: Some(kind), ..Authorizer::default() };
    control.documents(|documents| documents.put(&[api, id], &stored));
}

#[test]
fn a_fresh_route_shows_its_defaults() {
    let control = Control::new();
    control.http_api("a");
    let target = format!("integrations/{}", control.proxy("a"));
    let input = json!({"ApiId": "a", "RouteKey": "GET /pets/{id}", "Target": target});
    let created = control.ok("CreateRoute", input);
    assert!(is_id(&created["RouteId"], 7), "{created}");
    let expected = json!({
        "ApiKeyRequired": false,
        "AuthorizationType": "NONE",
        "RouteId": created["RouteId"],
        "RouteKey": "GET /pets/{id}",
        "Target": target,
    });
    assert_eq!(created, expected);
    let ids = json!({"ApiId": "a", "RouteId": created["RouteId"]});
    assert_eq!(control.ok("GetRoute", ids), expected);
    assert_eq!(control.ok("GetRoutes", json!({"ApiId": "a"})), json!({"Items": [expected]}));
}

#[test]
fn refused_keys() {
    let control = Control::new();
    control.http_api("a");
    control.websocket_api("w");
    control.route("a", "GET /pets/{id}");
    let create = |api: &str, key: &str| control.err("CreateRoute", json!({"ApiId": api, "RouteKey": key}));
    assert_eq!(create("a", ""), "BadRequestException 400: Route key is required");
    assert_eq!(create("a", "POST/pets"), HTTP_FORMAT);
    assert_eq!(create("a", "$connect"), HTTP_FORMAT);
    assert_eq!(create("a", "GET /{all+}/x"), HTTP_FORMAT);
    let taken = "ConflictException 409: Route with key GET /pets/{id} already exists for this API";
    assert_eq!(create("a", "GET /pets/{id}"), taken);
    let ambiguous = "ConflictException 409: The provided route key \"GET /pets/{name}\" has a conflicting variable \
                     on the same hierarchical level as \"GET /pets/{id}\"";
    assert_eq!(create("a", "GET /pets/{name}"), ambiguous);
    control.route("a", "PUT /pets/{name}");

    for key in ["$connect", "$disconnect", "$default", "join"] {
        control.route("w", key);
    }
    assert!(create("w", "$other").starts_with("BadRequestException 400: The provided route key is not"));
    let taken = "ConflictException 409: Route with key join already exists for this API";
    assert_eq!(create("w", "join"), taken);
}

#[test]
fn refused_targets() {
    let control = Control::new();
    control.http_api("a");
    let create = |target: &str| {
        control.err("CreateRoute", json!({"ApiId": "a", "RouteKey": "$default", "Target": target}))
    };
    let malformed = "BadRequestException 400: Unexpected or malformed target in route. Correct format should be \
                     integrations/<integration_id>.";
    assert_eq!(create("abc1234"), malformed);
    assert_eq!(create("integrations/x"), "NotFoundException 404: Invalid Integration identifier specified x");
}

#[test]
fn authorization_needs_an_authorizer_of_its_kind() {
    let control = Control::new();
    control.http_api("a");
    authorizer(&control, "a", "jwt1", AuthorizerType::Jwt);
    authorizer(&control, "a", "fun1", AuthorizerType::Request);
    let custom = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization type to \
                  CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.";
    let jwt = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization type to JWT \
               requires a valid JWT authorizer.";
    let scopes = "BadRequestException 400: Invalid Route authorization type specified. Authorization Scopes are \
                  only valid for COGNITO_USER_POOLS and JWT authorization types";
    let cases = [
        (json!({"AuthorizationType": "CUSTOM"}), custom),
        (json!({"AuthorizationType": "CUSTOM", "AuthorizerId": "nobody"}), custom),
        (json!({"AuthorizationType": "JWT"}), jwt),
        (json!({"AuthorizationType": "JWT", "AuthorizerId": "fun1"}), jwt),
        (json!({"AuthorizationScopes": ["read"]}), scopes),
        (json!({"AuthorizationType": "AWS_IAM", "AuthorizationScopes": ["read"]}), scopes),
    ];
    let create = |more: Json| {
        let mut input = json!({"ApiId": "a", "RouteKey": "$default"});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    for (more, message) in cases {
        assert_eq!(control.err("CreateRoute", create(more.clone())), message, "{more}");
    }
    let good = json!({"AuthorizationType": "JWT", "AuthorizerId": "jwt1", "AuthorizationScopes": ["read"]});
    let created = control.ok("CreateRoute", create(good));
    let reset = json!({
        "ApiId": "a", "RouteId": created["RouteId"], "AuthorizationType": "NONE", "AuthorizerId": "",
        "AuthorizationScopes": [],
    });
    let expected = json!({
        "ApiKeyRequired": false, "AuthorizationType": "NONE", "RouteId": created["RouteId"],
        "RouteKey": "$default",
    });
    assert_eq!(control.ok("UpdateRoute", reset), expected);
}

#[test]
fn what_only_websocket_routes_have() {
    let control = Control::new();
    control.http_api("a");
    control.websocket_api("w");
    let cases = [
        (json!({"ApiKeyRequired": true}), "ApiKeyRequired is not currently supported for HTTP APIs."),
        (json!({"RequestModels": {"x": "y"}}), "RequestModels is not currently supported for HTTP APIs."),
        (
            json!({"RouteResponseSelectionExpression": "$default"}),
            "RouteResponseSelectionExpression is not currently supported for HTTP APIs.",
        ),
    ];
    for (mut input, message) in cases {
        input["ApiId"] = json!("a");
        input["RouteKey"] = json!("$default");
        assert_eq!(control.err("CreateRoute", input.clone()), format!("BadRequestException 400: {message}"));
        input["ApiId"] = json!("w");
        let created = control.ok("CreateRoute", input);
        control.ok("DeleteRoute", json!({"ApiId": "w", "RouteId": created["RouteId"]}));
    }
    let authorized = json!({"ApiId": "w", "RouteKey": "join", "AuthorizationType": "AWS_IAM"});
    let connect_only =
        "BadRequestException 400: Currently, authorization is restricted to the $connect route only";
    assert_eq!(control.err("CreateRoute", authorized), connect_only);
    let parameters = json!({"route.request.header.x": {"Required": true}});
    let elsewhere = json!({"ApiId": "w", "RouteKey": "join", "RequestParameters": parameters});
    assert!(control.err("CreateRoute", elsewhere).contains("restricted to the $connect route only"));
    control.ok(
        "CreateRoute",
        json!({
            "ApiId": "w", "RouteKey": "$connect", "AuthorizationType": "AWS_IAM", "RequestParameters": parameters,
        }),
    );
}

#[test]
fn an_update_merges_and_can_change_the_key() {
    let control = Control::new();
    control.websocket_api("w");
    let created = control.ok(
        "CreateRoute",
        json!({
            "ApiId": "w", "RouteKey": "join", "OperationName": "Join", "RequestModels": {"a": "m", "b": "n"},
        }),
    );
    let mut expected = created.clone();
    let id = text(&created["RouteId"]);
    let update = json!({"ApiId": "w", "RouteId": id, "RouteKey": "leave", "RequestModels": {"a": ""}});
    expected["RouteKey"] = json!("leave");
    expected["RequestModels"] = json!({"b": "n"});
    assert_eq!(control.ok("UpdateRoute", update), expected);
    let update = json!({"ApiId": "w", "RouteId": id, "OperationName": "", "RequestModels": {}});
    expected.as_object_mut().expect("an object").remove("OperationName");
    assert_eq!(control.ok("UpdateRoute", update), expected);

    control.route("w", "join");
    let taken = "ConflictException 409: Route with key join already exists for this API";
    assert_eq!(control.err("UpdateRoute", json!({"ApiId": "w", "RouteId": id, "RouteKey": "join"})), taken);
}

#[test]
fn deleting_a_request_parameter_removes_that_and_nothing_else() {
    let control = Control::new();
    control.websocket_api("w");
    let (a, b) = ("route.request.header.a", "route.request.querystring.b");
    let mut expected = control.ok(
        "CreateRoute",
        json!({
            "ApiId": "w", "RouteKey": "$connect",
            "RequestParameters": {a: {"Required": true}, b: {"Required": false}},
        }),
    );
    let ids = json!({"ApiId": "w", "RouteId": expected["RouteId"]});
    let mut gone = ids.clone();
    gone["RequestParameterKey"] = json!(a);
    assert_eq!(control.ok("DeleteRouteRequestParameter", gone.clone()), Json::Null);
    expected["RequestParameters"] = json!({b: {"Required": false}});
    assert_eq!(control.ok("GetRoute", ids), expected);
    let message = format!("NotFoundException 404: Invalid request parameter key specified {a}");
    assert_eq!(control.err("DeleteRouteRequestParameter", gone), message);
}

#[test]
fn unknown_routes() {
    let control = Control::new();
    control.http_api("a");
    for operation in ["GetRoute", "UpdateRoute", "DeleteRoute"] {
        let message = control.err(operation, json!({"ApiId": "a", "RouteId": "x"}));
        assert_eq!(message, "NotFoundException 404: Invalid Route identifier specified x", "{operation}");
    }
}
