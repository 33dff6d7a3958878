//! `ImportRestApi` and `PutRestApi`. Where a shape or a text is not AWS's on record, the test says so.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{blob, import};
use crate::control::{Control, each, text, with, without};

/// The resources of an API by path, with their methods, without ids.
fn resources(control: &Control, api: &Json) -> BTreeMap<String, Json> {
    let input = json!({"restApiId": api["id"], "limit": 500, "embed": ["methods"]});
    let items = control.ok("GetResources", input)["items"].clone();
    let items = items.as_array().expect("a list").iter();
    items.map(|item| (text(item, "path"), item["resourceMethods"].clone())).collect()
}

fn swagger(paths: Json) -> Json {
    json!({"swagger": "2.0", "info": {"title": "shop", "version": "1.0"}, "paths": paths})
}

fn open_api(paths: Json) -> Json {
    json!({"openapi": "3.0.1", "info": {"title": "shop", "version": "1.0"}, "paths": paths})
}

#[test]
fn an_import_answers_a_new_api() {
    let control = Control::new();
    let mut definition = swagger(json!({}));
    definition["info"]["description"] = json!("sells");
    let api = import(&control, &definition);
    let root = text(&api, "rootResourceId");
    let expected = json!({
        "id": api["id"], "rootResourceId": root, "createdDate": api["createdDate"], "name": "shop",
        "version": "1.0", "description": "sells", "apiKeySource": "HEADER", "disableExecuteApiEndpoint": false,
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
    });
    assert_eq!(api, expected);
    // Imported APIs do not have the models that created ones begin with.
    assert_eq!(control.ok("GetModels", json!({"restApiId": api["id"]}))["items"], json!([]));
}

