//! REST APIs: defaults, rules and texts.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway::{Deployment, Model, Resource, RestApi, Stage};
use stagedoor_state::rest::Snapshot;

use crate::control::{ACCOUNT, API, Control, START, each, op, text, with, without};

fn create_err(control: &Control, members: Json) -> String {
    control.err("CreateRestApi", with(json!({"name": "shop"}), members))
}

fn update(control: &Control, operations: Json) -> Json {
    control.ok("UpdateRestApi", json!({"restApiId": API, "patchOperations": operations}))
}

fn update_err(control: &Control, operation: Json) -> String {
    control.err("UpdateRestApi", json!({"restApiId": API, "patchOperations": [operation]}))
}

#[test]
fn a_fresh_api_shows_its_defaults() {
    let control = Control::new();
    let created = control.ok("CreateRestApi", json!({"name": "shop"}));
    let (id, root) = (text(&created, "id"), text(&created, "rootResourceId"));
    for id in [&id, &root] {
        let form = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(id.len() == 10 && id.bytes().all(form), "{id}");
    }
    let defaults = json!({
        "apiKeySource": "HEADER",
        "createdDate": START as f64,
        "disableExecuteApiEndpoint": false,
        "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]},
        "id": id,
        "name": "shop",
        "rootResourceId": root,
    });
    assert_eq!(created, defaults);
    // Only getting shows tags where there are none.
    let got = control.ok("GetRestApi", json!({"restApiId": id}));
    assert_eq!(got, with(defaults.clone(), json!({"tags": {}})));
    assert_eq!(control.ok("GetRestApis", json!({})), json!({"items": [defaults]}));
}

#[test]
fn what_was_given_is_shown() {
    let control = Control::new();
    let given = json!({
        "name": "shop",
        "description": "sells",
        "version": "v1",
        "binaryMediaTypes": ["image/png"],
        "minimumCompressionSize": 0,
        "apiKeySource": "AUTHORIZER",
        "disableExecuteApiEndpoint": true,
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "dualstack"},
        "tags": {"MY_TAG1": "MY_VALUE1"},
    });
    let created = control.ok("CreateRestApi", given.clone());
    assert_eq!(created, with(created.clone(), given));
    let empty = json!({"name": "shop", "binaryMediaTypes": [], "tags": {}});
    let created = control.ok("CreateRestApi", empty);
    assert_eq!((created.get("binaryMediaTypes"), created.get("tags")), (None, None));
}

