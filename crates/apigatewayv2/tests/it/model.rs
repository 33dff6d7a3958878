//! Models and the templates made from them.

use serde_json::{Value as Json, json};

use crate::control::{Control, each, is_id};

const SCHEMA: &str = r#"{"type": "object", "properties": {"id": {"type": "integer"}}}"#;

#[test]
fn a_model_from_birth_to_death() {
    let control = Control::new();
    control.websocket_api("a");
    let created = control.ok("CreateModel", json!({"ApiId": "a", "Name": "Pet", "Schema": SCHEMA}));
    assert!(is_id(&created["ModelId"], 6), "{created}");
    let id = created["ModelId"].clone();
    let mut expected =
        json!({"ContentType": "application/json", "ModelId": id, "Name": "Pet", "Schema": SCHEMA});
    assert_eq!(created, expected);
    let ids = json!({"ApiId": "a", "ModelId": id});
    assert_eq!(control.ok("GetModel", ids.clone()), expected);

    let template = "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : 42\n}";
    assert_eq!(control.ok("GetModelTemplate", ids.clone()), json!({"Value": template}));

    let update = json!({"ApiId": "a", "ModelId": id, "Description": "a pet", "Name": "Animal"});
    expected["Description"] = json!("a pet");
    expected["Name"] = json!("Animal");
    assert_eq!(control.ok("UpdateModel", update), expected);
    assert_eq!(each(&control.ok("GetModels", json!({"ApiId": "a"})), "Name"), ["Animal"]);

    assert_eq!(control.ok("DeleteModel", ids.clone()), Json::Null);
    let unknown =
        format!("NotFoundException 404: Invalid Model identifier specified {}", id.as_str().unwrap_or(""));
    for operation in ["GetModel", "GetModelTemplate", "UpdateModel", "DeleteModel"] {
        assert_eq!(control.err(operation, ids.clone()), unknown, "{operation}");
    }
}

#[test]
fn refused_models() {
    let control = Control::new();
    control.websocket_api("a");
    control.ok("CreateModel", json!({"ApiId": "a", "Name": "Pet", "Schema": SCHEMA}));
    let long = format!("{{\"description\": \"{}\"}}", "x".repeat(32 * 1024));
    let cases = [
        ("Pet", SCHEMA, "ConflictException 409: Model name already exists for this API"),
        ("Pet-2", SCHEMA, "BadRequestException 400: Model name must be alphanumeric: Pet-2"),
        ("", SCHEMA, "BadRequestException 400: Model name must be alphanumeric: "),
        (
            "B",
            "nothing",
            "BadRequestException 400: Invalid model schema specified. A schema must be a JSON object",
        ),
        ("B", &long, "BadRequestException 400: Invalid model schema specified, can be at most 32768 bytes"),
    ];
    for (name, schema, refusal) in cases {
        let input = json!({"ApiId": "a", "Name": name, "Schema": schema});
        assert_eq!(control.err("CreateModel", input), refusal);
    }
    let text = json!({"ApiId": "a", "Name": "Text", "Schema": "anything", "ContentType": "text/plain"});
    control.ok("CreateModel", text);
}
