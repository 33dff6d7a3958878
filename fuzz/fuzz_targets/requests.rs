//! Requests of HTTP/1.1 as the server's own loop reads them, cut anywhere, and then hyper, to which the loop leaves what
//! is unusual: both together read what hyper reads by itself, and not a byte is lost on the way.
#![no_main]

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use stagedoor_http1::{Asked, RequestReader, Usual};
use tokio::io::{join, sink};

/// What a request says; its body is `None` if it broke off.
#[derive(Debug, PartialEq)]
struct Told(Method, Uri, HeaderMap, Option<Bytes>);

fuzz_target!(|bytes: &[u8]| {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let expected = by_hyper(bytes);
    for part in [usize::from(*cut).max(1), bytes.len().max(1)] {
        let (mut told, rest) = by_own_loop(bytes, part);
        told.extend(rest.map(|rest| by_hyper(&rest)).unwrap_or_default());
        assert_eq!(told, expected, "in parts of {part}");
    }
});

/// The usual requests, and all that follows the last of them if something else does.
fn by_own_loop(bytes: &[u8], part: usize) -> (Vec<Told>, Option<Bytes>) {
    let (mut reader, mut arrived) = (RequestReader::default(), BytesMut::new());
    let (mut parts, mut told, mut taken) = (bytes.chunks(part), Vec::new(), 0);
    loop {
        match reader.read(&mut arrived) {
            Asked::Request(Usual { method, uri, headers, head, body }) => {
                let from = taken;
                taken += head.len() + body.len();
                assert_eq!([&head[..], &body[..]].concat(), bytes[from..taken]);
                told.push(Told(method, uri, headers, Some(body)));
            }
            Asked::More => match parts.next() {
                Some(part) => arrived.extend_from_slice(part),
                // As of a client that has shut its side in the middle of a head.
                None => return (told, None),
            },
            Asked::Unusual => {
                assert!(bytes[taken..].starts_with(&arrived), "it is left as it came");
                return (told, Some(Bytes::copy_from_slice(&bytes[taken..])));
            }
        }
    }
}

fn by_hyper(bytes: &[u8]) -> Vec<Told> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let service = service_fn(move |request: Request<Incoming>| {
        let telling = Arc::clone(&telling);
        async move {
            let (Parts { method, uri, headers, .. }, body) = request.into_parts();
            let body = body.collect().await.ok().map(|body| body.to_bytes());
            telling.lock().expect("a thread alone").push(Told(method, uri, headers, body));
            Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::new())))
        }
    });
    let stream = TokioIo::new(join(bytes, sink()));
    let connection = http1::Builder::new().half_close(true).serve_connection(stream, service);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _ = runtime.block_on(connection);
    std::mem::take(&mut told.lock().expect("a thread alone"))
}
