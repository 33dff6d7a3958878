//! Properties: importing what was exported makes the same API, whatever the API and whichever text; a definition
//! with something odd in it is imported or refused, and nothing worse.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};
use stagedoor_state::definition;

use crate::control::{Control, text};
use crate::openapi::{PETS, exported, routes};

const KEYS: [&str; 10] = [
    "$default",
    "GET /",
    "ANY /pets",
    "POST /pets",
    "GET /pets/{id}",
    "DELETE /pets/{id}",
    "ANY /{proxy+}",
    "OPTIONS /{proxy+}",
    "PATCH /a.b-c_~1/",
    "HEAD /yes",
];
/// Texts that JSON or YAML could take for something else.
const TEXTS: [&str; 9] = ["a", "1", "1.0", "true", "null", "a: b # c", "'\"\\", "é\n~", "{x}"];

/// An API as a client would make it.
#[derive(Clone, Debug)]
struct Draft {
    api: Json,
    authorizers: Vec<Json>,
    integrations: Vec<Json>,
    routes: Vec<DraftRoute>,
}

#[derive(Clone, Debug)]
struct DraftRoute {
    key: &'static str,
    /// Chooses an integration, if there is one.
    integration: Option<usize>,
    authorization: Authorization,
    operation: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Authorization {
    Open,
    Signed,
    Tokens,
    Function,
}

/// An object with those members that have a value.
fn object(members: &[(&str, Json)]) -> Json {
    let given = members.iter().filter(|(_, value)| !value.is_null());
    Json::Object(given.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn api() -> impl Strategy<Value = Json> {
    let cors = (any::<Option<bool>>(), proptest::option::of(0..86400_i64), any::<bool>()).prop_map(
        |(credentials, age, headers)| {
            object(&[
                ("AllowCredentials", json!(credentials)),
                ("AllowHeaders", if headers { json!(["x-a", "*"]) } else { Json::Null }),
                ("AllowOrigins", json!(["https://a.example"])),
                ("MaxAge", json!(age)),
            ])
        },
    );
    let texts = (select(&TEXTS), select(&TEXTS), proptest::option::of(select(&TEXTS)));
    let settings = (any::<bool>(), select(&["ipv4", "dualstack"]), proptest::option::of(cors), any::<bool>());
    (texts, settings).prop_map(|((name, version, description), (disabled, ip, cors, tagged))| {
        object(&[
            ("ProtocolType", json!("HTTP")),
            ("Name", json!(name)),
            ("Version", json!(version)),
            ("Description", json!(description)),
            ("DisableExecuteApiEndpoint", json!(disabled)),
            ("IpAddressType", json!(ip)),
            ("CorsConfiguration", json!(cors)),
            ("Tags", if tagged { json!({"team": "1.0", "b": ""}) } else { Json::Null }),
        ])
    })
}

fn integration() -> impl Strategy<Value = Json> {
    let http =
        (select(&["GET", "ANY"]), 50..30000_i64, any::<[bool; 3]>()).prop_map(|(method, timeout, more)| {
            let when = |yes: bool, value: Json| if yes { value } else { Json::Null };
            object(&[
                ("IntegrationType", json!("HTTP_PROXY")),
                ("IntegrationMethod", json!(method)),
                ("IntegrationUri", json!("https://backend.example/{id}?a=1")),
                ("PayloadFormatVersion", json!("1.0")),
                ("TimeoutInMillis", json!(timeout)),
                (
                    "RequestParameters",
                    when(more[0], json!({"overwrite:path": "/a", "append:header.b": "$context.requestId"})),
                ),
                ("ResponseParameters", when(more[1], json!({"200": {"overwrite:statuscode": "201"}}))),
                ("Description", when(more[2], json!("1.0"))),
            ])
        });
    let function = (select(&["1.0", "2.0"]), any::<bool>()).prop_map(|(format, role)| {
        object(&[
            ("IntegrationType", json!("AWS_PROXY")),
            ("IntegrationMethod", json!("POST")),
            ("IntegrationUri", json!("arn:aws:lambda:eu-west-1:123456789012:function:f")),
            ("PayloadFormatVersion", json!(format)),
            ("CredentialsArn", if role { json!("arn:aws:iam::123456789012:role/r") } else { Json::Null }),
        ])
    });
    let service = json!({
        "IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage", "PayloadFormatVersion": "1.0",
        "CredentialsArn": "arn:aws:iam::123456789012:role/r",
        "RequestParameters": {"QueueUrl": "$request.header.queue", "MessageBody": "$request.body"},
    });
    let private = json!({
        "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "PayloadFormatVersion": "1.0",
        "ConnectionType": "VPC_LINK", "ConnectionId": "abc123",
        "IntegrationUri": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/a/b/c",
        "TlsConfig": {"ServerNameToVerify": "backend.example"},
    });
    prop_oneof![http, function, Just(service), Just(private)]
}

fn authorizers() -> impl Strategy<Value = Vec<Json>> {
    let tokens = json!({
        "AuthorizerType": "JWT", "Name": "tokens", "IdentitySource": ["$request.querystring.token"],
        "JwtConfiguration": {"Audience": ["1", "b"], "Issuer": "https://issuer.example/"},
    });
    let function = (select(&["1.0", "2.0"]), proptest::option::of(0..3600_i64), any::<Option<bool>>())
        .prop_map(|(format, ttl, simple)| {
            object(&[
                ("AuthorizerType", json!("REQUEST")),
                ("Name", json!("function")),
                ("AuthorizerUri", json!("arn:aws:apigateway:eu-west-1:lambda:path/f/invocations")),
                ("AuthorizerPayloadFormatVersion", json!(format)),
                ("AuthorizerResultTtlInSeconds", json!(ttl)),
                ("EnableSimpleResponses", json!(simple.map(|simple| simple && format == "2.0"))),
                ("IdentitySource", json!(["$request.header.a", "$context.routeKey"])),
            ])
        });
    function.prop_map(move |function| vec![tokens.clone(), function])
}

fn draft_routes() -> impl Strategy<Value = Vec<DraftRoute>> {
    let authorization =
        select(&[Authorization::Open, Authorization::Signed, Authorization::Tokens, Authorization::Function]);
    let more = (any::<Option<u8>>(), authorization, proptest::option::of(select(&["ListPets", "1"])));
    subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_flat_map(move |keys| {
        proptest::collection::vec(more.clone(), keys.len()).prop_map(move |more| {
            let routes = keys.iter().zip(more);
            let route =
                |(key, (integration, authorization, operation)): (&&'static str, (Option<u8>, _, _))| {
                    DraftRoute { key, integration: integration.map(usize::from), authorization, operation }
                };
            routes.map(route).collect()
        })
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let parts = (api(), authorizers(), proptest::collection::vec(integration(), 0..4), draft_routes());
    parts.prop_map(|(api, authorizers, integrations, routes)| Draft {
        api,
        authorizers,
        integrations,
        routes,
    })
}

/// Makes the API; returns its id.
fn make(control: &Control, draft: &Draft) -> Json {
    let api = control.ok("CreateApi", draft.api.clone())["ApiId"].clone();
    let within = |input: &Json| {
        let mut input = input.clone();
        input["ApiId"] = api.clone();
        input
    };
    let authorizers: Vec<Json> = draft
        .authorizers
        .iter()
        .map(|authorizer| control.ok("CreateAuthorizer", within(authorizer))["AuthorizerId"].clone())
        .collect();
    let integrations: Vec<String> = draft
        .integrations
        .iter()
        .map(|integration| text(&control.ok("CreateIntegration", within(integration))["IntegrationId"]))
        .collect();
    for route in &draft.routes {
        let chosen = route.integration.filter(|_| !integrations.is_empty());
        let target = chosen.map(|at| format!("integrations/{}", integrations[at % integrations.len()]));
        let (kind, authorizer, scopes) = match route.authorization {
            Authorization::Open => ("NONE", Json::Null, Json::Null),
            Authorization::Signed => ("AWS_IAM", Json::Null, Json::Null),
            Authorization::Tokens => ("JWT", authorizers[0].clone(), json!(["read", "write"])),
            Authorization::Function => ("CUSTOM", authorizers[1].clone(), Json::Null),
        };
        let input = object(&[
            ("RouteKey", json!(route.key)),
            ("Target", json!(target)),
            ("AuthorizationType", json!(kind)),
            ("AuthorizerId", authorizer),
            ("AuthorizationScopes", scopes),
            ("OperationName", json!(route.operation)),
        ]);
        control.ok("CreateRoute", within(&input));
    }
    api
}

/// What two equal APIs have in common: everything but ids, addresses and dates.
fn content(control: &Control, api: &Json) -> Json {
    let mut shown = control.ok("GetApi", json!({"ApiId": api}));
    for member in ["ApiId", "ApiEndpoint", "CreatedDate"] {
        shown.as_object_mut().expect("an object").remove(member);
    }
    let mut authorizers = control.ok("GetAuthorizers", json!({"ApiId": api}))["Items"].take();
    let authorizers = authorizers.as_array_mut().expect("a list");
    for authorizer in authorizers.iter_mut() {
        authorizer.as_object_mut().expect("an object").remove("AuthorizerId");
    }
    authorizers.sort_by_key(|authorizer| authorizer["Name"].to_string());
    json!({"api": shown, "authorizers": authorizers, "routes": routes(control, api)})
}

/// The pointers to everything in a definition.
fn pointers(value: &Json, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{name}"), found);
            }
        }
        Json::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

/// Values that stand where nobody expects them.
fn odd() -> impl Strategy<Value = Json> {
    let odd = [
        Json::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("{"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"": null}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/nowhere"}),
    ];
    select(odd.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn importing_an_export_makes_the_same_api(draft in draft(), output in select(&["JSON", "YAML"])) {
        let control = Control::new();
        let api = make(&control, &draft);
        let expected = content(&control, &api);
        let body = exported(&control, json!({"ApiId": api, "Specification": "OAS30", "OutputType": output}));
        let import = json!({"Body": body, "FailOnWarnings": true});

        let imported = control.ok("ImportApi", import.clone());
        prop_assert_eq!(content(&control, &imported["ApiId"]), expected.clone(), "{}", body);

        let other = control.ok("CreateApi", json!({"Name": "other", "ProtocolType": "HTTP"}))["ApiId"].clone();
        control.route(&text(&other), "GET /gone");
        let mut reimport = import;
        reimport["ApiId"] = other.clone();
        control.ok("ReimportApi", reimport);
        prop_assert_eq!(content(&control, &other), expected, "{}", body);
    }

    #[test]
    fn an_odd_definition_is_imported_or_refused(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), odd()), 1..4),
    ) {
        let mut root = Json::Object(definition::read(PETS).expect("it is a definition"));
        for (place, value) in changes {
            let mut places = Vec::new();
            pointers(&root, "", &mut places);
            *root.pointer_mut(&places[place.index(places.len())]).expect("it is there") = value;
        }
        let control = Control::new();
        match control.call("ImportApi", json!({"Body": root.to_string()})) {
            Ok(api) => {
                let input = json!({"ApiId": api["ApiId"], "Specification": "OAS30", "OutputType": "YAML"});
                let again = json!({"Body": exported(&control, input), "FailOnWarnings": true});
                control.ok("ImportApi", again);
            }
            Err(fault) => prop_assert_eq!(fault.status, 400, "{}", fault),
        }
    }
}
