//! APIs: what they show, what an update changes, their errors.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway::RestApi;

use crate::control::{Control, START, each, is_id};

const UNKNOWN: &str = "NotFoundException 404: Invalid API identifier specified 123456789012:nowhere";

#[test]
fn a_fresh_http_api_shows_its_defaults() {
    let control = Control::new();
    let created = control.ok("CreateApi", json!({"Name": "pets", "ProtocolType": "HTTP"}));
    let id = created["ApiId"].as_str().expect("it has an id");
    assert!(is_id(&created["ApiId"], 10), "{id}");
    let expected = json!({
        "ApiEndpoint": format!("http://{id}.execute-api.eu-west-1.localhost:4566"),
        "ApiId": id,
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "CreatedDate": START,
        "DisableExecuteApiEndpoint": false,
        "IpAddressType": "ipv4",
        "Name": "pets",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": {},
    });
    assert_eq!(created, expected);
    assert_eq!(control.ok("GetApi", json!({"ApiId": id})), expected);
    assert_eq!(control.ok("GetApis", json!({})), json!({"Items": [expected]}));
}

#[test]
fn a_websocket_api_echoes_its_selection_and_has_a_socket_address() {
    let control = Control::new();
    control.websocket_api("chat");
    let api = control.ok("GetApi", json!({"ApiId": "chat"}));
    assert_eq!(api["RouteSelectionExpression"], "$request.body.action");
    assert_eq!(api["ApiEndpoint"], "ws://chat.execute-api.eu-west-1.localhost:4566");
    assert_eq!(api["ProtocolType"], "WEBSOCKET");
}

#[test]
fn refused_apis() {
    let control = Control::new();
    let long = "x".repeat(129);
    let cors = |cors: Json| json!({"Name": "a", "ProtocolType": "HTTP", "CorsConfiguration": cors});
    let cases = [
        (json!({"Name": "", "ProtocolType": "HTTP"}), "Invalid API name specified"),
        (json!({"Name": long, "ProtocolType": "HTTP"}), "Invalid API name specified"),
        (
            json!({"Name": "a", "ProtocolType": "WEBSOCKET"}),
            "RouteSelectionExpression is required for WEBSOCKET protocol",
        ),
        (
            json!({"Name": "a", "ProtocolType": "HTTP", "RouteSelectionExpression": "$request.body.action"}),
            r#"Route selection expression is currently limited to "${request.method} ${request.path}""#,
        ),
        (
            json!({
                "Name": "a", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action",
                "CorsConfiguration": {},
            }),
            "CORS configuration is only supported for HTTP APIs",
        ),
        (
            cors(json!({"AllowCredentials": true, "AllowOrigins": ["*"]})),
            "allow-credentials is not supported if 'allow-origin' is *",
        ),
        (
            json!({"Name": "a", "ProtocolType": "HTTP", "Tags": {"aws:x": "y"}}),
            "Invalid tag key specified. Keys that begin with aws: are reserved for system use",
        ),
        (
            json!({"Name": "a", "ProtocolType": "HTTP", "Tags": {"stagedoor:id": "not-an-id"}}),
            "Invalid tag stagedoor:id specified. An identifier has 1 to 40 letters and digits",
        ),
        (
            json!({"Name": "a", "ProtocolType": "HTTP", "Description": "x".repeat(1025)}),
            "Invalid description specified, can be at most 1024 characters",
        ),
    ];
    for (input, message) in cases {
        assert_eq!(control.err("CreateApi", input), format!("BadRequestException 400: {message}"));
    }
    assert_eq!(control.ok("GetApis", json!({})), json!({"Items": []}));
}

#[test]
fn both_spellings_of_the_http_selection_are_accepted() {
    let control = Control::new();
    let braced = "${request.method} ${request.path}";
    let input = json!({"Name": "a", "ProtocolType": "HTTP", "RouteSelectionExpression": braced});
    assert_eq!(control.ok("CreateApi", input)["RouteSelectionExpression"], braced);
}

#[test]
fn a_chosen_id_is_taken_once() {
    let control = Control::new();
    control.http_api("mine");
    let again = json!({"Name": "b", "ProtocolType": "HTTP", "Tags": {"stagedoor:id": "mine"}});
    let taken = "ConflictException 409: An API with the identifier mine already exists";
    assert_eq!(control.err("CreateApi", again), taken);

    control.documents(|documents| documents.put(&["rest1"], &RestApi::default()));
    let rest = json!({"Name": "b", "ProtocolType": "HTTP", "Tags": {"stagedoor:id": "rest1"}});
    assert!(control.err("CreateApi", rest).starts_with("ConflictException"), "REST APIs share the addresses");
}

