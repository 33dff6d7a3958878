//! Importing, re-importing and exporting definitions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use stagedoor_state::definition;

use crate::control::{Control, each, text};

/// A definition as people write them.
pub(crate) const PETS: &str = r#"
openapi: 3.0.1
info: {title: pets, description: all pets, version: 1.0}
servers:
  - url: https://example.com/{basePath}
    variables: {basePath: {default: prod/v1}}
    x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}
tags:
  - {name: team, x-amazon-apigateway-tag-value: animals}
  - {name: a label}
paths:
  /pets:
    get:
      operationId: ListPets
      responses: {default: {description: all of them}}
      security: [{tokens: [pets.read]}]
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: get, uri: 'https://backend.example/pets', payloadFormatVersion: 1.0}
    post:
      responses: {default: {description: made}}
      x-amazon-apigateway-auth: {type: AWS_IAM}
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/function'}
  /pets/{id}:
    x-amazon-apigateway-any-method:
      responses: {default: {description: any}}
      security: [{function: []}]
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/function'}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      responses: {default: {description: else}}
components:
  x-amazon-apigateway-integrations:
    function:
      type: AWS_PROXY
      httpMethod: POST
      uri: arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:pets
      payloadFormatVersion: '2.0'
      timeoutInMillis: 5000
  securitySchemes:
    tokens:
      type: openIdConnect
      openIdConnectUrl: https://issuer.example/.well-known/openid-configuration
      x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {audience: [app]}}
    function:
      type: apiKey
      name: Authorization
      in: header
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: $request.header.Authorization, $context.routeKey
        authorizerUri: arn:aws:apigateway:eu-west-1:lambda:path/auth/invocations
        authorizerPayloadFormatVersion: 2.0
        authorizerResultTtlInSeconds: 300
        enableSimpleResponses: true
x-amazon-apigateway-cors: {allowOrigins: ['*'], allowMethods: GET, maxAge: 60}
"#;

/// The routes of an API by their key, each with its integration and its authorizer's name in place of ids.
pub(crate) fn routes(control: &Control, api: &Json) -> Json {
    let list = |operation: &str| {
        let items = control.ok(operation, json!({"ApiId": api, "MaxResults": "500"}))["Items"].take();
        serde_json::from_value::<Vec<Json>>(items).expect("a list")
    };
    let integrations = list("GetIntegrations");
    let authorizers = list("GetAuthorizers");
    let mut routes = serde_json::Map::new();
    for mut route in list("GetRoutes") {
        let members = route.as_object_mut().expect("an object");
        members.remove("RouteId");
        if let Some(target) = members.remove("Target") {
            let id = text(&target).replace("integrations/", "");
            let mut found = integrations
                .iter()
                .find(|it| it["IntegrationId"] == id.as_str())
                .expect("it is there")
                .clone();
            found.as_object_mut().expect("an object").remove("IntegrationId");
            members.insert("Integration".to_owned(), found);
        }
        if let Some(id) = members.remove("AuthorizerId") {
            let found = authorizers.iter().find(|it| it["AuthorizerId"] == id).expect("it is there");
            members.insert("Authorizer".to_owned(), found["Name"].clone());
        }
        let key = text(&members.remove("RouteKey").expect("it has a key"));
        routes.insert(key, route);
    }
    Json::Object(routes)
}

/// The text of an export.
pub(crate) fn exported(control: &Control, input: Json) -> String {
    let body = text(&control.ok("ExportApi", input)["body"]);
    String::from_utf8(STANDARD.decode(body).expect("blobs are base64")).expect("a definition is a text")
}

fn export(control: &Control, api: &Json, more: Json) -> Json {
    let mut input = json!({"ApiId": api, "Specification": "OAS30", "OutputType": "JSON"});
    for (key, value) in more.as_object().expect("an object") {
        input[key] = value.clone();
    }
    let body = exported(control, input);
    Json::Object(definition::read(&body).unwrap_or_else(|| panic!("no definition: {body}")))
}

