//! `GetExport` and `GetSdk`. Shapes are those of AWS's documentation and of reports; the headers are as recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::{blob, import};
use crate::control::{Control, text, with};

fn decoded(body: &Json) -> Vec<u8> {
    STANDARD.decode(body.as_str().expect("a blob")).expect("Base64")
}

/// Deploys an API to the stage `dev` and exports it.
pub(crate) fn export(control: &Control, api: &Json, kind: &str, extensions: &str) -> Json {
    let stage = json!({"restApiId": api["id"], "stageName": "dev"});
    control.ok("CreateDeployment", stage.clone());
    let wish = json!({"exportType": kind, "parameters": {"extensions": extensions}});
    let export = control.ok("GetExport", with(stage, wish));
    serde_json::from_slice(&decoded(&export["body"])).expect("JSON")
}

/// A definition with one of everything that exports show.
fn shop() -> Json {
    json!({
        "openapi": "3.0.1", "info": {"title": "shop", "version": "2.0", "description": "sells"},
        "paths": {"/pets/{id}": {"get": {
            "operationId": "getPet",
            "parameters": [
                {"name": "id", "in": "path", "required": true},
                {"name": "page", "in": "query"},
            ],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
            "responses": {"200": {
                "headers": {"X-Total": {}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
            }},
            "security": [{"sigv4": []}, {"api_key": []}],
            "x-amazon-apigateway-request-validator": "all",
            "x-amazon-apigateway-integration": {
                "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "responses": {"default": {"statusCode": "200"}, "5..": {"statusCode": "500"}},
            },
        }}},
        "components": {
            "schemas": {"Pet": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Pet"}}}},
            "securitySchemes": {
                "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "sigv4": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
            },
        },
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestParameters": true, "validateRequestBody": true},
        },
        "x-amazon-apigateway-binary-media-types": ["image/png"],
    })
}

#[test]
fn swagger() {
    let control = Control::new();
    let api = import(&control, &shop());
    let id = text(&api, "id");
    let expected = json!({
        "swagger": "2.0", "info": {"title": "shop", "version": "2.0", "description": "sells"},
        "host": format!("{id}.execute-api.eu-west-1.localhost:4566"), "basePath": "/dev", "schemes": ["http"],
        "paths": {"/pets/{id}": {"get": {
            "operationId": "getPet", "consumes": ["application/json"], "produces": ["application/json"],
            "parameters": [
                {"name": "id", "in": "path", "required": true, "type": "string"},
                {"name": "page", "in": "query", "required": false, "type": "string"},
                {"in": "body", "name": "Pet", "required": true, "schema": {"$ref": "#/definitions/Pet"}},
            ],
            "responses": {"200": {
                "description": "200 response", "schema": {"$ref": "#/definitions/Pet"},
                "headers": {"X-Total": {"type": "string"}},
            }},
            "security": [{"sigv4": []}, {"api_key": []}],
        }}},
        "securityDefinitions": {
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "sigv4": {
                "type": "apiKey", "name": "Authorization", "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        },
        "definitions": {"Pet": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Pet"}}}},
    });
    assert_eq!(export(&control, &api, "swagger", ""), expected);
}

#[test]
fn oas30_with_extensions() {
    let control = Control::new();
    let api = import(&control, &shop());
    let id = text(&api, "id");
    let pet = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}});
    let expected = json!({
        "openapi": "3.0.1", "info": {"title": "shop", "version": "2.0", "description": "sells"},
        "servers": [{
            "url": format!("http://{id}.execute-api.eu-west-1.localhost:4566/{{basePath}}"),
            "variables": {"basePath": {"default": "dev"}},
        }],
        "paths": {"/pets/{id}": {"get": {
            "operationId": "getPet",
            "requestBody": {"content": pet, "required": true},
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "page", "in": "query", "schema": {"type": "string"}},
            ],
            "responses": {"200": {
                "description": "200 response", "content": pet, "headers": {"X-Total": {"schema": {"type": "string"}}},
            }},
            "security": [{"sigv4": []}, {"api_key": []}],
            "x-amazon-apigateway-request-validator": "all",
            "x-amazon-apigateway-integration": {
                "type": "mock", "passthroughBehavior": "when_no_match",
                "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "responses": {"default": {"statusCode": "200"}, "5..": {"statusCode": "500"}},
            },
        }}},
        "components": shop()["components"],
        "x-amazon-apigateway-request-validators": shop()["x-amazon-apigateway-request-validators"],
        "x-amazon-apigateway-binary-media-types": ["image/png"],
    });
    assert_eq!(export(&control, &api, "oas30", "apigateway"), expected);
    // Each value shows its own part only.
    let integrations = export(&control, &api, "oas30", "integrations");
    let operation = &integrations["paths"]["/pets/{id}"]["get"];
    assert!(operation.get("x-amazon-apigateway-integration").is_some());
    assert!(operation.get("x-amazon-apigateway-request-validator").is_none());
    assert!(integrations.get("x-amazon-apigateway-binary-media-types").is_none());
}