#[test]
fn endpoint_configurations() {
    let control = Control::new();
    let configured = |given: Json| {
        let input = json!({"name": "shop", "endpointConfiguration": given});
        control.ok("CreateRestApi", input)["endpointConfiguration"].clone()
    };
    assert_eq!(configured(json!({})), json!({"types": ["EDGE"], "ipAddressType": "ipv4"}));
    assert_eq!(
        configured(json!({"types": ["REGIONAL"]})),
        json!({"types": ["REGIONAL"], "ipAddressType": "ipv4"})
    );
    assert_eq!(
        configured(json!({"types": ["PRIVATE"]})),
        json!({"types": ["PRIVATE"], "ipAddressType": "dualstack"})
    );
    let cases = [
        (json!({"types": []}), "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
        (json!({"types": ["EDGE", "REGIONAL"]}), "Cannot create an api with multiple Endpoint Types."),
        (
            json!({"types": ["PRIVATE"], "ipAddressType": "ipv4"}),
            "Only dualstack ipAddressType is supported for Private APIs.",
        ),
        (json!({"vpcEndpointIds": ["vpce-1"]}), "VPCEndpoints can only be specified with PRIVATE apis."),
    ];
    for (given, message) in cases {
        let refusal = create_err(&control, json!({"endpointConfiguration": given}));
        assert_eq!(refusal, format!("BadRequestException 400: {message}"));
    }
}

#[test]
fn creating_is_refused_with_the_first_rule_that_is_broken() {
    let control = Control::new();
    let empty_description = "BadRequestException 400: Description cannot be an empty string";
    assert_eq!(create_err(&control, json!({"description": ""})), empty_description);
    let private = json!({"types": ["PRIVATE"], "ipAddressType": "ipv4"});
    let both = json!({"description": "", "endpointConfiguration": private});
    assert_eq!(create_err(&control, both), empty_description);
    for size in [-1, 10_485_761] {
        assert_eq!(
            create_err(&control, json!({"minimumCompressionSize": size})),
            "BadRequestException 400: Invalid minimum compression size, must be between 0 and 10485760"
        );
    }
    assert_eq!(control.ok("GetRestApis", json!({})), json!({"items": []}));
}

#[test]
fn ids_can_be_chosen() {
    let control = Control::new();
    control.api();
    assert_eq!(control.ok("GetRestApi", json!({"restApiId": API}))["id"], API);
    assert_eq!(
        create_err(&control, json!({"tags": {"stagedoor:id": API}})),
        "ConflictException 409: An API with the id api1 already exists"
    );
}

#[test]
fn unknown_apis_are_named_with_the_account() {
    let control = Control::new();
    control.api();
    for id in ["api_id", "API1", ""] {
        let unknown = format!("NotFoundException 404: Invalid API identifier specified {ACCOUNT}:{id}");
        for operation in ["GetRestApi", "DeleteRestApi", "UpdateRestApi", "GetResources", "GetStages"] {
            assert_eq!(control.err(operation, json!({"restApiId": id})), unknown, "{operation}");
        }
    }
}

#[test]
fn deleting_takes_everything_below_along() {
    let control = Control::new();
    control.staged();
    let other = control.ok("CreateRestApi", json!({"name": "other"}));
    control.ok("DeleteRestApi", json!({"restApiId": API}));
    let left = control.documents(|documents| {
        let kinds = [
            documents.count::<RestApi>(&[API])?,
            documents.count::<Resource>(&[API])?,
            documents.count::<Model>(&[API])?,
            documents.count::<Deployment>(&[API])?,
            documents.count::<Snapshot>(&[API])?,
            documents.count::<Stage>(&[API])?,
        ];
        Ok(kinds.iter().sum::<usize>())
    });
    assert_eq!(left, 0);
    let apis = control.ok("GetRestApis", json!({}));
    assert_eq!(each(&apis["items"], "id"), [text(&other, "id")]);
}

#[test]
fn every_new_api_has_two_models() {
    let control = Control::new();
    control.api();
    let models = control.documents(|documents| documents.all::<Model>(&[API]));
    let schemas: Vec<Json> = models
        .iter()
        .map(|model| serde_json::from_str(model.schema.as_deref().expect("it has one")).expect("JSON"))
        .collect();
    let draft = "http://json-schema.org/draft-04/schema#";
    let empty = json!({"$schema": draft, "title": "Empty Schema", "type": "object"});
    let message = json!({"properties": {"message": {"type": "string"}}, "title": "Error Schema"});
    assert_eq!(schemas, [empty.clone(), with(empty, message)]);
}

#[test]
fn a_clone_has_resources_of_its_own() {
    let control = Control::new();
    let root = control.api();
    let pets = control.resource(&root, "pets");
    let pet = control.resource(&pets, "{id}");
    control.mock(&pet);
    let clone = control.ok("CreateRestApi", json!({"name": "clone", "cloneFrom": API}));
    let list = |id: &Json| {
        control.ok("GetResources", json!({"restApiId": id, "embed": ["methods"]}))["items"].clone()
    };
    let (old, new) = (list(&json!(API)), list(&clone["id"]));
    assert_eq!(each(&new, "path"), ["/", "/pets", "/pets/{id}"]);
    for (old, new) in old.as_array().into_iter().flatten().zip(new.as_array().into_iter().flatten()) {
        assert_ne!(old["id"], new["id"]);
    }
    assert_eq!(new[0]["id"], clone["rootResourceId"]);
    assert_eq!(new[2]["parentId"], new[1]["id"]);
    let integration = &new[2]["resourceMethods"]["GET"]["methodIntegration"];
    assert_eq!(integration["cacheNamespace"], new[2]["id"]);
    assert_eq!(
        create_err(&control, json!({"cloneFrom": "nowhere"})),
        format!("NotFoundException 404: Invalid API identifier specified {ACCOUNT}:nowhere")
    );
}

#[test]
fn a_clone_has_all_that_its_methods_refer_to() {
    let control = Control::new();
    control.api();
    let address =
        |api: &str| format!(r#"{{"$ref":"https://apigateway.amazonaws.com/restapis/{api}/models/Error"}}"#);
    let model = json!({
        "restApiId": API, "name": "Mine", "contentType": "application/json", "schema": address(API),
    });
    control.ok("CreateModel", model);
    let validator = control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"}));
    control.ok(
        "PutGatewayResponse",
        json!({"restApiId": API, "responseType": "THROTTLED", "statusCode": "420"}),
    );
    let location = json!({"restApiId": API, "location": {"type": "API"}, "properties": "{}"});
    control.ok("CreateDocumentationPart", location);
    let clone = control.ok("CreateRestApi", json!({"name": "clone", "cloneFrom": API}))["id"].clone();
    let list = |operation: &str| control.ok(operation, json!({"restApiId": clone}))["items"].clone();
    let models = list("GetModels");
    assert_eq!(each(&models, "name"), ["Empty", "Error", "Mine"]);
    assert_eq!(models[2]["schema"], address(clone.as_str().expect("an id")));
    assert_eq!(list("GetRequestValidators"), json!([validator]));
    assert_eq!(list("GetDocumentationParts")[0]["location"], json!({"type": "API"}));
    let throttled =
        control.ok("GetGatewayResponse", json!({"restApiId": clone, "responseType": "THROTTLED"}));
    assert_eq!(throttled["statusCode"], "420");
}

#[test]
fn a_policy_is_completed_and_its_quotes_are_escaped_twice() {
    let control = Control::new();
    control.api();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"
        }],
    });
    let updated = update(&control, json!([op("replace", "/policy", &policy.to_string())]));
    let shown = text(&updated, "policy");
    assert!(shown.starts_with(r#"{\"Version\":\"2012-10-17\","#), "{shown}");
    let full = format!("arn:aws:execute-api:eu-west-1:{ACCOUNT}:{API}/*");
    let once: String = serde_json::from_str(&format!("\"{shown}\"")).expect("a string's inside");
    let twice: Json = serde_json::from_str(&once).expect("the policy");
    assert_eq!(twice["Statement"][0]["Resource"], full);
    // Another change leaves it as it is, an empty value removes it.
    let renamed = update(&control, json!([op("replace", "/name", "new")]));
    assert_eq!(renamed["policy"], json!(shown));
    assert_eq!(update(&control, json!([op("replace", "/policy", "")])).get("policy"), None);
    let long = format!("{}{}", " ".repeat(8192), r#"{"Statement":[]}"#);
    assert_eq!(
        update_err(&control, op("replace", "/policy", &long)),
        "BadRequestException 400: Resource policy length must not exceed 8192 characters."
    );
    for bad in ["{", "{}", r#"{"Statement":[{"Effect":"Maybe","Principal":"*","Action":"*"}]}"#] {
        assert_eq!(
            update_err(&control, op("replace", "/policy", bad)),
            "BadRequestException 400: Invalid policy document. Please check the policy syntax and ensure that \
             Principals are valid."
        );
    }
}

// === Patches ===

#[test]
fn media_types_are_a_set() {
    let control = Control::new();
    control.api();
    let types = |operations: Json| update(&control, operations)["binaryMediaTypes"].clone();
    let added = json!([{"op": "add", "path": "/binaryMediaTypes/image~1png"}, op("add", "/binaryMediaTypes/image~1jpeg", "x")]);
    assert_eq!(types(added), json!(["image/png", "image/jpeg"]));
    let replaced = json!([op("replace", "/binaryMediaTypes/image~1png", "image/gif")]);
    assert_eq!(types(replaced), json!(["image/jpeg", "image/gif"]));
    assert_eq!(types(json!([op("remove", "/binaryMediaTypes/image~1gif", "")])), json!(["image/jpeg"]));
    assert_eq!(types(json!([op("add", "/binaryMediaTypes/-", "image/jpeg")])), json!(["image/jpeg", "-"]));
    for refused in ["add", "replace", "remove"] {
        assert_eq!(
            update_err(&control, op(refused, "/binaryMediaTypes", "image/gif")),
            "BadRequestException 400: Invalid patch path /binaryMediaTypes"
        );
    }
}

#[test]
fn compression() {
    let control = Control::new();
    control.api();
    let path = "/minimumCompressionSize";
    let size = |operation: Json| update(&control, json!([operation])).get("minimumCompressionSize").cloned();
    assert_eq!(size(op("replace", path, "10")), Some(json!(10)));
    assert_eq!(size(op("replace", path, "")), None);
    assert_eq!(size(op("replace", path, "0")), Some(json!(0)));
    assert_eq!(size(json!({"op": "replace", "path": path})), None);
    for bad in ["-1", "test", "10485761"] {
        assert_eq!(
            update_err(&control, op("replace", path, bad)),
            "BadRequestException 400: Invalid minimum compression size, must be between 0 and 10485760"
        );
    }
    assert_eq!(
        update_err(&control, op("add", path, "10")),
        "BadRequestException 400: Invalid patch operation specified. Must be one of: [replace]"
    );
}

#[test]
fn endpoint_types_and_address_types() {
    let control = Control::new();
    control.api();
    let endpoint = |operations: Json| update(&control, operations)["endpointConfiguration"].clone();
    let private = json!({"types": ["PRIVATE"], "ipAddressType": "dualstack"});
    assert_eq!(endpoint(json!([op("replace", "/endpointConfiguration/types/0", "PRIVATE")])), private);
    let cases = [
        (
            op("replace", "/endpointConfiguration/ipAddressType", "ipv4"),
            "Only dualstack ipAddressType is supported for Private APIs.",
        ),
        (
            op("replace", "/endpointConfiguration/ipAddressType", "wrong"),
            "ipAddressType must be either ipv4 or dualstack.",
        ),
        (
            op("replace", "/endpointConfiguration/types/0", "wrong"),
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
        ),
        (
            op("add", "/endpointConfiguration/ipAddressType", "dualstack"),
            "Invalid patch operation specified. Must be one of: [replace]",
        ),
        (
            op("test", "/endpointConfiguration/types/0", "EDGE"),
            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
        ),
        (
            op("remove", "/endpointConfiguration/types/0", ""),
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        ),
        (
            op("add", "/endpointConfiguration/types/EDGE", "EDGE"),
            "Cannot create an api with multiple Endpoint Types.",
        ),
    ];
    for (operation, message) in cases {
        assert_eq!(update_err(&control, operation), format!("BadRequestException 400: {message}"));
    }
    let both = json!([
        op("replace", "/endpointConfiguration/types/PRIVATE", "REGIONAL"),
        op("replace", "/endpointConfiguration/ipAddressType", "ipv4"),
    ]);
    assert_eq!(endpoint(both), json!({"types": ["REGIONAL"], "ipAddressType": "ipv4"}));
    assert_eq!(
        update_err(&control, op("add", "/endpointConfiguration/vpcEndpointIds", "vpce-1")),
        "BadRequestException 400: VPCEndpoints can only be specified with PRIVATE apis."
    );
}

#[test]
fn other_members_and_unknown_paths() {
    let control = Control::new();
    control.api();
    let before = control.ok("GetRestApi", json!({"restApiId": API}));
    let changed = update(
        &control,
        json!([
            op("replace", "/name", "new"),
            op("replace", "/description", "text"),
            op("replace", "/apiKeySource", "AUTHORIZER"),
            op("replace", "/disableExecuteApiEndpoint", "true"),
        ]),
    );
    let members = json!({
        "name": "new", "description": "text", "apiKeySource": "AUTHORIZER", "disableExecuteApiEndpoint": true
    });
    assert_eq!(changed, with(before, members));
    let removed = update(&control, json!([{"op": "remove", "path": "/description"}]));
    assert_eq!(removed, without(changed, "description"));
    assert_eq!(
        update_err(&control, op("replace", "/createdDate", "1")),
        "BadRequestException 400: Invalid patch path /createdDate"
    );
    assert_eq!(
        update_err(&control, json!({"op": "replace", "value": "1"})),
        "BadRequestException 400: Invalid patch path null"
    );
}
