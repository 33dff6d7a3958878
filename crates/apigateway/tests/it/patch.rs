//! Whatever operations a patch names, it is applied as a whole or not at all, and it never ends the server.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::control::{API, Control, on, with};

/// The nouns and paths that each of them takes.
const NOUNS: &[(&str, &[&str])] = &[
    (
        "RestApi",
        &[
            "/binaryMediaTypes/image~1png",
            "/description",
            "/endpointConfiguration/ipAddressType",
            "/endpointConfiguration/types/0",
            "/endpointConfiguration/types/EDGE",
            "/endpointConfiguration/vpcEndpointIds",
            "/minimumCompressionSize",
            "/name",
            "/policy",
        ],
    ),
    ("Resource", &["/parentId", "/pathPart"]),
    (
        "Method",
        &[
            "/apiKeyRequired",
            "/authorizationScopes",
            "/authorizationType",
            "/authorizerId",
            "/operationName",
            "/requestModels/application~1json",
            "/requestParameters/method.request.querystring.q",
            "/requestValidatorId",
        ],
    ),
    (
        "MethodResponse",
        &["/responseModels/application~1json", "/responseParameters/method.response.header.h"],
    ),
    (
        "Integration",
        &[
            "/cacheKeyParameters/method.request.querystring.q",
            "/cacheNamespace",
            "/connectionType",
            "/contentHandling",
            "/passthroughBehavior",
            "/requestParameters/integration.request.header.h",
            "/requestTemplates/application~1json",
            "/timeoutInMillis",
            "/tlsConfig/insecureSkipVerification",
            "/uri",
        ],
    ),
    (
        "IntegrationResponse",
        &[
            "/contentHandling",
            "/responseParameters/method.response.header.h",
            "/responseTemplates/application~1json",
            "/selectionPattern",
        ],
    ),
    ("Deployment", &["/description"]),
    ("Account", &["/cloudwatchRoleArn", "/features"]),
    ("ApiKey", &["/customerId", "/description", "/enabled", "/name", "/stages"]),
    (
        "Authorizer",
        &[
            "/authType",
            "/authorizerResultTtlInSeconds",
            "/authorizerUri",
            "/identitySource",
            "/name",
            "/providerARNs",
            "/type",
        ],
    ),
    ("DocumentationPart", &["/properties"]),
    ("VpcLink", &["/description", "/name"]),
    ("Model", &["/description", "/schema"]),
    ("RequestValidator", &["/name", "/validateRequestBody", "/validateRequestParameters"]),
    (
        "GatewayResponse",
        &[
            "/responseParameters/gatewayresponse.header.h",
            "/responseTemplates/application~1json",
            "/statusCode",
        ],
    ),
    (
        "UsagePlan",
        &[
            "/apiStages",
            "/apiStages/api1:dev/throttle",
            "/apiStages/api1:dev/throttle/~1/GET",
            "/apiStages/api1:dev/throttle/~1/GET/rateLimit",
            "/description",
            "/name",
            "/productCode",
            "/quota",
            "/quota/limit",
            "/quota/period",
            "/throttle",
            "/throttle/burstLimit",
        ],
    ),
    (
        "Stage",
        &[
            "/*/*",
            "/*/*/caching/enabled",
            "/*/*/caching/ttlInSeconds",
            "/*/*/logging/loglevel",
            "/accessLogSettings",
            "/accessLogSettings/destinationArn",
            "/accessLogSettings/format",
            "/cacheClusterEnabled",
            "/cacheClusterSize",
            "/canarySettings",
            "/canarySettings/deploymentId",
            "/canarySettings/percentTraffic",
            "/canarySettings/stageVariableOverrides",
            "/canarySettings/stageVariableOverrides/a",
            "/deploymentId",
            "/description",
            "/test/GET/throttling/burstLimit",
            "/tracingEnabled",
            "/variables",
            "/variables/a",
        ],
    ),
];

const VALUES: &[&str] = &[
    "", "true", "1", "-1", "50", "NaN", "1e400", "PRIVATE", "ipv4", "{}", "[]", "0.5", "Empty", "dogs",
    "{a}", "INFO", "AWS_IAM", "'x'", "NEVER", "DAY", "api1:dev",
];

