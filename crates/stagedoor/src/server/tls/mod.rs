//! The TLS listener's side of a connection: which certificate is shown, which client certificate is asked for.
//!
//! Reading order: [`Tls::accept`] is a handshake; [`files`] keeps what is configured current; [`authority`] makes
//! certificates for domains that have none; [`clients`] checks and tells what clients show.

mod authority;
mod clients;
mod files;
pub mod session;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::server::{Acceptor, ClientHello};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use stagedoor_gateway::{ClientCert, DomainTls, Gateway};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Failure, clock, told};
use crate::config::TlsConfig;
use authority::Authority;
use clients::Truststore;
use files::Files;

/// How often files are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Names whose settings are kept; beyond, all are made anew.
const NAMES_MAX: usize = 1024;
/// How long a certificate made here is shown before it is made anew.
const RENEW_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);
/// The name shown to clients that name none.
const NAMELESS: &str = "localhost";

/// What handshakes are made with. Shared by all connections.
pub struct Tls {
    config: TlsConfig,
    authority: Authority,
    provider: Arc<CryptoProvider>,
    /// The host of the public URL, which is shown a certificate too.
    public_host: Option<String>,
    current: Mutex<Current>,
}

/// The files as they are, and what was made of them.
struct Current {
    files: Arc<Files>,
    made: HashMap<(String, Option<DomainTls>), Made>,
}

#[derive(Clone)]
struct Made {
    settings: Arc<ServerConfig>,
    truststore: Option<Arc<Truststore>>,
    /// Since 1970.
    at: Duration,
}

impl Tls {
    /// Reads all files, so that a wrong one ends the start, and makes the authority if there is none yet.
    pub fn new(config: TlsConfig, data_dir: &Path, public_url: Option<&str>) -> Result<Arc<Self>, Failure> {
        let files = Files::read(&config)?;
        let host =
            public_url.and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_ascii_lowercase));
        Ok(Arc::new(Self {
            authority: Authority::open(&data_dir.join("tls"))?,
            provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            public_host: host,
            current: Mutex::new(Current { files: Arc::new(files), made: HashMap::new() }),
            config,
        }))
    }

    /// Reads files anew when they have changed, until told to stop. What cannot be read stays as it was.
    pub async fn follow_files(self: Arc<Self>, stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = told(stopped.clone()) => return,
            }
            let tls = Arc::clone(&self);
            let _ = tokio::task::spawn_blocking(move || tls.look()).await;
        }
    }

    fn look(&self) {
        let files = Arc::clone(&self.current().files);
        if !files.have_changed() {
            return;
        }
        match Files::read(&self.config) {
            Ok(files) => {
                tracing::info!("certificates have changed");
                let mut current = self.current();
                current.files = Arc::new(files);
                current.made.clear();
            }
            Err(error) => tracing::warn!(%error, "changed certificates cannot be read; the old ones stay"),
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shakes hands. The caller limits the time.
    ///
    /// # Errors
    /// The client names a host that is not here, or what it sends is no handshake.
    pub async fn accept(
        &self,
        stream: TcpStream,
        gateway: &Gateway,
    ) -> io::Result<(TlsStream<TcpStream>, Option<Arc<ClientCert>>)> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let name = server_name(&start.client_hello());
        let domain = gateway.domain_tls(&name);
        let made = self.made(&name, domain.clone())?;
        let stream = start.into_stream(made.settings).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let cert = match (&made.truststore, domain) {
            (Some(truststore), Some(domain)) => truststore.check(shown, &domain.name, clock::since_epoch()),
            _ => None,
        };
        Ok((stream, cert.map(Arc::new)))
    }

    /// The settings for a name, made when it is first asked for.
    fn made(&self, name: &str, domain: Option<DomainTls>) -> io::Result<Made> {
        let now = clock::since_epoch();
        let key = (name.to_owned(), domain);
        let files = {
            let current = self.current();
            if let Some(made) = current.made.get(&key).filter(|made| now < made.at + RENEW_AFTER) {
                return Ok(made.clone());
            }
            Arc::clone(&current.files)
        };
        let certified = self.certified(&files, name, key.1.is_some(), now)?;
        let uri = key.1.as_ref().and_then(|domain| domain.truststore.as_deref());
        let truststore = uri.and_then(|uri| files.truststore(uri));
        if let Some(uri) = uri.filter(|_| truststore.is_none()) {
            tracing::warn!(name, "the truststore {uri} is not in truststores; nobody is let in");
        }
        let only_tls_1_3 = key.1.as_ref().is_some_and(|domain| domain.only_tls_1_3);
        let settings = Arc::new(self.settings(certified, truststore.as_deref(), only_tls_1_3)?);
        let made = Made { settings, truststore, at: now };
        let mut current = self.current();
        // Files that changed meanwhile must not be shadowed by what was made of the old ones.
        if Arc::ptr_eq(&current.files, &files) {
            if current.made.len() >= NAMES_MAX {
                current.made.clear();
            }
            current.made.insert(key, made.clone());
        }
        Ok(made)
    }

    fn certified(
        &self,
        files: &Files,
        name: &str,
        is_domain: bool,
        now: Duration,
    ) -> io::Result<Arc<CertifiedKey>> {
        if let Some(certified) = files.certificate(name) {
            return Ok(certified);
        }
        if !is_domain && !self.is_own(name) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not served here")));
        }
        self.authority.certified(name, self.config.listen.ip(), &self.provider, now).map_err(io::Error::other)
    }

    /// Whether a name is this server's own, or that of an API.
    fn is_own(&self, name: &str) -> bool {
        let is_api = name.split('.').nth(1).is_some_and(|label| label == "execute-api");
        let is_local = name == NAMELESS || name.ends_with(".localhost");
        is_api || is_local || self.public_host.as_deref() == Some(name)
    }

    fn settings(
        &self,
        certified: Arc<CertifiedKey>,
        truststore: Option<&Truststore>,
        only_tls_1_3: bool,
    ) -> io::Result<ServerConfig> {
        const ALL: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
        let versions = if only_tls_1_3 { &ALL[..1] } else { ALL };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?;
        let builder = match truststore {
            Some(truststore) => builder.with_client_cert_verifier(truststore.asking()),
            None => builder.with_no_client_auth(),
        };
        let mut settings =
            builder.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(settings)
    }
}

/// The host that a client asks for.
fn server_name(hello: &ClientHello<'_>) -> String {
    hello.server_name().map_or_else(|| NAMELESS.to_owned(), str::to_ascii_lowercase)
}
