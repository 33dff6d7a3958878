//! Why an invocation failed, how it is told, and the exit code, which are those of AWS CLI v2.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html>

use stagedoor_wire::client::ServiceError;

use crate::client::ClientError;

/// What ends an invocation other than success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The words of the command line are wrong: 252, after the usage.
    #[error("\nusage: {USAGE}\nstagedoor: error: {0}\n")]
    Usage(String),
    /// A value of the command line is wrong: 252.
    #[error("\n{0}\n")]
    Value(String),
    /// Profile, credentials or region are missing or unusable: 253.
    #[error("\n{0}\n")]
    Configuration(String),
    /// The service answered an error: 254.
    #[error("\nAn error occurred ({}) when calling the {operation} operation{}: {}\n", error.code, tries(*retries), error.message)]
    Service {
        operation: &'static str,
        error: ServiceError,
        /// How often it was repeated, if that was as often as allowed.
        retries: Option<u32>,
    },
    /// Anything else: 255.
    #[error("\n{0}\n")]
    Other(String),
    /// The user pressed the interrupt key: 130.
    #[error("")]
    Interrupted,
}

const USAGE: &str = "stagedoor [options] <command> <subcommand> [<subcommand> ...] [parameters]
To see help text, you can run:

  stagedoor help
  stagedoor <command> help
  stagedoor <command> <subcommand> help
";

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Value(_) => 252,
            Self::Configuration(_) => 253,
            Self::Service { .. } => 254,
            Self::Other(_) => 255,
            Self::Interrupted => 130,
        }
    }

    /// A value that cannot be understood, with the option that holds it.
    pub fn parameter(option: &str, message: impl std::fmt::Display) -> Self {
        Self::Value(format!("Error parsing parameter '--{option}': {message}"))
    }

    /// What a call ended with.
    pub fn of_call(operation: &'static str, error: ClientError) -> Self {
        match error {
            ClientError::Service(error) => Self::Service { operation, error: named(error), retries: None },
            ClientError::Exhausted { error, retries } => {
                Self::Service { operation, error: named(error), retries: Some(retries) }
            }
            ClientError::Unreachable { url, cause } if cause.contains("certificate") => {
                Self::Other(format!("SSL validation failed for {url} {cause}"))
            }
            ClientError::Unreachable { url, .. } => {
                Self::Other(format!("Could not connect to the endpoint URL: \"{url}\""))
            }
            other => Self::Other(other.to_string()),
        }
    }
}

fn tries(retries: Option<u32>) -> String {
    retries.map_or(String::new(), |retries| format!(" (reached max retries: {retries})"))
}

/// Answers without a code, as proxies give them, go by their status.
fn named(mut error: ServiceError) -> ServiceError {
    if error.code.is_empty() {
        error.code = error.status.to_string();
        let reason =
            http::StatusCode::from_u16(error.status).ok().and_then(|status| status.canonical_reason());
        if error.message.is_empty() {
            error.message = reason.unwrap_or_default().to_owned();
        }
    }
    error
}

pub type Result<T> = std::result::Result<T, Failure>;
