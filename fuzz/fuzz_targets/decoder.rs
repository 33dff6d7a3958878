//! The wire engine: the first line is a method, a path and a query, the second a service, the rest a body.
//! Whatever arrives is decoded and checked, or refused; nothing may panic. The client reads the body as an answer.
#![no_main]

use bytes::Bytes;
use http::{HeaderMap, Response};
use libfuzzer_sys::fuzz_target;
use stagedoor_model::SERVICES;
use stagedoor_wire::check::check;
use stagedoor_wire::client::decode_response;
use stagedoor_wire::decode::decode;
use stagedoor_wire::route::route;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let request = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let service =
        SERVICES[usize::from(lines.next().and_then(<[u8]>::first).copied().unwrap_or(0)) % SERVICES.len()];
    let body: Bytes = lines.next().unwrap_or_default().to_vec().into();
    let (method, uri) = request.split_once(' ').unwrap_or(("POST", &request));
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let Some(routed) = route(service, method, path, query) else { return };
    if let Ok(input) = decode(&routed, query, &HeaderMap::new(), &body) {
        check(routed.operation, &input);
    }
    for status in [200, 400] {
        let mut answer = Response::new(body.clone());
        *answer.status_mut() = status.try_into().expect("a status");
        let _ = decode_response(routed.operation, &answer);
    }
});
