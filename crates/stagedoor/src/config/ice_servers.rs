//! `[[ice-server]]` tables: STUN and TURN servers that media clients are told of. Only the file has them.

use std::time::Duration;

use serde::Deserialize;
use stagedoor_media::config::{IceCredential, IceServer};

use super::ConfigError;

/// How long a credential made from a secret is good, if nothing else is said: as long as one may publish.
const LIFETIME_SECONDS: u64 = 24 * 3600;

/// An `[[ice-server]]` table: `urls`, and for TURN `username` and `credential`, or `secret`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IceServerOption {
    pub urls: Vec<String>,
    pub username: Option<String>,
    pub credential: Option<String>,
    pub secret: Option<String>,
    /// Seconds.
    pub lifetime: Option<u64>,
}

/// Without the secrets.
impl std::fmt::Debug for IceServerOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IceServerOption({:?})", self.urls)
    }
}

/// The servers, each checked.
pub(super) fn ice_servers(given: Vec<IceServerOption>) -> Result<Vec<IceServer>, ConfigError> {
    given.into_iter().map(ice_server).collect()
}

fn ice_server(option: IceServerOption) -> Result<IceServer, ConfigError> {
    let IceServerOption { urls, username, credential, secret, lifetime } = option;
    let named = format!("ice-server {urls:?}");
    let wrong = |what: &str| ConfigError(format!("{named}: {what}"));
    let is = |schemes: [&str; 2]| {
        let has = |url: &String| schemes.iter().any(|scheme| url.starts_with(scheme));
        !urls.is_empty() && urls.iter().all(has)
    };
    let (stun, turn) = (is(["stun:", "stuns:"]), is(["turn:", "turns:"]));
    if !stun && !turn {
        return Err(wrong("urls must all begin with stun: or stuns:, or all with turn: or turns:"));
    }
    if secret.is_none() && lifetime.is_some() {
        return Err(wrong("only credentials made from a secret have a lifetime"));
    }
    let credential = match (username, credential, secret) {
        (None, None, None) if stun => None,
        (Some(username), Some(password), None) if turn => Some(IceCredential::Fixed { username, password }),
        (None, None, Some(secret)) if turn => {
            let lifetime = Duration::from_secs(lifetime.unwrap_or(LIFETIME_SECONDS));
            Some(IceCredential::Shared { secret, lifetime })
        }
        _ if stun => return Err(wrong("STUN needs no credentials")),
        _ => return Err(wrong("TURN needs username and credential, or a secret")),
    };
    let server = IceServer { urls, credential };
    server.check().map_err(|error| wrong(&error.to_string()))?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<IceServer, ConfigError> {
        ice_server(toml::from_str(toml).expect("a table"))
    }

    #[test]
    fn tables() {
        let stun = read("urls = ['stun:a', 'stuns:a:443']").expect("valid");
        assert_eq!((stun.urls.len(), stun.credential), (2, None));
        let fixed = read("urls = ['turn:a']\nusername = 'u'\ncredential = 'p'").expect("valid");
        let expected = IceCredential::Fixed { username: "u".to_owned(), password: "p".to_owned() };
        assert_eq!(fixed.credential, Some(expected));
        let shared = read("urls = ['turns:a']\nsecret = 's'").expect("valid");
        let expected =
            IceCredential::Shared { secret: "s".to_owned(), lifetime: Duration::from_secs(86_400) };
        assert_eq!(shared.credential, Some(expected));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "urls = []",
            "urls = ['http://a']",
            "urls = ['stun:a', 'turn:b']",
            "urls = ['stun:a']\nusername = 'u'\ncredential = 'p'",
            "urls = ['turn:a']",
            "urls = ['turn:a']\nusername = 'u'",
            "urls = ['turn:a']\nusername = 'u'\ncredential = 'p'\nlifetime = 1",
            "urls = ['turn:a']\nusername = 'u'\ncredential = 'p'\nsecret = 's'",
            "urls = ['turn:a>']\nsecret = 's'",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
