//! STUN and TURN servers that clients are told of, as `Link` headers with `rel="ice-server"` (RFC 9725 §4.6). The
//! server itself asks none of them: its own addresses are known.

use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderValue;
use stagedoor_auth::turn;

/// A server that helps clients to reach us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` and `turns:` addresses (RFC 7064, RFC 7065), all with the same credential.
    pub urls: Vec<String>,
    pub credential: Option<IceCredential>,
}

/// How clients show to a TURN server that they may use it.
#[derive(Clone, PartialEq, Eq)]
pub enum IceCredential {
    /// The same for everybody.
    Fixed { username: String, password: String },
    /// Made for each participant from a secret that the TURN server knows too, and good for `lifetime`.
    Shared { secret: String, lifetime: Duration },
}

/// Without the secrets.
impl std::fmt::Debug for IceCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            IceCredential::Fixed { .. } => "Fixed",
            IceCredential::Shared { .. } => "Shared",
        })
    }
}

/// An address or a credential has characters that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only visible ASCII characters can be told to clients")]
pub struct Unspeakable;

impl IceServer {
    /// Whether clients can be told of it.
    pub fn check(&self) -> Result<(), Unspeakable> {
        let links = self.links("participant", 0);
        if links.len() == self.urls.len() { Ok(()) } else { Err(Unspeakable) }
    }

    /// One `Link` for each address, for a participant, at a time in seconds since 1970.
    fn links(&self, participant_id: &str, now: i64) -> Vec<HeaderValue> {
        let credential = self.credential.as_ref().map(|credential| match credential {
            IceCredential::Fixed { username, password } => {
                turn::Credential { username: username.clone(), password: password.clone() }
            }
            IceCredential::Shared { secret, lifetime } => {
                let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
                turn::credential(secret, participant_id, now.saturating_add(seconds))
            }
        });
        self.urls.iter().filter_map(|url| link(url, credential.as_ref())).collect()
    }
}

/// The `Link` headers for a participant. Without one, for somebody who has shown no token, only servers that want no
/// credential.
pub fn links(servers: &[IceServer], participant_id: Option<&str>, now: i64) -> Vec<HeaderValue> {
    let told = servers.iter().filter(|server| participant_id.is_some() || server.credential.is_none());
    told.flat_map(|server| server.links(participant_id.unwrap_or_default(), now)).collect()
}

fn link(url: &str, credential: Option<&turn::Credential>) -> Option<HeaderValue> {
    if url.contains(['<', '>', '"', ' ']) {
        return None;
    }
    let mut text = format!("<{url}>; rel=\"ice-server\"");
    if let Some(turn::Credential { username, password }) = credential {
        let (username, password) = (quoted(username), quoted(password));
        let _ = write!(text, "; username={username}; credential={password}; credential-type=\"password\"");
    }
    HeaderValue::from_str(&text).ok().filter(|value| value.to_str().is_ok())
}

/// A quoted string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, credential: Option<IceCredential>) -> IceServer {
        IceServer { urls: vec![url.to_owned()], credential }
    }

    fn fixed(username: &str, password: &str) -> Option<IceCredential> {
        Some(IceCredential::Fixed { username: username.to_owned(), password: password.to_owned() })
    }

    #[test]
    fn links_are_those_of_the_rfc() {
        let lifetime = Duration::from_secs(60);
        let servers = [
            server("stun:stun.example.net", None),
            server("turn:turn.example.net?transport=udp", fixed("user", "my\"Pass\\word")),
            server("turns:a:443", Some(IceCredential::Shared { secret: "north".to_owned(), lifetime })),
        ];
        let password = turn::credential("north", "ann", 160).password;
        assert_eq!(
            links(&servers, Some("ann"), 100),
            [
                r#"<stun:stun.example.net>; rel="ice-server""#.to_owned(),
                r#"<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="my\"Pass\\word"; credential-type="password""#.to_owned(),
                format!(r#"<turns:a:443>; rel="ice-server"; username="160:ann"; credential="{password}"; credential-type="password""#),
            ]
        );
        assert_eq!(links(&servers, None, 100).len(), 1, "credentials are for participants");
    }

    #[test]
    fn what_no_header_carries_is_refused() {
        for (url, credential) in [
            ("turn:a>; rel=\"x\"", None),
            ("turn:a b", None),
            ("turn:a", fixed("\n", "x")),
            ("turn:a", fixed("x", "pässwort")),
        ] {
            assert_eq!(server(url, credential).check(), Err(Unspeakable), "{url}");
        }
        assert_eq!(server("turn:[::1]:3478", fixed("a b", "c")).check(), Ok(()));
    }
}
