//! The settings of Lambda functions: those that this server runs itself, and where all others are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use stagedoor_auth::sigv4::Key;

/// A function that this server runs itself, as processes that speak the Lambda Runtime API.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, without version or alias: `orders` in `arn:aws:lambda:us-east-1:000000000000:function:orders:live`.
    /// The ARN's account and region do not matter.
    pub name: String,
    /// The program and its arguments; not empty.
    pub command: Vec<String>,
    /// Where the command runs; the server's own working directory if `None`.
    pub directory: Option<PathBuf>,
    /// The whole environment of the command, but for the variables that the Runtime API defines.
    pub environment: BTreeMap<String, String>,
    /// Most processes at a time. At least 1.
    pub processes: usize,
    /// Most invocations at a time; more are refused as by AWS. Those beyond [`Self::processes`] wait for one. At least 1.
    pub concurrency: usize,
    /// What becomes of invocations that nobody waits for.
    pub asynchronous: Asynchronous,
    /// How long one invocation may take; then its process is killed. AWS's default is 3 s, its most 15 min.
    pub timeout: Duration,
}

/// What AWS calls the asynchronous invocation configuration.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html>
#[derive(Clone, Debug)]
pub struct Asynchronous {
    /// How long is waited before each further attempt when the function has failed; as many as there are attempts
    /// after the first. AWS waits one minute and then two.
    pub retry_waits: Vec<Duration>,
    /// How old an event may be when an attempt begins; AWS's default is 6 h.
    pub age_max: Duration,
    /// The declared function that is told of events that are given up.
    pub on_failure: Option<String>,
}

impl Default for Asynchronous {
    fn default() -> Self {
        Self {
            retry_waits: vec![Duration::from_secs(60), Duration::from_secs(120)],
            age_max: Duration::from_secs(6 * 60 * 60),
            on_failure: None,
        }
    }
}

/// Where functions are invoked that are not declared: AWS itself, or any server of its Invoke API.
#[derive(Clone, Debug)]
pub struct LambdaEndpoint {
    /// `http://127.0.0.1:3001`: scheme and authority; a path is ignored.
    pub url: Uri,
    /// Signs the invocations.
    pub key: Key,
}
