//! The hellos (RFC 5246 §7.4.1, RFC 6347 §4.2.1) and what they settle: version, suite, curve, profile of SRTP.

use crate::Error;
use crate::bytes::{Reader, Short, put_u16, put_vector16};
use crate::record::VERSION;
use crate::signature::ECDSA_SHA256;

/// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, which RFC 8827 §6.5 has everybody implement.
const SUITE: u16 = 0xc02b;
/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746): stands for the extension in the list of suites.
const RENEGOTIATION_SCSV: u16 = 0x00ff;

const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const USE_SRTP: u16 = 14;
const EXTENDED_MASTER_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// How media is to be protected (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Aes256Gcm,
    Aes128Gcm,
    Aes128CmSha1,
}

impl Profile {
    /// Best first.
    const ALL: [Profile; 3] = [Profile::Aes256Gcm, Profile::Aes128Gcm, Profile::Aes128CmSha1];

    fn id(self) -> u16 {
        match self {
            Profile::Aes128CmSha1 => 1,
            Profile::Aes128Gcm => 7,
            Profile::Aes256Gcm => 8,
        }
    }

    /// Bytes of both keys and both salts.
    pub(crate) fn keying_len(self) -> usize {
        match self {
            Profile::Aes128CmSha1 => 2 * (16 + 14),
            Profile::Aes128Gcm => 2 * (16 + 12),
            Profile::Aes256Gcm => 2 * (32 + 12),
        }
    }
}

/// Where the keys are agreed on. Whoever does without P-256 could not read our certificate either, so no further
/// curve would gain anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    P256,
}

impl Group {
    /// Best first.
    const ALL: [Group; 2] = [Group::X25519, Group::P256];

    pub(crate) fn id(self) -> u16 {
        match self {
            Group::P256 => 23,
            Group::X25519 => 29,
        }
    }
}

/// What follows from a client's hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) random: [u8; 32],
    pub(crate) group: Group,
    pub(crate) profile: Profile,
    /// Extensions that are answered if they were offered.
    renegotiation: bool,
    point_formats: bool,
}

/// The parts of a client's hello that matter.
struct Offer<'a> {
    version: [u8; 2],
    random: [u8; 32],
    suites: Reader<'a>,
    extensions: Reader<'a>,
}

/// # Errors
///
/// If the hello is malformed, or nothing that it offers is what we do.
pub(crate) fn choose(body: &[u8]) -> Result<Choice, Error> {
    let offer = read(body).map_err(|Short| Error::Malformed("hello"))?;
    if offer.version[0] != VERSION[0] || offer.version[1] > VERSION[1] {
        return Err(Error::Version);
    }
    let suites = || offer.suites.numbers();
    if !suites().any(|suite| suite == SUITE) {
        return Err(Error::NothingInCommon("cipher suite"));
    }
    let mut groups = None;
    let mut signatures = None;
    let mut profiles = None;
    let (mut extended, mut point_formats) = (false, false);
    let mut renegotiation = suites().any(|suite| suite == RENEGOTIATION_SCSV);
    let mut extensions = offer.extensions;
    while !extensions.is_empty() {
        let (kind, body) = read_extension(&mut extensions).map_err(|Short| Error::Malformed("extension"))?;
        match kind {
            SUPPORTED_GROUPS => groups = list(body),
            SIGNATURE_ALGORITHMS => signatures = list(body),
            USE_SRTP => profiles = list(body),
            EXTENDED_MASTER_SECRET => extended = true,
            POINT_FORMATS => point_formats = true,
            RENEGOTIATION_INFO => renegotiation = true,
            _ => {}
        }
    }
    if !extended {
        return Err(Error::NothingInCommon("extended master secret"));
    }
    let offered =
        |list: Option<Reader<'_>>, id| list.is_some_and(|list| list.numbers().any(|known| known == id));
    if signatures.is_some() && !offered(signatures, ECDSA_SHA256) {
        return Err(Error::NothingInCommon("signature scheme"));
    }
    let group = match groups {
        None => Some(Group::P256),
        Some(_) => Group::ALL.into_iter().find(|group| offered(groups, group.id())),
    };
    let profile = Profile::ALL.into_iter().find(|profile| offered(profiles, profile.id()));
    Ok(Choice {
        random: offer.random,
        group: group.ok_or(Error::NothingInCommon("curve"))?,
        profile: profile.ok_or(Error::NothingInCommon("profile of SRTP"))?,
        renegotiation,
        point_formats,
    })
}

fn read(body: &[u8]) -> Result<Offer<'_>, Short> {
    let mut reader = Reader(body);
    let version = reader.array()?;
    let random = reader.array()?;
    let _session = reader.vector8()?;
    let _cookie = reader.vector8()?;
    let suites = reader.vector16()?;
    // No compression is every client's to offer; whichever else there are do not matter.
    let _compressions = reader.vector8()?;
    let extensions = if reader.is_empty() { reader } else { reader.vector16()? };
    Ok(Offer { version, random, suites, extensions })
}