#[test]
fn both_formats_say_the_same() {
    let control = Control::new();
    let integration = json!({
        "type": "http", "httpMethod": "GET", "uri": "http://example.com/pets", "passthroughBehavior": "when_no_match",
        "requestParameters": {"integration.request.querystring.page": "method.request.querystring.page"},
        "responses": {
            "default": {"statusCode": "200", "responseParameters": {"method.response.header.X-Total": "'1'"}},
            "4\\d{2}": {"statusCode": "400", "responseTemplates": {"application/json": "{}"}},
        },
    });
    let pet = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let mut old = swagger(json!({"/pets/{id}": {
        "parameters": [{"name": "id", "in": "path", "type": "string", "required": true}],
        "post": {
            "operationId": "addPet", "consumes": ["application/json"], "produces": ["application/json"],
            "parameters": [
                {"name": "page", "in": "query", "type": "string"},
                {"name": "X-Shop", "in": "header", "type": "string", "required": true},
                {"name": "Pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}},
            ],
            "responses": {
                "200": {"schema": {"$ref": "#/definitions/Pets"}, "headers": {"X-Total": {"type": "string"}}},
                "400": {"description": "bad"},
            },
            "security": [{"api_key": []}],
            "x-amazon-apigateway-integration": integration,
        },
    }}));
    old["definitions"] =
        json!({"Pet": pet, "Pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}});
    old["securityDefinitions"] = json!({"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}});
    let json_of = |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
    let mut new = open_api(json!({"/pets/{id}": {
        "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}, "required": true}],
        "post": {
            "operationId": "addPet",
            "parameters": [
                {"name": "page", "in": "query", "schema": {"type": "string"}},
                {"$ref": "#/components/parameters/Shop"},
            ],
            "requestBody": {"content": json_of("Pet")},
            "responses": {
                "200": {"content": json_of("Pets"), "headers": {"X-Total": {"schema": {"type": "string"}}}},
                "400": {"description": "bad"},
            },
            "security": [{"api_key": []}],
            "x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/pets"},
        },
    }}));
    new["components"] = json!({
        "schemas": {"Pet": pet, "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}},
        "securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        "parameters": {"Shop": {"name": "X-Shop", "in": "header", "required": true}},
        "x-amazon-apigateway-integrations": {"pets": integration},
    });
    for definition in [old, new] {
        let api = import(&control, &definition);
        assert_eq!(api.get("warnings"), None);
        let found = resources(&control, &api);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/pets", "/pets/{id}"]);
        let method = &found["/pets/{id}"]["POST"];
        let namespace = method["methodIntegration"]["cacheNamespace"].clone();
        let expected = json!({
            "httpMethod": "POST", "authorizationType": "NONE", "apiKeyRequired": true, "operationName": "addPet",
            "requestParameters": {
                "method.request.path.id": true, "method.request.querystring.page": false,
                "method.request.header.X-Shop": true,
            },
            "requestModels": {"application/json": "Pet"},
            "methodResponses": {
                "200": {
                    "statusCode": "200", "responseModels": {"application/json": "Pets"},
                    "responseParameters": {"method.response.header.X-Total": false},
                },
                "400": {"statusCode": "400"},
            },
            "methodIntegration": {
                "type": "HTTP", "httpMethod": "GET", "uri": "http://example.com/pets", "connectionType": "INTERNET",
                "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheKeyParameters": [],
                "cacheNamespace": namespace,
                "requestParameters": {"integration.request.querystring.page": "method.request.querystring.page"},
                "integrationResponses": {
                    "200": {"statusCode": "200", "responseParameters": {"method.response.header.X-Total": "'1'"}},
                    "400": {
                        "statusCode": "400", "selectionPattern": "4\\d{2}",
                        "responseTemplates": {"application/json": "{}"},
                    },
                },
            },
        });
        assert_eq!(*method, expected);
        let model = control.ok("GetModel", json!({"restApiId": api["id"], "modelName": "Pets"}));
        let address = format!("https://apigateway.amazonaws.com/restapis/{}/models/Pet", text(&api, "id"));
        let schema: Json = serde_json::from_str(&text(&model, "schema")).expect("JSON");
        assert_eq!(schema, json!({"type": "array", "items": {"$ref": address}}));
    }
}

#[test]
fn yaml_is_read_too() {
    let control = Control::new();
    let yaml = "swagger: 2.0\ninfo: {title: shop, version: 1.0}\npaths:\n  /a:\n    get:\n      responses:\n        \
                200: {description: fine}\n      x-amazon-apigateway-integration: {type: mock}\n";
    let api = control.ok("ImportRestApi", json!({"body": blob(yaml)}));
    assert_eq!(api["version"], "1.0");
    assert_eq!(resources(&control, &api)["/a"]["GET"]["methodIntegration"]["type"], "MOCK");
}

#[test]
fn base_paths() {
    let control = Control::new();
    let mut old = swagger(json!({"/test": {}}));
    old["basePath"] = json!("/base-path/part1/part2");
    let mut new = open_api(json!({"/test": {}}));
    new["servers"] = json!([{
        "url": "https://a.example/{basePath}", "variables": {"basePath": {"default": "base-path/part1/part2"}},
    }]);
    let cases =
        [("ignore", "/test"), ("prepend", "/base-path/part1/part2/test"), ("split", "/part1/part2/test")];
    for definition in [old, new] {
        for (mode, expected) in cases {
            let body = blob(&definition.to_string());
            let api = control.ok("ImportRestApi", json!({"body": body, "parameters": {"basepath": mode}}));
            assert_eq!(resources(&control, &api).keys().last().map(String::as_str), Some(expected));
        }
    }
    // AWS's words for this are not on record.
    let bad = json!({"body": blob("swagger: 2.0"), "parameters": {"basepath": "other"}});
    let refused =
        "BadRequestException 400: Invalid basepath specified. Valid options are ignore,prepend,split";
    assert_eq!(control.err("ImportRestApi", bad), refused);
}

#[test]
fn texts_that_are_no_definition() {
    let control = Control::new();
    let api = import(&control, &swagger(json!({})));
    let refused = "BadRequestException 400: Invalid OpenAPI input.";
    for bad in ["", "none", "[]", "{}", "swagger: 1.2", "openapi: [", "\u{0}"] {
        assert_eq!(control.err("ImportRestApi", json!({"body": blob(bad)})), refused, "{bad}");
        assert_eq!(control.err("PutRestApi", json!({"restApiId": api["id"], "body": blob(bad)})), refused);
    }
    let unknown = json!({"restApiId": "none", "body": blob("{}")});
    let no_api = "NotFoundException 404: Invalid API identifier specified 111111111111:none";
    assert_eq!(control.err("PutRestApi", unknown), no_api);
}

#[test]
fn errors_leave_nothing_behind() {
    let control = Control::new();
    let wrong = swagger(json!({
        "/a": {"get": {"x-amazon-apigateway-integration": {"type": "http", "httpMethod": "GET", "uri": "nowhere"}}},
        "/{proxy+}": {"x-amazon-apigateway-any-method": {
            "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "ANY", "uri": "nowhere"},
        }},
    }));
    // As a user of AWS reported it (github.com/ustayready/fireprox/issues/37).
    let refused = "BadRequestException 400: Errors found during import:\n\tUnable to put integration on 'GET' for \
                   resource at path '/a': Invalid HTTP endpoint specified for URI\n\tUnable to put integration on \
                   'ANY' for resource at path '/{proxy+}': Invalid HTTP endpoint specified for URI";
    assert_eq!(control.err("ImportRestApi", json!({"body": blob(&wrong.to_string())})), refused);
    assert_eq!(control.ok("GetRestApis", json!({}))["items"], json!([]));
    let api = import(&control, &swagger(json!({"/b": {}})));
    let put = json!({"restApiId": api["id"], "mode": "overwrite", "body": blob(&wrong.to_string())});
    assert_eq!(control.err("PutRestApi", put), refused);
    assert_eq!(resources(&control, &api).into_keys().collect::<Vec<_>>(), ["/", "/b"]);
}

#[test]
fn warnings_are_answered_or_refuse() {
    let control = Control::new();
    let definition = swagger(json!({"/test": {"get": {
        "responses": {"200": {"schema": {"$ref": "#/definitions/None"}}},
        "x-amazon-apigateway-integration": {
            "type": "http", "httpMethod": "GET", "uri": "http://example.com",
            "requestParameters": {"integration.request.header.nothing": true},
        },
    }}}));
    let warnings = [
        // The first as a user reported it, the second as recorded.
        "Reference to model 'None' not found. Ignoring.",
        "Invalid format for 'requestParameters'. Expected type string for property \
         'integration.request.header.nothing' of resource '/test' and method 'GET' but got 'true'",
    ];
    let api = import(&control, &definition);
    assert_eq!(api["warnings"], json!(warnings));
    let strict = json!({"body": blob(&definition.to_string()), "failOnWarnings": true});
    let refused =
        format!("BadRequestException 400: Warnings found during import:\n\t{}", warnings.join("\n\t"));
    assert_eq!(control.err("ImportRestApi", strict), refused);
    assert_eq!(control.ok("GetRestApis", json!({}))["items"].as_array().map(Vec::len), Some(1));
    // They are not the API's.
    assert_eq!(control.ok("GetRestApi", json!({"restApiId": api["id"]})).get("warnings"), None);
}

const URI: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:eu-west-1:111111111111:function:f/invocations";

#[test]
fn security() {
    let control = Control::new();
    let mut definition = swagger(json!({"/": {
        "get": {"security": [{"custom": []}]},
        "put": {"security": [{"pool": ["read", "write"]}, {"api_key": []}]},
        "post": {"security": [{"sigv4": []}]},
        "delete": {"x-amazon-apigateway-auth": {"type": "aws_iam"}, "security": []},
        "patch": {},
    }}));
    definition["security"] = json!([{"api_key": []}]);
    definition["securityDefinitions"] = json!({
        "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        "sigv4": {
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "custom": {
            "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "token", "authorizerUri": URI, "identityValidationExpression": "^x-",
            },
        },
        "pool": {
            "type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": ["arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_abc"],
            },
        },
    });
    let api = import(&control, &definition);
    let authorizers = control.ok("GetAuthorizers", json!({"restApiId": api["id"]}))["items"].clone();
    let by_name: BTreeMap<_, _> = authorizers
        .as_array()
        .expect("a list")
        .iter()
        .map(|authorizer| (text(authorizer, "name"), authorizer.clone()))
        .collect();
    let custom = json!({
        "name": "custom", "type": "TOKEN", "authType": "custom", "authorizerUri": URI,
        "identitySource": "method.request.header.X-Token", "identityValidationExpression": "^x-",
        "authorizerResultTtlInSeconds": 300,
    });
    assert_eq!(without(by_name["custom"].clone(), "id"), custom);
    assert_eq!(by_name["pool"]["type"], "COGNITO_USER_POOLS");
    let methods = resources(&control, &api)["/"].clone();
    let expected = [
        (
            "GET",
            json!({"authorizationType": "CUSTOM", "apiKeyRequired": false, "authorizerId": by_name["custom"]["id"]}),
        ),
        (
            "PUT",
            json!({
                "authorizationType": "COGNITO_USER_POOLS", "apiKeyRequired": true, "authorizerId": by_name["pool"]["id"],
                "authorizationScopes": ["read", "write"],
            }),
        ),
        ("POST", json!({"authorizationType": "AWS_IAM", "apiKeyRequired": false})),
        ("DELETE", json!({"authorizationType": "AWS_IAM", "apiKeyRequired": false})),
        ("PATCH", json!({"authorizationType": "NONE", "apiKeyRequired": true})),
    ];
    for (verb, expected) in expected {
        assert_eq!(methods[verb], with(expected, json!({"httpMethod": verb})));
    }
}

#[test]
fn extensions_of_the_api() {
    let control = Control::new();
    let mut definition =
        open_api(json!({"/": {"get": {}, "put": {"x-amazon-apigateway-request-validator": "body"}}}));
    let extensions = json!({
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-binary-media-types": ["image/png", "*/*"],
        "x-amazon-apigateway-minimum-compression-size": 1024,
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        ]},
        "x-amazon-apigateway-request-validators": {
            "body": {"validateRequestBody": true, "validateRequestParameters": false},
            "none": {"validateRequestBody": false, "validateRequestParameters": false},
        },
        "x-amazon-apigateway-request-validator": "none",
        "x-amazon-apigateway-gateway-responses": {"ACCESS_DENIED": {
            "statusCode": 418, "responseParameters": {"gatewayresponse.header.X": "'x'"},
            "responseTemplates": {"application/json": "{}"},
        }},
        "x-amazon-apigateway-security-policy": "TLS_1_2",
        "servers": [{"url": "/", "x-amazon-apigateway-endpoint-configuration": {
            "disableExecuteApiEndpoint": true, "vpcEndpointIds": ["vpce-1"],
        }}],
        "tags": [{"name": "label"}, {"name": "team", "x-amazon-apigateway-tag-value": "${AWS::Region}"}],
    });
    definition = with(definition, extensions);
    let parameters = json!({"endpointConfigurationTypes": "PRIVATE"});
    let api =
        control.ok("ImportRestApi", json!({"body": blob(&definition.to_string()), "parameters": parameters}));
    let id = text(&api, "id");
    let members = [
        ("apiKeySource", json!("AUTHORIZER")),
        ("binaryMediaTypes", json!(["image/png", "*/*"])),
        ("minimumCompressionSize", json!(1024)),
        ("disableExecuteApiEndpoint", json!(true)),
        ("securityPolicy", json!("TLS_1_2")),
        ("tags", json!({"team": "eu-west-1"})),
        (
            "endpointConfiguration",
            json!({"types": ["PRIVATE"], "ipAddressType": "dualstack", "vpcEndpointIds": ["vpce-1"]}),
        ),
    ];
    for (member, expected) in members {
        assert_eq!(api[member], expected, "{member}");
    }
    let arn = format!("arn:aws:execute-api:eu-west-1:111111111111:{id}/*");
    assert!(text(&api, "policy").contains(&arn), "{api}");
    let validators = control.ok("GetRequestValidators", json!({"restApiId": id}))["items"].clone();
    let id_of = |name: &str| {
        let mut all = validators.as_array().expect("a list").iter();
        all.find(|validator| validator["name"] == name).expect("it is there")["id"].clone()
    };
    let methods = resources(&control, &api)["/"].clone();
    assert_eq!(methods["GET"]["requestValidatorId"], id_of("none"));
    assert_eq!(methods["PUT"]["requestValidatorId"], id_of("body"));
    let response = json!({"restApiId": id, "responseType": "ACCESS_DENIED"});
    let expected = json!({
        "responseType": "ACCESS_DENIED", "statusCode": "418", "defaultResponse": false,
        "responseParameters": {"gatewayresponse.header.X": "'x'"}, "responseTemplates": {"application/json": "{}"},
    });
    assert_eq!(control.ok("GetGatewayResponse", response), expected);
}

#[test]
fn documentation_as_recorded() {
    let control = Control::new();
    let parts = json!([
        {"location": {"type": "API"}, "properties": {
            "description": "API description",
            "info": {"description": "API info description 4", "version": "API info version 3"},
        }},
        {"location": {"type": "METHOD", "method": "GET"}, "properties": {"description": "Method description."}},
        {"location": {"type": "MODEL", "name": "Empty"}, "properties": {"title": "Empty Schema"}},
        {"location": {"type": "RESPONSE", "method": "GET", "statusCode": "200"},
         "properties": {"description": "200 response"}},
    ]);
    let mut definition = open_api(json!({"/": {"get": {
        "description": "Method description.", "responses": {"200": {"description": "200 response"}},
    }}}));
    definition["info"]["description"] = json!("description");
    definition["x-amazon-apigateway-documentation"] =
        json!({"version": "1.0.3", "documentationParts": parts});
    let api = import(&control, &definition);
    let found = control.ok("GetDocumentationParts", json!({"restApiId": api["id"]}))["items"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(4), "{found}");
    let properties: Vec<Json> = each(&found, "properties")
        .into_iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    for part in parts.as_array().expect("a list") {
        assert!(properties.contains(&part["properties"]), "{part}");
    }
    let ignoring = json!({"body": blob(&definition.to_string()), "parameters": {"ignore": "documentation"}});
    let api = control.ok("ImportRestApi", ignoring);
    assert_eq!(control.ok("GetDocumentationParts", json!({"restApiId": api["id"]}))["items"], json!([]));
}

#[test]
fn merging_adds_and_overwriting_replaces() {
    let control = Control::new();
    let mock = json!({"x-amazon-apigateway-integration": {"type": "mock"}});
    let mut first = swagger(json!({"/a": {"get": mock, "put": mock}, "/b": {"get": mock}}));
    first["definitions"] = json!({"A": {"type": "object"}, "B": {"type": "object"}});
    first["x-amazon-apigateway-binary-media-types"] = json!(["image/png"]);
    first["x-amazon-apigateway-request-validators"] = json!({"v": {"validateRequestBody": true}});
    let api = import(&control, &first);
    let id_of = |path: &str| {
        let items = control.ok("GetResources", json!({"restApiId": api["id"]}))["items"].clone();
        let items = items.as_array().expect("a list").clone();
        items.into_iter().find(|item| item["path"] == path).map(|item| text(&item, "id"))
    };
    let a = id_of("/a");
    let mut second = swagger(json!({"/a": {"get": {"operationId": "new"}}, "/c": {}}));
    second["definitions"] = json!({"B": {"type": "array"}, "C": {"type": "object"}});
    second["x-amazon-apigateway-binary-media-types"] = json!(["image/jpeg"]);
    let put = |mode: &str| {
        let input = json!({"restApiId": api["id"], "mode": mode, "body": blob(&second.to_string())});
        control.ok("PutRestApi", input)
    };
    let names = || {
        let models = control.ok("GetModels", json!({"restApiId": api["id"]}))["items"].clone();
        each(&models, "name").join(" ")
    };
    let merged = put("merge");
    assert_eq!(merged["binaryMediaTypes"], json!(["image/png", "image/jpeg"]));
    assert_eq!(merged["tags"], json!({}));
    let found = resources(&control, &api);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/a", "/b", "/c"]);
    assert_eq!(found["/a"]["GET"]["operationName"], "new");
    assert_eq!(found["/a"]["PUT"]["methodIntegration"]["type"], "MOCK");
    assert_eq!((names(), id_of("/a")), ("A B C".into(), a.clone()));
    let overwritten = put("overwrite");
    assert_eq!(overwritten["binaryMediaTypes"], json!(["image/jpeg"]));
    assert_eq!(overwritten["rootResourceId"], api["rootResourceId"]);
    let found = resources(&control, &api);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["/", "/a", "/c"]);
    assert_eq!(found["/a"].as_object().map(serde_json::Map::len), Some(1));
    // AWS is not known to keep ids of resources; here those of the same path stay.
    assert_eq!((names(), id_of("/a")), ("B C".into(), a));
    assert_eq!(control.ok("GetRequestValidators", json!({"restApiId": api["id"]}))["items"], json!([]));
}