#[test]
fn an_import_makes_everything_that_the_definition_describes() {
    let control = Control::new();
    let api = control.ok("ImportApi", json!({"Body": PETS}));
    let id = &api["ApiId"];
    assert_eq!((&api["Warnings"], &api["ImportInfo"]), (&Json::Null, &Json::Null));
    for (member, expected) in [
        ("Name", json!("pets")),
        ("Description", json!("all pets")),
        ("Version", json!("1.0")),
        ("ProtocolType", json!("HTTP")),
        ("DisableExecuteApiEndpoint", json!(true)),
        ("Tags", json!({"team": "animals"})),
        ("CorsConfiguration", json!({"AllowMethods": ["GET"], "AllowOrigins": ["*"], "MaxAge": 60})),
    ] {
        assert_eq!(api[member], expected, "{member}");
    }
    assert_eq!(control.ok("GetApi", json!({"ApiId": id})), api);

    let function = json!({
        "ConnectionType": "INTERNET", "IntegrationMethod": "POST", "IntegrationType": "AWS_PROXY",
        "IntegrationUri": "arn:aws:lambda:eu-west-1:123456789012:function:pets",
        "PayloadFormatVersion": "2.0", "TimeoutInMillis": 5000,
    });
    let expected = json!({
        "GET /pets": {
            "ApiKeyRequired": false, "AuthorizationScopes": ["pets.read"], "AuthorizationType": "JWT",
            "OperationName": "ListPets", "Authorizer": "tokens",
            "Integration": {
                "ConnectionType": "INTERNET", "IntegrationMethod": "GET", "IntegrationType": "HTTP_PROXY",
                "IntegrationUri": "https://backend.example/pets", "PayloadFormatVersion": "1.0",
                "TimeoutInMillis": 30000,
            },
        },
        "POST /pets": {"ApiKeyRequired": false, "AuthorizationType": "AWS_IAM", "Integration": function},
        "ANY /pets/{id}": {
            "ApiKeyRequired": false, "AuthorizationType": "CUSTOM", "Authorizer": "function", "Integration": function,
        },
        "$default": {"ApiKeyRequired": false, "AuthorizationType": "NONE"},
    });
    assert_eq!(routes(&control, id), expected);
    assert_eq!(
        control.ok("GetIntegrations", json!({"ApiId": id}))["Items"].as_array().map(Vec::len),
        Some(2)
    );
    let authorizers = control.ok("GetAuthorizers", json!({"ApiId": id}));
    let tokens = authorizers["Items"].as_array().expect("a list").iter().find(|it| it["Name"] == "tokens");
    let tokens = tokens.expect("it was made");
    assert_eq!(tokens["JwtConfiguration"], json!({"Audience": ["app"], "Issuer": "https://issuer.example"}));
    assert_eq!(tokens["IdentitySource"], json!(["$request.header.Authorization"]));
}

#[test]
fn base_paths_are_ignored_prepended_or_split() {
    let control = Control::new();
    for (mode, expected) in
        [("ignore", "GET /pets"), ("prepend", "GET /prod/v1/pets"), ("split", "GET /v1/pets")]
    {
        let api = control.ok("ImportApi", json!({"Body": PETS, "Basepath": mode}));
        let keys = each(&control.ok("GetRoutes", json!({"ApiId": api["ApiId"]})), "RouteKey");
        assert!(keys.iter().any(|key| key == expected), "{mode}: {keys:?}");
        assert!(keys.iter().any(|key| key == "$default"), "{mode}: {keys:?}");
    }
    let refusal = control.err("ImportApi", json!({"Body": PETS, "Basepath": "other"}));
    assert!(refusal.starts_with("BadRequestException 400: Invalid basepath specified: other"), "{refusal}");
}

