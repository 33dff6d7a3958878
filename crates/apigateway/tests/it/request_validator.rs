//! Request validators: shapes and texts as recorded.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, on, op, text, with, without};

fn validator(id: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "requestValidatorId": id}), members)
}

#[test]
fn the_life_of_a_validator() {
    let control = Control::new();
    control.api();
    let created = control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"}));
    let id = text(&created, "id");
    let shown = json!({"name": "v", "validateRequestBody": false, "validateRequestParameters": false});
    assert_eq!((id.len(), without(created.clone(), "id")), (6, shown));
    assert_eq!(control.ok("GetRequestValidator", validator(&id, json!({}))), created);
    let list = || control.ok("GetRequestValidators", json!({"restApiId": API}));
    assert_eq!(list(), json!({"items": [created]}));
    let patch = |operation: Json| {
        control.ok("UpdateRequestValidator", validator(&id, json!({"patchOperations": [operation]})))
    };
    let on = patch(op("replace", "/validateRequestBody", "true"));
    assert_eq!(on, with(created.clone(), json!({"validateRequestBody": true})));
    assert_eq!(patch(json!({"op": "replace", "path": "/validateRequestBody"})), created);
    assert_eq!(control.ok("DeleteRequestValidator", validator(&id, json!({}))), Json::Null);
    assert_eq!(list(), json!({"items": []}));
    for operation in ["GetRequestValidator", "DeleteRequestValidator", "UpdateRequestValidator"] {
        assert_eq!(
            control.err(operation, validator(&id, json!({}))),
            "NotFoundException 404: Invalid Request Validator identifier specified"
        );
    }
}

#[test]
fn refusals() {
    let control = Control::new();
    let root = control.api();
    let nowhere = json!({"restApiId": "none", "name": "v"});
    assert_eq!(
        control.err("CreateRequestValidator", nowhere.clone()),
        "BadRequestException 400: Invalid REST API identifier specified"
    );
    assert_eq!(
        control.err("GetRequestValidators", nowhere),
        "NotFoundException 404: Invalid API identifier specified 111111111111:none"
    );
    let id = text(&control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"})), "id");
    let patch = |operation: Json| {
        control.err("UpdateRequestValidator", validator(&id, json!({"patchOperations": [operation]})))
    };
    for name in ["add", "remove"] {
        let expected = format!(
            "BadRequestException 400: Invalid patch path  '/validateRequestBody' specified for op '{name}'. Please \
             choose supported operations"
        );
        assert_eq!(patch(op(name, "/validateRequestBody", "true")), expected);
    }
    assert_eq!(
        patch(op("replace", "/invalidPath", "true")),
        "BadRequestException 400: Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: \
         [/name, /validateRequestParameters, /validateRequestBody]"
    );
    assert_eq!(
        patch(op("replace", "/name", "")),
        "BadRequestException 400: Request Validator name cannot be blank"
    );
    let method = json!({"authorizationType": "NONE", "requestValidatorId": id});
    control.ok("PutMethod", on(&root, method));
    assert_eq!(
        control.err("DeleteRequestValidator", validator(&id, json!({}))),
        format!(
            "ConflictException 409: Cannot delete request validator '{id}', is referenced in method: GET//"
        )
    );
}
