//! Authorizers of the four types, and who uses them.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, on, op, text, with, without};

const URI: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:eu-west-1:111111111111:function:f/invocations";
const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_a";

fn new(name: &str, kind: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "name": name, "type": kind}), members)
}

fn at(id: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "authorizerId": id}), members)
}

#[test]
fn the_life_of_an_authorizer() {
    let control = Control::new();
    control.api();
    let source = json!({"authorizerUri": URI, "identitySource": "method.request.header.Auth"});
    let created = control.ok("CreateAuthorizer", new("a", "TOKEN", source));
    let id = text(&created, "id");
    let shown = json!({
        "authType": "custom", "authorizerUri": URI, "identitySource": "method.request.header.Auth",
        "name": "a", "type": "TOKEN",
    });
    assert_eq!((id.len(), without(created.clone(), "id")), (6, shown));
    assert_eq!(control.ok("GetAuthorizer", at(&id, json!({}))), created);
    assert_eq!(control.ok("GetAuthorizers", json!({"restApiId": API})), json!({"items": [created]}));
    let patches = json!([
        op("replace", "/name", "b"),
        op("replace", "/authorizerResultTtlInSeconds", "0"),
        op("replace", "/type", "REQUEST"),
        op("add", "/identitySource", "method.request.querystring.q"),
        op("remove", "/identitySource", "method.request.header.Auth"),
    ]);
    let changed = json!({
        "name": "b", "type": "REQUEST", "authorizerResultTtlInSeconds": 0,
        "identitySource": "method.request.querystring.q",
    });
    let updated = control.ok("UpdateAuthorizer", at(&id, json!({"patchOperations": patches})));
    assert_eq!(updated, with(created, changed));
    assert_eq!(control.ok("DeleteAuthorizer", at(&id, json!({}))), Json::Null);
    for operation in ["GetAuthorizer", "UpdateAuthorizer", "DeleteAuthorizer"] {
        assert_eq!(
            control.err(operation, at(&id, json!({}))),
            "NotFoundException 404: Invalid Authorizer identifier specified"
        );
    }
}

#[test]
fn types_have_their_defaults() {
    let control = Control::new();
    control.api();
    let pools =
        control.ok("CreateAuthorizer", new("p", "COGNITO_USER_POOLS", json!({"providerARNs": [POOL]})));
    assert_eq!(pools["authType"], "cognito_user_pools");
    assert_eq!(pools["providerARNs"], json!([POOL]));
    let issuer = json!({"issuer": "https://issuer.example.com", "audiences": ["me"]});
    let jwt = json!({"jwtConfiguration": {"defaultAlgorithms": ["RS256"], "issuers": [issuer]}});
    let jwt = control.ok("CreateAuthorizer", new("j", "JWT", jwt));
    assert_eq!(jwt["jwtConfiguration"], json!({"defaultAlgorithms": ["RS256"], "issuers": [issuer]}));
    let request = json!({"authorizerUri": URI, "authorizerResultTtlInSeconds": 0});
    let request = control.ok("CreateAuthorizer", new("r", "REQUEST", request));
    assert_eq!(request.get("identitySource"), None);
}

#[test]
fn refusals() {
    let control = Control::new();
    let root = control.api();
    let uri = json!({"authorizerUri": URI});
    let nowhere = with(new("a", "TOKEN", uri.clone()), json!({"restApiId": "none"}));
    assert_eq!(
        control.err("CreateAuthorizer", nowhere.clone()),
        "ConflictException 409: Unable to complete operation due to concurrent modification. Please try again later."
    );
    assert_eq!(
        control.err("GetAuthorizers", nowhere),
        "NotFoundException 404: Invalid API identifier specified 111111111111:none"
    );
    let id = text(&control.ok("CreateAuthorizer", new("a", "TOKEN", uri.clone())), "id");
    let cases = [
        (
            new("a", "TOKEN", uri.clone()),
            "ConflictException 409: Authorizer name must be unique. Authorizer a already exists in this RestApi.",
        ),
        (
            new("b", "TOKEN", json!({"authorizerUri": "arn:aws:sns:x"})),
            "BadRequestException 400: Invalid Authorizer URI: arn:aws:sns:x. Authorizer URI should be a valid API \
             Gateway ARN that represents a Lambda function invocation.",
        ),
        (
            new("b", "REQUEST", uri.clone()),
            "BadRequestException 400: Identity source must be specified for authorizers of type REQUEST that cache \
             their results",
        ),
        (
            new("b", "TOKEN", with(uri.clone(), json!({"authorizerResultTtlInSeconds": 3601}))),
            "BadRequestException 400: Invalid authorizerResultTtlInSeconds, must be between 0 and 3600",
        ),
        (
            new("b", "COGNITO_USER_POOLS", json!({})),
            "BadRequestException 400: Invalid provider ARNs specified: authorizers of type COGNITO_USER_POOLS need \
             user pool ARNs",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(control.err("CreateAuthorizer", input), expected);
    }
    let test = control.resource(&root, "test");
    control.ok("PutMethod", on(&test, json!({"authorizationType": "CUSTOM", "authorizerId": id})));
    assert_eq!(
        control.err("DeleteAuthorizer", at(&id, json!({}))),
        "ConflictException 409: Cannot delete authorizer 'a', is referenced in method: GET//test"
    );
}
