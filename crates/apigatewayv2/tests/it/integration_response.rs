//! Integration responses of WebSocket APIs.

use serde_json::{Value as Json, json};

use crate::control::{Control, text};

fn mock(control: &Control) -> Json {
    let created = control.ok("CreateIntegration", json!({"ApiId": "w", "IntegrationType": "MOCK"}));
    json!({"ApiId": "w", "IntegrationId": created["IntegrationId"]})
}

#[test]
fn keys_are_the_default_or_patterns_and_unique() {
    let control = Control::new();
    control.websocket_api("w");
    let integration = mock(&control);
    let with_key = |key: &str| {
        let mut input = integration.clone();
        input["IntegrationResponseKey"] = json!(key);
        input
    };
    let created = control.ok("CreateIntegrationResponse", with_key("$default"));
    let expected = json!({
        "IntegrationResponseId": created["IntegrationResponseId"], "IntegrationResponseKey": "$default",
    });
    assert_eq!(created, expected);
    control.ok("CreateIntegrationResponse", with_key(r"/2\d\d/"));
    let taken =
        "ConflictException 409: IntegrationResponse with key $default already exists for this Integration";
    assert_eq!(control.err("CreateIntegrationResponse", with_key("$default")), taken);
    for bad in ["", "200", "/", "//", "/2"] {
        let message = control.err("CreateIntegrationResponse", with_key(bad));
        assert!(
            message.starts_with("BadRequestException 400: Invalid integration response key"),
            "{message}"
        );
    }
    let listed = control.ok("GetIntegrationResponses", integration.clone());
    assert_eq!(listed["Items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_update_merges_and_a_deleted_one_is_gone() {
    let control = Control::new();
    control.websocket_api("w");
    let mut ids = mock(&control);
    let mut create = ids.clone();
    create["IntegrationResponseKey"] = json!("$default");
    create["ResponseTemplates"] = json!({"200": "a", "500": "b"});
    let created = control.ok("CreateIntegrationResponse", create);
    let id = text(&created["IntegrationResponseId"]);
    ids["IntegrationResponseId"] = json!(id);
    let mut update = ids.clone();
    update["ResponseTemplates"] = json!({"200": ""});
    let updated = control.ok("UpdateIntegrationResponse", update);
    assert_eq!(updated["ResponseTemplates"], json!({"500": "b"}));
    assert_eq!(control.ok("GetIntegrationResponse", ids.clone()), updated);
    control.ok("DeleteIntegrationResponse", ids.clone());
    let gone = format!("NotFoundException 404: Invalid IntegrationResponse identifier specified {id}");
    assert_eq!(control.err("GetIntegrationResponse", ids), gone);
}

#[test]
fn http_apis_have_none() {
    let control = Control::new();
    control.http_api("a");
    let id = control.proxy("a");
    let create = json!({"ApiId": "a", "IntegrationId": id, "IntegrationResponseKey": "$default"});
    let message = "BadRequestException 400: IntegrationResponses are currently not supported for this API protocol type.";
    assert_eq!(control.err("CreateIntegrationResponse", create), message);
}