fn read_extension<'a>(extensions: &mut Reader<'a>) -> Result<(u16, Reader<'a>), Short> {
    Ok((extensions.u16()?, extensions.vector16()?))
}

/// The list of numbers at the start of an extension.
fn list(mut body: Reader<'_>) -> Option<Reader<'_>> {
    body.vector16().ok()
}

/// Our hello.
pub(crate) fn answer(choice: &Choice, random: &[u8; 32]) -> Vec<u8> {
    let mut out = VERSION.to_vec();
    out.extend_from_slice(random);
    out.push(0); // No session to resume.
    put_u16(&mut out, SUITE);
    out.push(0); // No compression.
    put_vector16(&mut out, |out| {
        if choice.renegotiation {
            put_extension(out, RENEGOTIATION_INFO, &[0]);
        }
        put_extension(out, EXTENDED_MASTER_SECRET, &[]);
        if choice.point_formats {
            put_extension(out, POINT_FORMATS, &[1, 0]);
        }
        let [high, low] = choice.profile.id().to_be_bytes();
        put_extension(out, USE_SRTP, &[0, 2, high, low, 0]);
    });
    out
}

fn put_extension(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    put_u16(out, kind);
    put_vector16(out, |out| out.extend_from_slice(body));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's hello with these suites and extensions.
    fn hello(version: [u8; 2], suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = version.to_vec();
        out.extend_from_slice(&[7; 32]);
        out.extend_from_slice(&[0, 0]);
        put_vector16(&mut out, |out| suites.iter().for_each(|suite| put_u16(out, *suite)));
        out.extend_from_slice(&[1, 0]);
        put_vector16(&mut out, |out| {
            extensions.iter().for_each(|(kind, body)| put_extension(out, *kind, body))
        });
        out
    }

    const EXTENDED: (u16, &[u8]) = (EXTENDED_MASTER_SECRET, &[]);
    const SRTP: (u16, &[u8]) = (USE_SRTP, &[0, 4, 0, 1, 0, 7, 0]);

    #[test]
    fn the_best_that_both_know_is_taken() {
        let curves: (u16, &[u8]) = (SUPPORTED_GROUPS, &[0, 6, 0, 24, 0, 23, 0x11, 0xec]);
        let signatures: (u16, &[u8]) = (SIGNATURE_ALGORITHMS, &[0, 4, 8, 4, 4, 3]);
        let choice =
            choose(&hello(VERSION, &[0xc02f, SUITE], &[EXTENDED, SRTP, curves, signatures])).unwrap();
        assert_eq!((choice.group, choice.profile), (Group::P256, Profile::Aes128Gcm));
        assert_eq!(choice.random, [7; 32]);
        let without_curves = choose(&hello(VERSION, &[SUITE], &[EXTENDED, SRTP])).unwrap();
        assert_eq!(without_curves.group, Group::P256);
    }

    #[test]
    fn hellos_that_share_nothing_are_refused_with_the_reason() {
        let other: (u16, &[u8]) = (SUPPORTED_GROUPS, &[0, 2, 0x11, 0xec]);
        let rsa_only: (u16, &[u8]) = (SIGNATURE_ALGORITHMS, &[0, 2, 4, 1]);
        let check = |version, suites: &[u16], extensions: &[(u16, &[u8])], expected| {
            assert_eq!(choose(&hello(version, suites, extensions)), Err(expected));
        };
        check([0xfe, 0xff], &[SUITE], &[EXTENDED, SRTP], Error::Version);
        check([3, 3], &[SUITE], &[EXTENDED, SRTP], Error::Version);
        check(VERSION, &[0xc02f], &[EXTENDED, SRTP], Error::NothingInCommon("cipher suite"));
        check(VERSION, &[SUITE], &[SRTP], Error::NothingInCommon("extended master secret"));
        check(VERSION, &[SUITE], &[EXTENDED], Error::NothingInCommon("profile of SRTP"));
        check(VERSION, &[SUITE], &[EXTENDED, SRTP, other], Error::NothingInCommon("curve"));
        check(VERSION, &[SUITE], &[EXTENDED, SRTP, rsa_only], Error::NothingInCommon("signature scheme"));
        assert_eq!(choose(&[0xfe, 0xfd, 1]), Err(Error::Malformed("hello")));
    }

    #[test]
    fn a_hello_says_only_what_was_asked() {
        let choice = choose(&hello(VERSION, &[SUITE], &[EXTENDED, SRTP])).unwrap();
        assert!(!answer(&choice, &[1; 32]).windows(2).any(|pair| pair == RENEGOTIATION_INFO.to_be_bytes()));
        let choice = choose(&hello(VERSION, &[SUITE, RENEGOTIATION_SCSV], &[EXTENDED, SRTP])).unwrap();
        assert!(answer(&choice, &[1; 32]).windows(2).any(|pair| pair == RENEGOTIATION_INFO.to_be_bytes()));
    }
}
