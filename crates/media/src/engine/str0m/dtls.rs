//! Which DTLS a connection speaks, behind `str0m`'s interface: ours where we are the server, `dimpl` where the offer
//! makes us the client.
//!
//! Offers of WHIP and WHEP leave the roles to us (`a=setup:actpass`), and then we are the server. `dimpl` would ask
//! for ECDSA certificates alone (`docs/decisions/0008`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_dtls::{Identity, Output, Profile, Server};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial,
    ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// Of the engine's default. Ethernet's 1,500 less what tunnels take.
const DATAGRAM_MAX: usize = 1200;
/// "Nothing to wait for."
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// The engine's own cryptography, but for DTLS.
pub(super) fn crypto() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Provider, ..from_feature_flags() }
}

#[derive(Debug)]
struct Provider;

impl DtlsProvider for Provider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let identity = Identity::new(cert.certificate.clone(), &cert.private_key)
            .map_err(|error| CryptoError::Other(error.to_string()))?;
        let waiting = Waiting { identity, certificate: cert.clone(), version, datagram_max: mtu };
        Ok(Box::new(Instance { now, role: Role::Unknown(Box::new(waiting)) }))
    }
}

/// A connection whose role the answer settles.
struct Waiting {
    identity: Identity,
    certificate: DtlsCert,
    version: DtlsVersion,
    datagram_max: Option<usize>,
}

#[expect(clippy::large_enum_variant, reason = "the instance is boxed as it is, and nearly all are servers")]
enum Role {
    Unknown(Box<Waiting>),
    Server(Server),
    Client(Box<dyn DtlsInstance>),
    /// The client could not be made.
    Broken,
}

struct Instance {
    now: Instant,
    role: Role,
}

impl Instance {
    fn settle(&self, waiting: Waiting, active: bool) -> Role {
        let Waiting { identity, certificate, version, datagram_max } = waiting;
        if !active {
            return Role::Server(Server::new(
                Arc::new(identity),
                datagram_max.unwrap_or(DATAGRAM_MAX),
                self.now,
            ));
        }
        match from_feature_flags().dtls_provider.new_dtls(&certificate, self.now, version, datagram_max) {
            Ok(mut client) => {
                client.set_active(true);
                Role::Client(client)
            }
            Err(error) => {
                tracing::debug!(%error, "no DTLS client");
                Role::Broken
            }
        }
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.role = match std::mem::replace(&mut self.role, Role::Broken) {
            Role::Unknown(waiting) => self.settle(*waiting, active),
            settled => settled,
        };
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        match &mut self.role {
            Role::Server(server) => {
                server.receive(packet);
                Ok(())
            }
            Role::Client(client) => client.handle_packet(packet).inspect_err(|error| {
                // RFC 9725 §4.4 knows of `actpass` and `active` alone; ffmpeg offers this too.
                tracing::info!(%error, "an offer with a=setup:passive needs an ECDSA certificate, or a=setup:actpass");
            }),
            Role::Unknown(_) | Role::Broken => Err(DtlsImplError::ConnectionClosed),
        }
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        match &mut self.role {
            Role::Server(server) => output(server.poll(), buf),
            Role::Client(client) => client.poll_output(buf),
            Role::Unknown(_) | Role::Broken => DtlsOutput::Timeout(self.now + LONG),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        match &mut self.role {
            Role::Server(server) => server.advance(now).map_err(|error| {
                // The engine's error has no room for ours.
                tracing::info!(%error, "DTLS ended");
                DtlsImplError::ConnectionClosed
            }),
            Role::Client(client) => client.handle_timeout(now),
            Role::Unknown(_) => Ok(()),
            Role::Broken => Err(DtlsImplError::ConnectionClosed),
        }
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        match &mut self.role {
            Role::Server(server) if server.is_closing() => Err(DtlsImplError::ConnectionClosed),
            // None of it is taken before there is a connection.
            Role::Server(server) => Ok(server.send(data).map_or(0, |()| data.len())),
            Role::Client(client) => client.send_application_data(data),
            Role::Unknown(_) | Role::Broken => Ok(0),
        }
    }

    fn is_active(&self) -> bool {
        matches!(self.role, Role::Client(_))
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        match &self.role {
            Role::Server(server) => server.is_connected().then_some(ProtocolVersion::DTLS1_2),
            Role::Client(client) => client.protocol_version(),
            Role::Unknown(_) | Role::Broken => None,
        }
    }

    fn is_closing(&self) -> bool {
        match &self.role {
            Role::Server(server) => server.is_closing() && !server.is_closed(),
            Role::Client(client) => client.is_closing(),
            Role::Unknown(_) | Role::Broken => false,
        }
    }

    fn is_closed(&self) -> bool {
        match &self.role {
            Role::Server(server) => server.is_closed(),
            Role::Client(client) => client.is_closed(),
            Role::Unknown(_) | Role::Broken => true,
        }
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        match &mut self.role {
            Role::Server(server) => {
                server.close();
                Ok(())
            }
            Role::Client(client) => client.close(),
            Role::Unknown(_) | Role::Broken => Ok(()),
        }
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("active", &self.is_active()).finish_non_exhaustive()
    }
}

/// Our output as the engine's, which borrows from the engine's buffer.
fn output(output: Output, buf: &mut [u8]) -> DtlsOutput<'_> {
    match output {
        Output::Datagram(bytes) => borrowed(&bytes, buf, DtlsOutput::Packet),
        Output::Certificate(bytes) => borrowed(&bytes, buf, DtlsOutput::PeerCert),
        Output::Data(bytes) => borrowed(&bytes, buf, DtlsOutput::ApplicationData),
        Output::SrtpKeys(profile, keys) => {
            DtlsOutput::KeyingMaterial(KeyingMaterial::new(&keys), srtp(profile))
        }
        Output::Connected => DtlsOutput::Connected,
        Output::Closed => DtlsOutput::CloseNotify,
        Output::Wait(until) => DtlsOutput::Timeout(until),
    }
}

/// What does not fit ends the connection: a certificate or a message longer than any datagram of the engine.
pub(super) fn borrowed<'a>(
    bytes: &[u8],
    buf: &'a mut [u8],
    wrap: fn(&'a [u8]) -> DtlsOutput<'a>,
) -> DtlsOutput<'a> {
    match buf.get_mut(..bytes.len()) {
        Some(room) => {
            room.copy_from_slice(bytes);
            wrap(room)
        }
        None => DtlsOutput::BufferTooSmall { needed: bytes.len() },
    }
}

fn srtp(profile: Profile) -> SrtpProfile {
    match profile {
        Profile::Aes256Gcm => SrtpProfile::AEAD_AES_256_GCM,
        Profile::Aes128Gcm => SrtpProfile::AEAD_AES_128_GCM,
        Profile::Aes128CmSha1 => SrtpProfile::AES128_CM_SHA1_80,
    }
}
