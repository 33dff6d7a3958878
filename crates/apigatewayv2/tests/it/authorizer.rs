//! Authorizers, the routes that refer to them, and the epoch of their cache.

use serde_json::{Value as Json, json};
use stagedoor_state::http::{AuthorizerCacheEpoch, Snapshot};

use crate::control::{Control, each, is_id, text};

const LAMBDA: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:auth/invocations";

fn jwt() -> Json {
    json!({
        "ApiId": "a", "AuthorizerType": "JWT", "Name": "tokens",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Audience": ["app"], "Issuer": "https://issuer.example"},
    })
}

fn request() -> Json {
    json!({
        "ApiId": "a", "AuthorizerType": "REQUEST", "Name": "function", "AuthorizerUri": LAMBDA,
        "AuthorizerPayloadFormatVersion": "2.0", "IdentitySource": ["$request.header.Authorization"],
    })
}

fn with(mut input: Json, changes: Json) -> Json {
    for (key, value) in changes.as_object().expect("an object") {
        input[key] = value.clone();
    }
    input
}

fn without(mut input: Json, member: &str) -> Json {
    input.as_object_mut().expect("an object").remove(member);
    input
}

#[test]
fn a_jwt_authorizer_shows_what_was_given_and_nothing_else() {
    let control = Control::new();
    control.http_api("a");
    let created = control.ok("CreateAuthorizer", jwt());
    assert!(is_id(&created["AuthorizerId"], 6), "{created}");
    let mut expected = without(jwt(), "ApiId");
    expected["AuthorizerId"] = created["AuthorizerId"].clone();
    assert_eq!(created, expected);
    let ids = json!({"ApiId": "a", "AuthorizerId": created["AuthorizerId"]});
    assert_eq!(control.ok("GetAuthorizer", ids.clone()), expected);
    assert_eq!(control.ok("GetAuthorizers", json!({"ApiId": "a"})), json!({"Items": [expected]}));
    assert_eq!(control.ok("DeleteAuthorizer", ids.clone()), Json::Null);
    assert_eq!(
        control.err("GetAuthorizer", ids),
        "NotFoundException 404: Invalid Authorizer identifier specified"
    );
}

#[test]
fn an_update_merges() {
    let control = Control::new();
    control.http_api("a");
    let created =
        control.ok("CreateAuthorizer", with(request(), json!({"AuthorizerCredentialsArn": "arn:role"})));
    let ids = json!({"ApiId": "a", "AuthorizerId": created["AuthorizerId"]});
    assert_eq!(control.ok("UpdateAuthorizer", ids.clone()), created, "nothing given, nothing changed");
    let update = json!({"AuthorizerCredentialsArn": "", "AuthorizerResultTtlInSeconds": 60, "Name": "other"});
    let mut expected = without(created, "AuthorizerCredentialsArn");
    expected["AuthorizerResultTtlInSeconds"] = json!(60);
    expected["Name"] = json!("other");
    assert_eq!(control.ok("UpdateAuthorizer", with(ids.clone(), update)), expected);
    assert_eq!(control.ok("GetAuthorizer", ids.clone()), expected);

    let tokens = control.ok("CreateAuthorizer", jwt());
    let ids = json!({"ApiId": "a", "AuthorizerId": tokens["AuthorizerId"]});
    let issuer = json!({"JwtConfiguration": {"Issuer": "https://other.example"}});
    let updated = control.ok("UpdateAuthorizer", with(ids, issuer));
    let expected = json!({"Audience": ["app"], "Issuer": "https://other.example"});
    assert_eq!(updated["JwtConfiguration"], expected);
}

#[test]
fn refused_authorizers_of_http_apis() {
    let control = Control::new();
    control.http_api("a");
    let cases = [
        (
            without(request(), "AuthorizerPayloadFormatVersion"),
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer",
        ),
        (
            with(request(), json!({"AuthorizerPayloadFormatVersion": "3.0"})),
            "Unsupported AuthorizerPayloadFormatVersion: 3.0",
        ),
        (
            with(request(), json!({"AuthorizerPayloadFormatVersion": "1.0", "EnableSimpleResponses": true})),
            "EnableSimpleResponses is only supported for AuthorizerPayloadFormatVersion 2.0",
        ),
        (
            with(request(), json!({"AuthorizerResultTtlInSeconds": 60, "IdentitySource": []})),
            "Identity sources are required for an authorizer with caching enabled",
        ),
        (
            with(request(), json!({"IdentitySource": ["route.request.header.Auth"]})),
            "Invalid mapping expression specified: route.request.header.Auth",
        ),
        (
            without(request(), "AuthorizerUri"),
            "Invalid Authorizer URI: . Authorizer URI should be a valid API Gateway ARN.",
        ),
        (with(request(), json!({"Name": ""})), "Invalid authorizer name specified"),
        (
            with(jwt(), json!({"EnableSimpleResponses": false})),
            "EnableSimpleResponses is not supported for JWT authorizers",
        ),
        (
            with(jwt(), json!({"AuthorizerResultTtlInSeconds": 0})),
            "AuthorizerResultTtlInSeconds is not supported for JWT authorizers",
        ),
        (
            with(jwt(), json!({"JwtConfiguration": {"Audience": ["a"], "Issuer": "http://issuer.example"}})),
            "Caught exception when connecting to http://issuer.example/.well-known/openid-configuration for \
             issuer http://issuer.example. Please try again later. Error: Invalid issuer: \
             http://issuer.example. Issuer must have a valid discovery endpoint ended with \
             '/.well-known/openid-configuration'",
        ),
        (
            with(jwt(), json!({"IdentitySource": []})),
            "A JWT authorizer requires exactly one identity source, a header or a query parameter",
        ),
        (without(jwt(), "JwtConfiguration"), "JwtConfiguration requires between 1 and 50 audiences"),
    ];
    for (input, message) in cases {
        assert_eq!(control.err("CreateAuthorizer", input), format!("BadRequestException 400: {message}"));
    }
    control.ok("CreateAuthorizer", jwt());
    let taken = "BadRequestException 400: Authorizer name must be unique. Authorizer tokens already exists in this API.";
    assert_eq!(control.err("CreateAuthorizer", jwt()), taken);
}

