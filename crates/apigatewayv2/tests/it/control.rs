//! A control plane in a test: its store, its clock, its ids.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use stagedoor_auth::es384::KeyPair;
use stagedoor_model::{Timestamp, Value};
use stagedoor_state::ids::Entropy;
use stagedoor_state::page::PageKey;
use stagedoor_state::transact::transact;
use stagedoor_state::{Cx, Documents, Endpoints, Environment, Result};
use stagedoor_store::Store;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
/// When the clock starts: 2024-01-01T00:00:00Z.
pub(crate) const START: f64 = 1_704_067_200.0;

pub(crate) struct Control {
    store: Store,
    entropy: Counting,
    now: Cell<i64>,
    key: KeyPair,
}

/// Bytes that differ from call to call and are the same in each run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            // The finalizer of splitmix64, after which consecutive numbers look unrelated.
            let mixed = (count ^ (count >> 30)).wrapping_add(1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8;
        }
    }
}

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            store: Store::in_memory().expect("memory suffices"),
            entropy: Counting(AtomicU64::new(0)),
            now: Cell::new(START as i64),
            key: KeyPair::generate(),
        }
    }

    /// Moves the clock by some seconds.
    pub(crate) fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// Calls an operation that must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, input: Json) -> Json {
        self.call(operation, input).unwrap_or_else(|fault| panic!("{operation}: {fault}"))
    }

    /// Calls an operation that must fail; returns `Code status: message`.
    #[track_caller]
    pub(crate) fn err(&self, operation: &str, input: Json) -> String {
        match self.call(operation, input) {
            Ok(answer) => panic!("{operation} answers {answer}"),
            Err(fault) => format!("{} {}: {}", fault.code, fault.status, fault.message),
        }
    }

    pub(crate) fn call(&self, operation: &str, input: Json) -> Result<Json> {
        let endpoints = Endpoints {
            http: "http://127.0.0.1:4566".to_owned(),
            rtmp: "rtmp://127.0.0.1:1935/app/".to_owned(),
            rtmps: "rtmps://127.0.0.1:1936/app/".to_owned(),
        };
        let environment = Environment {
            now: Timestamp::from_seconds(self.now.get()),
            entropy: &self.entropy,
            endpoints: &endpoints,
            page_key: &PageKey([7; 32]),
            token_key: &self.key,
            token_key_id: "stagedoor-test",
            ivs: &stagedoor_state::ivs::Settings::default(),
        };
        let input: Value = serde_json::from_value(input).expect("any JSON is a value");
        let output = transact(&self.store, |transaction| {
            let mut cx = Cx::new(transaction, ACCOUNT, REGION, &environment);
            stagedoor_apigatewayv2::dispatch(operation, &mut cx, input.clone())
        })?;
        Ok(serde_json::to_value(output).expect("any value is JSON"))
    }

    /// What the data plane would do.
    pub(crate) fn documents<T>(&self, mut f: impl FnMut(&mut Documents<'_>) -> Result<T>) -> T {
        let done = transact(&self.store, |transaction| f(&mut Documents::new(transaction, ACCOUNT, REGION)));
        done.unwrap_or_else(|fault| panic!("{fault}"))
    }

    // === Frequent sentences ===

    /// Creates an HTTP API with a chosen id.
    pub(crate) fn http_api(&self, id: &str) {
        self.ok("CreateApi", json!({"Name": id, "ProtocolType": "HTTP", "Tags": {"stagedoor:id": id}}));
    }

    /// Creates a WebSocket API with a chosen id.
    pub(crate) fn websocket_api(&self, id: &str) {
        let selection = "$request.body.action";
        self.ok(
            "CreateApi",
            json!({
                "Name": id, "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": selection,
                "Tags": {"stagedoor:id": id},
            }),
        );
    }

    /// Creates an integration that forwards to a URL; returns its id.
    pub(crate) fn proxy(&self, api: &str) -> String {
        let created = self.ok(
            "CreateIntegration",
            json!({
                "ApiId": api, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY",
                "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0",
            }),
        );
        text(&created["IntegrationId"])
    }

    /// Creates a route without a target; returns its id.
    pub(crate) fn route(&self, api: &str, key: &str) -> String {
        text(&self.ok("CreateRoute", json!({"ApiId": api, "RouteKey": key}))["RouteId"])
    }
}

/// The text that a value must be.
#[track_caller]
pub(crate) fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// The member of that name of each item of an answer.
#[track_caller]
pub(crate) fn each(answer: &Json, member: &str) -> Vec<String> {
    answer["Items"].as_array().expect("a list").iter().map(|item| text(&item[member])).collect()
}

/// Whether an id has AWS's form: lower-case letters and digits.
pub(crate) fn is_id(value: &Json, length: usize) -> bool {
    let id = text(value);
    id.len() == length && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
