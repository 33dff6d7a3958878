//! What a control plane asks of a data plane: neither imports the other, the binary puts them together.
//!
//! Calls may take as long as a backend does. They are made by operations that only read, so that no writer waits.

use std::collections::BTreeMap;

use crate::Result;
use crate::rest::Snapshot;

/// The data plane of API Gateway, for operations that try out what is configured.
pub trait Stages: Sync {
    /// Runs a method of a REST API on a made-up request, without authorization and API keys.
    ///
    /// # Errors
    /// When there is no data plane. What the method itself answers is no error.
    fn test_method(&self, test: MethodTest) -> Result<MethodTested>;

    /// Asks an authorizer of a REST API about a made-up request.
    ///
    /// # Errors
    /// When there is no data plane. What the authorizer itself answers is no error.
    fn test_authorizer(&self, test: AuthorizerTest) -> Result<AuthorizerTested>;
}

/// A made-up request to a method.
#[derive(Debug)]
pub struct MethodTest {
    pub account: String,
    pub region: String,
    /// The API as it is now.
    pub api: Snapshot,
    pub resource_id: String,
    /// The client's verb, which may be served by `ANY`.
    pub verb: String,
    /// Path without the stage, and query. Empty means the resource's own path.
    pub path_and_query: String,
    /// With the names as they were given.
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub stage_variables: BTreeMap<String, String>,
}

/// How a method answered.
#[derive(Debug)]
pub struct MethodTested {
    pub status: u16,
    pub headers: Vec<(String, Vec<String>)>,
    pub body: String,
    /// The execution log, one line per event, ends with a line break.
    pub log: String,
    pub latency_millis: i64,
}

/// A made-up request to an authorizer.
#[derive(Debug)]
pub struct AuthorizerTest {
    pub account: String,
    pub region: String,
    /// The API as it is now.
    pub api: Snapshot,
    pub authorizer_id: String,
    /// Path without the stage, and query. Empty means `/`.
    pub path_and_query: String,
    /// With the names as they were given.
    pub headers: Vec<(String, String)>,
    pub stage_variables: BTreeMap<String, String>,
    /// Variables of `$context` besides those that the request has.
    pub additional_context: BTreeMap<String, String>,
}

/// What an authorizer said.
#[derive(Debug, Default)]
pub struct AuthorizerTested {
    /// The status that a client would have received; 0 if the authorizer succeeded, whatever it decided.
    pub client_status: u16,
    /// The execution log, one line per event, ends with a line break.
    pub log: String,
    pub latency_millis: i64,
    /// Of Lambda authorizers.
    pub principal_id: Option<String>,
    /// The policy of a Lambda authorizer, as JSON text.
    pub policy: Option<String>,
    /// Of a token that was verified.
    pub claims: Option<BTreeMap<String, String>>,
}

/// A server without stages: every test fails.
#[derive(Debug)]
pub struct NoStages;

impl Stages for NoStages {
    fn test_method(&self, _: MethodTest) -> Result<MethodTested> {
        Err(crate::Fault::internal())
    }

    fn test_authorizer(&self, _: AuthorizerTest) -> Result<AuthorizerTested> {
        Err(crate::Fault::internal())
    }
}
