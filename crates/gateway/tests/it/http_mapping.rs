//! Parameter mappings, service integrations and private integrations of HTTP APIs: http-data D6.

use std::collections::BTreeMap;

use http::Method;
use stagedoor_api::apigatewayv2 as http_api_model;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::ServiceEndpoint;

use crate::backend::Backend;
use crate::build::{http_api, map};
use crate::world::World;

#[tokio::test]
async fn requests_are_mapped_on_their_way() {
    let (world, backend) = (World::start().await, Backend::start().await);
    let mapped = |pairs: &'static [(&str, &str)]| {
        move |_: &mut http_api_model::Route, integration: &mut http_api_model::Integration| {
            integration.request_parameters = Some(map(pairs));
        }
    };
    let api = http_api("abc")
        .route_with(
            "POST /pets/{id}",
            &backend.url("/base"),
            mapped(&[
                ("overwrite:header.x-pet", "pet ${request.path.id} of ${request.body.owner.name}"),
                ("append:header.x-many", "$request.querystring.q"),
                ("remove:header.x-gone", "''"),
                ("overwrite:querystring.tier", "$stageVariables.tier"),
                ("remove:querystring.q", ""),
                ("overwrite:header.x-client", "${request.header.X-Forwarded-For} by ${request.header.host}"),
                ("append:querystring.route", "$context.routeKey"),
                ("overwrite:path", "/v2${request.path}"),
            ]),
        )
        .route_with(
            "GET /same/{proxy+}",
            &backend.url("/base"),
            mapped(&[("overwrite:path", "$request.path"), ("overwrite:header.host", "other.example")]),
        )
        .route_with("GET /reserved", &backend.url("/"), mapped(&[("overwrite:header.Authorization", "x")]))
        .route_with(
            "GET /evil",
            &backend.url("/"),
            mapped(&[("overwrite:header.x-a", "$request.querystring.a")]),
        );
    world.store(api.deployed_as("dep1", "$default", &[("tier", "gold & silver")])).await;

    let headers = [("x-many", "1"), ("x-gone", "1"), ("content-type", "application/json")];
    let body = r#"{"owner": {"name": "Ada"}}"#;
    let host = "/_aws/execute-api/abc";
    let seen = world.send(Method::POST, &format!("{host}/pets/7?q=2&x=y"), &headers, body).await;
    assert_eq!(seen.sent("x-pet"), "pet 7 of Ada");
    assert_eq!(seen.sent("x-many"), "1 | 2");
    assert_eq!(seen.sent("x-gone"), "");
    assert_eq!(seen.sent("x-client"), format!("127.0.0.1 by {}", world.address));
    assert_eq!(seen.uri(), "/v2/pets/7?x=y&tier=gold%20%26%20silver&route=POST%20%2Fpets%2F%7Bid%7D");
    assert_eq!(seen.json()["body"], body, "a body that was read is sent all the same");

    let seen = world.get(&format!("{host}/same/a%20b/c?z=1")).await;
    assert_eq!(seen.uri(), "/same/a%20b/c?z=1");
    assert_eq!(seen.sent("host"), "other.example");

    let failed = r#"{"message":"Internal Server Error"}"#;
    world.get(&format!("{host}/reserved")).await.is(500, failed);
    world.get(&format!("{host}/evil?a=x%0d%0aset-cookie:%20b")).await.is(500, failed);
    assert_eq!(world.get(&format!("{host}/evil?a=fine")).await.sent("x-a"), "fine");
}

#[tokio::test]
async fn answers_are_mapped_by_their_status() {
    let (world, backend) = (World::start().await, Backend::start().await);
    let responses = |pairs: &[(&str, &[(&str, &str)])]| -> BTreeMap<String, BTreeMap<String, String>> {
        pairs.iter().map(|(status, mappings)| ((*status).to_owned(), map(mappings))).collect()
    };
    let given = responses(&[
        ("500", &[("overwrite:statuscode", "403"), ("append:header.x-why", "${response.header.x-backend}!")]),
        ("404", &[("remove:header.x-backend", "''")]),
        (
            "200",
            &[
                ("overwrite:header.x-saw", "$response.body.method"),
                ("overwrite:header.x-id", "$context.apiId"),
            ],
        ),
    ]);
    let api = http_api("abc").route_with("$default", &backend.url(""), |_, integration| {
        integration.response_parameters = Some(given);
    });
    world.store(api.deployed_to("$default")).await;
    let host = "/_aws/execute-api/abc";

    let seen = world.get(&format!("{host}/status/500")).await;
    seen.is(403, "status 500");
    assert_eq!((seen.header("x-why"), seen.header("x-backend")), ("yes!", "yes"));
    let seen = world.get(&format!("{host}/status/404")).await;
    seen.is(404, "status 404");
    assert_eq!(seen.header("x-backend"), "");
    let seen = world.get(&format!("{host}/echo")).await;
    assert_eq!((seen.header("x-saw"), seen.header("x-id")), ("GET", "abc"));
    assert_eq!(seen.json()["method"], "GET", "a body that was read arrives all the same");
    world.get(&format!("{host}/status/202")).await.is(202, "status 202");
}

