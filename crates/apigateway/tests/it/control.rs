//! A control plane in a test: its store, its clock, its ids, and sentences that many tests begin with.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use stagedoor_auth::es384::KeyPair;
use stagedoor_model::{Timestamp, Value};
use stagedoor_state::ids::Entropy;
use stagedoor_state::page::PageKey;
use stagedoor_state::{Cx, Documents, Endpoints, Environment, Fault, Result};
use stagedoor_store::{Store, Transaction};

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "eu-west-1";
/// The id of the API that [`Control::api`] makes.
pub(crate) const API: &str = "api1";
/// When the clock starts: 2024-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_704_067_200;

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
        }
    }

    /// Moves the clock by some seconds.
    pub(crate) fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// Calls an operation.
    pub(crate) fn call(&self, operation: &str, input: Json) -> Result<Json> {
        let endpoints = Endpoints { http: String::new(), rtmp: String::new(), rtmps: String::new() };
        let environment = Environment {
            now: Timestamp::from_micros(self.now.get() * 1_000_000 + 250_000),
            entropy: &self.entropy,
            endpoints: &endpoints,
            page_key: &PageKey([7; 32]),
            token_key: &self.key,
            token_key_id: "stagedoor-test",
            ivs: &stagedoor_state::ivs::Settings::default(),
        };
        let input: Value = serde_json::from_value(input).expect("any JSON is a value");
        let output = self.transact(|transaction| {
            let mut cx = Cx::new(transaction, ACCOUNT, REGION, &environment);
            stagedoor_apigateway::dispatch(operation, &mut cx, input.clone())
        })?;
        Ok(serde_json::to_value(output).expect("any value is JSON"))
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

    /// What somebody else finds in or puts into the store.
    pub(crate) fn documents<T>(&self, mut f: impl FnMut(&mut Documents<'_>) -> Result<T>) -> T {
        let done = self.transact(|transaction| f(&mut Documents::new(transaction, ACCOUNT, REGION)));
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

    /// Creates the API [`API`]; returns the id of its root resource.
    pub(crate) fn api(&self) -> String {
        let api = self.ok("CreateRestApi", json!({"name": "shop", "tags": {"stagedoor:id": API}}));
        text(&api, "rootResourceId")
    }

    /// Adds a resource to [`API`]; returns its id.
    #[track_caller]
    pub(crate) fn resource(&self, parent: &str, path_part: &str) -> String {
        let input = json!({"restApiId": API, "parentId": parent, "pathPart": path_part});
        text(&self.ok("CreateResource", input), "id")
    }

    /// Gives a resource of [`API`] a `GET` method.
    pub(crate) fn method(&self, resource: &str) {
        self.ok("PutMethod", on(resource, json!({"authorizationType": "NONE"})));
    }

    /// Gives a resource of [`API`] a `GET` method and a `MOCK` integration.
    pub(crate) fn mock(&self, resource: &str) {
        self.method(resource);
        self.ok("PutIntegration", on(resource, json!({"type": "MOCK"})));
    }

    /// Creates [`API`] with something to deploy and deploys it; returns the deployment's id.
    pub(crate) fn deployed(&self) -> String {
        let root = self.api();
        self.mock(&root);
        self.deployment()
    }

    /// Deploys [`API`] once more.
    pub(crate) fn deployment(&self) -> String {
        text(&self.ok("CreateDeployment", json!({"restApiId": API})), "id")
    }

    /// Creates [`API`], deploys it, and creates the stage `dev`; returns the deployment's id.
    pub(crate) fn staged(&self) -> String {
        let deployment = self.deployed();
        self.ok("CreateStage", json!({"restApiId": API, "stageName": "dev", "deploymentId": deployment}));
        deployment
    }

    #[track_caller]
    pub(crate) fn update_stage(&self, operations: Json) -> Json {
        self.ok("UpdateStage", update_stage(operations))
    }

    #[track_caller]
    pub(crate) fn update_stage_err(&self, operations: Json) -> String {
        self.err("UpdateStage", update_stage(operations))
    }

    pub(crate) fn stage(&self) -> Json {
        self.ok("GetStage", json!({"restApiId": API, "stageName": "dev"}))
    }
}

pub(crate) fn update_stage(operations: Json) -> Json {
    json!({"restApiId": API, "stageName": "dev", "patchOperations": operations})
}

/// An input about the `GET` method of a resource of [`API`].
pub(crate) fn on(resource: &str, input: Json) -> Json {
    with(json!({"restApiId": API, "resourceId": resource, "httpMethod": "GET"}), input)
}

/// An object with the members of another over its own.
pub(crate) fn with(mut object: Json, members: Json) -> Json {
    let (Json::Object(object_members), Json::Object(members)) = (&mut object, members) else {
        panic!("both are objects")
    };
    object_members.extend(members);
    object
}

/// An object without a member, which it must have.
#[track_caller]
pub(crate) fn without(mut object: Json, member: &str) -> Json {
    assert!(object.as_object_mut().expect("an object").remove(member).is_some(), "{member} is there");
    object
}

#[track_caller]
pub(crate) fn text(object: &Json, member: &str) -> String {
    object[member].as_str().expect("a string").to_owned()
}

/// The member of that name of each item of a list.
pub(crate) fn each<'a>(list: &'a Json, member: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().expect("a string")).collect()
}

/// A patch operation.
pub(crate) fn op(op: &str, path: &str, value: &str) -> Json {
    json!({"op": op, "path": path, "value": value})
}
