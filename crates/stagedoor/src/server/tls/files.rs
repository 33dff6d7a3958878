//! The configured certificates and truststores, as they were read, and whether their files have changed since.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::super::Failure;
use super::clients::Truststore;
use crate::config::TlsConfig;

pub(super) struct Files {
    /// By name; `*.example.com` for all that are one label longer.
    certificates: BTreeMap<String, Arc<CertifiedKey>>,
    truststores: BTreeMap<String, Arc<Truststore>>,
    read: Vec<(PathBuf, Option<Stamp>)>,
}

/// What tells one state of a file from another.
type Stamp = (SystemTime, u64);

impl Files {
    /// Reads every file.
    ///
    /// # Errors
    /// Names the file that cannot be used.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, Failure> {
        let mut files =
            Self { certificates: BTreeMap::new(), truststores: BTreeMap::new(), read: Vec::new() };
        for option in &config.certificates {
            // Stamped before it is read, so that a change while reading is seen later.
            files.stamp(&option.cert);
            files.stamp(&option.key);
            let certified = Arc::new(certified(&option.cert, &option.key)?);
            for name in &option.domains {
                files.certificates.insert(name.to_ascii_lowercase(), Arc::clone(&certified));
            }
        }
        for (uri, path) in &config.truststores {
            files.stamp(path);
            let truststore = Truststore::new(chain(path)?).map_err(|error| unusable(path, &error))?;
            files.truststores.insert(uri.clone(), Arc::new(truststore));
        }
        Ok(files)
    }

    fn stamp(&mut self, path: &Path) {
        self.read.push((path.to_owned(), stamp(path)));
    }

    pub(super) fn have_changed(&self) -> bool {
        self.read.iter().any(|(path, before)| stamp(path) != *before)
    }

    /// The certificate for a name: its own, or that of a wildcard.
    pub(super) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.certificates.get(name).or_else(|| self.certificates.get(&wildcard?)).cloned()
    }

    pub(super) fn truststore(&self, uri: &str) -> Option<Arc<Truststore>> {
        self.truststores.get(uri).cloned()
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    format!("cannot use {}: {error}", path.display()).into()
}

fn certified(cert: &Path, key: &Path) -> Result<CertifiedKey, Failure> {
    let chain = chain(cert)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let signing = any_supported_type(&private).map_err(|error| unusable(key, &error))?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(unusable(key, &format!("it is not the key of {}: {error}", cert.display()))),
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|error| unusable(path, &error))?;
    if chain.is_empty() { Err(unusable(path, &"it has no certificate in PEM")) } else { Ok(chain) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A folder with a certificate and its key.
    fn files() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&cert, certificate.pem()).expect("written");
        fs::write(&key, pair.serialize_pem()).expect("written");
        (folder, cert, key)
    }

    #[test]
    fn files_that_are_not_what_they_should_be_are_named() {
        let (folder, cert, key) = files();
        certified(&cert, &key).expect("a certificate with its key");
        let (_other, _, stranger) = files();
        for (cert, key, blamed) in [
            (&cert, &stranger, &stranger),
            (&key, &key, &key),
            (&cert, &cert, &cert),
            (&cert, &folder.path().join("none"), &folder.path().join("none")),
        ] {
            let error = certified(cert, key).expect_err("it cannot be used").to_string();
            assert!(error.contains(&blamed.display().to_string()), "{error}");
        }
    }

    #[track_caller]
    fn is_used_or_refused(cert: &Path, key: &Path) {
        if let Err(error) = certified(cert, key) {
            let error = error.to_string();
            assert!(error.contains("cannot use ") && error.contains(".pem: "), "{error}");
        }
        let _ = chain(cert).map(Truststore::new);
    }

    /// Whatever a file has become on its way, it is used, or refused with its name.
    #[test]
    fn damaged_files_are_refused() {
        let (_folder, cert, key) = files();
        for damaged in [&cert, &key] {
            let whole = fs::read(damaged).expect("a file");
            for at in 0..whole.len() {
                let (before, after) = (&whole[..at], &whole[at + 1..]);
                for instead in [&[whole[at] ^ 1][..], b"\xff", b"\n", b""] {
                    fs::write(damaged, [before, instead, after].concat()).expect("written");
                    is_used_or_refused(&cert, &key);
                }
                fs::write(damaged, before).expect("written");
                is_used_or_refused(&cert, &key);
            }
            fs::write(damaged, whole).expect("written");
        }
        certified(&cert, &key).expect("both are whole again");
    }
}
