//! One of the two servers of a copy: calls by names, lists as a whole.

use stagedoor_model::Value;

use super::document::{Entries, text};
use crate::connect::Connection;
use crate::failure::{Failure, Result};

pub struct Side {
    connection: Connection,
}

impl Side {
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub fn region(&self) -> &str {
        &self.connection.region
    }

    /// Calls an operation.
    pub async fn call(&self, service: &str, operation: &'static str, input: Entries) -> Result<Value> {
        self.connection.call(service, operation, &Value::Map(input)).await
    }

    /// Calls with texts alone.
    pub async fn ask(
        &self,
        service: &str,
        operation: &'static str,
        input: &[(&'static str, &str)],
    ) -> Result<Value> {
        let entries = input.iter().map(|(name, word)| ((*name).into(), Value::String((*word).to_owned())));
        self.call(service, operation, entries.collect()).await
    }

    /// As [`Self::ask`], but what is not there is `None`.
    pub async fn find(
        &self,
        service: &str,
        operation: &'static str,
        input: &[(&'static str, &str)],
    ) -> Result<Option<Value>> {
        match self.ask(service, operation, input).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Service { error, .. }) if error.status == 404 => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Everything that a listing has.
    pub async fn list(
        &self,
        service: &str,
        operation: &'static str,
        input: Vec<(&str, Value)>,
    ) -> Result<Vec<Value>> {
        self.connection.list(service, operation, input).await
    }

    /// Everything that a listing below one API has.
    pub async fn list_of(
        &self,
        service: &str,
        operation: &'static str,
        input: &[(&str, &str)],
    ) -> Result<Vec<Value>> {
        let input = input.iter().map(|(name, word)| (*name, Value::String((*word).to_owned())));
        self.list(service, operation, input.collect()).await
    }
}

/// The ids of documents.
pub fn ids(documents: &[Value], member: &str) -> Vec<String> {
    documents.iter().map(|document| text(document, member).to_owned()).collect()
}