#[test]
fn authorizers_of_websocket_apis_have_no_format_and_no_time_to_live() {
    let control = Control::new();
    control.websocket_api("a");
    let sources = json!({"IdentitySource": ["route.request.querystring.token"]});
    let created = control.ok("CreateAuthorizer", with(request(), sources.clone()));
    assert_eq!(created.get("AuthorizerPayloadFormatVersion"), None);
    let tokens = with(jwt(), json!({"IdentitySource": []}));
    let only = "BadRequestException 400: JWT authorizers are only supported for HTTP APIs";
    assert_eq!(control.err("CreateAuthorizer", tokens), only);

    let id = &created["AuthorizerId"];
    let connect = json!({
        "ApiId": "a", "RouteKey": "$connect", "AuthorizationType": "CUSTOM", "AuthorizerId": id,
    });
    control.ok("CreateRoute", connect);
    let in_use =
        "ConflictException 409: Cannot delete authorizer 'function', is referenced in route: $connect";
    assert_eq!(control.err("DeleteAuthorizer", json!({"ApiId": "a", "AuthorizerId": id})), in_use);
}

#[test]
fn routes_refer_to_authorizers_of_their_type() {
    let control = Control::new();
    control.http_api("a");
    let function = control.ok("CreateAuthorizer", request())["AuthorizerId"].clone();
    let tokens = control.ok("CreateAuthorizer", jwt())["AuthorizerId"].clone();
    let route = |kind: &str, id: &Json| json!({"ApiId": "a", "RouteKey": "POST /pdf", "AuthorizationType": kind, "AuthorizerId": id});
    let custom = control.err("CreateRoute", route("CUSTOM", &tokens));
    assert!(custom.ends_with("requires a valid authorizer."), "{custom}");
    let jwt = control.err("CreateRoute", route("JWT", &function));
    assert!(jwt.ends_with("requires a valid JWT authorizer."), "{jwt}");
    let created =
        control.ok("CreateRoute", with(route("JWT", &tokens), json!({"AuthorizationScopes": ["read"]})));
    assert_eq!(created["AuthorizationScopes"], json!(["read"]));

    let ids = json!({"ApiId": "a", "AuthorizerId": tokens});
    let in_use =
        "ConflictException 409: Cannot delete authorizer 'tokens', is referenced in route: POST /pdf";
    assert_eq!(control.err("DeleteAuthorizer", ids.clone()), in_use);
    assert_eq!(
        control.err("UpdateAuthorizer", with(ids.clone(), json!({"AuthorizerType": "REQUEST"}))),
        in_use
    );
    let open = json!({"ApiId": "a", "RouteId": created["RouteId"], "AuthorizationType": "NONE",
        "AuthorizerId": "", "AuthorizationScopes": []});
    control.ok("UpdateRoute", open);
    control.ok("DeleteAuthorizer", ids);
}

#[test]
fn changes_are_deployed_with_the_api() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    control.ok("CreateAuthorizer", jwt());
    let stage = control.ok("GetStage", json!({"ApiId": "a", "StageName": "auto"}));
    let deployment = text(&stage["DeploymentId"]);
    let snapshot = control.documents(|documents| documents.get::<Snapshot>(&["a", &deployment]));
    let names: Vec<_> = snapshot.expect("it is deployed").authorizers.into_iter().map(|it| it.name).collect();
    assert_eq!(names, [Some("tokens".to_owned())]);
}

#[test]
fn an_api_has_ten_authorizers_at_most() {
    let control = Control::new();
    control.http_api("a");
    for number in 0..10 {
        control.ok("CreateAuthorizer", with(jwt(), json!({"Name": format!("tokens{number}")})));
    }
    let refusal = control.err("CreateAuthorizer", with(jwt(), json!({"Name": "more"})));
    assert!(refusal.starts_with("TooManyRequestsException 429: Maximum number of Authorizers"), "{refusal}");
    assert_eq!(each(&control.ok("GetAuthorizers", json!({"ApiId": "a"})), "Name").len(), 10);
}

#[test]
fn resetting_the_cache_moves_the_epoch_of_that_stage() {
    let control = Control::new();
    control.http_api("a");
    for stage in ["one", "two"] {
        control.ok("CreateStage", json!({"ApiId": "a", "StageName": stage}));
    }
    for _ in 0..2 {
        let answer = control.ok("ResetAuthorizersCache", json!({"ApiId": "a", "StageName": "one"}));
        assert_eq!(answer, Json::Null);
    }
    let epoch = |stage: &str| {
        control
            .documents(|documents| documents.get::<AuthorizerCacheEpoch>(&["a", stage]))
            .map(|epoch| epoch.resets)
    };
    assert_eq!((epoch("one"), epoch("two")), (Some(2), None));
    let unknown = control.err("ResetAuthorizersCache", json!({"ApiId": "a", "StageName": "three"}));
    assert_eq!(unknown, "NotFoundException 404: Invalid stage identifier specified");
}