#[test]
fn an_update_merges() {
    let control = Control::new();
    let cors = json!({"AllowOrigins": ["https://example.com"], "MaxAge": 60});
    let created = control.ok(
        "CreateApi",
        json!({
            "Name": "a", "ProtocolType": "HTTP", "Description": "d", "Version": "1", "CorsConfiguration": cors,
        }),
    );
    let id = &created["ApiId"];
    let mut expected = created.clone();
    assert_eq!(control.ok("UpdateApi", json!({"ApiId": id})), expected, "nothing given, nothing changed");

    let update = json!({"ApiId": id, "Name": "b", "Description": "", "DisableExecuteApiEndpoint": true});
    expected["Name"] = json!("b");
    expected["DisableExecuteApiEndpoint"] = json!(true);
    expected.as_object_mut().expect("an object").remove("Description");
    assert_eq!(control.ok("UpdateApi", update), expected);

    let update = json!({"ApiId": id, "CorsConfiguration": {"AllowMethods": ["GET"]}});
    expected["CorsConfiguration"] = json!({"AllowMethods": ["GET"]});
    assert_eq!(control.ok("UpdateApi", update), expected, "CORS is replaced as a whole");

    let refused = json!({"ApiId": id, "Name": ""});
    let message = "BadRequestException 400: Invalid API name specified";
    assert_eq!(control.err("UpdateApi", refused), message);
    assert_eq!(control.ok("GetApi", json!({"ApiId": id})), expected);
}

#[test]
fn deleting_cors_removes_that_and_nothing_else() {
    let control = Control::new();
    let cors = json!({"AllowOrigins": ["*"]});
    let input = json!({"Name": "a", "ProtocolType": "HTTP", "CorsConfiguration": cors, "Version": "1"});
    let mut expected = control.ok("CreateApi", input);
    let id = expected["ApiId"].clone();
    assert_eq!(control.ok("DeleteCorsConfiguration", json!({"ApiId": id})), Json::Null);
    expected.as_object_mut().expect("an object").remove("CorsConfiguration");
    assert_eq!(control.ok("GetApi", json!({"ApiId": id})), expected);
    control.ok("DeleteCorsConfiguration", json!({"ApiId": id}));
}

#[test]
fn deleting_an_api_deletes_what_belongs_to_it() {
    let control = Control::new();
    for api in ["a", "ab"] {
        control.http_api(api);
        control.proxy(api);
        control.route(api, "$default");
        control.ok("CreateStage", json!({"ApiId": api, "StageName": "$default", "AutoDeploy": true}));
    }
    assert_eq!(control.ok("DeleteApi", json!({"ApiId": "a"})), Json::Null);
    assert_eq!(each(&control.ok("GetApis", json!({})), "ApiId"), ["ab"]);
    control.http_api("a");
    for list in ["GetIntegrations", "GetRoutes", "GetStages", "GetDeployments"] {
        assert_eq!(control.ok(list, json!({"ApiId": "a"})), json!({"Items": []}), "{list}");
        assert_eq!(
            control.ok(list, json!({"ApiId": "ab"}))["Items"].as_array().map(Vec::len),
            Some(1),
            "{list}"
        );
    }
}

#[test]
fn unknown_apis() {
    let control = Control::new();
    for operation in [
        "GetApi",
        "UpdateApi",
        "DeleteApi",
        "DeleteCorsConfiguration",
        "GetIntegrations",
        "GetRoutes",
        "GetStages",
        "GetDeployments",
        "CreateDeployment",
        "GetAuthorizers",
        "GetModels",
    ] {
        assert_eq!(control.err(operation, json!({"ApiId": "nowhere"})), UNKNOWN, "{operation}");
    }
    for (operation, more) in [
        ("CreateRoute", json!({"ApiId": "nowhere", "RouteKey": "$default"})),
        ("CreateStage", json!({"ApiId": "nowhere", "StageName": "$default"})),
        ("CreateIntegration", json!({"ApiId": "nowhere", "IntegrationType": "MOCK"})),
        ("GetStage", json!({"ApiId": "nowhere", "StageName": "x"})),
        ("ResetAuthorizersCache", json!({"ApiId": "nowhere", "StageName": "x"})),
        ("CreateModel", json!({"ApiId": "nowhere", "Name": "a", "Schema": "{}"})),
        ("GetModelTemplate", json!({"ApiId": "nowhere", "ModelId": "x"})),
        ("DeleteAuthorizer", json!({"ApiId": "nowhere", "AuthorizerId": "x"})),
        ("ExportApi", json!({"ApiId": "nowhere", "Specification": "OAS30", "OutputType": "JSON"})),
    ] {
        assert_eq!(control.err(operation, more), UNKNOWN, "{operation}");
    }
}
