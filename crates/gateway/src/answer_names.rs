//! How the names of an answer's headers are written over HTTP/1.1, where their case can be seen: maps of headers have
//! them in lower case. Pure.
//!
//! What the gateway adds is spelt as AWS spells it (recorded answers; of HTTP APIs answers that others have shown), what
//! functions and mappings name as they wrote it ([`Spelt`]). Execution logs spell otherwise: [`crate::spelling`].

use http::{Extensions, HeaderName};

/// Makes [`USUAL`] and [`usual`] of one list, by length: so a name is compared with a few others only.
macro_rules! names {
    ($($length:literal: $($lower:literal => $written:literal),+;)+) => {
        /// Names whose usual spelling has capitals.
        pub const USUAL: &[&str] = &[$($($written),+),+];

        /// As AWS, and nearly every server, writes a name; as it is if that is not known.
        fn usual(name: &str) -> &str {
            match name.len() {
                $($length => match name {
                    $($lower => $written,)+
                    other => other,
                },)+
                _ => name,
            }
        }
    };
}

names! {
    3: "age" => "Age", "via" => "Via";
    4: "date" => "Date", "etag" => "ETag", "link" => "Link", "vary" => "Vary";
    5: "allow" => "Allow";
    6: "pragma" => "Pragma", "server" => "Server";
    7: "expires" => "Expires", "warning" => "Warning";
    8: "location" => "Location";
    10: "connection" => "Connection", "set-cookie" => "Set-Cookie";
    11: "retry-after" => "Retry-After";
    12: "content-type" => "Content-Type";
    13: "accept-ranges" => "Accept-Ranges", "cache-control" => "Cache-Control", "content-range" => "Content-Range",
        "last-modified" => "Last-Modified";
    14: "content-length" => "Content-Length";
    15: "apigw-requestid" => "Apigw-Requestid", "x-amzn-trace-id" => "X-Amzn-Trace-Id";
    16: "content-encoding" => "Content-Encoding", "content-language" => "Content-Language",
        "x-amzn-errortype" => "x-amzn-ErrorType", "x-amzn-requestid" => "x-amzn-RequestId";
    17: "transfer-encoding" => "Transfer-Encoding";
    19: "content-disposition" => "Content-Disposition";
    20: "x-amzn-remapped-date" => "x-amzn-Remapped-Date", "x-amzn-remapped-host" => "x-amzn-Remapped-Host";
    22: "x-amzn-remapped-expect" => "x-amzn-Remapped-Expect", "x-amzn-remapped-server" => "x-amzn-Remapped-Server";
    23: "x-amzn-remapped-trailer" => "x-amzn-Remapped-Trailer",
        "x-amzn-remapped-upgrade" => "x-amzn-Remapped-Upgrade";
    26: "x-amzn-remapped-connection" => "x-amzn-Remapped-Connection",
        "x-amzn-remapped-user-agent" => "x-amzn-Remapped-User-Agent";
    27: "x-amzn-remapped-content-md5" => "x-amzn-Remapped-Content-MD5";
    28: "x-amzn-remapped-max-forwards" => "x-amzn-Remapped-Max-Forwards";
    29: "x-amzn-remapped-authorization" => "x-amzn-Remapped-Authorization";
    30: "x-amzn-remapped-content-length" => "x-amzn-Remapped-Content-Length";
    32: "x-amzn-remapped-www-authenticate" => "x-amzn-Remapped-WWW-Authenticate",
        "x-amzn-remapped-x-amzn-requestid" => "x-amzn-Remapped-x-amzn-RequestId";
    34: "x-amzn-remapped-proxy-authenticate" => "x-amzn-Remapped-Proxy-Authenticate";
}

/// What the gateway writes itself whoever named it.
const OWN: [&str; 2] = ["content-type", "x-amzn-trace-id"];

/// Names that a function or a mapping wrote otherwise than is usual; an answer's extension.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spelt(Vec<Box<str>>);

impl Spelt {
    /// Those of these names, of which the first counts that is written in some way.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut spelt = Self::default();
        for name in names {
            spelt.note(name);
        }
        spelt
    }

    /// Adds a name.
    pub(crate) fn note(&mut self, name: &str) {
        let lower = name.to_ascii_lowercase();
        if usual(&lower) != name && !OWN.contains(&&*lower) && self.find(&lower).is_none() {
            self.0.push(name.into());
        }
    }

    /// Tells an answer of them. They count before those that it knows.
    pub(crate) fn put_on(mut self, answer: &mut Extensions) {
        if self.0.is_empty() {
            return;
        }
        if let Some(Self(known)) = answer.remove() {
            self.0.extend(known);
        }
        answer.insert(self);
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().map(|known| &**known).find(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Appends the name of an answer's header, as far as `spelt` says how, else as is usual.
pub(crate) fn write(bytes: &mut Vec<u8>, name: &HeaderName, spelt: Option<&Spelt>) {
    let name = name.as_str();
    let written = spelt.and_then(|spelt| spelt.find(name)).unwrap_or_else(|| usual(name));
    bytes.extend_from_slice(written.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &'static str, spelt: Option<&Spelt>) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes, &HeaderName::from_static(name), spelt);
        String::from_utf8(bytes).expect("letters of ASCII")
    }

    #[test]
    fn every_usual_name_is_found() {
        for name in USUAL {
            assert_eq!(usual(&name.to_ascii_lowercase()), *name);
        }
        for (name, expected) in [
            ("x-amzn-requestid", "x-amzn-RequestId"),
            ("x-amz-apigw-id", "x-amz-apigw-id"),
            ("content-type", "Content-Type"),
            ("www-authenticate", "www-authenticate"),
            ("x-own", "x-own"),
        ] {
            assert_eq!(written(name, None), expected);
        }
    }

    #[test]
    fn names_stay_as_they_were_written() {
        let names =
            ["tesT-Multi", "test-multi", "location", "ETag", "x-own", "content-TYPE", "X-AMZN-trace-id"];
        let spelt = Spelt::of(names);
        assert_eq!(spelt.0, ["tesT-Multi".into(), "location".into()] as [Box<str>; 2]);
        for (name, expected) in [
            ("test-multi", "tesT-Multi"),
            ("location", "location"),
            ("etag", "ETag"),
            ("x-own", "x-own"),
            ("content-type", "Content-Type"),
            ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
        ] {
            assert_eq!(written(name, Some(&spelt)), expected);
        }
    }

    #[test]
    fn who_names_a_header_last_is_heard() {
        let mut answer = Extensions::new();
        Spelt::of(["X-One", "X-Two"]).put_on(&mut answer);
        Spelt::of(["x-ONE", "plain"]).put_on(&mut answer);
        Spelt::default().put_on(&mut answer);
        let spelt = answer.get::<Spelt>();
        assert_eq!([written("x-one", spelt), written("x-two", spelt)], ["x-ONE", "X-Two"]);
    }
}
