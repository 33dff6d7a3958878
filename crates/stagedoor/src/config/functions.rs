//! `[[function]]` tables: Lambda functions that the server runs itself. Only the file has them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::{Asynchronous, Function, LambdaEndpoint};

use super::options::KeyOption;
use super::{ConfigError, checked_url};

/// Processes of a function at a time, unless told how many invocations there may be.
const DEFAULT_PROCESSES: usize = 10;
/// AWS's quota of an account, which stands for every function that has no concurrency of its own.
const CONCURRENCY_MAX: usize = 1000;
/// Seconds for an invocation, unless told: AWS's default.
const DEFAULT_TIMEOUT: u64 = 3;
const TIMEOUT_MAX: u64 = 900;
/// AWS's most: attempts after the first of an event, and seconds of its age.
const RETRIES_MAX: usize = 2;
const EVENT_AGE_MAX: u64 = 6 * 60 * 60;
/// Settings of the server, secrets among them, which are no business of functions.
const OUR_VARIABLES: &str = "STAGEDOOR_";

/// A `[[function]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FunctionOption {
    pub name: String,
    pub command: Vec<String>,
    pub directory: Option<PathBuf>,
    /// In addition to the server's own environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    pub concurrency: Option<usize>,
    /// In seconds.
    pub timeout: Option<u64>,
    /// Seconds before each further attempt of an event.
    pub retry_waits: Option<Vec<u64>>,
    /// In seconds.
    pub maximum_event_age: Option<u64>,
    /// The name of a declared function.
    pub on_failure: Option<String>,
}

/// The functions as the gateway takes them. `inherited` is the server's own environment.
pub(super) fn functions(
    given: Vec<FunctionOption>,
    inherited: impl Iterator<Item = (String, String)>,
    region: &str,
) -> Result<Vec<Function>, ConfigError> {
    let mut environment: BTreeMap<String, String> =
        inherited.filter(|(name, _)| !name.starts_with(OUR_VARIABLES)).collect();
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        environment.entry(name.to_owned()).or_insert_with(|| region.to_owned());
    }
    let mut functions: Vec<Function> = Vec::new();
    for option in given {
        if functions.iter().any(|known| known.name == option.name) {
            return Err(ConfigError(format!("the function {:?} is declared twice", option.name)));
        }
        functions.push(function(option, environment.clone())?);
    }
    for Function { name, asynchronous, .. } in &functions {
        let Some(target) = &asynchronous.on_failure else { continue };
        if target == name || !functions.iter().any(|known| known.name == *target) {
            return Err(ConfigError(format!(
                "the function {name:?}: on-failure names another [[function]], which {target:?} is not"
            )));
        }
    }
    Ok(functions)
}

fn function(
    option: FunctionOption,
    mut environment: BTreeMap<String, String>,
) -> Result<Function, ConfigError> {
    let FunctionOption { name, command, directory, concurrency, timeout, .. } = option;
    let wrong = |what: &str| Err(ConfigError(format!("the function {name:?}: {what}")));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        return wrong("a name is 1 to 64 letters, digits, hyphens and underscores, without version or alias");
    }
    if command.first().is_none_or(String::is_empty) {
        return wrong("command names no program");
    }
    let processes = concurrency.unwrap_or(DEFAULT_PROCESSES);
    let concurrency = concurrency.unwrap_or(CONCURRENCY_MAX);
    if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
        return wrong("concurrency is from 1 to 1000");
    }
    let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
    if !(1..=TIMEOUT_MAX).contains(&timeout) {
        return wrong("timeout is from 1 to 900 seconds");
    }
    let mut asynchronous = Asynchronous { on_failure: option.on_failure, ..Asynchronous::default() };
    if let Some(waits) = option.retry_waits {
        if waits.len() > RETRIES_MAX || waits.iter().any(|wait| *wait > EVENT_AGE_MAX) {
            return wrong("retry-waits are at most two numbers of seconds, up to 21600");
        }
        asynchronous.retry_waits = waits.into_iter().map(Duration::from_secs).collect();
    }
    if let Some(age) = option.maximum_event_age {
        if !(1..=EVENT_AGE_MAX).contains(&age) {
            return wrong("maximum-event-age is from 1 to 21600 seconds");
        }
        asynchronous.age_max = Duration::from_secs(age);
    }
    environment.extend(option.environment);
    let timeout = Duration::from_secs(timeout);
    Ok(Function { name, command, directory, environment, processes, concurrency, timeout, asynchronous })
}

