//! Documentation parts and versions: shapes and texts as recorded, import, what is not documented.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::control::{API, Control, each, on, op, text, with, without};

fn new(location: Json) -> Json {
    json!({"restApiId": API, "location": location, "properties": r#"{"description":"Sample"}"#})
}

fn part(id: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "documentationPartId": id}), members)
}

fn parts(control: &Control, wish: Json) -> Json {
    control.ok("GetDocumentationParts", with(json!({"restApiId": API}), wish))["items"].clone()
}

#[test]
fn the_life_of_a_part() {
    let control = Control::new();
    control.api();
    let created = control.ok("CreateDocumentationPart", new(json!({"type": "API"})));
    let id = text(&created, "id");
    let shown = json!({"location": {"type": "API"}, "properties": r#"{"description":"Sample"}"#});
    assert_eq!((id.len(), without(created.clone(), "id")), (6, shown));
    assert_eq!(control.ok("GetDocumentationPart", part(&id, json!({}))), created);
    assert_eq!(parts(&control, json!({})), json!([created]));
    let patch = |operation: Json| part(&id, json!({"patchOperations": [operation]}));
    let updated = control.ok("UpdateDocumentationPart", patch(op("replace", "/properties", "{}")));
    assert_eq!(updated, with(created, json!({"properties": "{}"})));
    let cases = [
        (
            op("add", "/properties", "{}"),
            "BadRequestException 400: Invalid patch path  '/properties' specified for op 'add'. Please choose \
             supported operations",
        ),
        (
            op("replace", "/invalidPath", "{}"),
            "BadRequestException 400: Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: \
             [/properties]",
        ),
    ];
    for (operation, expected) in cases {
        assert_eq!(control.err("UpdateDocumentationPart", patch(operation)), expected);
    }
    assert_eq!(control.ok("DeleteDocumentationPart", part(&id, json!({}))), Json::Null);
    let unknown = "NotFoundException 404: Invalid Documentation part identifier specified";
    for operation in ["GetDocumentationPart", "UpdateDocumentationPart", "DeleteDocumentationPart"] {
        assert_eq!(control.err(operation, part(&id, json!({}))), unknown);
    }
}

#[test]
fn refusals() {
    let control = Control::new();
    control.api();
    let nowhere = json!({"restApiId": "api_id", "documentationPartId": "x"});
    let no_api = "NotFoundException 404: Invalid API identifier specified 111111111111:api_id";
    for operation in ["GetDocumentationParts", "DeleteDocumentationPart", "GetDocumentationVersions"] {
        assert_eq!(control.err(operation, nowhere.clone()), no_api);
    }
    let elsewhere = with(new(json!({"type": "API"})), nowhere.clone());
    assert_eq!(control.err("CreateDocumentationPart", elsewhere), no_api);
    for operation in ["GetDocumentationPart", "UpdateDocumentationPart"] {
        assert_eq!(
            control.err(operation, nowhere.clone()),
            "NotFoundException 404: Invalid Documentation part identifier specified"
        );
    }
    let location = json!({"type": "METHOD", "path": "/", "method": "GET"});
    control.ok("CreateDocumentationPart", new(location.clone()));
    assert_eq!(
        control.err("CreateDocumentationPart", new(location)),
        "ConflictException 409: Documentation part already exists for the specified location: type 'METHOD', path \
         '/', method 'GET'."
    );
    let bad = with(new(json!({"type": "API"})), json!({"properties": "none"}));
    assert_eq!(
        control.err("CreateDocumentationPart", bad),
        "BadRequestException 400: Documentation part properties must be a JSON object"
    );
}

fn import(control: &Control, mode: &str, body: &str) -> stagedoor_state::Result<Json> {
    let input = json!({"restApiId": API, "mode": mode, "body": STANDARD.encode(body)});
    control.call("ImportDocumentationParts", input)
}

const DEFINITION: &str = r#"
swagger: "2.0"
x-amazon-apigateway-documentation:
  version: "1.0.3"
  documentationParts:
    - {location: {type: API}, properties: {description: API description}}
    - {location: {type: METHOD, method: GET}, properties: {description: Method description.}}
    - {location: {type: MODEL, name: Empty}, properties: {title: Empty Schema}}
    - {location: {type: RESPONSE, method: GET, statusCode: 200}, properties: {description: 200 response}}
"#;

#[test]
fn importing() {
    let control = Control::new();
    control.api();
    let ids = import(&control, "overwrite", DEFINITION).expect("a good definition")["ids"].clone();
    let all = parts(&control, json!({}));
    assert_eq!(json!(each(&all, "id")), ids);
    let locations: Vec<_> = all.as_array().into_iter().flatten().map(|part| &part["location"]).collect();
    let expected = [
        json!({"type": "API"}),
        json!({"type": "METHOD", "path": "/", "method": "GET"}),
        json!({"type": "MODEL", "name": "Empty"}),
        json!({"type": "RESPONSE", "path": "/", "method": "GET", "statusCode": "200"}),
    ];
    assert_eq!(locations, expected.iter().collect::<Vec<_>>());
    assert_eq!(all[1]["properties"], r#"{"description":"Method description."}"#);
    let again = json!({"x-amazon-apigateway-documentation": {"documentationParts": [
        {"location": {"type": "API"}, "properties": {"description": "new"}},
        {"location": {"type": "PLANET"}, "properties": {}},
    ]}})
    .to_string();
    let answer = import(&control, "merge", &again).expect("a good definition");
    assert_eq!(answer["ids"], json!([ids[0]]));
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(parts(&control, json!({})).as_array().map(Vec::len), Some(4));
    import(&control, "overwrite", &again).expect("a good definition");
    assert_eq!(parts(&control, json!({})).as_array().map(Vec::len), Some(1));
    for bad in ["not: [a, definition", "{", "[]", ""] {
        let refused = import(&control, "merge", bad).expect_err(bad);
        assert_eq!(refused.message, "Unable to build importer with provided input.");
    }
}

#[test]
fn lists_are_filtered() {
    let control = Control::new();
    let root = control.api();
    let pets = control.resource(&root, "pets");
    let parameters = json!({"method.request.querystring.q": true});
    control.ok("PutMethod", on(&pets, json!({"authorizationType": "NONE", "requestParameters": parameters})));
    for location in [
        json!({"type": "API"}),
        json!({"type": "METHOD", "path": "/pets", "method": "GET"}),
        json!({"type": "MODEL", "name": "Empty"}),
    ] {
        control.ok("CreateDocumentationPart", new(location));
    }
    let types = |wish: Json| {
        let list = parts(&control, wish);
        let items = list.as_array().expect("a list");
        items
            .iter()
            .map(|part| part["location"]["type"].as_str().expect("a type").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(types(json!({"type": "MODEL"})), ["MODEL"]);
    assert_eq!(types(json!({"nameQuery": "Empty"})), ["MODEL"]);
    assert_eq!(types(json!({"path": "/pets"})), ["METHOD"]);
    assert_eq!(types(json!({"locationStatus": "DOCUMENTED"})), ["API", "METHOD", "MODEL"]);
    let undocumented = json!({"locationStatus": "UNDOCUMENTED"});
    assert_eq!(types(undocumented.clone()), ["MODEL", "QUERY_PARAMETER", "RESOURCE", "RESOURCE"]);
    let first = parts(&control, with(undocumented, json!({"type": "QUERY_PARAMETER"})))[0].clone();
    let location = json!({"type": "QUERY_PARAMETER", "path": "/pets", "method": "GET", "name": "q"});
    assert_eq!(first, json!({"location": location}));
}

#[test]
fn the_life_of_a_version() {
    let control = Control::new();
    control.staged();
    control.ok("CreateDocumentationPart", new(json!({"type": "API"})));
    let version = |members: Json| with(json!({"restApiId": API, "documentationVersion": "v123"}), members);
    let created = control.ok("CreateDocumentationVersion", version(json!({"stageName": "dev"})));
    assert_eq!(without(created.clone(), "createdDate"), json!({"version": "v123"}));
    assert_eq!(control.stage()["documentationVersion"], "v123");
    assert_eq!(
        control.err("CreateDocumentationVersion", version(json!({}))),
        "ConflictException 409: Documentation version already exists for this REST API"
    );
    for (name, expected) in [
        ("v".repeat(2000), "Invalid documentation version, can be at most 128 characters."),
        (String::new(), "Documentation version must be non-empty"),
    ] {
        let input = version(json!({"documentationVersion": name}));
        let refused = control.err("CreateDocumentationVersion", input);
        assert_eq!(refused, format!("BadRequestException 400: {expected}"));
    }
    let patch = json!({"patchOperations": [op("replace", "/description", "doc version new")]});
    let updated = control.ok("UpdateDocumentationVersion", version(patch));
    assert_eq!(updated, with(created, json!({"description": "doc version new"})));
    assert_eq!(control.ok("GetDocumentationVersion", version(json!({}))), updated);
    assert_eq!(
        control.ok("GetDocumentationVersions", json!({"restApiId": API})),
        json!({"items": [updated]})
    );
    assert_eq!(control.ok("DeleteDocumentationVersion", version(json!({}))), Json::Null);
    assert_eq!(control.stage().get("documentationVersion"), None);
    for operation in ["Get", "Update", "Delete"] {
        assert_eq!(
            control.err(&format!("{operation}DocumentationVersion"), version(json!({}))),
            "NotFoundException 404: Invalid Documentation version specified"
        );
    }
}
