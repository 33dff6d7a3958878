//! Methods: what they need, and what patches do to them.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway::{Authorizer, RequestValidator};

use crate::control::{API, Control, on, op, with};

const NO_RESOURCE: &str = "NotFoundException 404: Invalid Resource identifier specified";
const NO_METHOD: &str = "NotFoundException 404: Invalid Method identifier specified";
const NO_AUTHORIZER: &str = "BadRequestException 400: Invalid authorizer ID specified. Setting the authorization \
                             type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.";

fn put(resource: &str, members: Json) -> Json {
    with(on(resource, json!({"authorizationType": "NONE"})), members)
}

/// An authorizer and a request validator, as other operations store them.
fn store_authorizer_and_validator(control: &Control) {
    control.documents(|documents| {
        documents
            .put(&[API, "auth01"], &Authorizer { id: Some("auth01".into()), ..Authorizer::default() })?;
        let validator = RequestValidator { id: Some("valid1".into()), ..RequestValidator::default() };
        documents.put(&[API, "valid1"], &validator)
    });
}

#[test]
fn the_life_of_a_method() {
    let control = Control::new();
    let root = control.api();
    let method = json!({"apiKeyRequired": false, "authorizationType": "NONE", "httpMethod": "GET"});
    assert_eq!(control.ok("PutMethod", put(&root, json!({"authorizationType": "none"}))), method);
    assert_eq!(control.ok("GetMethod", on(&root, json!({}))), method);
    assert_eq!(
        control.err("PutMethod", put(&root, json!({}))),
        "ConflictException 409: Method already exists for this resource"
    );
    assert_eq!(control.ok("DeleteMethod", on(&root, json!({}))), Json::Null);
    for operation in ["GetMethod", "DeleteMethod"] {
        assert_eq!(control.err(operation, on(&root, json!({}))), NO_METHOD);
    }
}

#[test]
fn request_parameters() {
    let control = Control::new();
    let root = control.api();
    let parameters = json!({
        "method.request.header.h_optional": false,
        "method.request.header.h_required": true,
        "method.request.querystring.q_optional": false,
        "method.request.path.p": true,
    });
    let created = control.ok("PutMethod", put(&root, json!({"requestParameters": parameters})));
    assert_eq!(created["requestParameters"], parameters);
    control.ok("DeleteMethod", on(&root, json!({})));

    let refused =
        |parameters: Json| control.err("PutMethod", put(&root, json!({"requestParameters": parameters})));
    assert_eq!(
        refused(json!({"method.request.querystring.q": false, "method.request.header.q": true})),
        "BadRequestException 400: Parameter names must be unique across querystring, header and path"
    );
    assert_eq!(
        refused(json!({"true": true})),
        "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : \
         [Invalid mapping expression specified: true]"
    );
}

#[test]
fn putting_is_refused() {
    let control = Control::new();
    let root = control.api();
    let cases = [
        (json!({"restApiId": "wrong"}), NO_RESOURCE),
        (json!({"resourceId": "wrong"}), NO_RESOURCE),
        (
            json!({"httpMethod": "MADE_UP"}),
            "BadRequestException 400: Invalid HttpMethod specified. Valid options are \
             GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        (json!({"authorizationType": "CUSTOM"}), NO_AUTHORIZER),
        (json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "none"}), NO_AUTHORIZER),
        (
            json!({"requestValidatorId": "none"}),
            "BadRequestException 400: Invalid Request Validator identifier specified",
        ),
        (
            json!({"requestModels": {"application/json": "petModel"}}),
            "BadRequestException 400: Invalid model identifier specified: petModel",
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(control.err("PutMethod", put(&root, members)), expected);
    }
    assert_eq!(control.err("GetMethod", on(&root, json!({}))), NO_METHOD);
}

