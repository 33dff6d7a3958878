//! Credentials that have to be fetched: roles, SSO, processes, containers, instances. The AWS SDK's own providers do
//! it (`aws-config`), over our own connections. Keys that simply stand somewhere are the settings' matter, and
//! nothing here runs then.

use std::time::Duration;

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioExecutor;
use stagedoor_auth::sigv4::Key;

use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::mfa::Role;
use crate::profile::Profile;
use crate::tls::{self, Trust};

/// Most bytes of an answer with credentials.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// What the AWS CLI waits for the instance's metadata service.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// Who gives the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What the keys of a profile describe.
    Profile {
        name: String,
        method: &'static str,
    },
    /// A profile's role that wants an MFA code.
    Mfa(Role),
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity,
    /// `AWS_CONTAINER_CREDENTIALS_…_URI`.
    Container,
    Instance,
}

/// Keys of a profile that come before static keys in it, with botocore's name for what they do.
const BEFORE_STATIC: [(&str, &str); 5] = [
    ("web_identity_token_file", "assume-role-with-web-identity"),
    ("role_arn", "assume-role"),
    ("credential_source", "assume-role"),
    ("sso_session", "sso"),
    ("sso_start_url", "sso"),
];

impl Source {
    /// What comes before static keys of the profile.
    ///
    /// # Errors
    /// [`Failure::Configuration`] for a profile that needs what we do not have.
    pub fn before_static(environment: &Environment, profile: &Profile) -> Result<Option<Self>> {
        if let Some((_, method)) = BEFORE_STATIC.iter().find(|(key, _)| profile.get(key).is_some()) {
            if *method == "assume-role"
                && let Some(role) = Role::of(profile)?
            {
                return Ok(Some(Self::Mfa(role)));
            }
            return Ok(Some(Self::Profile { name: profile.name.clone(), method }));
        }
        if profile.get("login_session").is_some() {
            return Err(Failure::Configuration(format!(
                "Profile {} gets its credentials by `aws login`, which stagedoor does not support: export them with \
                 `aws configure export-credentials`.",
                profile.name
            )));
        }
        let by_token = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some();
        Ok(by_token.then_some(Self::WebIdentity))
    }

    /// What is asked when there are no static keys; the machine itself only if `asks_machine`, for that takes
    /// time.
    pub fn after_static(environment: &Environment, profile: &Profile, asks_machine: bool) -> Option<Self> {
        if profile.get("credential_process").is_some() {
            return Some(Self::Profile { name: profile.name.clone(), method: "custom-process" });
        }
        let variables = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        if variables.iter().any(|variable| environment.get(variable).is_some()) {
            return Some(Self::Container);
        }
        let disabled = environment.get("AWS_EC2_METADATA_DISABLED");
        let disabled = disabled.is_some_and(|word| word.eq_ignore_ascii_case("true"));
        (asks_machine && !disabled).then_some(Self::Instance)
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Profile { method, .. } => method,
            Self::Mfa(_) => "assume-role",
            Self::WebIdentity => "assume-role-with-web-identity",
            Self::Container => "container-role",
            Self::Instance => "iam-role",
        }
    }

    /// Asks for credentials.
    ///
    /// # Errors
    /// [`Failure::Configuration`] if there are none, [`Failure::Other`] if they could not be fetched.
    pub async fn fetch(&self, region: &str, trust: &Trust) -> Result<Key> {
        self.fetch_over(region, client(trust)).await
    }

    async fn fetch_over(&self, region: &str, client: SharedHttpClient) -> Result<Key> {
        let config = ProviderConfig::without_region()
            .with_region(Some(Region::new(region.to_owned())))
            .with_http_client(client.clone());
        let fetched = match self {
            Self::Mfa(role) => Ok(role.fetch(region, client, &config).await?),
            Self::Profile { name, .. } => {
                let provider = ProfileFileCredentialsProvider::builder();
                provider.configure(&config).profile_name(name).build().provide_credentials().await
            }
            Self::WebIdentity => {
                let provider = WebIdentityTokenCredentialsProvider::builder();
                provider.configure(&config).build().provide_credentials().await
            }
            Self::Container => {
                let provider = EcsCredentialsProvider::builder();
                provider.configure(&config).build().provide_credentials().await
            }
            Self::Instance => {
                let metadata = imds::Client::builder().configure(&config);
                let metadata = metadata.connect_timeout(METADATA_TIMEOUT).read_timeout(METADATA_TIMEOUT);
                let provider = ImdsCredentialsProvider::builder().configure(&config);
                let provider = provider.imds_client(metadata.max_attempts(1).build());
                provider.build().provide_credentials().await
            }
        };
        let found = fetched.map_err(|error| self.failed(&error))?;
        Ok(Key {
            session_token: found.session_token().map(str::to_owned),
            ..Key::long_term(found.access_key_id(), found.secret_access_key(), "")
        })
    }

    fn failed(&self, error: &CredentialsError) -> Failure {
        if *self == Self::Instance || matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            return none_found();
        }
        let mut told: Vec<String> = Vec::new();
        let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
        while let Some(cause) = next {
            told.push(cause.to_string());
            next = cause.source();
        }
        Failure::Other(format!(
            "Error when retrieving credentials from {}: {}",
            self.method(),
            told.join(": ")
        ))
    }
}

/// There are no credentials anywhere.
pub fn none_found() -> Failure {
    let message = "Unable to locate credentials. You can configure credentials by running \"aws configure\".";
    Failure::Configuration(message.to_owned())
}

// === Our connections for the providers ===

fn client(trust: &Trust) -> SharedHttpClient {
    let trust = trust.clone();
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            trust: trust.clone(),
            connect_timeout: settings.connect_timeout(),
            read_timeout: settings.read_timeout(),
        })
    })
}

#[derive(Clone, Debug)]
struct Connector {
    trust: Trust,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            match connector.read_timeout {
                None => connector.send(request).await,
                Some(limit) => tokio::time::timeout(limit, connector.send(request))
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

impl Connector {
    async fn send(self, request: HttpRequest) -> std::result::Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let request = request.map(|body| Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default())));
        let is_https = request.uri().scheme_str() == Some("https");
        let mut tcp = hyper_util::client::legacy::connect::HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(self.connect_timeout);
        let connector = tls::connector(tcp, is_https, &self.trust);
        let connector = connector.map_err(|error| ConnectorError::user(error.into()))?;
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        let answer = client.request(request).await.map_err(|error| ConnectorError::io(error.into()))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(ConnectorError::io)?;
        let answer = http::Response::from_parts(parts, SdkBody::from(body.to_bytes()));
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
    }
}
