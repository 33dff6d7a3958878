//! Integration responses: what they need around them, and empty templates.

use serde_json::{Value as Json, json};

use crate::control::{Control, on, op, with};

const NO_RESPONSE: &str = "NotFoundException 404: Invalid Response status code specified";

fn at(resource: &str, members: Json) -> Json {
    on(resource, with(json!({"statusCode": "200"}), members))
}

/// A control plane with a `MOCK` on the root resource, and that resource.
fn prepared() -> (Control, String) {
    let control = Control::new();
    let root = control.api();
    control.mock(&root);
    (control, root)
}

#[test]
fn the_life_of_an_integration_response() {
    let (control, root) = prepared();
    let put = |pattern: &str, template: &str| {
        let members =
            json!({"selectionPattern": pattern, "responseTemplates": {"application/json": template}});
        let shown = with(json!({"statusCode": "200"}), members.clone());
        assert_eq!(control.ok("PutIntegrationResponse", at(&root, members)), shown);
        shown
    };
    let created = put("", "\"created\"");
    assert_eq!(control.ok("GetIntegrationResponse", at(&root, json!({}))), created);
    let patch = json!({"patchOperations": [op("replace", "/selectionPattern", "updated-pattern")]});
    let updated = control.ok("UpdateIntegrationResponse", at(&root, patch));
    assert_eq!(updated, with(created, json!({"selectionPattern": "updated-pattern"})));
    let overwritten = put("overwrite-pattern", "overwrite");
    let method = control.ok("GetMethod", on(&root, json!({})));
    assert_eq!(method["methodIntegration"]["integrationResponses"], json!({"200": overwritten}));
    assert_eq!(control.ok("DeleteIntegrationResponse", at(&root, json!({}))), Json::Null);
    assert_eq!(control.err("GetIntegrationResponse", at(&root, json!({}))), NO_RESPONSE);
}

#[test]
fn empty_templates_are_null() {
    let (control, root) = prepared();
    let put = |templates: Json| {
        control.ok("PutIntegrationResponse", at(&root, with(json!({"selectionPattern": ""}), templates)))
    };
    let bare = json!({"statusCode": "200", "selectionPattern": ""});
    let null = with(bare.clone(), json!({"responseTemplates": {"application/json": null}}));
    assert_eq!(put(json!({"responseTemplates": {"application/json": null}})), null);
    assert_eq!(put(json!({"responseTemplates": {"application/json": ""}})), null);
    assert_eq!(control.ok("GetIntegrationResponse", at(&root, json!({}))), null);
    assert_eq!(put(json!({})), bare);
    assert_eq!(put(json!({"responseTemplates": {}})), with(bare, json!({"responseTemplates": {}})));
}

#[test]
fn unknown_places() {
    let (control, root) = prepared();
    control.ok("PutIntegrationResponse", at(&root, json!({})));
    let places = [
        (json!({"restApiId": "wrong"}), "Invalid Resource identifier specified"),
        (json!({"resourceId": "wrong"}), "Invalid Resource identifier specified"),
    ];
    let operations = ["Put", "Get", "Update", "Delete"].map(|verb| format!("{verb}IntegrationResponse"));
    for operation in &operations {
        for (members, message) in &places {
            let refusal = control.err(operation, at(&root, members.clone()));
            assert_eq!(refusal, format!("NotFoundException 404: {message}"), "{operation}");
        }
        let refusal = control.err(operation, at(&root, json!({"httpMethod": "POST"})));
        // Only deleting takes an unknown method for an unknown integration.
        let what = if operation.starts_with("Delete") { "Integration" } else { "Method" };
        assert_eq!(refusal, format!("NotFoundException 404: Invalid {what} identifier specified"));
        if !operation.starts_with("Put") {
            assert_eq!(control.err(operation, at(&root, json!({"statusCode": "201"}))), NO_RESPONSE);
        }
    }
    control.ok("DeleteIntegration", on(&root, json!({})));
    for operation in &operations {
        assert_eq!(
            control.err(operation, at(&root, json!({}))),
            "NotFoundException 404: Invalid Integration identifier specified"
        );
    }
}

#[test]
fn parameters_need_a_method_response_that_declares_them() {
    let (control, root) = prepared();
    let put = |source: &str| {
        let parameters = json!({"method.response.header.h": source});
        at(&root, json!({"responseParameters": parameters}))
    };
    let wrapped = |error: &str| {
        format!(
            "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], \
             errors : [{error}]"
        )
    };
    assert_eq!(
        control.err("PutIntegrationResponse", put("'x'")),
        wrapped("No method response exists for method.")
    );
    control.ok("PutMethodResponse", at(&root, json!({})));
    assert_eq!(
        control.err("PutIntegrationResponse", put("'x'")),
        wrapped("Invalid mapping expression parameter specified: method.response.header.h")
    );
    let declare = op("add", "/responseParameters/method.response.header.h", "true");
    control.ok("UpdateMethodResponse", at(&root, json!({"patchOperations": [declare]})));
    for good in ["'x'", "integration.response.header.h", "integration.response.body.a", "context.requestId"] {
        let shown = control.ok("PutIntegrationResponse", put(good));
        assert_eq!(shown["responseParameters"], json!({"method.response.header.h": good}));
    }
    assert_eq!(
        control.err("PutIntegrationResponse", put("x")),
        wrapped("Invalid mapping expression specified: x")
    );
    assert_eq!(
        control.err("PutIntegrationResponse", at(&root, json!({"responseTemplates": {"123": "test"}}))),
        "BadRequestException 400: Validation Result: warnings : [], errors : [Invalid content type specified: 123]"
    );
}
