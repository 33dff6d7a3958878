//! Models: texts as recorded, who uses them, references between them.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, each, on, op, with, without};

fn named(name: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "modelName": name}), members)
}

fn new(name: &str, schema: &str) -> Json {
    json!({"restApiId": API, "name": name, "contentType": "application/json", "schema": schema})
}

#[test]
fn the_life_of_a_model() {
    let control = Control::new();
    control.api();
    let schema = r#"{"title":"Calc output","type":"object"}"#;
    let input = with(new("Calc", schema), json!({"description": "Calc output model"}));
    let created = control.ok("CreateModel", input);
    let shown = json!({
        "contentType": "application/json", "description": "Calc output model", "name": "Calc", "schema": schema,
    });
    assert_eq!(created["id"].as_str().map(str::len), Some(6));
    assert_eq!(without(created.clone(), "id"), shown);
    assert_eq!(control.ok("GetModel", named("Calc", json!({}))), created);
    let models = control.ok("GetModels", json!({"restApiId": API}));
    assert_eq!(each(&models["items"], "name"), ["Calc", "Empty", "Error"]);
    let patches = json!([op("replace", "/schema", r#"{"type":"array"}"#), op("replace", "/description", "")]);
    let updated = control.ok("UpdateModel", named("Calc", json!({"patchOperations": patches})));
    assert_eq!(updated, with(without(created, "description"), json!({"schema": r#"{"type":"array"}"#})));
    assert_eq!(control.ok("DeleteModel", named("Calc", json!({}))), Json::Null);
    for operation in ["GetModel", "UpdateModel", "DeleteModel"] {
        assert_eq!(
            control.err(operation, named("Calc", json!({}))),
            "NotFoundException 404: Invalid model name specified: Calc"
        );
    }
}

#[test]
fn refusals() {
    let control = Control::new();
    control.api();
    control.ok("CreateModel", new("MySchema", "{}"));
    let elsewhere = json!({"restApiId": "abcde0"});
    let no_api = "NotFoundException 404: Invalid API identifier specified 111111111111:abcde0";
    assert_eq!(control.err("CreateModel", with(new("MySchema", "{}"), elsewhere.clone())), no_api);
    assert_eq!(control.err("GetModels", elsewhere.clone()), no_api);
    for operation in ["GetModel", "DeleteModel", "UpdateModel", "GetModelTemplate"] {
        let refused = control.err(operation, named("MySchema", elsewhere.clone()));
        assert_eq!(refused, "NotFoundException 404: Invalid model name specified: MySchema");
    }
    let empty = "BadRequestException 400: Model schema must have at least 1 property or array items defined";
    let cases = [
        (new("MySchema", "{}"), "ConflictException 409: Model name already exists for this REST API"),
        (new("", "{}"), "BadRequestException 400: Model name must be non-empty"),
        (
            new(&"x".repeat(2000), "{}"),
            "BadRequestException 400: Invalid model name, can be at most 255 characters.",
        ),
        (new("My-Schema", "{}"), "BadRequestException 400: Model name must be alphanumeric: My-Schema"),
        (new("Other", ""), empty),
        (without(new("Other", ""), "schema"), empty),
        (with(new("Other", ""), json!({"contentType": "application/xml"})), empty),
        (
            new("Other", "[]"),
            "BadRequestException 400: Invalid model specified: Validation Result: warnings : [], errors : [Invalid \
             model schema specified]",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(control.err("CreateModel", input), expected);
    }
    let patch = |operation: Json| {
        control.err("UpdateModel", named("MySchema", json!({"patchOperations": [operation]})))
    };
    assert_eq!(
        patch(op("add", "/wrong-path", "x")),
        "BadRequestException 400: Invalid patch path  '/wrong-path' specified for op 'add'. Please choose supported \
         operations"
    );
    assert_eq!(
        patch(op("replace", "/name", "x")),
        "BadRequestException 400: Invalid patch path  '/name' specified for op 'replace'. Must be one of: \
         [/description, /schema]"
    );
    assert_eq!(patch(op("replace", "/schema", "")), empty);
}

#[test]
fn models_in_use_stay() {
    let control = Control::new();
    let root = control.api();
    for name in ["First", "Second"] {
        control.ok("CreateModel", new(name, "{}"));
    }
    let delete = |name: &str| named(name, json!({}));
    let method = |resource: &str, model: &str| {
        let models = json!({"authorizationType": "NONE", "requestModels": {"application/json": model}});
        control.ok("PutMethod", with(on(resource, models), json!({"httpMethod": "ANY"})));
    };
    let used = |user: &str| {
        format!(
            "ConflictException 409: Cannot delete model 'Second', is referenced in method request: {user}"
        )
    };
    method(&root, "Second");
    assert_eq!(control.err("DeleteModel", delete("Second")), used("//ANY"));
    let test = control.resource(&root, "test");
    method(&test, "Second");
    assert_eq!(control.err("DeleteModel", delete("Second")), used("/test/ANY"));
    let any = |resource: &str| with(on(resource, json!({})), json!({"httpMethod": "ANY"}));
    control.ok("DeleteMethod", any(&test));
    assert_eq!(control.err("DeleteModel", delete("Second")), used("//ANY"));
    control.ok("DeleteMethod", any(&root));
    let address = "https://apigateway.amazonaws.com/restapis/api1/models/Second";
    let refers = json!([op("replace", "/schema", &json!({"$ref": address}).to_string())]);
    control.ok("UpdateModel", named("First", json!({"patchOperations": refers})));
    assert_eq!(
        control.err("DeleteModel", delete("Second")),
        "ConflictException 409: Cannot delete model 'Second', is referenced in model: First"
    );
    control.ok("DeleteModel", delete("First"));
    control.ok("DeleteModel", delete("Second"));
}

#[test]
fn flattened_models_stand_for_themselves() {
    let control = Control::new();
    control.api();
    control.ok("CreateModel", new("Pet", r#"{"properties":{"id":{"type":"integer"}}}"#));
    let address = "https://apigateway.amazonaws.com/restapis/api1/models/Pet";
    let schema = json!({"type": "array", "items": {"$ref": address}}).to_string();
    control.ok("CreateModel", new("Pets", &schema));
    let plain = control.ok("GetModel", named("Pets", json!({"flatten": false})));
    assert_eq!(plain["schema"], json!(schema));
    let flat = control.ok("GetModel", named("Pets", json!({"flatten": true})));
    let flat: Json = serde_json::from_str(flat["schema"].as_str().expect("a string")).expect("JSON");
    assert_eq!(flat["items"], json!({"$ref": "#/definitions/Pet"}));
    assert_eq!(flat["definitions"]["Pet"]["properties"]["id"], json!({"type": "integer"}));
    let template = control.ok("GetModelTemplate", named("Pets", json!({})));
    let template = template["value"].as_str().expect("a template");
    assert!(
        template.starts_with("#set($inputRoot = $input.path('$'))\n[") && template.contains("\"id\" : 42")
    );
}
