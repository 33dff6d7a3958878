//! import(export(api)) = api, over generated APIs; and no definition, however odd, brings an import down.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::export::export;
use super::{blob, import};
use crate::control::{Control, text};

const PATHS: [&str; 8] =
    ["/", "/a", "/a/b", "/a/{id}", "/a/{id}/c", "/files/{proxy+}", "/a.b_c-d/e", "/empty/leaf"];
const VERBS: [&str; 5] = ["get", "post", "delete", "options", "x-amazon-apigateway-any-method"];
const MODELS: [&str; 3] = ["Pet", "Pets", "Error"];
const FUNCTION: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
                        arn:aws:lambda:eu-west-1:111111111111:function:f/invocations";

/// Bits from which choices are made, one after the other.
struct Bits(u64);

impl Bits {
    fn below(&mut self, count: usize) -> usize {
        // Any mixing will do: what is wanted is variety that the same number repeats.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % count
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A definition with methods at some of the paths. Swagger knows one schema for all content types of a body.
fn definition(methods: &[(usize, usize, u64)], root: u64, one_type: bool) -> Json {
    let mut paths = Map::new();
    for (path, verb, bits) in methods {
        let path = PATHS[*path];
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[VERBS[*verb]] = operation(path, &mut Bits(*bits), one_type);
    }
    let mut bits = Bits(root);
    if bits.flip() {
        paths.entry("/lonely").or_insert_with(|| json!({}));
    }
    let mut definition = json!({
        "openapi": "3.0.1", "info": {"title": "generated", "version": "1"}, "paths": paths,
        "components": {
            "schemas": {
                "Pet": {"type": "object", "properties": {"friend": {"$ref": "#/components/schemas/Pet"}}},
                "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                "Error": {"type": "object"},
            },
            "securitySchemes": {
                "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "sigv4": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
                "token": {
                    "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {
                        "type": "token", "authorizerUri": FUNCTION, "authorizerResultTtlInSeconds": bits.below(3000),
                    },
                },
                "request": {
                    "type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {
                        "type": "request", "authorizerUri": FUNCTION,
                        "identitySource": "method.request.header.A, method.request.querystring.b",
                    },
                },
                "pool": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authtype": "cognito_user_pools",
                    "x-amazon-apigateway-authorizer": {
                        "type": "cognito_user_pools",
                        "providerARNs": ["arn:aws:cognito-idp:eu-west-1:111111111111:userpool/p"],
                    },
                },
            },
        },
        "x-amazon-apigateway-request-validators": {
            "body": {"validateRequestBody": true, "validateRequestParameters": false},
            "all": {"validateRequestBody": true, "validateRequestParameters": true},
        },
    });
    let optional = [
        ("x-amazon-apigateway-api-key-source", json!("AUTHORIZER")),
        ("x-amazon-apigateway-binary-media-types", json!(["image/png", "*/*"])),
        ("x-amazon-apigateway-minimum-compression-size", json!(bits.below(1000))),
        ("x-amazon-apigateway-endpoint-configuration", json!({"disableExecuteApiEndpoint": true})),
        ("tags", json!([{"name": "team", "x-amazon-apigateway-tag-value": "a b"}])),
        (
            "x-amazon-apigateway-policy",
            json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}),
        ),
        (
            "x-amazon-apigateway-gateway-responses",
            json!({"DEFAULT_4XX": {"responseTemplates": {"text/plain": "no"}}, "THROTTLED": {"statusCode": "503"}}),
        ),
    ];
    for (member, value) in optional {
        if bits.flip() {
            definition[member] = value;
        }
    }
    definition
}

