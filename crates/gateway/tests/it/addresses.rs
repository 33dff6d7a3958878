//! Every form of address reaches its stage, and what addresses nothing says so.

use crate::backend::Backend;
use crate::build::{Integrated as _, http_api, mock, rest_api};
use crate::world::World;

async fn world() -> (World, Backend) {
    let world = World::start().await;
    let backend = Backend::start().await;
    let rest = rest_api("rest1")
        .method("GET /", mock("{statusCode: 200}").answering("200", "").with_body("application/json", "root"))
        .method(
            "GET /pets",
            mock("{statusCode: 200}").answering("200", "").with_body("application/json", "pets"),
        );
    world.store(rest.deployed_to("dev")).await;
    let http = http_api("http1").route("GET /pets", &backend.url("/seen"));
    world.store(http.deployed_to("$default")).await;
    world.store(http.deployed_to("dev")).await;
    (world, backend)
}

#[tokio::test]
async fn rest_stages_are_reached_by_host_and_by_path() {
    let (world, _backend) = world().await;
    for host in [
        "rest1.execute-api.eu-west-1.localhost",
        "rest1.execute-api.eu-west-1.localhost:4566",
        "rest1.execute-api.eu-west-1.amazonaws.com",
        "REST1.execute-api.localhost",
    ] {
        for (path, body) in [
            ("/dev/pets", "pets"),
            ("/dev/pets/", "pets"),
            ("/dev//pets", "pets"),
            ("//dev/pets?q=1", "pets"),
            ("/dev", "root"),
            ("/dev/", "root"),
        ] {
            world.get_from(host, path).await.is(200, body);
        }
    }
    for path in [
        "/_aws/execute-api/rest1/dev/pets",
        "/restapis/rest1/dev/_user_request_/pets",
        "/restapis/rest1/dev/_user_request_//pets",
    ] {
        world.get(path).await.is(200, "pets");
    }
    world.get("/_aws/execute-api/rest1/dev").await.is(200, "root");
    world.get("/restapis/rest1/dev/_user_request_").await.is(200, "root");
}

#[tokio::test]
async fn http_stages_are_reached_by_host_and_by_path() {
    let (world, _backend) = world().await;
    let host = "http1.execute-api.eu-west-1.localhost:4566";
    for path in ["/pets", "/dev/pets", "/$default/pets"] {
        assert_eq!(world.get_from(host, path).await.uri(), "/seen", "{path}");
    }
    for path in [
        "/_aws/execute-api/http1/$default/pets",
        "/_aws/execute-api/http1/%24default/pets",
        "/_aws/execute-api/http1/dev/pets",
        "/_aws/execute-api/http1/pets",
        "/restapis/http1/$default/_user_request_/pets",
    ] {
        assert_eq!(world.get(path).await.uri(), "/seen", "{path}");
    }
}

#[tokio::test]
async fn unknown_rest_addresses_are_forbidden() {
    let (world, _backend) = world().await;
    for path in [
        "/_aws/execute-api/unknown/dev/pets",
        "/_aws/execute-api/rest1/prod/pets",
        "/_aws/execute-api/rest1",
        "/restapis/rest1/prod/_user_request_/pets",
    ] {
        let answer = world.get(path).await;
        answer.is(403, r#"{"message":"Forbidden"}"#);
        assert_eq!(answer.header("x-amzn-errortype"), "ForbiddenException");
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    }
}

#[tokio::test]
async fn unknown_http_addresses_are_not_found() {
    let (world, _backend) = world().await;
    for path in ["/_aws/execute-api/http1/dev/nothing", "/restapis/http1/prod/_user_request_/pets"] {
        let answer = world.get(path).await;
        answer.is(404, r#"{"message":"Not Found"}"#);
        assert!(answer.header("apigw-requestid").ends_with('='), "{answer:?}");
        assert_eq!(answer.header("x-amzn-requestid"), "");
    }
}

#[tokio::test]
async fn a_disabled_address_is_as_if_it_were_not_there() {
    let world = World::start().await;
    let mocked = mock("{statusCode: 200}").answering("200", "");
    let rest =
        rest_api("rest2").method("GET /", mocked).change(|api| api.disable_execute_api_endpoint = Some(true));
    world.store(rest.deployed_to("dev")).await;
    world.get("/_aws/execute-api/rest2/dev").await.is(403, r#"{"message":"Forbidden"}"#);
    let http = http_api("http2")
        .route("$default", "http://h")
        .change(|api| api.disable_execute_api_endpoint = Some(true));
    world.store(http.deployed_to("$default")).await;
    world.get("/_aws/execute-api/http2/x").await.is(404, r#"{"message":"Not Found"}"#);
}

#[tokio::test]
async fn other_requests_are_not_the_data_planes() {
    let (world, _backend) = world().await;
    world.get("/restapis/rest1/stages/dev").await.is(200, "not for the data plane");
}
