//! What every operation of a control plane gets besides its input.

use std::ops::{Deref, DerefMut};

use stagedoor_auth::es384::KeyPair;
use stagedoor_model::{Mismatch, Shape, Timestamp, Value};
use stagedoor_store::Transaction;

use crate::document::Documents;
use crate::ids::{self, Entropy};
use crate::page::PageKey;
use crate::ports::Stages;
use crate::{Fault, Result, ivs, rest};

/// The context of one operation: the documents of the caller's account and region, in one transaction.
///
/// An operation may run more than once: a transaction that lost a race is repeated. Whatever it does besides
/// reading and writing documents must therefore be harmless.
pub struct Cx<'a> {
    documents: Documents<'a>,
    pub environment: &'a Environment<'a>,
}

/// What an operation may know about the server.
pub struct Environment<'a> {
    pub now: Timestamp,
    pub entropy: &'a dyn Entropy,
    pub endpoints: &'a Endpoints,
    /// Signs the tokens of paginated lists.
    pub page_key: &'a PageKey,
    /// Signs participant tokens, and the `kid` that names it in them.
    pub token_key: &'a KeyPair,
    pub token_key_id: &'a str,
    /// Tries out what is configured.
    pub stages: &'a dyn Stages,
    /// Of stages: quotas, and what the media plane can carry.
    pub ivs: &'a ivs::Settings,
    /// How much there may be of REST APIs and what belongs to them.
    pub rest_quotas: &'a rest::quotas::Quotas,
}

/// Where clients reach this server, as answers print it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Origin of the HTTP listener, e.g. `http://127.0.0.1:4566`.
    pub http: String,
    /// `rtmp://127.0.0.1:1935/app/`.
    pub rtmp: String,
    /// `rtmps://127.0.0.1:1936/app/`.
    pub rtmps: String,
}

impl Endpoints {
    /// Base URL for publishing by WHIP; `/subscribe/{participantId}` below it is for receiving.
    pub fn whip(&self) -> String {
        format!("{}/whip", self.http)
    }

    /// Base URL of the events socket.
    pub fn events(&self) -> String {
        format!("{}/events", self.http.replacen("http", "ws", 1))
    }
}

impl<'a> Cx<'a> {
    pub fn new(
        transaction: &'a mut Transaction,
        account: &'a str,
        region: &'a str,
        environment: &'a Environment<'a>,
    ) -> Self {
        let documents = Documents::new(transaction, account, region).telling(environment.ivs.event_targets);
        Self { documents, environment }
    }

    /// When the request arrived.
    pub fn now(&self) -> Timestamp {
        self.environment.now
    }

    /// A fresh id of API Gateway's form: lower-case letters and digits.
    pub fn new_id(&self, length: usize) -> String {
        ids::random(self.environment.entropy, ids::LOWER_ALNUM, length)
    }

    /// A fresh id of IVS's form: letters and digits.
    pub fn new_ivs_id(&self, length: usize) -> String {
        ids::random(self.environment.entropy, ids::BASE62, length)
    }
}

impl<'a> Deref for Cx<'a> {
    type Target = Documents<'a>;

    fn deref(&self) -> &Documents<'a> {
        &self.documents
    }
}

impl<'a> DerefMut for Cx<'a> {
    fn deref_mut(&mut self) -> &mut Documents<'a> {
        &mut self.documents
    }
}

/// One row of a dispatch table: values in, the operation's function on its types, values out.
pub fn row<I: Shape, O: Shape>(
    operation: impl FnOnce(&mut Cx<'_>, I) -> Result<O>,
    cx: &mut Cx<'_>,
    input: Value,
) -> Result<Value> {
    let input = I::from_value(input).map_err(|wrong: Mismatch| Fault::serialization(wrong.to_string()))?;
    operation(cx, input).map(O::into_value)
}
