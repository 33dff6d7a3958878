//! Every option of the server, where it may be given, and what it becomes.
//!
//! Precedence: defaults < `stagedoor.toml` < environment < flags. [`options::Options`] is what was given,
//! [`Config`] is what the server runs with: complete, checked, resolved once. Nothing else reads the environment.

#[cfg(test)]
mod any_file;
pub mod event_targets;
mod functions;
mod ice_servers;
mod logs;
pub mod options;
pub mod reference;
mod services;
pub mod shown;
mod throttle;
mod tls;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_auth::policy::Policy;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::{AccessKey, Function, LambdaEndpoint, LogSink, ServiceEndpoint};
use stagedoor_media::config::{IceServer, Node};
use stagedoor_media::shard::home::SHARDS_MAX;
use stagedoor_state::ivs::settings::Quotas;
use stagedoor_state::rest;

use event_targets::EventTarget;
use options::{KeyOption, Options, QuotaOption};

pub use tls::TlsConfig;

/// What the server runs with.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// The TLS listener, if there is one.
    pub tls: Option<TlsConfig>,
    pub media_listen: SocketAddr,
    /// Media threads.
    pub media_shards: usize,
    pub rtmp_listen: SocketAddr,
    pub rtmps_listen: SocketAddr,
    /// Files with the certificate of the RTMPS port and its key.
    pub rtmps_certificate: Option<(PathBuf, PathBuf)>,
    pub data_dir: PathBuf,
    pub store: StoreUrl,
    pub account: String,
    pub region: String,
    /// Addresses that media clients are told to send to; empty means the media listener's own.
    pub advertise: Vec<IpAddr>,
    /// Servers that media clients are told of.
    pub ice_servers: Vec<IceServer>,
    /// Where clients reach this very node.
    pub node: Option<Node>,
    /// Origin that answers print instead of the listener's own.
    pub public_url: Option<String>,
    pub allow_reset: bool,
    pub keys: Vec<Key>,
    /// The same keys, and what stages that ask for signatures know of their owners.
    pub access_keys: Vec<AccessKey>,
    pub ivs_quotas: Quotas,
    pub rest_quotas: rest::quotas::Quotas,
    /// Lambda functions that the server runs itself.
    pub functions: Vec<Function>,
    /// Where other functions are invoked.
    pub lambda_endpoint: Option<LambdaEndpoint>,
    /// Requests per second and burst of each account in each region.
    pub account_throttle: Option<(f64, i64)>,
    /// How long a client may leave the server waiting.
    pub client_timeout: Duration,
    /// Bytes of memory for the bodies of requests.
    pub request_bodies_bytes_max: usize,
    /// Where AWS services are called.
    pub service_endpoints: BTreeMap<String, ServiceEndpoint>,
    /// Signs calls of services without an endpoint, which go to AWS itself.
    pub aws_key: Option<Key>,
    /// Where events of stages are delivered.
    pub event_targets: Vec<EventTarget>,
    /// Where private integrations lead.
    pub vpc_links: BTreeMap<String, http::Uri>,
    /// Where stages log to.
    pub log_sinks: Vec<LogSink>,
    /// Collector of spans.
    pub otlp_endpoint: Option<http::Uri>,
    pub log: String,
}

/// Where documents are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file in the data directory.
    Embedded,
    /// Nothing survives a restart.
    Memory,
}

