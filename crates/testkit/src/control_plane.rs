//! A control plane in a test: its store, its clock, its ids; JSON in, JSON out, with the model's member names.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;
use stagedoor_auth::es384::KeyPair;
use stagedoor_model::{Timestamp, Value};
use stagedoor_state::ids::Entropy;
use stagedoor_state::ivs::Settings;
use stagedoor_state::page::PageKey;
use stagedoor_state::ports::NoStages;
use stagedoor_state::rest::quotas::Quotas;
use stagedoor_state::transact::transact;
use stagedoor_state::{Cx, Documents, Endpoints, Environment, Result};
use stagedoor_store::{Store, Transaction};

/// When the clock of every test starts: 2024-01-01T00:00:00Z.
pub const START: i64 = 1_704_067_200;
/// The region of every test.
pub const REGION: &str = "eu-west-1";
/// Names the server's own key in participant tokens.
pub const TOKEN_KEY_ID: &str = "stagedoor-test";

/// A service's generated table of operations.
pub type Dispatch = fn(&str, &mut Cx<'_>, Value) -> Result<Value>;

/// One service over a store in memory.
pub struct ControlPlane {
    dispatch: Dispatch,
    account: &'static str,
    store: Store,
    entropy: Counting,
    now_micros: Cell<i64>,
    endpoints: Endpoints,
    page_key: PageKey,
    /// The server's own key, which signs participant tokens.
    pub key: KeyPair,
    /// What the operator chose.
    pub settings: Settings,
    pub rest_quotas: Quotas,
}

/// Bytes that differ from call to call and are the same in each run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = split_mix(count) as u8;
        }
    }
}

/// SplitMix64's output function: neighbours look unrelated.
fn split_mix(count: u64) -> u64 {
    let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl ControlPlane {
    /// A service whose callers act in `account`, in [`REGION`].
    pub fn new(dispatch: Dispatch, account: &'static str) -> Self {
        Self {
            dispatch,
            account,
            store: Store::in_memory().expect("memory suffices"),
            entropy: Counting(AtomicU64::new(0)),
            now_micros: Cell::new(START * 1_000_000),
            endpoints: Endpoints {
                http: "http://127.0.0.1:4566".to_owned(),
                rtmp: "rtmp://127.0.0.1:1935/app/".to_owned(),
                rtmps: "rtmps://127.0.0.1:1936/app/".to_owned(),
            },
            page_key: PageKey([7; 32]),
            key: KeyPair::generate(),
            settings: Settings::default(),
            rest_quotas: Quotas::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now_micros.get())
    }

    /// Moves the clock by some seconds.
    pub fn wait(&self, seconds: i64) {
        self.wait_micros(seconds * 1_000_000);
    }

    /// Moves the clock by some microseconds.
    pub fn wait_micros(&self, micros: i64) {
        self.now_micros.set(self.now_micros.get() + micros);
    }

    /// Calls an operation.
    pub fn call(&self, operation: &str, input: Json) -> Result<Json> {
        self.call_as(self.account, REGION, operation, input)
    }

    /// Calls an operation as somebody else, or in another region.
    pub fn call_as(&self, account: &str, region: &str, operation: &str, input: Json) -> Result<Json> {
        let input: Value = serde_json::from_value(input).expect("any JSON is a value");
        let output = self.call_decoded(account, region, operation, &input)?;
        Ok(serde_json::to_value(output).expect("any value is JSON"))
    }

    /// Calls an operation with an input as requests are decoded to.
    pub fn call_decoded(&self, account: &str, region: &str, operation: &str, input: &Value) -> Result<Value> {
        let environment = Environment {
            now: self.now(),
            entropy: &self.entropy,
            endpoints: &self.endpoints,
            page_key: &self.page_key,
            token_key: &self.key,
            token_key_id: TOKEN_KEY_ID,
            stages: &NoStages,
            ivs: &self.settings,
            rest_quotas: &self.rest_quotas,
        };
        transact(&self.store, |transaction| {
            let mut cx = Cx::new(transaction, account, region, &environment);
            (self.dispatch)(operation, &mut cx, input.clone())
        })
    }

    /// Calls an operation that must succeed.
    #[track_caller]
    pub fn ok(&self, operation: &str, input: Json) -> Json {
        self.call(operation, input).unwrap_or_else(|fault| panic!("{operation}: {fault}"))
    }

    /// Calls an operation that must fail; returns `Code status: message`.
    #[track_caller]
    pub fn err(&self, operation: &str, input: Json) -> String {
        match self.call(operation, input) {
            Ok(answer) => panic!("{operation} answers {answer}"),
            Err(fault) => format!("{} {}: {}", fault.code, fault.status, fault.message),
        }
    }

    /// What somebody else, such as a data plane, finds in or puts into the store.
    pub fn documents<T>(&self, mut f: impl FnMut(&mut Documents<'_>) -> Result<T>) -> T {
        let on_documents =
            |transaction: &mut Transaction| f(&mut Documents::new(transaction, self.account, REGION));
        transact(&self.store, on_documents).unwrap_or_else(|fault| panic!("{fault}"))
    }
}
