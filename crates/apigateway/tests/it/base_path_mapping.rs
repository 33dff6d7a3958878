//! Base path mappings of custom domain names, which the other generation of the service calls API mappings.

use serde_json::{Value as Json, json};
use stagedoor_api::apigatewayv2 as http;
use stagedoor_state::domain::Mapping;

use crate::control::{API, Control, each, op, text, with};
use crate::domain_name::{private, regional};

const NAME: &str = "api.example.com";

fn mapping(members: Json) -> Json {
    with(json!({"domainName": NAME, "restApiId": API}), members)
}

fn at(base_path: &str) -> Json {
    json!({"domainName": NAME, "basePath": base_path})
}

/// The API with the stage `dev`, and a domain.
fn furnished() -> Control {
    let control = Control::new();
    control.staged();
    control.ok("CreateDomainName", regional(NAME));
    control
}

#[test]
fn a_mapping_from_birth_to_death() {
    let control = furnished();
    let created = control.ok("CreateBasePathMapping", mapping(json!({"basePath": "shop", "stage": "dev"})));
    let shop = json!({"basePath": "shop", "restApiId": API, "stage": "dev"});
    assert_eq!(created, shop);
    let root = json!({"basePath": "(none)", "restApiId": API});
    assert_eq!(control.ok("CreateBasePathMapping", mapping(json!({}))), root);
    assert_eq!(control.ok("GetBasePathMapping", at("shop")), shop);
    assert_eq!(control.ok("GetBasePathMapping", at("(none)")), root);
    assert_eq!(
        control.ok("GetBasePathMappings", json!({"domainName": NAME})),
        json!({"items": [root, shop]})
    );
    let first = control.ok("GetBasePathMappings", json!({"domainName": NAME, "limit": 1}));
    let more = json!({"domainName": NAME, "limit": 1, "position": text(&first, "position")});
    assert_eq!(control.ok("GetBasePathMappings", more), json!({"items": [shop]}));

    let operations = json!([op("replace", "/basePath", "store"), op("replace", "/stage", "")]);
    let store = json!({"basePath": "store", "restApiId": API});
    let update = with(at("shop"), json!({"patchOperations": operations}));
    assert_eq!(control.ok("UpdateBasePathMapping", update), store);
    assert_eq!(control.ok("DeleteBasePathMapping", at("store")), Json::Null);
    for operation in ["GetBasePathMapping", "UpdateBasePathMapping", "DeleteBasePathMapping"] {
        assert_eq!(
            control.err(operation, at("store")),
            "NotFoundException 404: Invalid base path mapping identifier specified",
            "{operation}"
        );
    }
}