/// Why the options make no server.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// From flags and environment, which clap has read into `given`, and the file that they name.
    pub fn resolve(given: Options) -> Result<Self, ConfigError> {
        let options = match &given.config {
            Some(path) => given.clone().over(read_file(path)?),
            None if Path::new("stagedoor.toml").exists() => {
                given.clone().over(read_file(Path::new("stagedoor.toml"))?)
            }
            None => given,
        };
        Self::from_options(options)
    }

    fn from_options(options: Options) -> Result<Self, ConfigError> {
        let account = options.account.unwrap_or_else(|| options::DEFAULT_ACCOUNT.to_owned());
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError(format!("account {account:?} is not 12 digits")));
        }
        let region = options.region.unwrap_or_else(|| options::DEFAULT_REGION.to_owned());
        let region_char = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || !region.bytes().all(region_char) {
            return Err(ConfigError(format!("region {region:?} is not like us-east-1")));
        }
        let mut config = Self {
            listen: options.listen.unwrap_or(options::DEFAULT_LISTEN),
            tls: tls::tls(
                options.tls_listen,
                options.certificates.unwrap_or_default(),
                options.truststores.unwrap_or_default(),
            )?,
            media_listen: options.media_listen.unwrap_or(options::DEFAULT_MEDIA_LISTEN),
            media_shards: media_shards(options.media_shards)?,
            rtmp_listen: options.rtmp_listen.unwrap_or(options::DEFAULT_RTMP_LISTEN),
            rtmps_listen: options.rtmps_listen.unwrap_or(options::DEFAULT_RTMPS_LISTEN),
            rtmps_certificate: match (options.rtmps_certificate, options.rtmps_key) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (None, None) => None,
                _ => return Err(ConfigError("rtmps-certificate and rtmps-key belong together".to_owned())),
            },
            data_dir: options.data_dir.unwrap_or_else(|| PathBuf::from(options::DEFAULT_DATA_DIR)),
            store: store_url(options.store.as_deref().unwrap_or(options::DEFAULT_STORE))?,
            advertise: options.advertise.unwrap_or_default(),
            ice_servers: ice_servers::ice_servers(options.ice_servers.unwrap_or_default())?,
            node: options.node_url.map(|url| node(&url)).transpose()?,
            public_url: options.public_url.map(|url| checked_url(&url)).transpose()?,
            allow_reset: options.allow_reset.unwrap_or(false),
            keys: Vec::new(),
            access_keys: Vec::new(),
            ivs_quotas: quotas(&options.ivs_quotas.unwrap_or_default())?,
            rest_quotas: rest_quotas(&options.rest_quotas.unwrap_or_default())?,
            functions: functions::functions(
                options.functions.unwrap_or_default(),
                std::env::vars_os()
                    .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
                &region,
            )?,
            aws_key: options.service_key.as_ref().map(|key| services::long_term(key, &account)),
            service_endpoints: services::services(
                options.service_endpoints.unwrap_or_default(),
                options.service_key,
                &account,
            )?,
            event_targets: event_targets::event_targets(options.event_targets.unwrap_or_default(), &account)?,
            vpc_links: services::vpc_links(options.vpc_links.unwrap_or_default())?,
            account_throttle: options.account_throttle.map(|throttle| (throttle.rate, throttle.burst)),
            client_timeout: Duration::from_secs(
                options
                    .client_timeout
                    .map_or(options::DEFAULT_CLIENT_TIMEOUT_SECONDS, NonZeroU32::get)
                    .into(),
            ),
            request_bodies_bytes_max: options
                .request_bodies_max
                .map_or(options::DEFAULT_REQUEST_BODIES_MIB, NonZeroU32::get)
                .try_into()
                .map_or(usize::MAX, |mib: usize| mib.saturating_mul(1024 * 1024)),
            lambda_endpoint: functions::endpoint(options.lambda_endpoint, options.lambda_key, &account)?,
            log_sinks: logs::sinks(options.log_sinks.unwrap_or_default(), &account)?,
            otlp_endpoint: logs::collector(options.otlp_endpoint)?,
            log: options.log.unwrap_or_else(|| options::DEFAULT_LOG.to_owned()),
            account,
            region,
        };
        config.access_keys = keys(options.keys.unwrap_or_default(), &config.account)?;
        config.admit_test_key()?;
        config.keys = config.access_keys.iter().map(|known| known.key.clone()).collect();
        Ok(config)
    }

    /// The key `test`/`test` exists while nobody but this machine can reach any listener, and only then.
    fn admit_test_key(&mut self) -> Result<(), ConfigError> {
        let listeners = [self.listen, self.media_listen, self.rtmp_listen, self.rtmps_listen];
        let tls = self.tls.as_ref().map(|tls| tls.listen);
        let exposed = listeners.iter().chain(&tls).find(|address| !address.ip().is_loopback());
        match exposed {
            None => {
                if !self.access_keys.iter().any(|known| known.key.access_key_id == "test") {
                    let key = Key::long_term("test", "test", &self.account);
                    self.access_keys.push(AccessKey { key, user: None, policy: None });
                }
                Ok(())
            }
            Some(_) if !self.access_keys.is_empty() => Ok(()),
            Some(address) => Err(ConfigError(format!(
                "listening on {address} lets other machines in, so access keys must be configured: \
                 set STAGEDOOR_KEYS=ID:SECRET, or in stagedoor.toml:\n\n  [[key]]\n  id = \"…\"\n  secret = \"…\"\n"
            ))),
        }
    }
}

/// Other systems than Linux do not spread the datagrams of one address over several sockets.
fn media_shards(count: Option<NonZeroU32>) -> Result<usize, ConfigError> {
    let most = if cfg!(target_os = "linux") { SHARDS_MAX } else { 1 };
    match count.map(|count| count.get() as usize) {
        Some(count) if count > most => Err(ConfigError(format!("media-shards {count} is more than {most}"))),
        Some(count) => Ok(count),
        None => Ok(std::thread::available_parallelism().map_or(1, |count| count.get().min(most))),
    }
}

fn read_file(path: &Path) -> Result<Options, ConfigError> {
    let fail = |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fail(&error))?;
    toml::from_str(&text).map_err(|error| fail(&error))
}

fn store_url(url: &str) -> Result<StoreUrl, ConfigError> {
    match url {
        "embedded" => Ok(StoreUrl::Embedded),
        "memory" => Ok(StoreUrl::Memory),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Err(ConfigError("this version cannot use PostgreSQL yet: use --store embedded".to_owned()))
        }
        other => Err(ConfigError(format!("store {other:?} is neither \"embedded\" nor \"memory\""))),
    }
}