/// A noun and operations on it, most of which name paths that it takes.
fn patch() -> impl Strategy<Value = (&'static str, Vec<Json>)> {
    prop::sample::select(NOUNS).prop_flat_map(|(noun, paths)| {
        let operations = prop::collection::vec(operation(paths), 1..4);
        operations.prop_map(move |operations| (noun, operations))
    })
}

fn operation(paths: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let op = prop_oneof![
        4 => Just("replace"),
        2 => Just("add"),
        2 => Just("remove"),
        1 => prop::sample::select(vec!["copy", "move", "test"]),
    ];
    let value = prop_oneof![4 => prop::sample::select(VALUES).prop_map(str::to_owned), 1 => ".{0,12}"];
    (op, path(paths), prop::option::weighted(0.9, value), path(paths))
        .prop_map(|(op, path, value, from)| json!({"op": op, "path": path, "value": value, "from": from}))
}

/// A known path, one with other tokens, or none at all.
fn path(paths: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    let known = || prop::sample::select(paths).prop_map(str::to_owned);
    let longer = (known(), ".{0,6}").prop_map(|(path, token)| format!("{path}/{token}"));
    let path = prop_oneof![12 => known(), 1 => longer, 1 => "(/.{0,5}){0,4}", 1 => ".{0,12}"];
    prop::option::weighted(0.98, path)
}

/// How an input names the noun, in an API that has one of each.
fn place(control: &Control, noun: &str) -> Json {
    let deployment = control.staged();
    let api = control.ok("GetRestApi", json!({"restApiId": API}));
    let root = api["rootResourceId"].as_str().expect("an id");
    let response = on(root, json!({"statusCode": "200"}));
    control.ok("PutMethodResponse", response.clone());
    control.ok("PutIntegrationResponse", response.clone());
    match noun {
        "RestApi" => json!({"restApiId": API}),
        "Resource" => json!({"restApiId": API, "resourceId": control.resource(root, "pets")}),
        "Method" | "Integration" => on(root, json!({})),
        "MethodResponse" | "IntegrationResponse" => response,
        "Model" => json!({"restApiId": API, "modelName": "Error"}),
        "RequestValidator" => {
            let validator = control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"}));
            json!({"restApiId": API, "requestValidatorId": validator["id"]})
        }
        "Account" => json!({}),
        "ApiKey" => json!({"apiKey": control.ok("CreateApiKey", json!({}))["id"]}),
        "Authorizer" => {
            let uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/f/invocations";
            let authorizer = json!({"restApiId": API, "name": "a", "type": "TOKEN", "authorizerUri": uri});
            json!({"restApiId": API, "authorizerId": control.ok("CreateAuthorizer", authorizer)["id"]})
        }
        "DocumentationPart" => {
            let part = json!({"restApiId": API, "location": {"type": "API"}, "properties": "{}"});
            let part = control.ok("CreateDocumentationPart", part);
            json!({"restApiId": API, "documentationPartId": part["id"]})
        }
        "VpcLink" => {
            let link = control.ok("CreateVpcLink", json!({"name": "l", "targetArns": []}));
            json!({"vpcLinkId": link["id"]})
        }
        "GatewayResponse" => json!({"restApiId": API, "responseType": "THROTTLED"}),
        "UsagePlan" => {
            let plan = json!({"name": "p", "apiStages": [{"apiId": API, "stage": "dev"}]});
            json!({"usagePlanId": control.ok("CreateUsagePlan", plan)["id"]})
        }
        "Deployment" => json!({"restApiId": API, "deploymentId": deployment}),
        _ => json!({"restApiId": API, "stageName": "dev"}),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_or_nothing((noun, operations) in patch()) {
        let control = Control::new();
        let place = place(&control, noun);
        let get = || control.ok(&format!("Get{noun}"), place.clone());
        let before = get();
        let input = with(place.clone(), json!({"patchOperations": operations}));
        match control.call(&format!("Update{noun}"), input) {
            Ok(answer) => prop_assert_eq!(answer, get()),
            Err(fault) => {
                prop_assert!(fault.status < 500, "{}", fault);
                prop_assert_eq!(before, get());
            }
        }
    }
}