#[test]
fn refused_mappings() {
    let control = furnished();
    control.ok("CreateBasePathMapping", mapping(json!({"basePath": "shop"})));
    control.ok("CreateBasePathMapping", mapping(json!({})));
    let slash = "BadRequestException 400: API Gateway V1 doesn't support the slash character (/) in base path \
                 mappings. To create a multi-level base path mapping, use API Gateway V2.";
    let taken = "ConflictException 409: Base path already exists for this domain name";
    let root_taken =
        "ConflictException 409: Only one base path mapping is allowed if the base path is empty.";
    let cases = [
        (json!({"basePath": "shop"}), taken),
        (json!({}), root_taken),
        (json!({"basePath": "(none)"}), root_taken),
        (json!({"basePath": "a/b"}), slash),
        (json!({"basePath": "/"}), slash),
        (
            json!({"basePath": "a b"}),
            "BadRequestException 400: A base path may contain only letters, numbers and one of $-_.+!*'()",
        ),
        (
            json!({"basePath": "x", "restApiId": "none"}),
            "BadRequestException 400: Invalid REST API identifier specified",
        ),
        (
            json!({"basePath": "x", "stage": "none"}),
            "BadRequestException 400: Invalid stage identifier specified",
        ),
        (
            json!({"domainName": "none.example.com"}),
            "NotFoundException 404: Invalid domain name identifier specified",
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(control.err("CreateBasePathMapping", mapping(members.clone())), expected, "{members}");
    }
    let update = |operation: Json| with(at("shop"), json!({"patchOperations": [operation]}));
    let cases = [
        (op("replace", "/basePath", ""), root_taken),
        (op("replace", "/basePath", "a/b"), slash),
        (
            op("replace", "/restapiId", "none"),
            "BadRequestException 400: Invalid REST API identifier specified",
        ),
        (op("replace", "/path", "x"), "BadRequestException 400: Invalid patch path /path"),
        (
            op("remove", "/stage", ""),
            "BadRequestException 400: Invalid patch operation specified. Must be one of: [replace]",
        ),
    ];
    for (operation, expected) in cases {
        assert_eq!(control.err("UpdateBasePathMapping", update(operation.clone())), expected, "{operation}");
    }
}

/// That the two belong together is documented, the words are ours.
#[test]
fn private_apis_and_private_domains_belong_together() {
    let control = furnished();
    let id = text(&control.ok("CreateDomainName", private(NAME)), "domainNameId");
    let private_api = control.ok(
        "CreateRestApi",
        json!({"name": "inside", "endpointConfiguration": {"types": ["PRIVATE"]}, "tags": {"stagedoor:id": "p"}}),
    );
    let inside = json!({"domainNameId": id, "restApiId": private_api["id"]});
    let created = control.ok("CreateBasePathMapping", mapping(inside.clone()));
    assert_eq!(created, json!({"basePath": "(none)", "restApiId": "p"}));
    let listed = control.ok("GetBasePathMappings", json!({"domainName": NAME, "domainNameId": id}));
    assert_eq!(each(&listed["items"], "restApiId"), ["p"]);
    assert_eq!(control.ok("GetBasePathMappings", json!({"domainName": NAME})), json!({"items": []}));
    for members in [json!({"restApiId": "p"}), json!({"domainNameId": id, "basePath": "x"})] {
        assert_eq!(
            control.err("CreateBasePathMapping", mapping(members)),
            "BadRequestException 400: Only PRIVATE APIs can be mapped to PRIVATE domain names, and only to those"
        );
    }
}

#[test]
fn mappings_of_the_other_generation_are_shown() {
    let control = furnished();
    let deep = Mapping {
        id: "m1".to_owned(),
        api_id: "web".to_owned(),
        stage: Some("$default".to_owned()),
        path: "orders/v1".to_owned(),
    };
    control.documents(|documents| {
        documents.put(
            &["web"],
            &http::Api { protocol_type: Some(http::ProtocolType::Http), ..Default::default() },
        )?;
        documents.put(&[NAME, "m1"], &deep)
    });
    let expected = json!({"basePath": "orders/v1", "restApiId": "web", "stage": "$default"});
    assert_eq!(control.ok("GetBasePathMapping", at("orders/v1")), expected);
    control.ok("CreateBasePathMapping", mapping(json!({"basePath": "shop"})));
    // Another's stage and a deeper path can stay while an API of this generation takes its place.
    let operations = json!([op("replace", "/restapiId", API), op("replace", "/stage", "dev")]);
    let changed =
        control.ok("UpdateBasePathMapping", with(at("orders/v1"), json!({"patchOperations": operations})));
    assert_eq!(changed, json!({"basePath": "orders/v1", "restApiId": API, "stage": "dev"}));
    control.ok("DeleteBasePathMapping", at("orders/v1"));

    let sockets = http::Api { protocol_type: Some(http::ProtocolType::Websocket), ..Default::default() };
    control.documents(|documents| {
        documents.put(&["web"], &sockets)?;
        documents.put(&[NAME, "m1"], &deep)
    });
    assert_eq!(
        control.err("CreateBasePathMapping", mapping(json!({"basePath": "x"}))),
        "BadRequestException 400: A WebSocket API cannot share a domain name with REST or HTTP APIs"
    );
}

#[test]
fn a_mapped_api_stays() {
    let control = furnished();
    control.ok("CreateBasePathMapping", mapping(json!({"basePath": "shop"})));
    assert_eq!(
        control.err("DeleteRestApi", json!({"restApiId": API})),
        "BadRequestException 400: Deleting API api1 failed. Please remove all API mappings for the API from your \
         custom domain names."
    );
    control.ok("DeleteDomainName", json!({"domainName": NAME}));
    control.ok("DeleteRestApi", json!({"restApiId": API}));
}