/// Where other functions are invoked; with the key `test`/`test` unless one is given.
pub(super) fn endpoint(
    url: Option<String>,
    key: Option<KeyOption>,
    account: &str,
) -> Result<Option<LambdaEndpoint>, ConfigError> {
    let Some(url) = url else { return Ok(None) };
    let unusable = |error: &dyn std::fmt::Display| ConfigError(format!("lambda endpoint {url:?}: {error}"));
    let url = checked_url(&url)?.parse().map_err(|error| unusable(&error))?;
    let key = match key {
        Some(given) => {
            let mut key =
                Key::long_term(&given.id, &given.secret, given.account.as_deref().unwrap_or(account));
            key.session_token = given.session_token;
            key
        }
        None => Key::long_term("test", "test", account),
    };
    Ok(Some(LambdaEndpoint { url, key }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Vec<Function>, ConfigError> {
        #[derive(Deserialize)]
        struct File {
            function: Vec<FunctionOption>,
        }
        let file: File = toml::from_str(toml).expect("valid options");
        let inherited = [("PATH", "/bin"), ("STAGEDOOR_KEYS", "secret"), ("A", "inherited")];
        let inherited = inherited.map(|(name, value)| (name.to_owned(), value.to_owned()));
        functions(file.function, inherited.into_iter(), "eu-west-1")
    }

    #[test]
    fn functions_are_declared_in_tables() {
        let functions = read(
            "[[function]]\nname = 'pets'\ncommand = ['python', '-m', 'awslambdaric', 'app.handler']\n\
             environment = { A = 'own' }\n[[function]]\nname = 'b'\ncommand = ['b']\nconcurrency = 1\ntimeout = 30\n\
             retry-waits = [5]\nmaximum-event-age = 60\non-failure = 'pets'",
        );
        let functions = functions.expect("both are fine");
        let (pets, b) = (&functions[0], &functions[1]);
        assert_eq!(
            (pets.name.as_str(), pets.processes, pets.concurrency, pets.timeout),
            ("pets", 10, 1000, Duration::from_secs(3))
        );
        assert_eq!((b.processes, b.concurrency, b.timeout), (1, 1, Duration::from_secs(30)));
        assert_eq!(pets.asynchronous.retry_waits, [60, 120].map(Duration::from_secs));
        assert_eq!(b.asynchronous.retry_waits, [Duration::from_secs(5)]);
        assert_eq!(b.asynchronous.age_max, Duration::from_secs(60));
        assert_eq!(b.asynchronous.on_failure.as_deref(), Some("pets"));
        let environment = [
            ("A", "own"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_REGION", "eu-west-1"),
            ("PATH", "/bin"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pets.environment, BTreeMap::from(environment));
    }

    #[test]
    fn functions_that_cannot_be_are_refused() {
        for wrong in [
            "name = ''\ncommand = ['x']",
            "name = 'pets:live'\ncommand = ['x']",
            "name = 'pets'\ncommand = []",
            "name = 'pets'\ncommand = ['']",
            "name = 'pets'\ncommand = ['x']\nconcurrency = 0",
            "name = 'pets'\ncommand = ['x']\ntimeout = 901",
            "name = 'pets'\ncommand = ['x']\nretry-waits = [1, 2, 3]",
            "name = 'pets'\ncommand = ['x']\nretry-waits = [21601]",
            "name = 'pets'\ncommand = ['x']\nmaximum-event-age = 0",
            "name = 'pets'\ncommand = ['x']\non-failure = 'pets'",
            "name = 'pets'\ncommand = ['x']\non-failure = 'nobody'",
            "name = 'pets'\ncommand = ['x']\n[[function]]\nname = 'pets'\ncommand = ['y']",
        ] {
            assert!(read(&format!("[[function]]\n{wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_endpoint_is_an_origin() {
        let known =
            endpoint(Some("http://127.0.0.1:3001/".to_owned()), None, "1").expect("fine").expect("given");
        assert_eq!(
            (known.url.to_string().as_str(), known.key.access_key_id.as_str()),
            ("http://127.0.0.1:3001/", "test")
        );
        let key = "AKID:secret".parse().ok();
        let keyed =
            endpoint(Some("https://lambda.example".to_owned()), key, "1").expect("fine").expect("given");
        assert_eq!(keyed.key.access_key_id, "AKID");
        assert!(endpoint(Some("lambda.example".to_owned()), None, "1").is_err());
        assert!(endpoint(None, None, "1").expect("fine").is_none());
    }
}