#[test]
fn what_is_wrong_is_left_out_and_said() {
    let control = Control::new();
    let definition = json!({
        "openapi": "3.0.3",
        "info": {"title": "a", "version": "1"},
        "paths": {
            "/good": {"get": {"responses": {}, "requestBody": {}}},
            "/silent": {"get": {}},
            "/mock": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "MOCK"}}},
            "/mapped": {"get": {"responses": {}, "x-amazon-apigateway-integration": {
                "type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://example.com",
                "payloadFormatVersion": "1.0", "requestParameters": {"append:header.a": "${request.header.b"},
            }}},
            "/locked": {"get": {"responses": {}, "security": [{"broken": []}]}},
            "/plain": {"get": {"responses": {}, "security": [{"plain": []}]}},
            "/{a}": {"get": {"responses": {}}},
            "/{b}": {"get": {"responses": {}}},
        },
        "components": {"securitySchemes": {
            "broken": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}},
            "plain": {"type": "http", "scheme": "basic"},
        }},
    });
    let body = definition.to_string();
    let api = control.ok("ImportApi", json!({"Body": body}));
    let warnings = json!([
        "Unable to create authorizer 'broken': JwtConfiguration requires between 1 and 50 audiences. Ignoring.",
        "Parse issue: attribute paths.'/silent'(get).responses is missing",
        "Unable to create route 'GET /mock': Currently, an API with a protocol type of HTTP may only be associated \
         with proxy integrations (AWS_PROXY, HTTP_PROXY). Ignoring.",
        "Unable to create route 'GET /mapped': Invalid mapping expression specified: Validation Result: warnings : [], \
         errors : [Invalid mapping expression specified: ${request.header.b]. Ignoring.",
        "Unable to create route 'GET /locked': its authorizer 'broken' could not be created. Ignoring.",
        "Unable to create route 'GET /{b}': The provided route key \"GET /{b}\" has a conflicting variable on the \
         same hierarchical level as \"GET /{a}\". Ignoring.",
    ]);
    assert_eq!(api["Warnings"], warnings);
    let infos = json!([
        "Security scheme 'plain' is not supported. Ignoring.",
        "'requestBody' of route 'GET /good' is not supported. Ignoring.",
    ]);
    assert_eq!(api["ImportInfo"], infos);
    let mut keys = each(&control.ok("GetRoutes", json!({"ApiId": api["ApiId"]})), "RouteKey");
    keys.sort();
    assert_eq!(keys, ["GET /good", "GET /plain", "GET /silent", "GET /{a}"]);
    assert_eq!(control.ok("GetApi", json!({"ApiId": api["ApiId"]})).get("Warnings"), None);

    let before = control.ok("GetApis", json!({}));
    let refusal = control.err("ImportApi", json!({"Body": body, "FailOnWarnings": true}));
    assert!(
        refusal.starts_with(
            "BadRequestException 400: Warnings found during import:\n\tUnable to create authorizer"
        ),
        "{refusal}"
    );
    assert_eq!(control.ok("GetApis", json!({})), before);
}

