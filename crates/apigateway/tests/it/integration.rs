//! Integrations: what each type keeps, and where it may point.

use serde_json::{Value as Json, json};

use crate::control::{Control, on, op, with, without};

/// A control plane with a `GET` method on the root resource, and that resource.
fn prepared() -> (Control, String) {
    let control = Control::new();
    let root = control.api();
    let parameters = json!({"method.request.querystring.q": false, "method.request.path.p": true});
    control.ok("PutMethod", on(&root, json!({"authorizationType": "NONE", "requestParameters": parameters})));
    (control, root)
}

fn http(members: Json) -> Json {
    with(
        json!({"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://127.0.0.1:8080/"}),
        members,
    )
}

fn defaults(root: &str) -> Json {
    json!({
        "cacheKeyParameters": [],
        "cacheNamespace": root,
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
    })
}

#[test]
fn what_each_type_keeps() {
    let (control, root) = prepared();
    let put = |members: Json| control.ok("PutIntegration", on(&root, members));
    let templates = json!({"application/json": "{\"statusCode\": 200}"});
    let everything = json!({
        "type": "MOCK",
        "integrationHttpMethod": "GET",
        "uri": "http://dropped",
        "connectionType": "INTERNET",
        "requestTemplates": templates,
    });
    let mock = with(defaults(&root), json!({"type": "MOCK", "requestTemplates": templates}));
    assert_eq!(put(everything), mock);
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://127.0.0.1:8080/"});
    let proxy = with(defaults(&root), proxy);
    assert_eq!(put(http(json!({}))), with(proxy.clone(), json!({"connectionType": "INTERNET"})));
    let link = json!({"connectionType": "VPC_LINK", "connectionId": "${stageVariables.vpcLinkId}"});
    assert_eq!(put(http(link.clone())), with(proxy, link));
    let uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
               arn:aws:lambda:eu-west-1:111111111111:function:f/invocations";
    let lambda = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri});
    let shown = with(defaults(&root), json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri}));
    assert_eq!(put(lambda), shown);
    assert_eq!(control.ok("GetIntegration", on(&root, json!({}))), shown);
    assert_eq!(control.ok("GetMethod", on(&root, json!({})))["methodIntegration"], shown);
}

#[test]
fn unknown_places() {
    let (control, root) = prepared();
    let cases = [
        (json!({"restApiId": "wrong"}), "Invalid Resource identifier specified"),
        (json!({"resourceId": "wrong"}), "Invalid Resource identifier specified"),
        (json!({"httpMethod": "POST"}), "Invalid Method identifier specified"),
        (json!({}), "Invalid Integration identifier specified"),
    ];
    for operation in ["GetIntegration", "UpdateIntegration", "DeleteIntegration"] {
        for (members, message) in &cases {
            let refusal = control.err(operation, on(&root, members.clone()));
            assert_eq!(refusal, format!("NotFoundException 404: {message}"), "{operation}");
        }
    }
    for (members, message) in &cases[..3] {
        let refusal =
            control.err("PutIntegration", with(on(&root, json!({"type": "MOCK"})), members.clone()));
        assert_eq!(refusal, format!("NotFoundException 404: {message}"));
    }
}

#[test]
fn deleting() {
    let (control, root) = prepared();
    control.ok("PutIntegration", on(&root, json!({"type": "MOCK"})));
    assert_eq!(control.ok("DeleteIntegration", on(&root, json!({}))), Json::Null);
    assert_eq!(control.ok("GetMethod", on(&root, json!({}))).get("methodIntegration"), None);
}

