//! The options as a user gives them: one struct for flags, environment and file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Deserialize;

use super::event_targets::EventTargetOption;
use super::functions::FunctionOption;
use super::ice_servers::IceServerOption;
use super::logs::LogSinkOption;
use super::services::{self, NamedEndpoint};
use super::throttle::ThrottleOption;
use super::tls::CertificateOption;

pub const DEFAULT_LISTEN: SocketAddr = loopback(4566);
pub const DEFAULT_MEDIA_LISTEN: SocketAddr = loopback(4570);
pub const DEFAULT_RTMP_LISTEN: SocketAddr = loopback(1935);
pub const DEFAULT_RTMPS_LISTEN: SocketAddr = loopback(1936);
pub const DEFAULT_DATA_DIR: &str = "stagedoor-data";
pub const DEFAULT_STORE: &str = "embedded";
pub const DEFAULT_ACCOUNT: &str = "000000000000";
pub const DEFAULT_REGION: &str = "us-east-1";
pub const DEFAULT_CLIENT_TIMEOUT_SECONDS: u32 = 30;
/// Memory for bodies of requests, in MiB.
pub const DEFAULT_REQUEST_BODIES_MIB: u32 = 512;
pub const DEFAULT_LOG: &str = "info";

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Options of `stagedoor serve`. Each also stands in the environment and, by the flag's name, in the file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// Address of the HTTP listener: the AWS APIs, all HTTP stages, WHIP and events [default: 127.0.0.1:4566]
    ///
    /// Port 0 picks a free port; the chosen address is printed when the server is ready. While every listener
    /// is on loopback the access key `test` with secret `test` exists; otherwise keys must be configured.
    #[arg(long, env = "STAGEDOOR_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Address of the TLS listener, which serves what the HTTP listener does [default: none]
    ///
    /// A `[[certificate]]` table, which only the file can have, names a certificate: domains, a list; cert and key, files
    /// in PEM, read anew when they change. Other custom domains, and the host names of APIs, get one that is made here;
    /// clients that trust `tls/ca.pem` of the data directory trust them all.
    #[arg(long, env = "STAGEDOOR_TLS_LISTEN", value_name = "ADDRESS:PORT")]
    pub tls_listen: Option<SocketAddr>,

    /// Files that stand for truststores of domains with mutual TLS, as s3://BUCKET/KEY=FILE, comma-separated; in the
    /// file a table
    #[arg(long, env = "STAGEDOOR_TRUSTSTORES", value_name = "TRUSTSTORE", value_delimiter = ',')]
    #[serde(default, deserialize_with = "services::table")]
    pub truststores: Option<Vec<NamedEndpoint>>,

    #[arg(skip)]
    #[serde(rename = "certificate")]
    pub certificates: Option<Vec<CertificateOption>>,

    /// Address of the UDP socket for WebRTC media [default: 127.0.0.1:4570]
    #[arg(long, env = "STAGEDOOR_MEDIA_LISTEN", value_name = "ADDRESS:PORT")]
    pub media_listen: Option<SocketAddr>,

    /// Threads for WebRTC media, each with a socket of that one address; more than one on Linux only [default: one for
    /// each processor]
    #[arg(long, env = "STAGEDOOR_MEDIA_SHARDS", value_name = "COUNT")]
    pub media_shards: Option<NonZeroU32>,

    /// Address for RTMP ingest [default: 127.0.0.1:1935]
    #[arg(long, env = "STAGEDOOR_RTMP_LISTEN", value_name = "ADDRESS:PORT")]
    pub rtmp_listen: Option<SocketAddr>,

    /// Address for RTMPS ingest [default: 127.0.0.1:1936]
    #[arg(long, env = "STAGEDOOR_RTMPS_LISTEN", value_name = "ADDRESS:PORT")]
    pub rtmps_listen: Option<SocketAddr>,

    /// PEM file with the certificate of the RTMPS port and those that signed it [default: a self-signed one, made at
    /// the first start and kept in the data directory]
    #[arg(long, env = "STAGEDOOR_RTMPS_CERTIFICATE", value_name = "FILE", requires = "rtmps_key")]
    pub rtmps_certificate: Option<PathBuf>,

    /// PEM file with the private key of that certificate
    #[arg(long, env = "STAGEDOOR_RTMPS_KEY", value_name = "FILE", requires = "rtmps_certificate")]
    pub rtmps_key: Option<PathBuf>,

    /// Directory for everything that outlives the server; made if absent [default: stagedoor-data]
    #[arg(long, env = "STAGEDOOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Where documents are kept: "embedded" (a file in the data directory) or "memory" [default: embedded]
    #[arg(long, env = "STAGEDOOR_STORE", value_name = "URL")]
    pub store: Option<String>,

    /// File with options; without this flag `stagedoor.toml` in the working directory is read if it exists
    #[arg(long, env = "STAGEDOOR_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Account of access keys that name none: 12 digits [default: 000000000000]
    #[arg(long, env = "STAGEDOOR_ACCOUNT", value_name = "ID")]
    pub account: Option<String>,

    /// Region for what is not created by a signed request, such as the demo's stages [default: us-east-1]
    #[arg(long, env = "STAGEDOOR_REGION", value_name = "REGION")]
    pub region: Option<String>,

    /// IP addresses at which media clients reach this machine, comma-separated [default: the media listener's]
    #[arg(long, env = "STAGEDOOR_ADVERTISE", value_name = "ADDRESS", value_delimiter = ',')]
    pub advertise: Option<Vec<IpAddr>>,

    /// Origin at which clients reach this very node, if the public URL is that of several, e.g. https://gw-1.example.com
    ///
    /// A POST by WHIP or WHEP that names another host is answered 307 with the same path here, or, if it comes from a
    /// browser, which would follow without its token, served at once with the session's address here [default: none]
    ///
    /// An `[[ice-server]]` table, which only the file can have, names STUN or TURN servers that media clients are told of:
    /// urls, a list; and for TURN username and credential, or secret, from which credentials are made that end after
    /// lifetime seconds (86400 by default), as coturn's use-auth-secret wants them.
    #[arg(long, env = "STAGEDOOR_NODE_URL", value_name = "URL")]
    pub node_url: Option<String>,

    #[arg(skip)]
    #[serde(rename = "ice-server")]
    pub ice_servers: Option<Vec<IceServerOption>>,

    /// Origin at which clients reach the HTTP listener, if not at its own address, e.g. https://gw.example.com
    ///
    /// An `[[event-target]]` table, which only the file can have, names a place to which the events of real-time stages
    /// are delivered that AWS sends to EventBridge: name, which must stay the same over restarts, and one of webhook (a
    /// URL, optionally with authorization, the value of that header), file (JSON, one event a line) or put-events (the
    /// endpoint of an EventBridge, optionally with bus, source and key, a table with id and secret).
    #[arg(long, env = "STAGEDOOR_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    #[arg(skip)]
    #[serde(rename = "event-target")]
    pub event_targets: Option<Vec<EventTargetOption>>,

    /// Allow `POST /_stagedoor/reset` from this machine, which deletes everything stored [default: false]
    #[arg(long, env = "STAGEDOOR_ALLOW_RESET", num_args = 0..=1, default_missing_value = "true")]
    pub allow_reset: Option<bool>,

    /// Access keys as ID:SECRET or ID:SECRET:ACCOUNT, comma-separated; in the file as `[[key]]` tables with
    /// id, secret, and optionally account, session-token, and for stages that ask for signatures user (a name; the
    /// account's root user without it) and policy (the JSON text of what the key may invoke; everything without it)
    #[arg(
        long = "keys",
        env = "STAGEDOOR_KEYS",
        value_name = "KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    #[serde(rename = "key")]
    pub keys: Option<Vec<KeyOption>>,

    /// Quotas of IVS Real-Time as NAME=NUMBER, comma-separated, where AWS's defaults are not wanted: stages,
    /// publishers-per-stage, participants-per-stage, concurrent-publishers, concurrent-subscriptions,
    /// storage-configurations, encoder-configurations, ingest-configurations, public-keys, compositions,
    /// compositions-per-stage, replications-per-participant
    #[arg(long, env = "STAGEDOOR_IVS_QUOTAS", value_name = "QUOTA", value_delimiter = ',')]
    pub ivs_quotas: Option<Vec<QuotaOption>>,

    /// Quotas of API Gateway v1 as NAME=NUMBER, comma-separated, where AWS's defaults are not wanted: regional-apis,
    /// edge-apis, private-apis, resources-per-api, stages-per-api, authorizers-per-api,
    /// documentation-parts-per-api, api-keys, usage-plans, usage-plans-per-key, method-throttles-per-stage,
    /// client-certificates, vpc-links, domain-names, private-domain-names, access-associations, policy-length
    #[arg(long, env = "STAGEDOOR_REST_QUOTAS", value_name = "QUOTA", value_delimiter = ',')]
    pub rest_quotas: Option<Vec<QuotaOption>>,

    /// Throttle of each account in each region over all its stages as RATE:BURST, requests per second and at once; AWS's
    /// is 10000:5000 [default: none]
    #[arg(long, env = "STAGEDOOR_ACCOUNT_THROTTLE", value_name = "THROTTLE")]
    pub account_throttle: Option<ThrottleOption>,

    /// Seconds that a client may leave the server waiting: for a request's head, for more of its body, or until it takes
    /// more of an answer; idle connections are closed after as long [default: 30]
    #[arg(long, env = "STAGEDOOR_CLIENT_TIMEOUT", value_name = "SECONDS")]
    pub client_timeout: Option<NonZeroU32>,

    /// MiB of memory for the bodies of requests, of all connections together; while more than half of it is taken,
    /// slow uploads are cut off sooner, and what finds no room is answered with 503 [default: 512]
    #[arg(long, env = "STAGEDOOR_REQUEST_BODIES_MAX", value_name = "MIB")]
    pub request_bodies_max: Option<NonZeroU32>,

    /// Origin at which Lambda functions are invoked that no `[[function]]` table declares: AWS's own, e.g.
    /// https://lambda.us-east-1.amazonaws.com, or that of any server of Lambda's Invoke API
    ///
    /// A `[[function]]` table, which only the file can have, declares a function that the server runs itself as
    /// processes under the Lambda Runtime API: name; command, a list of the program and its arguments; and
    /// optionally directory, environment (a table), timeout (seconds, 3 by default, 900 at most), concurrency
    /// (invocations at a time, each in a process of its own; more are throttled. Without it 10 processes, for which
    /// invocations wait, up to 1000), retry-waits (seconds before an event that failed is tried again, [60, 120] by
    /// default), maximum-event-age (seconds, 21600 by default) and on-failure (the name of the function that is told of
    /// events that are given up).
    #[arg(long, env = "STAGEDOOR_LAMBDA_ENDPOINT", value_name = "URL")]
    pub lambda_endpoint: Option<String>,

    /// Access key for the Lambda endpoint as ID:SECRET; in the file a table with id, secret and optionally
    /// session-token [default: test:test]
    #[arg(long, env = "STAGEDOOR_LAMBDA_KEY", value_name = "KEY", hide_env_values = true)]
    pub lambda_key: Option<KeyOption>,

    /// Where integrations call AWS services, as NAME=URL, comma-separated: sqs, kinesis, states, events, appconfig and
    /// so on, as in the integration's ARN, or `*` for every other; in the file a table of names, each with a URL or
    /// with { url, key }
    #[arg(long, env = "STAGEDOOR_SERVICE_ENDPOINTS", value_name = "ENDPOINT", value_delimiter = ',')]
    #[serde(default, deserialize_with = "services::table")]
    pub service_endpoints: Option<Vec<NamedEndpoint>>,

    /// Access key for the service endpoints as ID:SECRET; in the file a table with id, secret and optionally
    /// session-token; with it, services without an endpoint are called at AWS itself [default: test:test]
    #[arg(long, env = "STAGEDOOR_SERVICE_KEY", value_name = "KEY", hide_env_values = true)]
    pub service_key: Option<KeyOption>,

    /// Where private integrations lead, as NAME=URL, comma-separated: the name is the VPC link's id, or the ARN of the
    /// load balancer, its listener or the Cloud Map service; in the file a table of names with a URL
    #[arg(long, env = "STAGEDOOR_VPC_LINKS", value_name = "ENDPOINT", value_delimiter = ',')]
    #[serde(default, deserialize_with = "services::table")]
    pub vpc_links: Option<Vec<NamedEndpoint>>,

    /// Collector of OpenTelemetry for the spans of stages with X-Ray tracing, e.g. http://127.0.0.1:4318; `/v1/traces` is
    /// added, the encoding is JSON [default: none]
    ///
    /// A `[[log-sink]]` table, which only the file can have, says where stages log to: arn, a log group's or delivery
    /// stream's, in which `*` stands for anything; and one of file (with rotate-size in MiB, 64 by default, and
    /// rotate-count, 5 by default), stdout = true, otlp (the origin of a collector), or endpoint (that of CloudWatch
    /// Logs or Firehose, with a key). The first that matches counts. Without one each destination has a file
    /// logs/ACCOUNT/REGION/NAME.log in the data directory.
    #[arg(long, env = "STAGEDOOR_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    #[arg(skip)]
    #[serde(rename = "log-sink")]
    pub log_sinks: Option<Vec<LogSinkOption>>,

    #[arg(skip)]
    #[serde(rename = "function")]
    pub functions: Option<Vec<FunctionOption>>,

    /// What to log, e.g. "info" or "warn,stagedoor_gateway=debug" [default: info]
    #[arg(long, env = "STAGEDOOR_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// An access key that may call the control planes.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyOption {
    pub id: String,
    pub secret: String,
    pub account: Option<String>,
    /// Makes the key a temporary one: requests must carry this token.
    pub session_token: Option<String>,
    /// The IAM user whose key it is.
    pub user: Option<String>,
    /// An identity policy.
    pub policy: Option<String>,
}

