//! API keys: shapes and texts as recorded, import of files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use stagedoor_state::rest::KeyValue;

use crate::control::{API, Control, START, each, op, text, with, without};

const VALUE: &str = "01234567890123456789";

fn at(id: &str, members: Json) -> Json {
    with(json!({"apiKey": id}), members)
}

#[test]
fn the_life_of_a_key() {
    let control = Control::new();
    let created = control.ok("CreateApiKey", json!({"name": "k", "description": "", "enabled": true}));
    let id = text(&created, "id");
    let value = text(&created, "value");
    let shown = json!({
        "id": id, "value": value, "name": "k", "enabled": true, "stageKeys": [],
        "createdDate": START as f64, "lastUpdatedDate": START as f64,
    });
    assert_eq!((id.len(), value.len(), &created), (10, 40, &shown));
    let plain = with(without(created.clone(), "value"), json!({"tags": {}}));
    assert_eq!(control.ok("GetApiKey", at(&id, json!({}))), plain);
    let with_value = control.ok("GetApiKey", at(&id, json!({"includeValue": true})));
    assert_eq!(with_value, with(plain.clone(), json!({"value": value})));
    control.wait(60);
    let patches = json!([op("replace", "/enabled", "false"), op("replace", "/customerId", "c")]);
    let changed = json!({"enabled": false, "customerId": "c", "lastUpdatedDate": (START + 60) as f64});
    let updated = control.ok("UpdateApiKey", at(&id, json!({"patchOperations": patches})));
    assert_eq!(updated, with(plain, changed));
    let stored = control.documents(|documents| documents.get::<KeyValue>(&[&value]));
    assert_eq!(stored, Some(KeyValue { key: id.clone() }));
    assert_eq!(control.ok("DeleteApiKey", at(&id, json!({}))), Json::Null);
    assert_eq!(control.documents(|documents| documents.get::<KeyValue>(&[&value])), None);
    for operation in ["GetApiKey", "UpdateApiKey", "DeleteApiKey"] {
        assert_eq!(
            control.err(operation, at(&id, json!({}))),
            "NotFoundException 404: Invalid API Key identifier specified"
        );
    }
}

#[test]
fn keys_are_listed_newest_first() {
    let control = Control::new();
    for (name, customer) in [("test_a", "x"), ("test_b", "y"), ("Test", "x")] {
        control.ok("CreateApiKey", json!({"name": name, "customerId": customer}));
        control.wait_micros(1000);
    }
    let names = |wish: Json| {
        let list = control.ok("GetApiKeys", wish);
        each(&list["items"], "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["Test", "test_b", "test_a"]);
    assert_eq!(names(json!({"nameQuery": "test_"})), ["test_b", "test_a"]);
    assert_eq!(names(json!({"customerId": "x"})), ["Test", "test_a"]);
    assert_eq!(control.ok("GetApiKeys", json!({}))["items"][0].get("value"), None);
    let values = control.ok("GetApiKeys", json!({"includeValues": true}));
    assert_eq!(each(&values["items"], "value").len(), 3);
}

#[test]
fn refusals() {
    let control = Control::new();
    control.staged();
    control.ok("CreateApiKey", json!({"value": VALUE}));
    let cases = [
        (json!({"value": VALUE}), "ConflictException 409: API Key already exists"),
        (
            json!({"name": "n".repeat(1025)}),
            "BadRequestException 400: Invalid API Key name, can be at most 1024 characters.",
        ),
        (
            json!({"value": "short"}),
            "BadRequestException 400: API Key value should be at least 20 characters",
        ),
        (
            json!({"value": "v".repeat(129)}),
            "BadRequestException 400: API Key value exceeds maximum size of 128 characters",
        ),
        (
            json!({"description": "d".repeat(125_001)}),
            "BadRequestException 400: Invalid API Key description specified.",
        ),
        (
            json!({"stageKeys": [{"restApiId": API, "stageName": "none"}]}),
            "NotFoundException 404: Invalid Stage identifier specified",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(control.err("CreateApiKey", input), expected);
    }
    let key = json!({"name": "", "value": "", "stageKeys": [{"restApiId": API, "stageName": "dev"}]});
    let key = control.ok("CreateApiKey", key);
    assert_eq!((key.get("name"), &key["stageKeys"]), (None, &json!(["api1/dev"])));
    let patch = |operation: Json| at(&text(&key, "id"), json!({"patchOperations": [operation]}));
    assert_eq!(
        control.err("UpdateApiKey", patch(op("add", "/name", "x"))),
        "BadRequestException 400: Invalid patch path  '/name' specified for op 'add'. Please choose supported \
         operations"
    );
    assert_eq!(
        control.err("UpdateApiKey", patch(op("replace", "/value", VALUE))),
        "BadRequestException 400: Invalid patch path  '/value' specified for op 'replace'. Must be one of: \
         [/customerId, /description, /enabled, /name]"
    );
    let removed = control.ok("UpdateApiKey", patch(op("remove", "/stages", "api1/dev")));
    assert_eq!(removed["stageKeys"], json!([]));
}

#[test]
fn importing_a_file() {
    let control = Control::new();
    let plan = text(&control.ok("CreateUsagePlan", json!({"name": "p"})), "id");
    let file = format!(
        "Name,key,description,Enabled,usageplanIds\nfirst,{VALUE},said,TRUE,{plan}\nsecond,tooshort,,FALSE,\n\
         third,{VALUE}3,,FALSE,nowhere\n"
    );
    let input = json!({"format": "csv", "body": STANDARD.encode(&file)});
    let strict = control.err("ImportApiKeys", with(input.clone(), json!({"failOnWarnings": true})));
    assert!(strict.starts_with("BadRequestException 400: Unable to import API Key 'second'"), "{strict}");
    assert_eq!(control.ok("GetApiKeys", json!({}))["items"], json!([]));
    let answer = control.ok("ImportApiKeys", input);
    let expected = [
        "Unable to import API Key 'second': API Key value should be at least 20 characters",
        "Unable to import API Key 'third': Invalid Usage Plan ID specified",
    ];
    assert_eq!(answer["warnings"], json!(expected));
    let ids = answer["ids"].as_array().expect("a list").clone();
    let key = control.ok("GetApiKey", at(ids[0].as_str().expect("an id"), json!({"includeValue": true})));
    assert_eq!((ids.len(), &key["value"], &key["enabled"]), (1, &json!(VALUE), &json!(true)));
    let keys = control.ok("GetUsagePlanKeys", json!({"usagePlanId": plan}));
    assert_eq!(each(&keys["items"], "name"), ["first"]);
    let bad = json!({"format": "csv", "body": STANDARD.encode("name\nx")});
    assert_eq!(
        control.err("ImportApiKeys", bad),
        "BadRequestException 400: Invalid API key file: it has no column key"
    );
}