#[tokio::test]
async fn functions_are_told_what_is_mapped() {
    let world = World::start_with(|config| {
        config.functions = vec![crate::functions::function("pets", "echo")];
    });
    let world = world.await;
    let api = http_api("abc").route_with("ANY /x", &crate::build::function_arn("pets"), |_, integration| {
        integration.integration_type = Some(http_api_model::IntegrationType::AwsProxy);
        integration.payload_format_version = Some("2.0".to_owned());
        integration.request_parameters = Some(map(&[("overwrite:header.x-added", "$request.querystring.q")]));
        let added = map(&[("overwrite:header.x-answered", "yes")]);
        integration.response_parameters = Some(BTreeMap::from([("200".to_owned(), added)]));
    });
    world.store(api.deployed_to("$default")).await;
    let seen = world.get("/_aws/execute-api/abc/x?q=1").await;
    assert_eq!(seen.header("x-answered"), "yes", "{seen:?}");
    assert_eq!(seen.json()["headers"]["x-added"], "1", "{seen:?}");
}

#[tokio::test]
async fn services_are_called_where_they_are_configured() {
    let backend = Backend::start().await;
    let url: http::Uri = backend.url("").parse().expect("a URL");
    let world = World::start_with(|config| {
        let key = Key::long_term("AKID", "secret", "1");
        config.service_endpoints = BTreeMap::from([("sqs".to_owned(), ServiceEndpoint { url, key })]);
    });
    let world = world.await;
    let service = |subtype: &'static str, pairs: &'static [(&str, &str)]| {
        move |_: &mut http_api_model::Route, integration: &mut http_api_model::Integration| {
            integration.integration_type = Some(http_api_model::IntegrationType::AwsProxy);
            integration.integration_subtype = Some(subtype.to_owned());
            integration.integration_uri = None;
            integration.request_parameters = Some(map(pairs));
        }
    };
    let queue = "https://sqs.eu-west-1.amazonaws.com/1/q";
    let api = http_api("abc")
        .route_with(
            "POST /send",
            "",
            service(
                "SQS-SendMessage",
                &[("QueueUrl", "$request.header.queue"), ("MessageBody", "$request.body.text")],
            ),
        )
        .route_with(
            "POST /put",
            "",
            service(
                "Kinesis-PutRecord",
                &[("StreamName", "s"), ("Data", "$request.body"), ("PartitionKey", "k")],
            ),
        )
        .route_with("POST /wrong", "", service("SQS-SendMessage", &[("QueueUrl", "q")]));
    world.store(api.deployed_to("$default")).await;

    let seen = world
        .send(Method::POST, "/_aws/execute-api/abc/send", &[("queue", queue)], r#"{"text": "hello you"}"#)
        .await;
    let saw = seen.json();
    assert_eq!((saw["method"].as_str(), saw["uri"].as_str()), (Some("POST"), Some("/1/q")));
    assert_eq!(
        saw["body"],
        "Action=SendMessage&Version=2012-11-05&MessageBody=hello%20you\
         &QueueUrl=https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F1%2Fq"
    );
    assert!(seen.sent("authorization").contains("AKID/20231114/eu-west-1/sqs/aws4_request"), "{seen:?}");
    assert_eq!(seen.sent("queue"), "", "a service gets no header of the client");

    let failed = r#"{"message":"Internal Server Error"}"#;
    world.send(Method::POST, "/_aws/execute-api/abc/put", &[], "{}").await.is(500, failed);
    world.send(Method::POST, "/_aws/execute-api/abc/wrong", &[], "{}").await.is(500, failed);
}

#[tokio::test]
async fn private_backends_are_found_by_their_link() {
    let (backend, secret) = (Backend::start().await, Backend::start_with_tls().await);
    const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/lb/50dc/f2f7";
    let world = World::start_with(|config| {
        config.vpc_links = BTreeMap::from([
            ("vl1".to_owned(), backend.url("").parse().expect("a URL")),
            ("vl2".to_owned(), format!("https://{}", secret.address).parse().expect("a URL")),
        ]);
    });
    let world = world.await;
    let private = |link: &'static str, overwrites: bool, name: Option<&'static str>| {
        move |_: &mut http_api_model::Route, integration: &mut http_api_model::Integration| {
            integration.connection_type = Some(http_api_model::ConnectionType::VpcLink);
            integration.connection_id = Some(link.to_owned());
            integration.request_parameters = overwrites.then(|| map(&[("overwrite:path", "$request.path")]));
            integration.tls_config =
                name.map(|name| http_api_model::TlsConfig { server_name_to_verify: Some(name.to_owned()) });
        }
    };
    let api = http_api("abc")
        .route_with("GET /in/{proxy+}", LISTENER, private("vl1", false, None))
        .route_with("GET /out/{proxy+}", LISTENER, private("vl1", true, None))
        .route_with("GET /unknown", LISTENER, private("vl3", false, None))
        .route_with("GET /tls", LISTENER, private("vl2", false, Some("localhost")));
    world.store(api.deployed_to("dev")).await;
    let host = "/_aws/execute-api/abc/dev";

    assert_eq!(world.get(&format!("{host}/in/x?y=1")).await.uri(), "/dev/in/x?y=1");
    assert_eq!(world.get(&format!("{host}/out/x?y=1")).await.uri(), "/out/x?y=1");
    world.get(&format!("{host}/unknown")).await.is(500, r#"{"message":"Internal Server Error"}"#);
    // Nobody vouches for the certificate, whatever its name.
    world.get(&format!("{host}/tls")).await.is(503, r#"{"message":"Service Unavailable"}"#);
}
