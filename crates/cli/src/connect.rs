//! How Stagedoor's own tools find the server that they call: options, then what a call of the AWS CLI would use.

use std::time::Duration;

use clap::Args;
use stagedoor_model::{Service, Value};

use crate::client::{Client, Config};
use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::globals::Globals;
use crate::settings::Settings;

/// How long a connection and an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Which server, which region, whose key.
#[derive(Args, Clone, Debug, Default)]
pub struct Target {
    /// Where the server is [default: as for calls, at last http://127.0.0.1:4566]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// Profile of ~/.aws/config and ~/.aws/credentials
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Region to call
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// File of certificates to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<String>,
}

/// A server that a tool calls, service by service.
pub struct Connection {
    clients: Vec<(&'static Service, Client)>,
    /// Where the first of the services is.
    pub endpoint: String,
    pub region: String,
}

impl Target {
    /// A connection for calls of these services.
    ///
    /// # Errors
    /// [`Failure::Configuration`] if profile, region or credentials are missing.
    pub fn connect(&self, services: &[&'static Service]) -> Result<Connection> {
        let globals = Globals {
            endpoint: self.endpoint_url.clone(),
            profile: self.profile.clone(),
            region: self.region.clone(),
            ca_bundle: self.ca_bundle.clone(),
            ..Globals::default()
        };
        let environment = Environment::of_process();
        let mut connection =
            Connection { clients: Vec::new(), endpoint: String::new(), region: String::new() };
        for service in services {
            let settings = Settings::resolve(service, &globals, &environment)?;
            let config = Config {
                connect_timeout: TIMEOUT,
                answer_timeout: TIMEOUT,
                trust: settings.trust.clone(),
                retries: Some(settings.retries),
                ..Config::new(&settings.region, in_runtime(settings.key())?)
            };
            let client =
                Client::new(&settings.endpoint, config).map_err(|error| Failure::of_call("", error))?;
            if connection.clients.is_empty() {
                connection.endpoint = settings.endpoint;
                connection.region = settings.region;
            }
            connection.clients.push((service, client));
        }
        Ok(connection)
    }
}

impl Connection {
    /// Calls an operation of one of the services.
    ///
    /// # Errors
    /// What the service or the way to it says.
    pub async fn call(&self, service: &str, operation: &'static str, input: &Value) -> Result<Value> {
        let known = self.clients.iter().find(|(known, _)| known.name == service);
        let (service, client) = known.ok_or_else(|| Failure::Other(format!("not connected to {service}")))?;
        let answer = client.call_value(service, operation, input).await;
        answer.map_err(|error| Failure::of_call(operation, error))
    }

    /// The items of all pages of a listing.
    pub async fn list(
        &self,
        service: &str,
        operation: &'static str,
        input: Vec<(&str, Value)>,
    ) -> Result<Vec<Value>> {
        let known = self.clients.iter().find(|(known, _)| known.name == service);
        let known = known.and_then(|(known, _)| known.operation(operation));
        let paginator = known.and_then(|operation| operation.paginator.as_ref());
        let mut input: Vec<(stagedoor_model::value::Key, Value)> =
            input.into_iter().map(|(name, value)| (name.to_owned().into(), value)).collect();
        // Lists that are not paginated in the table are the only list of their answer.
        let (token_in, token_out) =
            paginator.map_or(("NextToken", "NextToken"), |known| (known.input_token, known.output_token));
        let mut items = Vec::new();
        loop {
            let answer = self.call(service, operation, &Value::Map(input.clone())).await?;
            let page = match paginator {
                Some(paginator) => answer.get(paginator.result_key).map(Value::items).unwrap_or_default(),
                None => only_list(&answer),
            };
            items.extend_from_slice(page);
            let token = answer.get(token_out).and_then(Value::as_str).unwrap_or_default();
            if token.is_empty() {
                return Ok(items);
            }
            let token = Value::String(token.to_owned());
            input.retain(|(name, _)| name != token_in);
            input.push((token_in.into(), token));
        }
    }
}

fn only_list(answer: &Value) -> &[Value] {
    let Value::Map(entries) = answer else { return &[] };
    entries.iter().map(|(_, value)| value.items()).find(|items| !items.is_empty()).unwrap_or_default()
}

/// Runs a tool's calls on this thread; the interrupt key ends them.
pub fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Other(error.to_string()))?.block_on(async {
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}

/// An input, from names and values.
pub fn input<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A text as a value.
pub fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}
