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
    /// Most processes at a time, and so most invocations at a time. At least 1.
    pub concurrency: usize,
    /// How long one invocation may take; then its process is killed. AWS's default is 3 s, its most 15 min.
    pub timeout: Duration,
}

/// Where functions are invoked that are not declared: AWS itself, or any server of its Invoke API.
#[derive(Clone, Debug)]
pub struct LambdaEndpoint {
    /// `http://127.0.0.1:3001`: scheme and authority; a path is ignored.
    pub url: Uri,
    /// Signs the invocations.
    pub key: Key,
}
