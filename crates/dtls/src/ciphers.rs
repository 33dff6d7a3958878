//! Secrets and what is made of them: the master secret (RFC 7627), the keys of records (AES-128-GCM, RFC 5288), the
//! proof in Finished (RFC 5246 §7.4.9), the keys of SRTP (RFC 5705, RFC 5764 §4.2).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::tls_prf::{P_SHA256, Secret};

use crate::Error;
use crate::hello::Profile;
use crate::record::{Header, VERSION};

const KEY_LEN: usize = 16;
const SALT_LEN: usize = 4;
/// The part of the nonce that stands in the record.
const NONCE_LEN: usize = 8;
const TAG_LEN: usize = 16;
/// What sealing adds to a record.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// The secret of one handshake, with the randoms that go into what is derived from it.
pub(crate) struct Master {
    secret: Vec<u8>,
    client_random: [u8; 32],
    server_random: [u8; 32],
}

impl Master {
    /// Of what was agreed on and the transcript up to the client's share.
    pub(crate) fn new(
        agreed: &[u8],
        transcript: &[u8],
        client_random: [u8; 32],
        server_random: [u8; 32],
    ) -> Result<Master, Error> {
        let session = digest(&SHA256, transcript);
        let secret = derive(agreed, b"extended master secret", session.as_ref(), 48)?;
        Ok(Master { secret, client_random, server_random })
    }

    pub(crate) fn ciphers(&self) -> Result<Ciphers, Error> {
        let seed = [self.server_random, self.client_random].concat();
        let block = derive(&self.secret, b"key expansion", &seed, 2 * (KEY_LEN + SALT_LEN))?;
        let (keys, salts) = block.split_at(2 * KEY_LEN);
        Ok(Ciphers {
            receive: Cipher::new(&keys[..KEY_LEN], &salts[..SALT_LEN])?,
            send: Cipher::new(&keys[KEY_LEN..], &salts[SALT_LEN..])?,
        })
    }

    /// Whether the client's Finished shows that it saw the handshake as we did.
    pub(crate) fn is_finished(&self, transcript: &[u8], theirs: &[u8]) -> Result<bool, Error> {
        let expected = self.finished(b"client finished", transcript)?;
        Ok(verify_slices_are_equal(&expected, theirs).is_ok())
    }

    /// Our Finished.
    pub(crate) fn finish(&self, transcript: &[u8]) -> Result<Vec<u8>, Error> {
        self.finished(b"server finished", transcript)
    }

    fn finished(&self, label: &[u8], transcript: &[u8]) -> Result<Vec<u8>, Error> {
        derive(&self.secret, label, digest(&SHA256, transcript).as_ref(), 12)
    }

    /// Client's key, server's key, client's salt, server's salt.
    pub(crate) fn srtp_keys(&self, profile: Profile) -> Result<Vec<u8>, Error> {
        let seed = [self.client_random, self.server_random].concat();
        derive(&self.secret, b"EXTRACTOR-dtls_srtp", &seed, profile.keying_len())
    }
}

fn derive(secret: &[u8], label: &[u8], seed: &[u8], len: usize) -> Result<Vec<u8>, Error> {
    let secret = Secret::new(&P_SHA256, secret).map_err(|_| Error::Crypto)?;
    let derived = secret.derive(label, seed, len).map_err(|_| Error::Crypto)?;
    Ok(derived.as_ref().to_vec())
}

/// The keys of both directions.
pub(crate) struct Ciphers {
    receive: Cipher,
    send: Cipher,
}

struct Cipher {
    key: LessSafeKey,
    salt: [u8; SALT_LEN],
}

impl Cipher {
    fn new(key: &[u8], salt: &[u8]) -> Result<Cipher, Error> {
        let key = UnboundKey::new(&AES_128_GCM, key).map_err(|_| Error::Crypto)?;
        Ok(Cipher { key: LessSafeKey::new(key), salt: salt.try_into().map_err(|_| Error::Crypto)? })
    }

    fn nonce(&self, explicit: [u8; NONCE_LEN]) -> Nonce {
        let mut nonce = [0; SALT_LEN + NONCE_LEN];
        nonce[..SALT_LEN].copy_from_slice(&self.salt);
        nonce[SALT_LEN..].copy_from_slice(&explicit);
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Ciphers {
    /// The body of a record that holds `plain`. Each number may be used once.
    pub(crate) fn seal(&self, header: Header, plain: &[u8]) -> Result<Vec<u8>, Error> {
        // The number is never used again, so it does for a nonce (RFC 5288 §3).
        let explicit = header.number();
        let mut body = explicit.to_vec();
        body.extend_from_slice(plain);
        let nonce = self.send.nonce(explicit);
        let tag = self.send.key.seal_in_place_separate_tag(
            nonce,
            authenticated(header, plain.len()),
            &mut body[NONCE_LEN..],
        );
        body.extend_from_slice(tag.map_err(|_| Error::Crypto)?.as_ref());
        Ok(body)
    }

    /// What a record holds; `None` if it is not authentic.
    pub(crate) fn open(&self, header: Header, body: &[u8]) -> Option<Vec<u8>> {
        let (explicit, sealed) = body.split_first_chunk::<NONCE_LEN>()?;
        let plain_len = sealed.len().checked_sub(TAG_LEN)?;
        let mut plain = sealed.to_vec();
        let nonce = self.receive.nonce(*explicit);
        self.receive.key.open_in_place(nonce, authenticated(header, plain_len), &mut plain).ok()?;
        plain.truncate(plain_len);
        Some(plain)
    }
}

/// What is authenticated with a record (RFC 5246 §6.2.3.3).
fn authenticated(header: Header, len: usize) -> Aad<[u8; 13]> {
    let mut out = [0; 13];
    out[..8].copy_from_slice(&header.number());
    out[8] = header.kind;
    out[9..11].copy_from_slice(&VERSION);
    out[11..].copy_from_slice(&(len as u16).to_be_bytes());
    Aad::from(out)
}
