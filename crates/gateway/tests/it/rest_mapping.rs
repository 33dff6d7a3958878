//! What mappings and templates of REST APIs read of a request that its client did not send (rest-data C10, C11).

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stagedoor_api::apigateway as api;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_custom, http_proxy, map, mock, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

async fn post(integration: api::Integration, headers: &[(&str, &str)], body: &str) -> Seen {
    let world = World::start().await;
    world.store(rest_api("abc").method("POST /", integration).deployed_to("dev")).await;
    world.send(Method::POST, BASE, headers, body).await
}

/// Many pass the client's address on by hand, as `HTTP` integrations send only what is mapped.
#[tokio::test]
async fn the_way_of_a_request_can_be_mapped() {
    let backend = Backend::start().await;
    for integration in [http_custom(&backend.url("/")), http_proxy(&backend.url("/"))] {
        let integration = integration
            .mapping("header.X-Client", "method.request.header.X-Forwarded-For")
            .mapping("header.X-Hops", "method.request.multivalueheader.x-forwarded-for")
            .mapping("header.X-Scheme", "method.request.header.X-Forwarded-Proto")
            .mapping("header.X-Named", "method.request.header.Host")
            .mapping("querystring.port", "method.request.header.X-Forwarded-Port")
            .mapping("querystring.trace", "method.request.header.X-Amzn-Trace-Id")
            .answering("200", "")
            .with_header("X-Answered-By", "integration.response.header.X-Forwarded-For");
        let headers = [("host", "abc.execute-api.eu-west-1.amazonaws.com"), ("x-forwarded-for", "192.0.2.1")];
        let seen = post(integration, &headers, "").await;
        assert_eq!(seen.sent("x-client"), "192.0.2.1, 127.0.0.1");
        assert_eq!(seen.sent("x-hops"), "192.0.2.1, 127.0.0.1");
        assert_eq!(
            (seen.sent("x-scheme"), seen.sent("x-named")),
            ("http".to_owned(), headers[0].1.to_owned())
        );
        assert!(seen.uri().starts_with("/?port=4566&trace=Root%3D1-6553f100-"), "{seen:?}");
        assert_eq!(seen.header("x-answered-by"), "", "an answer has not come this way");
    }
}

/// HTTP/2 has the host in the request's target, not among its headers.
#[tokio::test]
async fn the_host_can_be_mapped_over_http_2() {
    let (world, backend) = (World::start().await, Backend::start().await);
    let integration = http_custom(&backend.url("/"))
        .mapping("header.X-Named", "method.request.header.Host")
        .answering("200", "")
        .with_body("application/json", "$input.params('Host') $input.json('$.headers.x-named')");
    world.store(rest_api("abc").method("POST /", integration).deployed_to("dev")).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = Request::post(format!("http://{}{BASE}", world.address)).body(Full::default());
    let answer = client.request(request.expect("a request")).await.expect("an answer");
    let body = answer.into_body().collect().await.expect("all of it").to_bytes();
    assert_eq!(body, format!("{0} \"{0}\"", world.address).as_bytes());
}

#[tokio::test]
async fn templates_see_the_way_but_not_the_connection() {
    let template = "#foreach($name in $input.params().header.keySet())$name #end\
                    [$input.params('X-Forwarded-For') $input.params().header.get('X-Forwarded-Proto')]";
    let integration = mock("{statusCode: 200}").answering("200", "").with_body("application/json", template);
    let seen = post(integration, &[("host", "abc.execute-api.localhost"), ("x-own", "1")], "{}").await;
    seen.is(
        200,
        "Host X-Own X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto X-Amzn-Trace-Id [127.0.0.1 http]",
    );
}

/// `$context.awsEndpointRequestId`, also where no log is written.
#[tokio::test]
async fn the_ids_of_the_endpoint_are_known_to_answers() {
    let backend = Backend::start().await;
    let integration = http_custom(&backend.url("/headers"))
        .answering("200", "")
        .with_header("X-Id", "context.awsEndpointRequestId")
        .with_header("X-Id-2", "context.awsEndpointRequestId2")
        .with_body("application/json", "$context.awsEndpointRequestId");
    let seen = post(integration, &[], "").await;
    seen.is(200, "the-backends-own");
    assert_eq!((seen.header("x-id"), seen.header("x-id-2")), ("the-backends-own", "its-other"));
}

/// A status below 200 ends no request, whoever asks for it.
#[tokio::test]
async fn statuses_before_an_answer_are_internal_errors() {
    let error = r#"{"message": "Internal server error"}"#;
    let override_ = "#set($context.responseOverride.status = 100){statusCode: 200}";
    let seen = post(mock(override_).answering("200", ""), &[], "").await;
    seen.is(500, error);
    assert_eq!(seen.header("x-amzn-errortype"), "InternalServerErrorException");
    post(mock("{statusCode: 200}").answering("103", ""), &[], "").await.is(500, error);
    let templates =
        Some(map(&[("application/json", "#set($context.responseOverride.status = 599){statusCode: 200}")]));
    let last = api::Integration { request_templates: templates, ..mock("") };
    post(last.answering("200", ""), &[], "").await.is(599, "");
}
