//! `[[log-sink]]` tables: where the lines for log groups and delivery streams go. Only the file has them.

use std::path::PathBuf;

use serde::Deserialize;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::{LOG_FILE_BYTES_MAX, LOG_FILES_KEPT, LogSink, LogTarget, ServiceEndpoint};

use super::options::KeyOption;
use super::{ConfigError, checked_url};

const MEBIBYTE: u64 = 1024 * 1024;

/// A `[[log-sink]]` table: `arn`, and one of `file`, `stdout`, `otlp` and `endpoint`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LogSinkOption {
    /// `*` stands for anything.
    pub arn: String,
    pub file: Option<PathBuf>,
    /// In MiB.
    pub rotate_size: Option<u64>,
    pub rotate_count: Option<u32>,
    pub stdout: Option<bool>,
    pub otlp: Option<String>,
    pub endpoint: Option<String>,
    /// For the endpoint.
    pub key: Option<KeyOption>,
}

/// The sinks as the gateway takes them.
pub(super) fn sinks(given: Vec<LogSinkOption>, account: &str) -> Result<Vec<LogSink>, ConfigError> {
    given.into_iter().map(|option| sink(option, account)).collect()
}

fn sink(option: LogSinkOption, account: &str) -> Result<LogSink, ConfigError> {
    let LogSinkOption { arn: pattern, file, rotate_size, rotate_count, stdout, otlp, endpoint, key } = option;
    let wrong = |what: &str| ConfigError(format!("the log sink {pattern:?}: {what}"));
    if pattern.is_empty() {
        return Err(wrong("arn is empty"));
    }
    if file.is_none() && (rotate_size.is_some() || rotate_count.is_some()) {
        return Err(wrong("only a file has rotate-size and rotate-count"));
    }
    if endpoint.is_none() && key.is_some() {
        return Err(wrong("only an endpoint has a key"));
    }
    let target = match (file, stdout == Some(true), otlp, endpoint) {
        (Some(path), false, None, None) => {
            let bytes_max = rotate_size.map_or(LOG_FILE_BYTES_MAX, |size| size.saturating_mul(MEBIBYTE));
            if bytes_max == 0 {
                return Err(wrong("rotate-size is 0"));
            }
            LogTarget::File { path, bytes_max, kept: rotate_count.unwrap_or(LOG_FILES_KEPT) }
        }
        (None, true, None, None) => LogTarget::Stdout,
        (None, false, Some(url), None) => LogTarget::Otlp { url: origin(&url)? },
        (None, false, None, Some(url)) => {
            let url = origin(&url)?;
            let key = match key {
                Some(given) => {
                    let mut key =
                        Key::long_term(&given.id, &given.secret, given.account.as_deref().unwrap_or(account));
                    key.session_token = given.session_token;
                    key
                }
                None => Key::long_term("test", "test", account),
            };
            LogTarget::Service(ServiceEndpoint { url, key })
        }
        _ => return Err(wrong("needs one of file, stdout = true, otlp and endpoint")),
    };
    Ok(LogSink { pattern, target })
}

/// The collector of spans.
pub(super) fn collector(url: Option<String>) -> Result<Option<http::Uri>, ConfigError> {
    url.map(|url| origin(&url)).transpose()
}

fn origin(url: &str) -> Result<http::Uri, ConfigError> {
    let wrong = || ConfigError(format!("{url:?} is not an http:// or https:// origin"));
    checked_url(url).map_err(|_| wrong())?.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Vec<LogSink>, ConfigError> {
        sinks(vec![toml::from_str(toml).expect("valid options")], "1")
    }

    #[test]
    fn sinks_have_one_target() {
        let target = |toml: &str| format!("{:?}", read(toml).expect("fine")[0].target);
        let file = target("arn = '*'\nfile = 'a.log'\nrotate-size = 2\nrotate-count = 3");
        assert_eq!(file, "File { path: \"a.log\", bytes_max: 2097152, kept: 3 }");
        assert_eq!(target("arn = '*'\nstdout = true"), "Stdout");
        assert_eq!(
            target("arn = '*'\notlp = 'http://127.0.0.1:4318'"),
            "Otlp { url: http://127.0.0.1:4318/ }"
        );
        assert!(
            target("arn = '*'\nendpoint = 'http://x'\nkey = { id = 'A', secret = 's' }")
                .contains("http://x/")
        );
    }

    #[test]
    fn sinks_that_cannot_be_are_refused() {
        for wrong in [
            "arn = ''\nstdout = true",
            "arn = '*'",
            "arn = '*'\nstdout = false",
            "arn = '*'\nstdout = true\nfile = 'x'",
            "arn = '*'\nstdout = true\nrotate-size = 1",
            "arn = '*'\nfile = 'x'\nrotate-size = 0",
            "arn = '*'\nfile = 'x'\nkey = { id = 'A', secret = 's' }",
            "arn = '*'\notlp = 'x:1'",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
