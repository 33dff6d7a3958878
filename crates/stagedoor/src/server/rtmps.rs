//! The certificate of the RTMPS port: the one that the options name, else a self-signed one, made at the first start
//! and kept in the data directory so that encoders which were told to trust it go on doing so.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Failure;
use crate::config::{Config, StoreUrl};

/// The files in the data directory.
const CERTIFICATE_FILE: &str = "rtmps-certificate.pem";
const KEY_FILE: &str = "rtmps-key.pem";

/// The TLS settings of the RTMPS port.
pub fn tls(config: &Config) -> Result<Arc<ServerConfig>, Failure> {
    let (certificate, key) = match (&config.rtmps_certificate, &config.store) {
        (Some((certificate, key)), _) => (read(certificate)?, read(key)?),
        (None, StoreUrl::Memory) => self_signed(config)?,
        (None, _) => kept(config)?,
    };
    let chain = CertificateDer::pem_slice_iter(&certificate).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&key)?;
    let builder = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?;
    let settings = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("the certificate for RTMPS cannot be used: {error}"))?;
    Ok(Arc::new(settings))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

/// The certificate in the data directory, made if there is none.
fn kept(config: &Config) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let paths = (config.data_dir.join(CERTIFICATE_FILE), config.data_dir.join(KEY_FILE));
    if !paths.0.exists() || !paths.1.exists() {
        let (certificate, key) = self_signed(config)?;
        write(&paths.1, &key)?;
        write(&paths.0, &certificate)?;
    }
    Ok((read(&paths.0)?, read(&paths.1)?))
}

/// Writes a file that nobody else may read.
fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(contents));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// A certificate for this machine's own names, and its key, as PEM.
fn self_signed(config: &Config) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let own = [config.rtmps_listen.ip(), IpAddr::from([127, 0, 0, 1])];
    let mut names: Vec<String> = own.iter().chain(&config.advertise).map(IpAddr::to_string).collect();
    names.push("localhost".to_owned());
    names.sort_unstable();
    names.dedup();
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok((made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes()))
}