fn operation(path: &str, bits: &mut Bits, one_type: bool) -> Json {
    let mut operation = json!({"responses": {}});
    let mut parameters: Vec<Json> = Vec::new();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(json!({"name": name.trim_end_matches('+'), "in": "path", "required": true}));
    }
    for (name, place) in [("page", "query"), ("X-Shop", "header")] {
        if bits.flip() {
            parameters.push(json!({"name": name, "in": place, "required": bits.flip()}));
        }
    }
    operation["parameters"] = json!(parameters);
    let content = |bits: &mut Bits| {
        let schema = |bits: &mut Bits| match bits.below(4) {
            3 => json!({"type": "string", "minLength": 1}),
            model => json!({"$ref": format!("#/components/schemas/{}", MODELS[model])}),
        };
        let mut content = json!({"application/json": {"schema": schema(bits)}});
        if !one_type && bits.flip() {
            content["application/vnd.shop+json"] = json!({"schema": schema(bits)});
        }
        content
    };
    if bits.flip() {
        operation["requestBody"] = json!({"content": content(bits)});
    }
    if bits.flip() {
        operation["operationId"] = json!(format!("operation{}", bits.below(100)));
    }
    for status in ["200", "404"] {
        if bits.flip() {
            let mut response = json!({"description": "so", "headers": {"X-Total": {}}});
            if bits.flip() {
                response["content"] = content(bits);
            }
            operation["responses"][status] = response;
        }
    }
    let security = [
        json!([]),
        json!([{"api_key": []}]),
        json!([{"sigv4": []}]),
        json!([{"token": []}, {"api_key": []}]),
        json!([{"request": []}]),
        json!([{"pool": ["read"]}]),
    ];
    operation["security"] = security[bits.below(security.len())].clone();
    if bits.flip() {
        operation["x-amazon-apigateway-request-validator"] = json!(["body", "all"][bits.below(2)]);
    }
    operation["x-amazon-apigateway-integration"] = integration(bits, &operation);
    operation
}

fn integration(bits: &mut Bits, operation: &Json) -> Json {
    let mut integration = match bits.below(4) {
        0 => json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}}),
        1 => json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION}),
        2 => json!({
            "type": "http", "httpMethod": "GET", "uri": "http://example.com/", "connectionType": "VPC_LINK",
            "connectionId": "abc123", "tlsConfig": {"insecureSkipVerification": true},
        }),
        _ => json!({
            "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:sqs:path/1/q",
            "credentials": "arn:aws:iam::111111111111:role/r", "requestParameters": {
                "integration.request.header.X": "'x'",
            },
        }),
    };
    let optional = [
        ("passthroughBehavior", json!("never")),
        ("contentHandling", json!("CONVERT_TO_TEXT")),
        ("timeoutInMillis", json!(50 + bits.below(1000))),
        ("cacheNamespace", json!("shared")),
    ];
    for (member, value) in optional {
        if bits.flip() {
            integration[member] = value;
        }
    }
    if bits.flip() {
        let mut response =
            json!({"statusCode": "200", "responseTemplates": {"application/json": null, "a/b": "x"}});
        if operation["responses"].get("200").is_some() {
            response["responseParameters"] = json!({"method.response.header.X-Total": "'1'"});
        }
        integration["responses"] = json!({"default": response, "4\\d\\d": {"statusCode": "404"}});
    }
    integration
}

/// Everything that an API consists of, with names in the place of ids.
fn described(control: &Control, api: &Json) -> Json {
    let id = text(api, "id");
    let list = |operation: &str| {
        let input = json!({"restApiId": id, "limit": 500, "embed": ["methods"]});
        control.ok(operation, input)["items"].as_array().expect("a list").clone()
    };
    let mut described = control.ok("GetRestApi", json!({"restApiId": id}));
    let mut names: BTreeMap<String, String> = BTreeMap::from([(id.clone(), "api".to_owned())]);
    let mut named = |operation: &str| {
        let items = list(operation);
        for item in &items {
            names.insert(text(item, "id"), text(item, "name"));
        }
        items
    };
    described["authorizers"] = json!(sorted(named("GetAuthorizers")));
    described["validators"] = json!(sorted(named("GetRequestValidators")));
    described["models"] = json!(sorted(named("GetModels")));
    described["gatewayResponses"] = json!(list("GetGatewayResponses"));
    let resources = list("GetResources");
    for resource in &resources {
        names.insert(text(resource, "id"), text(resource, "path"));
    }
    described["resources"] = json!(resources);
    described["createdDate"] = Json::Null;
    let mut text = described.to_string();
    for (id, name) in names {
        text = text.replace(&id, &name);
    }
    serde_json::from_str(&text).expect("JSON")
}