#[test]
fn updating() {
    let control = Control::new();
    let root = control.api();
    store_authorizer_and_validator(&control);
    control.ok("PutMethod", put(&root, json!({})));
    let update =
        |operations: Json| control.ok("UpdateMethod", on(&root, json!({"patchOperations": operations})));
    let added = update(json!([
        op("add", "/requestParameters/method.request.querystring.optional", "true"),
        op("add", "/requestModels/application~1json", "Empty"),
    ]));
    let mut expected = json!({
        "apiKeyRequired": false,
        "authorizationType": "NONE",
        "httpMethod": "GET",
        "requestModels": {"application/json": "Empty"},
        "requestParameters": {"method.request.querystring.optional": true},
    });
    assert_eq!(added, expected);
    let replaced = update(json!([
        op("replace", "/operationName", "ReplacedOperationName"),
        op("replace", "/apiKeyRequired", "true"),
        op("replace", "/authorizationType", "AWS_IAM"),
        op("replace", "/requestParameters/method.request.querystring.optional", "false"),
    ]));
    expected["apiKeyRequired"] = json!(true);
    expected["authorizationType"] = json!("AWS_IAM");
    expected["operationName"] = json!("ReplacedOperationName");
    expected["requestParameters"]["method.request.querystring.optional"] = json!(false);
    assert_eq!(replaced, expected);
    let authorized = update(json!([
        op("replace", "/authorizationType", "CUSTOM"),
        op("replace", "/authorizerId", "auth01"),
        op("replace", "/requestValidatorId", "valid1"),
        op("add", "/authorizationScopes", "read"),
    ]));
    let members = json!({
        "authorizationType": "CUSTOM",
        "authorizerId": "auth01",
        "requestValidatorId": "valid1",
        "authorizationScopes": ["read"],
    });
    assert_eq!(authorized, with(expected, members));
    let removed = update(json!([
        op("remove", "/requestParameters/method.request.querystring.optional", ""),
        op("remove", "/requestModels/application~1json", ""),
        op("replace", "/requestValidatorId", ""),
        op("remove", "/authorizationScopes", "read"),
    ]));
    let expected = json!({
        "apiKeyRequired": true,
        "authorizationType": "CUSTOM",
        "authorizerId": "auth01",
        "httpMethod": "GET",
        "operationName": "ReplacedOperationName",
    });
    assert_eq!(removed, expected);
}

#[test]
fn updating_is_refused() {
    let control = Control::new();
    let root = control.api();
    let update = |members: Json, operation: Json| {
        control.err("UpdateMethod", with(on(&root, json!({"patchOperations": [operation]})), members))
    };
    let replace = op("replace", "/operationName", "methodName");
    assert_eq!(update(json!({"restApiId": "wrong"}), replace.clone()), NO_RESOURCE);
    assert_eq!(update(json!({"resourceId": "wrong"}), replace.clone()), NO_RESOURCE);
    assert_eq!(update(json!({}), replace), NO_METHOD);

    control.ok("PutMethod", put(&root, json!({"apiKeyRequired": true})));
    let cases = [
        (op("add", "/operationName", "x"), "Invalid patch operation specified. Must be one of: [replace]"),
        (
            op("remove", "/authorizationType", ""),
            "Invalid patch operation specified. Must be one of: [replace]",
        ),
        (op("replace", "/httpMethod", "POST"), "Invalid patch path /httpMethod"),
        (op("replace", "/requestParameters", "x"), "Invalid patch path /requestParameters"),
        (
            op("add", "/requestModels/application/json", "Empty"),
            "Invalid patch path /requestModels/application/json",
        ),
        (op("replace", "/requestValidatorId", "wrong"), "Invalid Request Validator identifier specified"),
    ];
    for (operation, message) in cases {
        assert_eq!(update(json!({}), operation), format!("BadRequestException 400: {message}"));
    }
    assert_eq!(update(json!({}), op("replace", "/authorizationType", "CUSTOM")), NO_AUTHORIZER);
    let ok = |operation: Json| control.ok("UpdateMethod", on(&root, json!({"patchOperations": [operation]})));
    let plain = json!({"apiKeyRequired": false, "authorizationType": "NONE", "httpMethod": "GET"});
    assert_eq!(ok(op("replace", "/apiKeyRequired", "whatever")), plain, "whatever is not true is false");
    assert_eq!(ok(op("replace", "/authorizerId", "abc123")), plain, "ignored without an authorizer's type");
}
