//! SDP fragments of WHIP's `PATCH` (`application/trickle-ice-sdpfrag`, RFC 8840 §9): what a peer's says, and the answer to
//! an ICE restart (RFC 9725 §4.3.3).

use std::net::SocketAddr;

use super::{Offer, attribute};

/// Lengths of ICE credentials (RFC 8839 §5.4), in characters.
const UFRAG_CHARS_MIN: usize = 4;
const PASSWORD_CHARS_MIN: usize = 22;
const CREDENTIAL_CHARS_MAX: usize = 256;

/// ICE credentials of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub password: String,
}

/// The credentials that a fragment names; `Ok(None)`: it names none, only candidates. An error says what is wrong.
pub fn credentials(fragment: &str) -> Result<Option<Credentials>, &'static str> {
    let lines: Vec<String> =
        fragment.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(Into::into).collect();
    if lines.iter().any(|line| line.as_bytes().get(1) != Some(&b'=')) {
        return Err("The fragment is not SDP.");
    }
    let credentials = match (attribute(&lines, "ice-ufrag"), attribute(&lines, "ice-pwd")) {
        (None, None) => return Ok(None),
        (Some(ufrag), Some(password)) => Credentials { ufrag: ufrag.into(), password: password.into() },
        _ => return Err("The fragment has only one of a=ice-ufrag and a=ice-pwd."),
    };
    let fits =
        is_ice(&credentials.ufrag, UFRAG_CHARS_MIN) && is_ice(&credentials.password, PASSWORD_CHARS_MIN);
    if fits { Ok(Some(credentials)) } else { Err("The fragment's ICE credentials are not well formed.") }
}

fn is_ice(value: &str, least: usize) -> bool {
    (least..=CREDENTIAL_CHARS_MAX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// An engine's offer text with other credentials, and without the candidates that went with the old ones.
pub fn with_credentials(offer: &str, credentials: &Credentials) -> String {
    let mut text = String::with_capacity(offer.len());
    for line in offer.lines().filter(|line| !line.starts_with("a=candidate:")) {
        match line {
            _ if line.starts_with("a=ice-ufrag:") => text.extend(["a=ice-ufrag:", &credentials.ufrag]),
            _ if line.starts_with("a=ice-pwd:") => text.extend(["a=ice-pwd:", &credentials.password]),
            _ => text.push_str(line),
        }
        text.push_str("\r\n");
    }
    text
}

impl Offer {
    /// The head of every fragment about the session that this offer opens: its bundle, and the section that stands
    /// for all of it.
    pub fn fragment_head(&self) -> String {
        let group = attribute(&self.lines, "group").map(|group| format!("a=group:{group}\r\n"));
        let Some(section) = self.sections.iter().find(|section| !section.rejected) else {
            return String::new();
        };
        // The formats of the section mean nothing here; RFC 9725's examples write 0.
        let m_line = self.lines[section.lines.start].split(' ').next().unwrap_or_default();
        format!("{}{m_line} 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{}\r\n", group.unwrap_or_default(), section.mid)
    }
}

/// The answer to a restart: our new credentials, and the candidates, which are the same as ever.
pub fn restarted(
    head: &str,
    credentials: &Credentials,
    candidates: &[SocketAddr],
    tcp_candidates: &[SocketAddr],
) -> String {
    let mut text = format!("a=ice-lite\r\n{head}");
    text.push_str(&format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", credentials.ufrag, credentials.password));
    // Priorities by RFC 8445 §5.1.2.1: host candidates, UDP before TCP, in the order of the addresses.
    let udp = candidates.iter().map(|address| ("udp", address, ""));
    let tcp = tcp_candidates.iter().map(|address| ("tcp", address, " tcptype passive"));
    for (index, (protocol, address, rest)) in udp.chain(tcp).enumerate() {
        let priority = (126_u32 << 24) + ((65_535 - index as u32) << 8) + 255;
        let (ip, port, number) = (address.ip(), address.port(), index + 1);
        text.push_str(&format!(
            "a=candidate:{number} 1 {protocol} {priority} {ip} {port} typ host{rest}\r\n"
        ));
    }
    text.push_str("a=end-of-candidates\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "0123456789012345678901";

    #[test]
    fn fragments() {
        let named = |ufrag: &str, password: &str| {
            credentials(&format!(
                "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"
            ))
        };
        let good = Credentials { ufrag: "ab+/".into(), password: PASSWORD.into() };
        assert_eq!(named("ab+/", PASSWORD), Ok(Some(good)));
        assert_eq!(credentials("m=audio 9 X 0\na=candidate:1 1 udp 1 ::1 9 typ host\n"), Ok(None));
        assert_eq!(credentials(""), Ok(None));
        let long = "a".repeat(CREDENTIAL_CHARS_MAX + 1);
        for (ufrag, password) in
            [("abc", PASSWORD), ("abcd", "short"), ("ab d", PASSWORD), (&long, PASSWORD), ("abcd", &long)]
        {
            assert!(named(ufrag, password).is_err(), "{ufrag} {password}");
        }
        for text in ["a=ice-ufrag:abcd", "{\"a\":1}", "a=ice-pwd:0123456789012345678901\r\n"] {
            assert!(credentials(text).is_err(), "{text}");
        }
    }

    #[test]
    fn answers_name_every_address() {
        let ours = Credentials { ufrag: "ours".into(), password: PASSWORD.into() };
        let four = SocketAddr::from(([192, 0, 2, 1], 4570));
        let six = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 4570));
        assert_eq!(
            restarted("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n", &ours, &[four, six], &[four]),
            "a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:ours\r\n\
             a=ice-pwd:0123456789012345678901\r\n\
             a=candidate:1 1 udp 2130706431 192.0.2.1 4570 typ host\r\n\
             a=candidate:2 1 udp 2130706175 2001:db8::1 4570 typ host\r\n\
             a=candidate:3 1 tcp 2130705919 192.0.2.1 4570 typ host tcptype passive\r\n\
             a=end-of-candidates\r\n"
        );
    }

    #[test]
    fn credentials_are_exchanged() {
        let theirs = Credentials { ufrag: "new1".into(), password: PASSWORD.into() };
        let offer = "v=0\r\na=ice-ufrag:old1\r\na=ice-pwd:x\r\nm=audio 9\r\na=candidate:1\r\na=mid:0\r\n";
        assert_eq!(
            with_credentials(offer, &theirs),
            "v=0\r\na=ice-ufrag:new1\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9\r\na=mid:0\r\n"
        );
    }
}