fn sorted(mut items: Vec<Json>) -> Vec<Json> {
    items.sort_by_key(|item| text(item, "name"));
    items
}

fn methods() -> impl Strategy<Value = Vec<(usize, usize, u64)>> {
    prop::collection::vec((0..PATHS.len(), 0..VERBS.len(), any::<u64>()), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exported_api_is_imported_as_it_was(methods in methods(), root in any::<u64>(), swagger in any::<bool>()) {
        let control = Control::new();
        let first = import(&control, &definition(&methods, root, swagger));
        prop_assert_eq!(first.get("warnings"), None);
        let kind = if swagger { "swagger" } else { "oas30" };
        let exported = export(&control, &first, kind, "apigateway");
        let second = import(&control, &exported);
        prop_assert_eq!(second.get("warnings"), None);
        prop_assert_eq!(described(&control, &second), described(&control, &first));
        // Merging an API into itself and overwriting it by itself change nothing, not even ids.
        let before = control.ok("GetResources", json!({"restApiId": first["id"], "embed": ["methods"]}));
        for mode in ["merge", "overwrite"] {
            let put = json!({"restApiId": first["id"], "mode": mode, "body": blob(&exported.to_string())});
            control.ok("PutRestApi", put);
            let after = control.ok("GetResources", json!({"restApiId": first["id"], "embed": ["methods"]}));
            prop_assert_eq!(&after, &before);
        }
    }

    #[test]
    fn no_definition_brings_an_import_down(
        methods in methods(), root in any::<u64>(), at in any::<u64>(), junk in junk(), format in 0..3_usize,
    ) {
        let control = Control::new();
        let mut odd = definition(&methods, root, false);
        let mut nowhere = usize::MAX;
        let count = replace(&mut odd, &mut nowhere, &Json::Null).max(1);
        let mut place = usize::try_from(at % 1_000_000).unwrap_or_default() % count;
        replace(&mut odd, &mut place, &junk);
        if format == 1 {
            odd["swagger"] = json!("2.0");
            odd["definitions"] = junk;
        }
        let body = if format == 2 { format!("# {odd}\nopenapi: 3.0.0\npaths: {odd}") } else { odd.to_string() };
        let Err(fault) = control.call("ImportRestApi", json!({"body": blob(&body)})) else { return Ok(()) };
        prop_assert!((400..500).contains(&fault.status), "{}", fault);
        prop_assert_eq!(control.ok("GetRestApis", json!({}))["items"].clone(), json!([]));
    }

    #[test]
    fn no_text_brings_an_import_down(text in ".{0,200}", head in 0..4_usize) {
        let head = ["", "swagger: '2.0'\n", "openapi: 3.0.1\npaths:\n", "{\"swagger\": \"2.0\", \"paths\": "][head];
        let control = Control::new();
        let _ = control.call("ImportRestApi", json!({"body": blob(&format!("{head}{text}"))}));
    }
}

/// Any JSON that is not too large.
fn junk() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        Just(json!({"$ref": "#/components/schemas/Pet"})),
        Just(json!({"$ref": "#/paths"})),
        Just(json!({"$ref": "#"})),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts something in the place of the value that is the `at`-th from the root; returns how many there are.
fn replace(value: &mut Json, at: &mut usize, new: &Json) -> usize {
    if *at == 0 {
        *value = new.clone();
        *at = usize::MAX;
        return 1;
    }
    *at -= 1;
    let mut count = 1;
    match value {
        Json::Object(members) => {
            for (_, member) in members.iter_mut() {
                count += replace(member, at, new);
            }
        }
        Json::Array(items) => {
            for item in items {
                count += replace(item, at, new);
            }
        }
        _ => {}
    }
    count
}
