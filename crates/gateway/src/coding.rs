//! Content codings: `gzip` and `deflate` of bodies in memory, bounded both ways. Pure.

use std::io::{self, Read, Write as _};

use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{HeaderMap, HeaderValue, header};

/// A coding that is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// RFC 1950, as RFC 9110, section 8.4.1.2 has it.
    Deflate,
}

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// It is longer than allowed.
    TooLong,
    /// It is not what its coding says.
    Malformed,
}

impl Coding {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(bytes.len() / 2);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }

    /// # Errors
    /// The body is malformed, or longer than `bytes_max`: no more than that is ever unpacked.
    pub(crate) fn decode(self, bytes: &[u8], bytes_max: usize) -> Result<Vec<u8>, Undecodable> {
        let mut decoder: Box<dyn Read + '_> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(bytes)),
            Self::Deflate => Box::new(ZlibDecoder::new(bytes)),
        };
        let mut out = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        decoder.by_ref().take(limit).read_to_end(&mut out).map_err(|_| Undecodable::Malformed)?;
        if out.len() > bytes_max { Err(Undecodable::TooLong) } else { Ok(out) }
    }
}

/// The codings of a body, outermost first; `None` if one of them is not known.
pub(crate) fn of_body(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut names: Vec<&str> = Vec::new();
    for value in values {
        names.extend(value.to_str().ok()?.split(',').map(str::trim));
    }
    names.retain(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    names.into_iter().rev().map(Coding::parse).collect()
}

/// The coding that a client asks for by name; `*` asks for none, and `identity` for none if it is preferred.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Coding> {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let wishes = values.flat_map(|value| value.split(',')).filter_map(|wish| {
        let (name, parameters) = wish.split_once(';').unwrap_or((wish, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse().ok());
        let name = name.trim();
        let coding = match name.eq_ignore_ascii_case("identity") {
            true => None,
            false => Some(Coding::parse(name)?),
        };
        Some((coding, quality.filter(|quality: &f32| *quality > 0.0)?))
    });
    // Of those wished for equally, the first that is a coding.
    let better = |best: (Option<Coding>, f32), next: (Option<Coding>, f32)| {
        let is_coding_at_last = next.1 == best.1 && best.0.is_none();
        if next.1 > best.1 || is_coding_at_last { next } else { best }
    };
    wishes.reduce(better)?.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn codings_are_named() {
        for (value, expected) in [
            ("gzip", Some(vec![Coding::Gzip])),
            ("deflate, gzip", Some(vec![Coding::Gzip, Coding::Deflate])),
            ("identity", Some(vec![])),
            ("br", None),
        ] {
            assert_eq!(of_body(&headers(header::CONTENT_ENCODING, value)), expected, "{value}");
        }
        for (value, expected) in [
            ("gzip, deflate", Some(Coding::Gzip)),
            ("gzip;q=0.5, deflate", Some(Coding::Deflate)),
            ("gzip;q=0", None),
            ("identity, gzip", Some(Coding::Gzip)),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Coding::Gzip)),
            ("identity;q=0, gzip;q=0.1", Some(Coding::Gzip)),
            ("gzip;q=1, identity;q=1", Some(Coding::Gzip)),
            ("*", None),
            ("br, identity", None),
        ] {
            assert_eq!(accepted(&headers(header::ACCEPT_ENCODING, value)), expected, "{value}");
        }
    }

    #[test]
    fn bombs_are_not_unpacked() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bomb = coding.encode(&vec![0; 5_000_000]).expect("written to memory");
            assert!(bomb.len() < 50_000);
            assert_eq!(coding.decode(&bomb, 1000), Err(Undecodable::TooLong));
            assert_eq!(coding.decode(&bomb[..bomb.len() / 2], 10_000_000), Err(Undecodable::Malformed));
            assert_eq!(coding.decode(b"plain", 1000), Err(Undecodable::Malformed));
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            for coding in [Coding::Gzip, Coding::Deflate] {
                let packed = coding.encode(&bytes).expect("written to memory");
                prop_assert_eq!(coding.decode(&packed, 2000), Ok(bytes.clone()));
            }
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Coding::Gzip.decode(&bytes, 1000);
            let _ = Coding::Deflate.decode(&bytes, 1000);
        }
    }
}
