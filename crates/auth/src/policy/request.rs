//! What is asked of a policy.

use std::collections::HashMap;

/// One request to be decided about.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Such as `execute-api:Invoke`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// Who asks; `None` is anonymous.
    pub principal: Option<&'a Principal>,
    /// The values of condition keys.
    pub context: &'a Context,
}

/// Somebody whom a signature has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// 12 digits.
    pub account: String,
    /// Such as `arn:aws:iam::111122223333:user/alice`.
    pub arn: String,
}

/// The condition keys of a request, such as `aws:SourceIp`, each with one or more values. Their case does not count.
#[derive(Debug, Clone, Default)]
pub struct Context(HashMap<String, Vec<String>>);

impl Context {
    /// Adds a value to a key.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_ascii_lowercase()).or_default().push(value.into());
    }

    /// All values of a key; none if it is absent.
    pub(super) fn values(&self, key: &str) -> &[String] {
        self.0.get(&key.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}
