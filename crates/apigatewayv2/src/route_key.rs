//! What a route key may be. Choosing the route of a request is the data plane's.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>

use stagedoor_api::apigatewayv2::ProtocolType;
use stagedoor_state::Result;

use crate::{limits, messages};

/// The key of the route that takes what no other one takes.
pub const DEFAULT: &str = "$default";
/// The key of the route that sees a WebSocket connection being opened.
pub const CONNECT: &str = "$connect";
const DISCONNECT: &str = "$disconnect";

/// The verbs that a route of an HTTP API can have.
pub const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Refuses a key that the protocol does not know.
pub fn check(protocol: ProtocolType, key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(messages::route_key_required());
    }
    let well_formed = match protocol {
        ProtocolType::Http => key == DEFAULT || is_http(key),
        ProtocolType::Websocket => {
            matches!(key, DEFAULT | CONNECT | DISCONNECT)
                || !key.starts_with('$') && key.chars().count() <= limits::NAME_MAX
        }
    };
    if well_formed { Ok(()) } else { Err(messages::route_key_malformed(protocol)) }
}

/// Whether two different keys of an HTTP API take the same requests, their variables only having other names.
pub fn ambiguous(one: &str, other: &str) -> bool {
    one != other && without_names(one) == without_names(other)
}

/// `VERB /path`, where a path segment is literal, `{variable}` or, at the end, `{variable+}`.
fn is_http(key: &str) -> bool {
    let Some((method, path)) = key.split_once(' ') else { return false };
    let Some(path) = path.strip_prefix('/') else { return false };
    if !METHODS.contains(&method) {
        return false;
    }
    let segments: Vec<&str> = path.split('/').collect();
    let names: Vec<&str> = segments.iter().filter_map(|segment| variable(segment)).collect();
    let greedy_inside = segments.iter().rev().skip(1).any(|segment| segment.ends_with("+}"));
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    segments.iter().all(|segment| is_segment(segment)) && !greedy_inside && !twice
}

fn is_segment(segment: &str) -> bool {
    match variable(segment) {
        Some(name) => !name.is_empty() && !name.contains(['{', '}', '+']),
        None => !segment.contains(['{', '}']),
    }
}

/// The name in `{name}` or `{name+}`.
fn variable(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(name.strip_suffix('+').unwrap_or(name))
}

fn without_names(key: &str) -> String {
    let segments = key.split('/').map(|segment| match variable(segment) {
        Some(_) if segment.ends_with("+}") => "{+}",
        Some(_) => "{}",
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let http = [
            "$default",
            "GET /",
            "ANY /pets/{id}",
            "POST /a/{b}/c/{d+}",
            "GET /trailing/",
            "GET /{proxy+}",
            "OPTIONS /a.b-c_~1",
        ];
        for key in http {
            assert_eq!(check(ProtocolType::Http, key), Ok(()), "{key}");
        }
        let not_http = [
            "GET",
            "GET/",
            "GET pets",
            "TRACE /",
            "get /",
            "$connect",
            "action",
            "GET /{a+}/b",
            "GET /{a}/{a}",
            "GET /x{a}",
            "GET /{}",
            "GET /{a",
            "GET /{{a}}",
            " /",
        ];
        for key in not_http {
            let expected = Err(messages::route_key_malformed(ProtocolType::Http));
            assert_eq!(check(ProtocolType::Http, key), expected, "{key}");
        }
        for key in ["$default", "$connect", "$disconnect", "chat/join", "GET /pets"] {
            assert_eq!(check(ProtocolType::Websocket, key), Ok(()), "{key}");
        }
        let expected = Err(messages::route_key_malformed(ProtocolType::Websocket));
        assert_eq!(check(ProtocolType::Websocket, "$other"), expected);
        assert_eq!(check(ProtocolType::Http, ""), Err(messages::route_key_required()));
    }

    #[test]
    fn names_of_variables_do_not_tell_routes_apart() {
        assert!(ambiguous("GET /a/{b}/c", "GET /a/{d}/c"));
        assert!(ambiguous("GET /{a+}", "GET /{b+}"));
        for (one, other) in [
            ("GET /a/{b}", "GET /a/{b}"),
            ("GET /a/{b}", "PUT /a/{c}"),
            ("GET /a/{b}", "GET /a/{c+}"),
            ("GET /a/{b}/c", "GET /a/{d}/e"),
        ] {
            assert!(!ambiguous(one, other), "{one} {other}");
        }
    }
}
