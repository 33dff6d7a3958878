//! Binary bodies and content codings of REST APIs (C13 and C15 of the specification of the data plane).

use bytes::Bytes;
use flate2::read::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::Method;
use stagedoor_api::apigateway as api;
use std::io::{Read as _, Write as _};

use crate::backend::{Backend, PNG};
use crate::build::{Integrated as _, RestApi, http_custom, http_proxy, mock, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

async fn post(api: RestApi, headers: &[(&str, &str)], body: &[u8]) -> (Seen, Bytes) {
    let world = World::start().await;
    world.store(api.deployed_to("dev")).await;
    world.send_bytes(Method::POST, BASE, headers, body).await
}

fn with_types(integration: api::Integration, types: &[&str]) -> RestApi {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    rest_api("abc").method("POST /", integration).change(|api| api.binary_media_types = Some(types))
}

#[tokio::test]
async fn bytes_reach_the_backend_as_content_handling_says() {
    use api::ContentHandlingStrategy::{ConvertToBinary, ConvertToText};
    let backend = Backend::start().await;
    let png = [("content-type", "image/png")];
    for (types, handling, sent, expected) in [
        (&["image/png"][..], None, PNG, "4"),
        (&["image/png"], Some(ConvertToText), PNG, "8"),
        (&[], None, PNG, "6"),
        (&[], Some(ConvertToBinary), b"iVBORw==".as_slice(), "4"),
        (&[], Some(ConvertToBinary), PNG, "500"),
    ] {
        let integration =
            api::Integration { content_handling: handling, ..http_custom(&backend.url("/count")) };
        let (answer, _) = post(with_types(integration.answering("200", ""), types), &png, sent).await;
        let told = if answer.status == 200 { answer.body } else { answer.status.as_str().to_owned() };
        assert_eq!(told, expected, "{types:?} {handling:?}");
    }
}

/// A proxy passes bytes as they came unless its content handling says otherwise.
#[tokio::test]
async fn proxies_convert_too() {
    use api::ContentHandlingStrategy::{ConvertToBinary, ConvertToText};
    let backend = Backend::start().await;
    let png = [("content-type", "image/png")];
    for (types, handling, sent, expected) in [
        (&[][..], None, PNG, "4"),
        (&["image/png"], Some(ConvertToText), PNG, "8"),
        (&[], Some(ConvertToBinary), b"iVBORw==".as_slice(), "4"),
        (&[], Some(ConvertToBinary), PNG, "500"),
    ] {
        let integration =
            api::Integration { content_handling: handling, ..http_proxy(&backend.url("/count")) };
        let (answer, _) = post(with_types(integration, types), &png, sent).await;
        let told = if answer.status == 200 { answer.body } else { answer.status.as_str().to_owned() };
        assert_eq!(told, expected, "{types:?} {handling:?}");
    }
}

#[tokio::test]
async fn bytes_reach_the_client_as_it_accepts_them() {
    let backend = Backend::start().await;
    let api = || with_types(http_custom(&backend.url("/image")).answering("200", ""), &["image/*"]);
    assert_eq!(post(api(), &[("accept", "image/png, */*")], b"").await.1, PNG);
    assert_eq!(post(api(), &[("accept", "text/html")], b"").await.1, "iVBORw==");
    let none = with_types(http_custom(&backend.url("/image")).answering("200", ""), &[]);
    assert_eq!(post(none, &[], b"").await.1, "\u{fffd}PNG");
    let passed = with_types(http_proxy(&backend.url("/image")), &["image/*"]);
    assert_eq!(post(passed, &[], b"").await.1, PNG);
}

#[tokio::test]
async fn templates_take_no_bytes() {
    use api::ContentHandlingStrategy::ConvertToText;
    let mocked = |handling| api::Integration {
        content_handling: handling,
        ..mock("{\"statusCode\": 200}").answering("200", "").with_body("application/json", "made")
    };
    let error = r#"{"message": "Internal server error"}"#;
    post(with_types(mocked(None), &["*/*"]), &[], b"").await.0.is(500, error);
    post(with_types(mocked(Some(ConvertToText)), &["*/*"]), &[], b"").await.0.is(200, "made");
    post(with_types(mocked(None), &["image/png"]), &[], b"").await.0.is(200, "made");
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let long = "x".repeat(3000);
    let api = |bytes_min| {
        let integration = mock("{statusCode: 200}").answering("200", "").with_body("application/json", &long);
        rest_api("abc").method("POST /", integration).change(|api| api.minimum_compression_size = bytes_min)
    };
    let gzip = [("accept-encoding", "gzip, deflate")];
    let (answer, bytes) = post(api(Some(1000)), &gzip, b"").await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.header("content-length"), bytes.len().to_string());
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, long);
    let deflate = post(api(Some(0)), &[("accept-encoding", "deflate")], b"").await.0;
    assert_eq!(deflate.header("content-encoding"), "deflate");
    for (bytes_min, headers) in [
        (Some(4000), &gzip[..]),
        (None, &gzip[..]),
        (Some(0), &[][..]),
        (Some(0), &[("accept-encoding", "*")]),
    ] {
        let (answer, _) = post(api(bytes_min), headers, b"").await;
        assert_eq!(answer.header("content-encoding"), "", "{bytes_min:?} {headers:?}");
        answer.is(200, &long);
    }
}

#[tokio::test]
async fn compressed_requests_are_unpacked() {
    let backend = Backend::start().await;
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"hello").expect("written to memory");
    let gzip = gzip.finish().expect("written to memory");
    let mut bomb = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 12_000_000]).expect("written to memory");
    let bomb = bomb.finish().expect("written to memory");
    for integration in [http_custom(&backend.url("/")), http_proxy(&backend.url("/"))] {
        let api = || rest_api("abc").method("POST /", integration.clone().answering("200", ""));
        let (answer, _) = post(api(), &[("content-encoding", "gzip")], &gzip).await;
        assert_eq!(answer.json()["body"], "hello");
        assert_eq!(answer.sent("content-encoding"), "");
        let unknown = post(api(), &[("content-encoding", "br")], &gzip).await.0;
        unknown.is(415, r#"{"message":"Unsupported Media Type"}"#);
        let wrong = post(api(), &[("content-encoding", "gzip")], b"hello").await.0;
        assert_eq!(wrong.status, 415);
        let over = post(api(), &[("content-encoding", "deflate")], &bomb).await.0;
        over.is(413, r#"{"message":"Request Too Long"}"#);
    }
}
