//! The handshake as the server sees it (RFC 5246 §7.3, with a certificate from either side): whole messages come in,
//! in order, and what is to happen comes out. Not how messages travel.

use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::rand::{SystemRandom, fill};

use crate::Error;
use crate::bytes::Short;
use crate::ciphers::{Ciphers, Master};
use crate::hello::{self, Choice, Group, Profile};
use crate::identity::Identity;
use crate::message::{self, Message};
use crate::signature::{self, ECDSA_SHA256};

/// What follows from a message.
pub(crate) enum Next {
    /// The client has more to say.
    Listen,
    /// These messages are our answer to its hello.
    Answer(Vec<Message>),
    /// From here on records can be opened.
    Keyed(Ciphers),
    Agreed(Agreed),
}

/// What the handshake brought.
pub(crate) struct Agreed {
    /// The peer's, in DER. It has shown that it owns the key; whose certificate it is, the caller must see.
    pub(crate) certificate: Vec<u8>,
    pub(crate) profile: Profile,
    pub(crate) srtp_keys: Vec<u8>,
    /// Our last message.
    pub(crate) finished: Message,
}

/// Where a handshake stands: what is awaited next, and what is known for it.
pub(crate) struct Handshake {
    step: Step,
    /// All messages until now, as the signatures and proofs see them.
    transcript: Vec<u8>,
    /// The number of our next message.
    sequence: u16,
}

enum Step {
    Hello,
    Certificate(Share),
    KeyExchange(Share, Vec<u8>),
    Verify(Secrets),
    Finished(Secrets),
    Over,
}

/// Our part of the key exchange.
struct Share {
    choice: Choice,
    random: [u8; 32],
    key: EphemeralPrivateKey,
}

struct Secrets {
    master: Master,
    profile: Profile,
    certificate: Vec<u8>,
}

impl Handshake {
    pub(crate) fn new() -> Handshake {
        Handshake { step: Step::Hello, transcript: Vec::new(), sequence: 0 }
    }

    /// # Errors
    ///
    /// Any one ends the handshake.
    pub(crate) fn take(&mut self, identity: &Identity, message: &Message) -> Result<Next, Error> {
        match (std::mem::replace(&mut self.step, Step::Over), message.kind) {
            (Step::Hello, message::CLIENT_HELLO) => self.hello(identity, message),
            (Step::Certificate(share), message::CERTIFICATE) => self.certificate(share, message),
            (Step::KeyExchange(share, certificate), message::CLIENT_KEY_EXCHANGE) => {
                self.key_exchange(share, certificate, message)
            }
            (Step::Verify(secrets), message::CERTIFICATE_VERIFY) => self.verify(secrets, message),
            (Step::Finished(secrets), message::FINISHED) => self.finished(secrets, message),
            _ => Err(Error::OutOfTurn),
        }
    }

    fn hello(&mut self, identity: &Identity, message: &Message) -> Result<Next, Error> {
        let choice = hello::choose(&message.body)?;
        let mut random = [0; 32];
        fill(&mut random).map_err(|_| Error::Crypto)?;
        let share = Share { choice, random, key: key(choice.group)? };
        message.write_whole(&mut self.transcript);
        let answer = vec![
            self.say(message::SERVER_HELLO, hello::answer(&choice, &random)),
            self.say(message::CERTIFICATE, message::certificate(identity.certificate())),
            self.say(message::SERVER_KEY_EXCHANGE, share.signed(identity)?),
            self.say(message::CERTIFICATE_REQUEST, message::certificate_request()),
            self.say(message::SERVER_HELLO_DONE, Vec::new()),
        ];
        self.step = Step::Certificate(share);
        Ok(Next::Answer(answer))
    }

    fn certificate(&mut self, share: Share, message: &Message) -> Result<Next, Error> {
        let certificate =
            message::read_certificate(&message.body).map_err(|Short| Error::Malformed("certificate"))?;
        let certificate = certificate.ok_or(Error::NoCertificate)?.to_vec();
        message.write_whole(&mut self.transcript);
        self.step = Step::KeyExchange(share, certificate);
        Ok(Next::Listen)
    }

    fn key_exchange(&mut self, share: Share, certificate: Vec<u8>, message: &Message) -> Result<Next, Error> {
        let theirs =
            message::read_key_exchange(&message.body).map_err(|Short| Error::Malformed("key exchange"))?;
        message.write_whole(&mut self.transcript);
        let Share { choice, random, key } = share;
        let theirs = UnparsedPublicKey::new(key.algorithm(), theirs);
        let master = agree_ephemeral(key, theirs, Error::PublicKey, |agreed| {
            Master::new(agreed, &self.transcript, choice.random, random)
        })?;
        self.step = Step::Verify(Secrets { master, profile: choice.profile, certificate });
        Ok(Next::Listen)
    }

    fn verify(&mut self, secrets: Secrets, message: &Message) -> Result<Next, Error> {
        let (scheme, signature) =
            message::read_verify(&message.body).map_err(|Short| Error::Malformed("signature"))?;
        signature::verify(&secrets.certificate, scheme, &self.transcript, signature)?;
        message.write_whole(&mut self.transcript);
        let ciphers = secrets.master.ciphers()?;
        self.step = Step::Finished(secrets);
        Ok(Next::Keyed(ciphers))
    }

    fn finished(&mut self, secrets: Secrets, message: &Message) -> Result<Next, Error> {
        let Secrets { master, profile, certificate } = secrets;
        if !master.is_finished(&self.transcript, &message.body)? {
            return Err(Error::Finished);
        }
        message.write_whole(&mut self.transcript);
        let ours = master.finish(&self.transcript)?;
        let finished = self.say(message::FINISHED, ours);
        Ok(Next::Agreed(Agreed { certificate, profile, srtp_keys: master.srtp_keys(profile)?, finished }))
    }

    fn say(&mut self, kind: u8, body: Vec<u8>) -> Message {
        let message = Message { kind, sequence: self.sequence, body };
        self.sequence += 1;
        message.write_whole(&mut self.transcript);
        message
    }
}

impl Share {
    /// The share with our signature over it and both randoms (RFC 8422 §5.4).
    fn signed(&self, identity: &Identity) -> Result<Vec<u8>, Error> {
        let public = self.key.compute_public_key().map_err(|_| Error::Crypto)?;
        let mut share = message::key_share(self.choice.group, public.as_ref());
        let signature = identity.sign(&[&self.choice.random[..], &self.random, &share].concat())?;
        message::put_signature(&mut share, ECDSA_SHA256, &signature);
        Ok(share)
    }
}

fn key(group: Group) -> Result<EphemeralPrivateKey, Error> {
    let algorithm = match group {
        Group::X25519 => &X25519,
        Group::P256 => &ECDH_P256,
    };
    EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).map_err(|_| Error::Crypto)
}