/// Without the secrets.
impl std::fmt::Debug for KeyOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyOption({})", self.id)
    }
}

impl FromStr for KeyOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        let (id, secret) = (parts.next(), parts.next());
        let (Some(id), Some(secret)) = (id, secret) else {
            return Err("not of the form ID:SECRET[:ACCOUNT]");
        };
        Ok(Self { id, secret, account: parts.next(), session_token: None, user: None, policy: None })
    }
}

/// A quota that is not AWS's default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct QuotaOption {
    pub name: String,
    pub max: usize,
}

impl FromStr for QuotaOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, max) = text.split_once('=').ok_or("not of the form NAME=NUMBER")?;
        let max = max.trim().parse().map_err(|_| "the quota is not a whole number")?;
        Ok(Self { name: name.trim().to_owned(), max })
    }
}

impl TryFrom<String> for QuotaOption {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Options {
    /// These options, and where they are silent those of `weaker`.
    pub fn over(self, weaker: Self) -> Self {
        Self {
            listen: self.listen.or(weaker.listen),
            tls_listen: self.tls_listen.or(weaker.tls_listen),
            truststores: self.truststores.or(weaker.truststores),
            certificates: self.certificates.or(weaker.certificates),
            media_listen: self.media_listen.or(weaker.media_listen),
            media_shards: self.media_shards.or(weaker.media_shards),
            rtmp_listen: self.rtmp_listen.or(weaker.rtmp_listen),
            rtmps_listen: self.rtmps_listen.or(weaker.rtmps_listen),
            rtmps_certificate: self.rtmps_certificate.or(weaker.rtmps_certificate),
            rtmps_key: self.rtmps_key.or(weaker.rtmps_key),
            data_dir: self.data_dir.or(weaker.data_dir),
            store: self.store.or(weaker.store),
            config: self.config.or(weaker.config),
            account: self.account.or(weaker.account),
            region: self.region.or(weaker.region),
            advertise: self.advertise.or(weaker.advertise),
            node_url: self.node_url.or(weaker.node_url),
            ice_servers: self.ice_servers.or(weaker.ice_servers),
            public_url: self.public_url.or(weaker.public_url),
            event_targets: self.event_targets.or(weaker.event_targets),
            allow_reset: self.allow_reset.or(weaker.allow_reset),
            keys: self.keys.or(weaker.keys),
            ivs_quotas: self.ivs_quotas.or(weaker.ivs_quotas),
            rest_quotas: self.rest_quotas.or(weaker.rest_quotas),
            account_throttle: self.account_throttle.or(weaker.account_throttle),
            client_timeout: self.client_timeout.or(weaker.client_timeout),
            request_bodies_max: self.request_bodies_max.or(weaker.request_bodies_max),
            lambda_endpoint: self.lambda_endpoint.or(weaker.lambda_endpoint),
            lambda_key: self.lambda_key.or(weaker.lambda_key),
            service_endpoints: self.service_endpoints.or(weaker.service_endpoints),
            service_key: self.service_key.or(weaker.service_key),
            vpc_links: self.vpc_links.or(weaker.vpc_links),
            otlp_endpoint: self.otlp_endpoint.or(weaker.otlp_endpoint),
            log_sinks: self.log_sinks.or(weaker.log_sinks),
            functions: self.functions.or(weaker.functions),
            log: self.log.or(weaker.log),
        }
    }
}