#[test]
fn an_export_is_a_file_of_what_is_deployed() {
    let control = Control::new();
    let api = import(&control, &shop());
    let stage = json!({"restApiId": api["id"], "stageName": "dev"});
    control.ok("CreateDeployment", stage.clone());
    let change = json!({"swagger": "2.0", "info": {"title": "other", "version": "3"}, "paths": {}});
    let put = json!({"restApiId": api["id"], "mode": "overwrite", "body": blob(&change.to_string())});
    control.ok("PutRestApi", put);
    let cases = [
        ("swagger", Json::Null, "attachment; filename=\"swagger_2.0.json\""),
        ("oas30", json!("application/yaml"), "attachment; filename=\"oas30_2.0.yaml\""),
    ];
    for (kind, accepts, disposition) in cases {
        let found =
            control.ok("GetExport", with(stage.clone(), json!({"exportType": kind, "accepts": accepts})));
        assert_eq!(found["contentDisposition"], disposition);
        assert_eq!(found["contentType"], "application/octet-stream");
        let text = String::from_utf8(decoded(&found["body"])).expect("text");
        assert!(text.contains("shop") && !text.contains("other"), "{text}");
        assert_eq!(text.starts_with('{'), kind == "swagger", "{text}");
    }
    // AWS's words for the first are not on record.
    let kind = with(stage.clone(), json!({"exportType": "raml"}));
    let refused = "BadRequestException 400: Invalid export type specified. Valid options are oas30,swagger";
    assert_eq!(control.err("GetExport", kind), refused);
    let nowhere = json!({"restApiId": api["id"], "stageName": "none", "exportType": "oas30"});
    assert_eq!(
        control.err("GetExport", nowhere),
        "NotFoundException 404: Invalid Stage identifier specified"
    );
}

#[test]
fn documentation_of_the_stage_is_written_in_place() {
    let control = Control::new();
    let mut definition = shop();
    definition["paths"]["/pets/{id}"]["get"]["summary"] = json!("one pet");
    definition["paths"]["/pets/{id}"]["get"]["responses"]["200"]["description"] = json!("found");
    definition["paths"]["/pets/{id}"]["get"]["parameters"][1]["description"] = json!("which page");
    let api = import(&control, &definition);
    let stage = json!({"restApiId": api["id"], "stageName": "dev"});
    control.ok("CreateDeployment", stage.clone());
    control.ok("CreateDocumentationVersion", with(stage, json!({"documentationVersion": "v1"})));
    let patch = json!({"restApiId": api["id"], "stageName": "dev", "patchOperations": [
        {"op": "replace", "path": "/documentationVersion", "value": "v1"},
    ]});
    control.ok("UpdateStage", patch);
    for kind in ["swagger", "oas30"] {
        let export = export(&control, &api, kind, "documentation");
        let operation = &export["paths"]["/pets/{id}"]["get"];
        assert_eq!(operation["summary"], "one pet");
        assert_eq!(operation["responses"]["200"]["description"], "found");
        assert_eq!(operation["parameters"][1]["description"], "which page");
        let extension = &export["x-amazon-apigateway-documentation"];
        assert_eq!(extension["version"], "v1");
        let parts = extension["documentationParts"].as_array().expect("a list");
        let method = json!({"type": "METHOD", "path": "/pets/{id}", "method": "GET"});
        assert!(parts.iter().any(|part| part["location"] == method), "{extension}");
    }
}

#[test]
fn the_javascript_client_is_an_archive() {
    let control = Control::new();
    let api = import(&control, &shop());
    let stage = json!({"restApiId": api["id"], "stageName": "dev"});
    control.ok("CreateDeployment", stage.clone());
    let sdk = |kind: &str| with(stage.clone(), json!({"sdkType": kind}));
    let found = control.ok("GetSdk", sdk("javascript"));
    assert_eq!(found["contentType"], "application/octet-stream");
    assert_eq!(found["contentDisposition"], "attachment; filename=\"javascript_2.0.zip\"");
    let archive = decoded(&found["body"]);
    assert!(archive.starts_with(b"PK\x03\x04"));
    let text = String::from_utf8_lossy(&archive).into_owned();
    for expected in ["apiGateway-js-sdk/apigClient.js", "petsIdGet", "getPet", "/_aws/execute-api/"] {
        assert!(text.contains(expected), "{expected}");
    }
    assert_eq!(control.ok("GetSdk", sdk("javascript")), found);
    for other in ["java", "android", "objectivec", "swift", "ruby"] {
        let refused = format!(
            "BadRequestException 400: SDKs of type {other} are not built here. Valid options are javascript"
        );
        assert_eq!(control.err("GetSdk", sdk(other)), refused);
    }
    assert_eq!(
        control.err("GetSdk", sdk("cobol")),
        "NotFoundException 404: Invalid SDK type identifier specified"
    );
}
