//! Gateway responses: defaults, inheritance, texts as recorded.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, each, op, with};

const TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

fn of(kind: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "responseType": kind}), members)
}

fn default(kind: &str, status: Json) -> Json {
    let mut shown = json!({
        "defaultResponse": true,
        "responseParameters": {},
        "responseTemplates": {"application/json": TEMPLATE},
        "responseType": kind,
    });
    if !status.is_null() {
        shown["statusCode"] = status;
    }
    shown
}

/// The response of that type in a list of all.
fn find(list: &Json, kind: &str) -> Json {
    let items = list["items"].as_array().expect("a list");
    items.iter().find(|item| item["responseType"] == kind).expect("it is always listed").clone()
}

#[test]
fn all_types_have_their_defaults() {
    let control = Control::new();
    control.api();
    let list = control.ok("GetGatewayResponses", json!({"restApiId": API}));
    let kinds = each(&list["items"], "responseType");
    assert_eq!((kinds.len(), kinds.is_sorted()), (21, true));
    assert_eq!(find(&list, "DEFAULT_4XX"), default("DEFAULT_4XX", Json::Null));
    let cases = [
        ("MISSING_AUTHENTICATION_TOKEN", "403"),
        ("INTEGRATION_FAILURE", "504"),
        ("REQUEST_TOO_LARGE", "413"),
        ("THROTTLED", "429"),
        ("UNAUTHORIZED", "401"),
    ];
    for (kind, status) in cases {
        assert_eq!(find(&list, kind), default(kind, json!(status)));
        assert_eq!(control.ok("GetGatewayResponse", of(kind, json!({}))), default(kind, json!(status)));
    }
}

#[test]
fn what_is_not_put_is_the_default() {
    let control = Control::new();
    control.api();
    let kind = "MISSING_AUTHENTICATION_TOKEN";
    let full = json!({
        "statusCode": "404",
        "responseParameters": {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'a.b.c'",
            "gatewayresponse.header.x-request-query": "method.request.querystring.q",
        },
        "responseTemplates": {"application/json": "{}"},
    });
    let own = with(default(kind, json!("403")), json!({"defaultResponse": false}));
    for members in [full, json!({"statusCode": "404"}), json!({"responseTemplates": {"text/xml": "<x/>"}})] {
        let shown = with(own.clone(), members.clone());
        assert_eq!(control.ok("PutGatewayResponse", of(kind, members)), shown);
        assert_eq!(control.ok("GetGatewayResponse", of(kind, json!({}))), shown);
    }
    assert_eq!(control.ok("DeleteGatewayResponse", of(kind, json!({}))), Json::Null);
    assert_eq!(control.ok("GetGatewayResponse", of(kind, json!({}))), default(kind, json!("403")));
}

#[test]
fn a_family_inherits_from_its_default() {
    let control = Control::new();
    control.api();
    let family = json!({
        "statusCode": "599",
        "responseParameters": {"gatewayresponse.header.x-request-header": "method.request.header.Accept"},
        "responseTemplates": {"application/json": "{}"},
    });
    control.ok("PutGatewayResponse", of("DEFAULT_5XX", family.clone()));
    let own = json!({"responseParameters": {"gatewayresponse.header.foo": "'bar'"}});
    let put = control.ok("PutGatewayResponse", of("AUTHORIZER_FAILURE", own.clone()));
    let customised = with(default("AUTHORIZER_FAILURE", json!("500")), json!({"defaultResponse": false}));
    assert_eq!(put, with(customised, own));
    let list = control.ok("GetGatewayResponses", json!({"restApiId": API}));
    let inherited = with(default("INTEGRATION_TIMEOUT", json!("504")), family);
    assert_eq!(find(&list, "INTEGRATION_TIMEOUT"), inherited);
    assert_eq!(find(&list, "AUTHORIZER_FAILURE"), put);
    assert_eq!(find(&list, "THROTTLED"), default("THROTTLED", json!("429")));
    assert_eq!(find(&list, "DEFAULT_4XX"), default("DEFAULT_4XX", Json::Null));
}

#[test]
fn patches() {
    let control = Control::new();
    control.api();
    let patch = |kind: &str, operations: Json| of(kind, json!({"patchOperations": operations}));
    let changed = with(default("DEFAULT_4XX", json!("444")), json!({"defaultResponse": false}));
    let status = json!([op("replace", "/statusCode", "444")]);
    assert_eq!(control.ok("UpdateGatewayResponse", patch("DEFAULT_4XX", status)), changed);
    let origin = "gatewayresponse.header.Access-Control-Allow-Origin";
    let path = format!("/responseParameters/{origin}");
    let add = json!([op("add", &path, "'a'"), op("add", "/responseTemplates/application~1xml", "<x/>")]);
    let answer = control.ok("UpdateGatewayResponse", patch("DEFAULT_4XX", add));
    assert_eq!(answer["responseParameters"], json!({origin: "'a'"}));
    assert_eq!(answer["responseTemplates"], json!({"application/json": TEMPLATE, "application/xml": "<x/>"}));
    let none = |path: &str| json!({"op": "replace", "path": path});
    let cases = [
        (op("add", "/statusCode", "444"), "BadRequestException 400: Invalid patch path /statusCode"),
        (op("remove", "/statusCode", ""), "BadRequestException 400: Invalid patch path /statusCode"),
        (op("add", "/wrongPath", "x"), "BadRequestException 400: Invalid patch path /wrongPath"),
        (json!({"op": "add", "value": "x"}), "BadRequestException 400: Invalid patch path null"),
        (
            none("/responseTemplates/application~1xml"),
            "BadRequestException 400: Invalid null or empty value in responseTemplates",
        ),
        (none(&path), "BadRequestException 400: Invalid null or empty value in responseParameters"),
    ];
    for (operation, expected) in cases {
        assert_eq!(control.err("UpdateGatewayResponse", patch("DEFAULT_4XX", json!([operation]))), expected);
    }
    let absent = json!([op("replace", &path, "'example.com'")]);
    assert_eq!(
        control.err("UpdateGatewayResponse", patch("DEFAULT_5XX", absent)),
        "NotFoundException 404: Invalid parameter name specified"
    );
    let remove = json!([op("remove", &path, "")]);
    let removed = control.ok("UpdateGatewayResponse", patch("DEFAULT_4XX", remove));
    assert_eq!(removed["responseParameters"], json!({}));
}

#[test]
fn refusals() {
    let control = Control::new();
    control.api();
    let nowhere = with(of("UNAUTHORIZED", json!({})), json!({"restApiId": "fake"}));
    for verb in ["Get", "Put", "Update", "Delete"] {
        assert_eq!(
            control.err(&format!("{verb}GatewayResponse"), nowhere.clone()),
            "NotFoundException 404: Invalid API identifier specified 111111111111:fake"
        );
    }
    assert_eq!(
        control.err("DeleteGatewayResponse", of("UNAUTHORIZED", json!({}))),
        "NotFoundException 404: Gateway response type not defined on api"
    );
    let bad = json!({"responseParameters": {"gatewayresponse.header.a": "bare"}});
    assert_eq!(
        control.err("PutGatewayResponse", of("UNAUTHORIZED", bad)),
        "BadRequestException 400: Invalid mapping expression specified: Validation Result: warnings : [], errors : \
         [Invalid mapping expression specified: bare]"
    );
}