#[test]
fn putting_is_refused() {
    let (control, root) = prepared();
    let aws = |uri: &str, kind: &str| json!({"type": kind, "integrationHttpMethod": "POST", "uri": uri});
    let apigateway = "arn:aws:apigateway:eu-west-1";
    let lambda_only = "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.";
    let mapping = |error: &str| {
        format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [{error}]")
    };
    let undeclared = mapping("Invalid mapping expression parameter specified: method.request.querystring.x");
    let bad_name =
        mapping("Parameter name should match the following regular expression: ^[a-zA-Z0-9._$-]+$");
    let no_verb = "Enumeration value for HttpMethod must be non-empty";
    let cases = [
        (without(http(json!({})), "integrationHttpMethod"), no_verb),
        (json!({"type": "AWS", "uri": "arn:x"}), no_verb),
        (http(json!({"uri": "not a url"})), "Invalid HTTP endpoint specified for URI"),
        (without(http(json!({})), "uri"), "Invalid HTTP endpoint specified for URI"),
        (aws("lambda", "AWS"), "Invalid ARN specified in the request"),
        (aws("lambda", "AWS_PROXY"), "Invalid ARN specified in the request"),
        (
            aws("arn:aws:lambda:eu-west-1:111111111111:function:f", "AWS_PROXY"),
            "AWS ARN for integration must contain path or action",
        ),
        (
            aws(&format!("{apigateway}:lambda:test/x"), "AWS_PROXY"),
            "AWS ARN for integration must contain path or action",
        ),
        (aws(&format!("{apigateway}:firehose:path/2015-03-31/x"), "AWS_PROXY"), lambda_only),
        (aws(&format!("{apigateway}:lambda:path/2015-03-31/functions/f"), "AWS_PROXY"), lambda_only),
        (
            aws(&format!("{apigateway}:sqs:path/111111111111/q"), "AWS"),
            "Role ARN must be specified for AWS integrations",
        ),
        (http(json!({"timeoutInMillis": 49})), "Timeout should be between 50 ms and 29000 ms"),
        (http(json!({"timeoutInMillis": 29001})), "Timeout should be between 50 ms and 29000 ms"),
        (
            http(
                json!({"requestParameters": {"integration.request.header.h": "method.request.querystring.x"}}),
            ),
            undeclared.as_str(),
        ),
        (http(json!({"requestParameters": {"integration.request.header.h h": "'x'"}})), bad_name.as_str()),
        (
            http(json!({"cacheKeyParameters": ["method.request.querystring.x"]})),
            "Invalid cache key parameter specified: method.request.querystring.x",
        ),
        (
            json!({"type": "MOCK", "requestTemplates": {"123": "{}"}}),
            "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
        ),
    ];
    for (members, message) in cases {
        let refusal = control.err("PutIntegration", on(&root, members.clone()));
        assert_eq!(refusal, format!("BadRequestException 400: {message}"), "{members}");
    }
    let foreign = with(
        aws(&format!("{apigateway}:sqs:path/111111111111/q"), "AWS"),
        json!({"credentials": "arn:aws:iam::222222222222:role/r"}),
    );
    assert_eq!(
        control.err("PutIntegration", on(&root, foreign)),
        "AccessDeniedException 403: Cross-account pass role is not allowed."
    );
}

#[test]
fn updating() {
    let (control, root) = prepared();
    let link = json!({"connectionType": "VPC_LINK", "connectionId": "${stageVariables.vpcLinkId}"});
    let before = control.ok("PutIntegration", on(&root, http(link)));
    let update =
        |operations: Json| control.ok("UpdateIntegration", on(&root, json!({"patchOperations": operations})));
    let beta = "${stageVariables.vpcLinkIdBeta}";
    let after = update(json!([op("replace", "/connectionId", beta)]));
    assert_eq!(after, with(before, json!({"connectionId": beta})));
    let changed = update(json!([
        op("replace", "/timeoutInMillis", "1000"),
        op("replace", "/uri", "http://127.0.0.1:8080/{p}"),
        op("replace", "/passthroughBehavior", "NEVER"),
        op("replace", "/contentHandling", "CONVERT_TO_TEXT"),
        op("replace", "/tlsConfig/insecureSkipVerification", "true"),
        op("replace", "/connectionType", "INTERNET"),
        op("add", "/requestParameters/integration.request.path.p", "method.request.path.p"),
        op("add", "/requestTemplates/application~1json", "{}"),
        op("add", "/cacheKeyParameters/method.request.querystring.q", ""),
    ]));
    let expected = json!({
        "type": "HTTP_PROXY",
        "httpMethod": "GET",
        "uri": "http://127.0.0.1:8080/{p}",
        "connectionType": "INTERNET",
        "timeoutInMillis": 1000,
        "passthroughBehavior": "NEVER",
        "contentHandling": "CONVERT_TO_TEXT",
        "tlsConfig": {"insecureSkipVerification": true},
        "requestParameters": {"integration.request.path.p": "method.request.path.p"},
        "requestTemplates": {"application/json": "{}"},
        "cacheKeyParameters": ["method.request.querystring.q"],
    });
    assert_eq!(changed, with(defaults(&root), expected));

    let refused = |operation: Json| {
        control.err("UpdateIntegration", on(&root, json!({"patchOperations": [operation]})))
    };
    let cases = [
        (op("replace", "/type", "MOCK"), "BadRequestException 400: Invalid patch path /type"),
        (
            op("remove", "/uri", ""),
            "BadRequestException 400: Invalid patch operation specified. Must be one of: [replace]",
        ),
        (op("replace", "/uri", "x"), "BadRequestException 400: Invalid HTTP endpoint specified for URI"),
        (
            op("replace", "/timeoutInMillis", "soon"),
            "BadRequestException 400: Timeout should be between 50 ms and 29000 ms",
        ),
        (
            op("remove", "/requestTemplates/text~1plain", ""),
            "NotFoundException 404: Content-Type specified was not found",
        ),
    ];
    for (operation, expected) in cases {
        assert_eq!(refused(operation), expected);
    }
}
