//! Where integrations lead that reach something else than functions and public addresses: AWS services and VPC links.

use std::collections::BTreeMap;
use std::str::FromStr;

use http::Uri;
use serde::Deserialize;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::ServiceEndpoint;

use super::options::KeyOption;
use super::{ConfigError, checked_url};

/// `NAME=URL` on the command line, an entry of a table in the file.
#[derive(Clone, Debug)]
pub struct NamedEndpoint {
    pub name: String,
    pub url: String,
    /// Only in the file.
    pub key: Option<KeyOption>,
}

impl FromStr for NamedEndpoint {
    type Err = &'static str;

    /// An ARN has `=` nowhere, so the first one ends the name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, url) = text.split_once('=').ok_or("not of the form NAME=URL")?;
        Ok(Self { name: name.trim().to_owned(), url: url.trim().to_owned(), key: None })
    }
}

/// Reads the table `name = "http://…"` or `name = { url = "http://…", key = { … } }`.
pub fn table<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<NamedEndpoint>>, D::Error> {
    let entries: BTreeMap<String, Entry> = BTreeMap::deserialize(deserializer)?;
    let named = entries.into_iter().map(|(name, entry)| match entry {
        Entry::Url(url) => NamedEndpoint { name, url, key: None },
        Entry::Keyed(Keyed { url, key }) => NamedEndpoint { name, url, key },
    });
    Ok(Some(named.collect()))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Url(String),
    Keyed(Keyed),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keyed {
    url: String,
    key: Option<KeyOption>,
}

/// The endpoints of services. Those without a key of their own use `key`, or else `test`/`test`.
pub(super) fn services(
    given: Vec<NamedEndpoint>,
    key: Option<KeyOption>,
    account: &str,
) -> Result<BTreeMap<String, ServiceEndpoint>, ConfigError> {
    let common = key.map_or_else(|| Key::long_term("test", "test", account), |key| long_term(&key, account));
    let mut services = BTreeMap::new();
    for endpoint in given {
        let url = origin("service-endpoints", &endpoint)?;
        let key = endpoint.key.map_or_else(|| common.clone(), |key| long_term(&key, account));
        services.insert(endpoint.name, ServiceEndpoint { url, key });
    }
    Ok(services)
}

/// The addresses behind VPC links.
pub(super) fn vpc_links(given: Vec<NamedEndpoint>) -> Result<BTreeMap<String, Uri>, ConfigError> {
    given
        .into_iter()
        .map(|endpoint| {
            if endpoint.key.is_some() {
                return Err(ConfigError(format!("vpc-links {:?}: takes no key", endpoint.name)));
            }
            Ok((endpoint.name.clone(), origin("vpc-links", &endpoint)?))
        })
        .collect()
}

pub(super) fn long_term(given: &KeyOption, account: &str) -> Key {
    let mut key = Key::long_term(&given.id, &given.secret, given.account.as_deref().unwrap_or(account));
    key.session_token.clone_from(&given.session_token);
    key
}

fn origin(option: &str, endpoint: &NamedEndpoint) -> Result<Uri, ConfigError> {
    let NamedEndpoint { name, url, .. } = endpoint;
    let wrong = |why: &dyn std::fmt::Display| ConfigError(format!("{option} {name:?}: {why}"));
    if name.is_empty() {
        return Err(wrong(&"an endpoint needs a name"));
    }
    let url =
        checked_url(url).map_err(|_| wrong(&format!("{url:?} is not an http:// or https:// origin")))?;
    url.parse().map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        #[serde(default, deserialize_with = "table")]
        endpoints: Option<Vec<NamedEndpoint>>,
    }

    fn read(toml: &str) -> Vec<NamedEndpoint> {
        toml::from_str::<File>(toml).expect("valid options").endpoints.unwrap_or_default()
    }

    #[test]
    fn services_have_endpoints_and_keys() {
        let given = read(
            "[endpoints]\nsqs = 'http://127.0.0.1:9324/'\n'*' = { url = 'https://any.example' }\n\
             s3 = { url = 'http://s3.example', key = { id = 'OWN', secret = 's' } }",
        );
        let services = services(given, "AKID:secret".parse().ok(), "1").expect("all are fine");
        let seen: Vec<String> = services
            .iter()
            .map(|(name, endpoint)| format!("{name} {} {}", endpoint.url, endpoint.key.access_key_id))
            .collect();
        assert_eq!(
            seen,
            ["* https://any.example/ AKID", "s3 http://s3.example/ OWN", "sqs http://127.0.0.1:9324/ AKID"]
        );
    }

    #[test]
    fn links_are_named_by_id_or_arn() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/b/c";
        let given = vec![format!("{arn}=http://10.0.0.5:8080").parse().expect("a pair")];
        let links = vpc_links(given).expect("fine");
        assert_eq!(links[arn], "http://10.0.0.5:8080/");
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in ["sqs=ftp://x", "sqs=http://x/path", "=http://x", "sqs="] {
            let given: NamedEndpoint = wrong.parse().expect("a pair");
            assert!(services(vec![given.clone()], None, "1").is_err(), "{wrong}");
            assert!(vpc_links(vec![given]).is_err(), "{wrong}");
        }
        assert!("sqs".parse::<NamedEndpoint>().is_err());
    }
}
