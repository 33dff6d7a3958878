//! `[[event-target]]` tables: where the events go that AWS sends to EventBridge. Only the file has them.

use std::path::PathBuf;

use http::{HeaderValue, Uri};
use serde::Deserialize;
use stagedoor_auth::sigv4::Key;

use super::options::KeyOption;
use super::{ConfigError, checked_url};

/// An `[[event-target]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EventTargetOption {
    pub name: String,
    pub webhook: Option<String>,
    /// Value of the webhook's `Authorization` header.
    pub authorization: Option<String>,
    pub file: Option<PathBuf>,
    pub put_events: Option<String>,
    pub bus: Option<String>,
    pub source: Option<String>,
    pub key: Option<KeyOption>,
}

/// A place that events are delivered to.
#[derive(Clone, Debug)]
pub struct EventTarget {
    /// By which it is remembered what was delivered.
    pub name: String,
    pub kind: EventTargetKind,
}

#[derive(Clone, Debug)]
pub enum EventTargetKind {
    /// One POST for each event.
    Webhook { url: Uri, authorization: Option<HeaderValue> },
    /// One line for each event.
    File(PathBuf),
    /// EventBridge's `PutEvents`, or that of any server that has it.
    PutEvents { endpoint: Uri, bus: String, source: String, key: Box<Key> },
}

/// The targets, each checked.
pub(super) fn event_targets(
    given: Vec<EventTargetOption>,
    account: &str,
) -> Result<Vec<EventTarget>, ConfigError> {
    let mut targets: Vec<EventTarget> = Vec::new();
    for option in given {
        let name = option.name.clone();
        if name.is_empty() || targets.iter().any(|known| known.name == name) {
            return Err(ConfigError(format!("event-target {name:?}: every target needs a name of its own")));
        }
        let kind =
            kind(option, account).map_err(|why| ConfigError(format!("event-target {name:?}: {why}")))?;
        targets.push(EventTarget { name, kind });
    }
    Ok(targets)
}

fn kind(option: EventTargetOption, account: &str) -> Result<EventTargetKind, String> {
    let only_put_events = option.bus.is_some() || option.source.is_some() || option.key.is_some();
    if only_put_events && option.put_events.is_none() {
        return Err("bus, source and key belong to put-events".to_owned());
    }
    if option.authorization.is_some() && option.webhook.is_none() {
        return Err("authorization belongs to webhook".to_owned());
    }
    match (option.webhook, option.file, option.put_events) {
        (Some(url), None, None) => {
            let authorization = option.authorization.map(HeaderValue::try_from);
            let authorization =
                authorization.transpose().map_err(|error| format!("authorization: {error}"))?;
            Ok(EventTargetKind::Webhook { url: address(&url)?, authorization })
        }
        (None, Some(file), None) => Ok(EventTargetKind::File(file)),
        (None, None, Some(endpoint)) => {
            let endpoint = checked_url(&endpoint).map_err(|error| error.0)?;
            let key = option.key.map_or_else(
                || Key::long_term("test", "test", account),
                |key| {
                    let mut own = Key::long_term(&key.id, &key.secret, account);
                    own.session_token = key.session_token;
                    own
                },
            );
            Ok(EventTargetKind::PutEvents {
                endpoint: address(&endpoint)?,
                bus: option.bus.unwrap_or_else(|| "default".to_owned()),
                source: option.source.unwrap_or_else(|| "aws.ivs".to_owned()),
                key: Box::new(key),
            })
        }
        _ => Err("exactly one of webhook, file and put-events is needed".to_owned()),
    }
}

fn address(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some();
    if known { Ok(uri) } else { Err(format!("{url:?} is not an http:// or https:// address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<EventTarget, ConfigError> {
        let option = toml::from_str(toml).expect("options");
        Ok(event_targets(vec![option], "1")?.remove(0))
    }

    #[test]
    fn a_target_has_one_kind() {
        let hook =
            read("name = 'h'\nwebhook = 'https://x.example/a?b'\nauthorization = 'Bearer y'").expect("fine");
        assert!(matches!(hook.kind, EventTargetKind::Webhook { authorization: Some(_), .. }));
        let bus = read("name = 'b'\nput-events = 'http://127.0.0.1:1'\nkey = { id = 'A', secret = 's' }")
            .expect("fine");
        let EventTargetKind::PutEvents { bus, source, key, .. } = bus.kind else { panic!("{:?}", bus.kind) };
        assert_eq!((bus.as_str(), source.as_str(), key.access_key_id.as_str()), ("default", "aws.ivs", "A"));
        for wrong in [
            "name = 'x'",
            "name = ''\nfile = 'f'",
            "name = 'x'\nfile = 'f'\nwebhook = 'http://x'",
            "name = 'x'\nfile = 'f'\nbus = 'b'",
            "name = 'x'\nfile = 'f'\nauthorization = 'b'",
            "name = 'x'\nwebhook = 'ftp://x'",
            "name = 'x'\nput-events = 'http://x/path'",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
