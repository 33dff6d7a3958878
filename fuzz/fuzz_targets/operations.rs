//! Calls of the control planes, one a line: a method, an address and a body, parted by spaces. `$0` to `$9` stand for ids
//! and ARNs that came before. Whatever is asked is answered, or refused in AWS's words: never an internal failure.
#![no_main]

use std::cell::OnceCell;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;
use stagedoor_model::{Kind, Operation, SERVICES, Value};
use stagedoor_testkit::{ControlPlane, Dispatch};
use stagedoor_wire::check::check;
use stagedoor_wire::decode::decode;
use stagedoor_wire::encode;
use stagedoor_wire::route::route;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
const CALLS_MAX: usize = 32;
const IDS_MAX: usize = 10;

/// Control planes by the names of their services, made when they are needed.
#[derive(Default)]
struct Planes([OnceCell<ControlPlane>; 3]);

const DISPATCHES: [(&str, Dispatch); 3] = [
    ("apigateway", stagedoor_apigateway::dispatch),
    ("apigatewayv2", stagedoor_apigatewayv2::dispatch),
    ("ivs-realtime", stagedoor_ivs::dispatch),
];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (planes, mut ids) = (Planes::default(), Vec::<String>::new());
    for line in text.lines().take(CALLS_MAX) {
        let mut line = line.to_owned();
        for (number, id) in ids.iter().enumerate() {
            line = line.replace(&format!("${number}"), id);
        }
        planes.call(&line, &mut ids);
    }
});

impl Planes {
    fn call(&self, line: &str, ids: &mut Vec<String>) {
        let mut words = line.splitn(3, ' ');
        let [method, address, body] = std::array::from_fn(|_| words.next().unwrap_or_default());
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        for service in SERVICES {
            let Some(plane) = self.find(service.name) else { continue };
            let Some(routed) = route(service, method, path, query) else { continue };
            let body = Bytes::copy_from_slice(body.as_bytes());
            let Ok(input) = decode(&routed, query, &HeaderMap::new(), &body) else { return };
            if !check(routed.operation, &input).is_empty() {
                return;
            }
            match plane.call_decoded(ACCOUNT, REGION, routed.operation.name, &input) {
                Ok(output) => {
                    collect("", &output, ids);
                    let answer = encode::answer(service, Some(routed.operation), Ok(output), "id");
                    assert!(has_payload(routed.operation) || is_json(answer.body()), "{line}");
                }
                Err(fault) => {
                    let not_built = fault.status == StatusCode::NOT_IMPLEMENTED.as_u16();
                    assert!((400..500).contains(&fault.status) || not_built, "{line}: {fault}");
                }
            }
            return;
        }
    }

    fn find(&self, service: &str) -> Option<&ControlPlane> {
        let at = DISPATCHES.iter().position(|(name, _)| *name == service)?;
        Some(self.0[at].get_or_init(|| ControlPlane::new(DISPATCHES[at].1, ACCOUNT)))
    }
}

/// Keeps what later calls may name.
fn collect(name: &str, value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Map(entries) => entries.iter().for_each(|(name, value)| collect(name, value, ids)),
        Value::List(items) => items.iter().for_each(|item| collect(name, item, ids)),
        Value::String(text) if is_id(name) && ids.len() < IDS_MAX && !ids.contains(text) => {
            ids.push(text.clone());
        }
        _ => {}
    }
}

fn is_id(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("id") || name.ends_with("arn") || name == "position" || name == "nexttoken"
}

fn has_payload(operation: &Operation) -> bool {
    match operation.output.map(|shape| &shape.kind) {
        Some(Kind::Structure { payload, .. }) => payload.is_some(),
        _ => true,
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok()
}