#[test]
fn refused_definitions() {
    let control = Control::new();
    let invalid = "BadRequestException 400: Invalid OpenAPI input.";
    let version = "BadRequestException 400: Invalid OpenAPI input. Only OpenAPI 3.0 definitions are supported for HTTP APIs";
    for (body, refusal) in [
        ("nothing", invalid),
        ("{", invalid),
        ("openapi: 3.0.1", invalid),
        (r#"{"swagger": "2.0", "info": {"title": "a"}, "paths": {}}"#, version),
        (r#"{"openapi": "3.0.1", "paths": {}}"#, "BadRequestException 400: Invalid API name specified"),
    ] {
        assert_eq!(control.err("ImportApi", json!({"Body": body})), refusal, "{body}");
    }
    control.websocket_api("w");
    for (operation, input) in [
        ("ReimportApi", json!({"ApiId": "w", "Body": PETS})),
        ("ExportApi", json!({"ApiId": "w", "Specification": "OAS30", "OutputType": "JSON"})),
    ] {
        let refusal = control.err(operation, input);
        assert!(refusal.ends_with("is only supported for HTTP APIs"), "{refusal}");
    }
    let many: serde_json::Map<String, Json> =
        (0..301).map(|at| (format!("/{at}"), json!({"get": {"responses": {}}}))).collect();
    let body = json!({"openapi": "3.0.1", "info": {"title": "a"}, "paths": many}).to_string();
    let refusal = control.err("ImportApi", json!({"Body": body}));
    assert!(refusal.starts_with("TooManyRequestsException 429: Maximum number of Routes"), "{refusal}");
    assert_eq!(
        control.ok("GetApis", json!({}))["Items"].as_array().map(Vec::len),
        Some(1),
        "nothing was stored"
    );
}

#[test]
fn a_reimport_replaces_and_keeps_ids_and_stages() {
    let control = Control::new();
    let api = control.ok("ImportApi", json!({"Body": PETS}));
    let id = &api["ApiId"];
    control.ok("CreateStage", json!({"ApiId": id, "StageName": "auto", "AutoDeploy": true}));
    let route = |key: &str| {
        let routes = control.ok("GetRoutes", json!({"ApiId": id}));
        routes["Items"].as_array().expect("a list").iter().find(|route| route["RouteKey"] == key).cloned()
    };
    let before = route("GET /pets").expect("it is there");
    let deployed = control.ok("GetStage", json!({"ApiId": id, "StageName": "auto"}))["DeploymentId"].clone();

    let definition = json!({
        "openapi": "3.0.1", "info": {"title": "fewer", "version": "2"},
        "paths": {"/pets": {"get": {"responses": {}}}},
    });
    control.wait(5);
    let after = control.ok("ReimportApi", json!({"ApiId": id, "Body": definition.to_string()}));
    assert_eq!(
        (&after["ApiId"], &after["CreatedDate"], &after["Name"]),
        (id, &api["CreatedDate"], &json!("fewer"))
    );
    assert_eq!(after.get("CorsConfiguration"), None);
    assert_eq!(after["Tags"], json!({"team": "animals"}));
    let kept = route("GET /pets").expect("it is there");
    assert_eq!(kept["RouteId"], before["RouteId"]);
    assert_eq!((kept["AuthorizationType"].clone(), kept.get("Target")), (json!("NONE"), None));
    for list in ["GetIntegrations", "GetAuthorizers"] {
        assert_eq!(control.ok(list, json!({"ApiId": id})), json!({"Items": []}), "{list}");
    }
    let redeployed =
        control.ok("GetStage", json!({"ApiId": id, "StageName": "auto"}))["DeploymentId"].clone();
    assert_ne!(redeployed, deployed);
    let unknown = control.err("ReimportApi", json!({"ApiId": "nowhere", "Body": PETS}));
    assert_eq!(unknown, "NotFoundException 404: Invalid API identifier specified 123456789012:nowhere");
}

#[test]
fn an_export_reads_like_those_of_aws() {
    let control = Control::new();
    let api = json!({"Name": "pets", "ProtocolType": "HTTP", "Version": "1", "Tags": {"stagedoor:id": "a"}});
    control.ok("CreateApi", api);
    let integration = control.proxy("a");
    let target = format!("integrations/{integration}");
    control.ok("CreateRoute", json!({"ApiId": "a", "RouteKey": "GET /pets/{id}", "Target": target}));
    control.route("a", "ANY /{rest+}");
    let expected = json!({
        "openapi": "3.0.1",
        "info": {"title": "pets", "version": "1"},
        "servers": [{
            "url": "http://a.execute-api.eu-west-1.localhost:4566/{basePath}",
            "variables": {"basePath": {"default": ""}},
        }],
        "paths": {
            "/pets/{id}": {
                "get": {
                    "responses": {"default": {"description": "Default response for GET /pets/{id}"}},
                    "x-amazon-apigateway-integration": {
                        "payloadFormatVersion": "1.0", "type": "http_proxy", "httpMethod": "ANY",
                        "uri": "https://example.com", "connectionType": "INTERNET", "timeoutInMillis": 30000,
                    },
                },
                "parameters": [{
                    "name": "id", "in": "path", "description": "Generated path parameter for id",
                    "required": true, "schema": {"type": "string"},
                }],
            },
            "/{rest+}": {
                "x-amazon-apigateway-any-method": {
                    "responses": {"default": {"description": "Default response for ANY /{rest+}"}},
                },
                "parameters": [{
                    "name": "rest", "in": "path", "description": "Generated path parameter for rest",
                    "required": true, "schema": {"type": "string"},
                }],
            },
        },
        "x-amazon-apigateway-importexport-version": "1.0",
    });
    assert_eq!(export(&control, &json!("a"), json!({})), expected);
    assert_eq!(export(&control, &json!("a"), json!({"OutputType": "YAML"})), expected);

    let plain = export(&control, &json!("a"), json!({"IncludeExtensions": false}));
    let paths: Vec<_> = plain["paths"].as_object().expect("an object").keys().collect();
    assert_eq!(paths, ["/pets/{id}"]);
    assert!(!plain.to_string().contains("x-amazon"), "{plain}");

    let version =
        json!({"ApiId": "a", "Specification": "OAS30", "OutputType": "JSON", "ExportVersion": "2.0"});
    let refusal = "BadRequestException 400: Invalid exportVersion specified. Must be 1.0";
    assert_eq!(control.err("ExportApi", version), refusal);
}

#[test]
fn an_export_of_a_stage_is_what_the_stage_serves() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /old");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "prod"}));
    let stage = json!({"StageName": "prod"});
    let input = json!({"ApiId": "a", "Specification": "OAS30", "OutputType": "JSON", "StageName": "prod"});
    let refusal = control.err("ExportApi", input);
    assert_eq!(refusal, "BadRequestException 400: Deployment id does not exist");
    control.ok("CreateDeployment", json!({"ApiId": "a", "StageName": "prod"}));
    control.route("a", "GET /new");
    let exported = export(&control, &json!("a"), stage);
    assert_eq!(exported["paths"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(exported["servers"][0]["variables"]["basePath"]["default"], "/prod");
    let latest = export(&control, &json!("a"), json!({}));
    assert_eq!(latest["paths"].as_object().map(serde_json::Map::len), Some(2));
}
