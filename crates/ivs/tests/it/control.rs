//! A control plane in a test: its store, its clock, its ids.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use stagedoor_auth::es384::KeyPair;
use stagedoor_model::{Timestamp, Value};
use stagedoor_state::ids::Entropy;
use stagedoor_state::ivs::Settings;
use stagedoor_state::ivs::presence::{self, Admission, Joining, Present};
use stagedoor_state::page::PageKey;
use stagedoor_state::{Cx, Documents, Endpoints, Environment, Fault, Result};
use stagedoor_store::{Store, Transaction};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
/// Names the server's key in tokens.
pub(crate) const KEY_ID: &str = "stagedoor-test";
/// When the clock starts: 2024-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_704_067_200;

pub(crate) struct Control {
    store: Store,
    entropy: Counting,
    now: Cell<i64>,
    pub(crate) key: KeyPair,
    pub(crate) settings: Settings,
}

/// Bytes that differ from call to call and are the same in each run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = (count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
        }
    }
}

enum Failure {
    Fault(Fault),
    Store(stagedoor_store::Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<stagedoor_store::Error> for Failure {
    fn from(error: stagedoor_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            store: Store::in_memory().expect("memory suffices"),
            entropy: Counting(AtomicU64::new(0)),
            now: Cell::new(START),
            key: KeyPair::generate(),
            settings: Settings::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.now.get())
    }

    /// Moves the clock by some seconds.
    pub(crate) fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// Calls an operation as somebody in [`ACCOUNT`] and [`REGION`].
    pub(crate) fn call(&self, operation: &str, input: Json) -> Result<Json> {
        self.call_as(ACCOUNT, REGION, operation, input)
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

    pub(crate) fn call_as(&self, account: &str, region: &str, operation: &str, input: Json) -> Result<Json> {
        let endpoints = Endpoints {
            http: "http://127.0.0.1:4566".to_owned(),
            rtmp: "rtmp://127.0.0.1:1935/app/".to_owned(),
            rtmps: "rtmps://127.0.0.1:1936/app/".to_owned(),
        };
        let environment = Environment {
            now: self.now(),
            entropy: &self.entropy,
            endpoints: &endpoints,
            page_key: &PageKey([7; 32]),
            token_key: &self.key,
            token_key_id: KEY_ID,
            ivs: &self.settings,
        };
        let input: Value = serde_json::from_value(input).expect("any JSON is a value");
        let output = self.transact(|transaction| {
            let mut cx = Cx::new(transaction, account, region, &environment);
            stagedoor_ivs::dispatch(operation, &mut cx, input.clone())
        })?;
        Ok(serde_json::to_value(output).expect("any value is JSON"))
    }

    /// What the media plane would do.
    pub(crate) fn media<T>(&self, mut f: impl FnMut(&mut Documents<'_>, Timestamp) -> Result<T>) -> T {
        let done =
            self.transact(|transaction| f(&mut Documents::new(transaction, ACCOUNT, REGION), self.now()));
        done.unwrap_or_else(|fault| panic!("{fault}"))
    }

    fn transact<T>(&self, mut f: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
        let done = self.store.transact(|transaction| Ok::<T, Failure>(f(transaction)?));
        done.map_err(|failure| match failure {
            Failure::Fault(fault) => fault,
            Failure::Store(error) => panic!("{error}"),
        })
    }

    // === Frequent sentences ===

    /// Creates a stage with a chosen id; returns its ARN.
    pub(crate) fn stage(&self, id: &str) -> String {
        self.ok("CreateStage", json!({"tags": {"stagedoor:id": id}}));
        stage_arn(id)
    }

    pub(crate) fn join(&self, who: Present<'_>) {
        let joining = Joining {
            participant_id: who.participant_id.to_owned(),
            user_id: format!("user-{}", who.participant_id),
            ..Joining::default()
        };
        let admission = self.media(|documents, now| {
            presence::join(documents, who.stage_id, who.session_id, joining.clone(), now)
        });
        assert_eq!(admission, Admission::Joined { session_id: who.session_id.to_owned() });
    }

    /// Everybody leaves whom `who` names, and the session ends.
    pub(crate) fn end(&self, who: &[Present<'_>]) {
        for who in who {
            self.media(|documents, now| presence::leave(documents, *who, now));
        }
        let stage_id = who[0].stage_id;
        let end = |documents: &mut Documents<'_>, now| {
            stagedoor_state::ivs::session::end_session(documents, stage_id, now)
        };
        assert_eq!(self.media(end).as_deref(), Some(who[0].session_id));
    }
}

pub(crate) fn stage_arn(id: &str) -> String {
    format!("arn:aws:ivs:{REGION}:{ACCOUNT}:stage/{id}")
}

pub(crate) const SESSION: &str = "st-AAAAAAAAAAAAA";

/// A participant in [`SESSION`] of the stage `s1`.
pub(crate) fn who(participant_id: &str) -> Present<'_> {
    Present { stage_id: "s1", session_id: SESSION, participant_id }
}

/// The member of that name of each item of a list.
pub(crate) fn each<'a>(list: &'a Json, member: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().expect("a string")).collect()
}