fn checked_url(url: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError(format!("public URL {url:?} is not an http:// or https:// origin"));
    let uri: http::Uri = url.parse().map_err(|_| wrong())?;
    let origin = matches!(uri.scheme_str(), Some("http" | "https")) && matches!(uri.path(), "" | "/");
    if origin && uri.authority().is_some() { Ok(url.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

fn node(url: &str) -> Result<Node, ConfigError> {
    Node::new(url)
        .ok_or_else(|| ConfigError(format!("node URL {url:?} is not an http:// or https:// origin")))
}

fn quotas(given: &[QuotaOption]) -> Result<Quotas, ConfigError> {
    let mut quotas = Quotas::default();
    for QuotaOption { name, max } in given {
        if !quotas.set(name, *max) {
            let known = quotas.all().map(|(name, _)| name).join(", ");
            return Err(ConfigError(format!("there is no quota {name:?} of IVS, only {known}")));
        }
    }
    Ok(quotas)
}

fn rest_quotas(given: &[QuotaOption]) -> Result<rest::quotas::Quotas, ConfigError> {
    let mut quotas = rest::quotas::Quotas::default();
    for QuotaOption { name, max } in given {
        if !quotas.set(name, *max) {
            let known = quotas.all().map(|(name, _)| name).join(", ");
            return Err(ConfigError(format!("there is no quota {name:?} of API Gateway v1, only {known}")));
        }
    }
    Ok(quotas)
}

fn keys(given: Vec<KeyOption>, account: &str) -> Result<Vec<AccessKey>, ConfigError> {
    let keys = given.into_iter().map(|key| {
        if key.id.is_empty() || key.secret.is_empty() {
            return Err(ConfigError("an access key needs an id and a secret".to_owned()));
        }
        let mut long_term = Key::long_term(&key.id, &key.secret, key.account.as_deref().unwrap_or(account));
        long_term.session_token = key.session_token;
        let policy = key.policy.as_deref().map(Policy::parse).transpose();
        let policy =
            policy.map_err(|error| ConfigError(format!("the policy of access key {}: {error}", key.id)))?;
        Ok(AccessKey { key: long_term, user: key.user, policy: policy.map(Arc::new) })
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(toml: &str) -> Result<Config, ConfigError> {
        Config::from_options(toml::from_str(toml).expect("valid options"))
    }

    #[test]
    fn the_test_key_exists_only_on_loopback() {
        let config = resolve("").expect("defaults are valid");
        assert_eq!(config.keys.len(), 1);
        let refused = resolve("listen = '0.0.0.0:80'").expect_err("nobody configured a key");
        assert!(refused.0.contains("[[key]]"), "{refused}");
        let keyed = resolve("listen = '0.0.0.0:80'\n[[key]]\nid = 'AKID'\nsecret = 's'").expect("a key");
        assert_eq!(keyed.keys.len(), 1);
        assert_eq!(keyed.keys[0].access_key_id, "AKID");
    }

    #[test]
    fn flags_win_over_the_file() {
        let flags: Options = toml::from_str("region = 'eu-west-1'").expect("valid");
        let file: Options = toml::from_str("region = 'us-west-2'\naccount = '111122223333'").expect("valid");
        let config = Config::from_options(flags.over(file)).expect("valid");
        assert_eq!((config.region.as_str(), config.account.as_str()), ("eu-west-1", "111122223333"));
    }

    #[test]
    fn quotas_are_aws_defaults_unless_told() {
        let config = resolve("ivs-quotas = ['stages=5000', 'public-keys = 10']").expect("valid");
        assert_eq!(config.ivs_quotas, Quotas { stages: 5000, public_keys: 10, ..Quotas::default() });
        let refused = resolve("ivs-quotas = ['stage=1']").expect_err("no such quota");
        assert!(refused.0.contains("stages, publishers-per-stage"), "{refused}");
        assert!(toml::from_str::<Options>("ivs-quotas = ['stages=many']").is_err());
        let config = resolve("rest-quotas = ['api-keys=5']").expect("valid");
        assert_eq!(config.rest_quotas, rest::quotas::Quotas { api_keys: 5, ..Default::default() });
        let refused = resolve("rest-quotas = ['stages=1']").expect_err("no such quota");
        assert!(refused.0.contains("stages-per-api"), "{refused}");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "account = '12'",
            "region = ''",
            "region = 'Mars 1'",
            "store = 'mysql://x'",
            "rtmps-key = 'key.pem'",
            "public-url = 'ftp://x'",
            "public-url = 'http://x/y'",
            "node-url = 'http://x/y'",
            "[[ice-server]]\nurls = []",
        ] {
            assert!(resolve(bad).is_err(), "{bad}");
        }
        assert!(toml::from_str::<Options>("lisen = '127.0.0.1:1'").is_err(), "unknown options are errors");
    }
}
