//! Method responses: maps that may be empty, and what is missing from them.

use serde_json::{Value as Json, json};

use crate::control::{Control, on, op, with};

fn at(resource: &str, members: Json) -> Json {
    on(resource, with(json!({"statusCode": "200"}), members))
}

/// A control plane with a `GET` method on the root resource, and that resource.
fn prepared() -> (Control, String) {
    let control = Control::new();
    let root = control.api();
    control.method(&root);
    (control, root)
}

#[test]
fn the_life_of_a_method_response() {
    let (control, root) = prepared();
    let empty = json!({"responseModels": {}, "responseParameters": {}});
    let shown = with(json!({"statusCode": "200"}), empty.clone());
    assert_eq!(control.ok("PutMethodResponse", at(&root, empty)), shown);
    assert_eq!(control.ok("GetMethodResponse", at(&root, json!({}))), shown);
    assert_eq!(
        control.err("PutMethodResponse", at(&root, json!({}))),
        "ConflictException 409: Response already exists for this resource"
    );
    let full = json!({
        "statusCode": "200",
        "responseModels": {"application/json": "Empty"},
        "responseParameters": {"method.response.header.my-header": true},
    });
    let add = json!([
        op("add", "/responseParameters/method.response.header.my-header", "false"),
        op("add", "/responseModels/application~1json", "Empty"),
        op("replace", "/responseParameters/method.response.header.my-header", "true"),
    ]);
    assert_eq!(control.ok("UpdateMethodResponse", at(&root, json!({"patchOperations": add}))), full);
    let method = control.ok("GetMethod", on(&root, json!({})));
    assert_eq!(method["methodResponses"], json!({"200": full}));
    let remove = json!([
        op("remove", "/responseParameters/method.response.header.my-header", ""),
        op("remove", "/responseModels/application~1json", ""),
    ]);
    let bare = json!({"statusCode": "200"});
    assert_eq!(control.ok("UpdateMethodResponse", at(&root, json!({"patchOperations": remove}))), bare);
    assert_eq!(control.ok("DeleteMethodResponse", at(&root, json!({}))), Json::Null);
    for operation in ["GetMethodResponse", "DeleteMethodResponse", "UpdateMethodResponse"] {
        assert_eq!(
            control.err(operation, at(&root, json!({}))),
            "NotFoundException 404: Invalid Response status code specified"
        );
    }
    assert_eq!(control.ok("GetMethod", on(&root, json!({}))).get("methodResponses"), None);
}

#[test]
fn unknown_places() {
    let (control, root) = prepared();
    let cases = [
        (json!({"restApiId": "wrong"}), "Invalid Resource identifier specified"),
        (json!({"resourceId": "wrong"}), "Invalid Resource identifier specified"),
        (json!({"httpMethod": "POST"}), "Invalid Method identifier specified"),
    ];
    for operation in
        ["PutMethodResponse", "GetMethodResponse", "UpdateMethodResponse", "DeleteMethodResponse"]
    {
        for (members, message) in &cases {
            let refusal = control.err(operation, at(&root, members.clone()));
            assert_eq!(refusal, format!("NotFoundException 404: {message}"), "{operation}");
        }
    }
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let (control, root) = prepared();
    let present = json!({
        "responseModels": {"application/json": "Empty"},
        "responseParameters": {"method.response.header.my-header": true},
    });
    control.ok("PutMethodResponse", at(&root, present));
    let refused = |operation: Json| {
        control.err("UpdateMethodResponse", at(&root, json!({"patchOperations": [operation]})))
    };
    for op_name in ["replace", "remove"] {
        assert_eq!(
            refused(op(op_name, "/responseParameters/method.response.header.other", "true")),
            "NotFoundException 404: Invalid parameter name specified"
        );
        assert_eq!(
            refused(op(op_name, "/responseModels/text~1plain", "Empty")),
            "NotFoundException 404: Content-Type specified was not found"
        );
    }
    assert_eq!(
        refused(op("add", "/wrong/method.response.header.my-header", "true")),
        "BadRequestException 400: Invalid patch path /wrong/method.response.header.my-header"
    );
    assert_eq!(
        refused(op("add", "/responseModels/text~1plain", "petModel")),
        "BadRequestException 400: Invalid model identifier specified: petModel"
    );
    assert_eq!(
        refused(op("add", "/responseParameters/header.x", "true")),
        "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : \
         [Invalid mapping expression specified: header.x]"
    );
}
