//! Cryptography that hides and checks nothing: a connection is up as soon as its peer's first check arrives, and what
//! comes then is read as it is. For fuzz targets, which so send what a peer can send that was let in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial,
    ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{
    AeadAes128Gcm, AeadAes128GcmCipher, CryptoError, CryptoProvider, Sha1HmacProvider, SrtpProvider,
    SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80, from_feature_flags,
};

/// What stands before the data of a DTLS record (RFC 6347, section 4.1).
const RECORD_HEAD_BYTES: usize = 13;
/// Keys and salts of both sides.
const KEYS_BYTES: usize = 2 * (AeadAes128Gcm::KEY_LEN + AeadAes128Gcm::SALT_LEN);
/// "Nothing to wait for."
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// SRTP has a tag of zeros, checks of ICE an integrity of zeros, and what DTLS records hold is data.
pub(super) fn crypto() -> CryptoProvider {
    CryptoProvider {
        srtp_provider: &Plain,
        sha1_hmac_provider: &Plain,
        dtls_provider: &Plain,
        ..from_feature_flags()
    }
}

#[derive(Debug)]
struct Plain;

impl Sha1HmacProvider for Plain {
    fn sha1_hmac(&self, _key: &[u8], _payloads: &[&[u8]]) -> [u8; 20] {
        [0; 20]
    }
}

impl SrtpProvider for Plain {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        from_feature_flags().srtp_provider.aes_128_cm_sha1_80()
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Plain
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        from_feature_flags().srtp_provider.aead_aes_256_gcm()
    }

    fn srtp_aes_128_ecb_round(&self, _key: &[u8], _input: &[u8], _output: &mut [u8]) {}

    fn srtp_aes_256_ecb_round(&self, _key: &[u8], _input: &[u8], _output: &mut [u8]) {}
}

impl SupportedAeadAes128Gcm for Plain {
    fn create_cipher(&self, _key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Plain)
    }
}

impl AeadAes128GcmCipher for Plain {
    fn encrypt(
        &mut self,
        _: &[u8; 12],
        _: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (text, tag) = output.split_at_mut(input.len());
        text.copy_from_slice(input);
        tag.fill(0);
        Ok(())
    }

    fn decrypt(
        &mut self,
        _: &[u8; 12],
        _: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let text = &input[..input.len().saturating_sub(AeadAes128Gcm::TAG_LEN)];
        output[..text.len()].copy_from_slice(text);
        Ok(text.len())
    }
}

impl DtlsProvider for Plain {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        _cert: &DtlsCert,
        now: Instant,
        _version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Records { now, told: 0, came: VecDeque::new(), active: false }))
    }
}

/// A handshake that is done.
#[derive(Debug)]
struct Records {
    now: Instant,
    /// How much was told of the connection: its keys, that it is up.
    told: u8,
    came: VecDeque<Vec<u8>>,
    active: bool,
}

impl DtlsInstance for Records {
    fn set_active(&mut self, active: bool) {
        self.active = active;
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.came.extend(packet.get(RECORD_HEAD_BYTES..).map(<[u8]>::to_vec));
        Ok(())
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.told = self.told.saturating_add(1);
        match self.told {
            1 => DtlsOutput::KeyingMaterial(
                KeyingMaterial::new(&[0; KEYS_BYTES]),
                SrtpProfile::AEAD_AES_128_GCM,
            ),
            2 => DtlsOutput::Connected,
            _ => match self.came.pop_front() {
                Some(data) => super::dtls::borrowed(&data, buf, DtlsOutput::ApplicationData),
                None => DtlsOutput::Timeout(self.now + LONG),
            },
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        Ok(())
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        Ok(data.len())
    }

    fn is_active(&self) -> bool {
        self.active
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        Some(ProtocolVersion::DTLS1_2)
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        Ok(())
    }
}
