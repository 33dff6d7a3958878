//! Files of private keys: PEM, with the ARN of the imported public half in a line above the block.
//!
//! RFC 7468 section 2 allows text before a block and every program skips it, so the file stays a plain key file.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use stagedoor_auth::es384::KeyPair;

use crate::failure::{Failure, Result};

/// What stands before the ARN in its line.
const ARN_LINE: &str = "Imported as: ";
const LINE_CHARS: usize = 64;
/// A larger file is no key.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A private key, and the ARN that its public half has at a server, if the file says.
pub struct PrivateKey {
    pub pair: KeyPair,
    pub arn: Option<String>,
}

/// Reads a private key: PKCS #8, or as `openssl ecparam -genkey` writes it.
///
/// # Errors
/// [`Failure::Other`] with the file's name.
pub fn read(path: &Path) -> Result<PrivateKey> {
    let wrong = |what: &dyn std::fmt::Display| Failure::Other(format!("{}: {what}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(wrong(&"too large for a key"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    parse(&text).map_err(|what| wrong(&what))
}

fn parse(text: &str) -> std::result::Result<PrivateKey, String> {
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)".to_owned())?;
    let pair = KeyPair::from_der(der.secret_der()).map_err(|error| error.to_string())?;
    let arn = text.lines().find_map(|line| line.strip_prefix(ARN_LINE));
    Ok(PrivateKey { pair, arn: arn.map(|arn| arn.trim().to_owned()) })
}

/// Writes a new file that only its owner may read.
///
/// # Errors
/// Also if the file is there: a private key is never overwritten.
pub fn create(path: &Path, pair: &KeyPair) -> Result<()> {
    let wrong = |error: std::io::Error| Failure::Other(format!("{}: {error}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(wrong)?;
    file.write_all(pem(pair).as_bytes()).map_err(wrong)
}

/// Notes in a key's file under which ARN its public half is known.
pub fn note_arn(path: &Path, arn: &str) -> Result<()> {
    let wrong = |error: std::io::Error| Failure::Other(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(wrong)?;
    let mut noted = format!("{ARN_LINE}{arn}\n");
    for line in text.lines().filter(|line| !line.starts_with(ARN_LINE)) {
        noted.push_str(line);
        noted.push('\n');
    }
    std::fs::write(path, noted).map_err(wrong)
}

fn pem(pair: &KeyPair) -> String {
    let body = STANDARD.encode(pair.to_pkcs8());
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(LINE_CHARS) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + "-----END PRIVATE KEY-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_written_and_as_openssl_writes_them() {
        let pair = KeyPair::generate();
        let read = parse(&format!("{ARN_LINE}arn:x\n{}", pem(&pair))).expect("our own form");
        assert_eq!((read.pair.public_key(), read.arn.as_deref()), (pair.public_key(), Some("arn:x")));
        let openssl = "-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDBQF32vQofARCJfPHPfI4Z5t1n5UfMoxwnhjSHvRbgS9SHKIHKJZFWT
";
        assert!(parse(openssl).is_err(), "cut off");
        assert!(parse("").is_err());
    }
}
