//! The console, `/_stagedoor/console`: pages on which one joins a stage from a browser and sees what happens there.
//!
//! It hands out participant tokens without a signature, so it is for this machine's own browsers only: the connection
//! comes from loopback, `Host` names loopback (else any web site could come in by a name that it has made point here),
//! and the call for a token bears a header that other origins may not send.

mod events;
mod page;

use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;
use stagedoor_media::config::Node;
use stagedoor_state::arn::Arn;
use stagedoor_state::document::{decode, prefix, store_fault};
use stagedoor_state::ids::{self, SystemEntropy};
use stagedoor_state::ivs::Stage;
use stagedoor_state::ivs::token::{self, Grant};
use stagedoor_state::transact::read;
use stagedoor_state::{Documents, Fault};

use super::{Server, body};

/// The pages, and what belongs to them, are here and below.
pub const PATH: &str = "/_stagedoor/console";

const SCRIPT: &str = include_str!("console.js");
const STYLE: &str = include_str!("console.css");
const HTML: &str = "text/html; charset=utf-8";
const OUR_PAGE: HeaderName = HeaderName::from_static("x-stagedoor-console");
/// Stages on the list.
const STAGES_MAX: usize = 1000;
/// Bytes of a call's body.
const BODY_BYTES_MAX: usize = 4096;
/// How long a page's token can be used to join.
const TOKEN_MINUTES: i64 = 60;
const PARTICIPANT_ID_CHARS: usize = 12;

/// What a page says to get a token.
#[derive(Deserialize)]
struct Wish {
    user: String,
}

/// Answers a request at or below [`PATH`].
pub async fn answer(server: &Arc<Server>, request: Request<Incoming>, peer: SocketAddr) -> Response<Bytes> {
    if !peer.ip().to_canonical().is_loopback() || !names_loopback(&request) {
        return problem(
            StatusCode::FORBIDDEN,
            "the console is for browsers of this machine, at its loopback address",
        );
    }
    let path = request.uri().path()[PATH.len()..].trim_matches('/').to_owned();
    let (place, arn) = path.split_once('/').unwrap_or((&path, ""));
    let arn = arn.to_owned();
    let mut answer = match (request.method(), place) {
        (&Method::GET, "console.js") => {
            whole(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT.into())
        }
        (&Method::GET, "console.css") => whole(StatusCode::OK, "text/css; charset=utf-8", STYLE.into()),
        (&Method::GET, "" | "stage" | "events") => {
            let (server, place) = (Arc::clone(server), place.to_owned());
            let made = tokio::task::spawn_blocking(move || show(&server, &place, &arn));
            made.await.unwrap_or_else(|_| Err(Fault::internal())).unwrap_or_else(|fault| refused(&fault))
        }
        (&Method::POST, "token") => hand_out(server, request, arn).await,
        _ => problem(StatusCode::NOT_FOUND, "there is nothing at this address"),
    };
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy(server.media.node()));
    answer
}

fn show(server: &Server, place: &str, arn: &str) -> Result<Response<Bytes>, Fault> {
    match place {
        "" => Ok(whole(StatusCode::OK, HTML, page::index(&stages(server)?))),
        "stage" => match stage(server, arn)? {
            Some(stage) => Ok(whole(StatusCode::OK, HTML, page::stage(&stage, topic(arn)))),
            None => Ok(no_stage()),
        },
        _ => match stage(server, arn)? {
            Some(_) => {
                let events = json!({ "events": events::newest(&server.store, arn)? });
                Ok(whole(StatusCode::OK, "application/json", events.to_string()))
            }
            None => Ok(no_stage()),
        },
    }
}

/// Answers a page's call for a token, which may publish and subscribe.
async fn hand_out(server: &Arc<Server>, request: Request<Incoming>, arn: String) -> Response<Bytes> {
    if !request.headers().contains_key(OUR_PAGE) {
        return problem(StatusCode::FORBIDDEN, "only the console's own pages may ask for a token");
    }
    let share = server.gateway.body_share();
    let Ok(body) = body::read(request.into_body(), BODY_BYTES_MAX, &share).await else {
        return problem(StatusCode::BAD_REQUEST, "the body cannot be read");
    };
    let Ok(Wish { user }) = serde_json::from_slice(&body) else {
        return problem(StatusCode::BAD_REQUEST, "the body is not of the form {\"user\": \"name\"}");
    };
    let server = Arc::clone(server);
    let issued = tokio::task::spawn_blocking(move || {
        let Some(stage) = stage(&server, &arn)? else { return Ok(no_stage()) };
        let participant_id = ids::random(&SystemEntropy, ids::BASE62, PARTICIPANT_ID_CHARS);
        let grant = Grant {
            participant_id: participant_id.clone(),
            user_id: Some(user).filter(|user| !user.is_empty()),
            attributes: None,
            may_publish: true,
            may_subscribe: true,
            minutes: TOKEN_MINUTES,
        };
        Ok(match token::issue(&server.environment(), topic(&arn), &stage, grant) {
            Ok(issued) => {
                let answer = json!({ "participantId": participant_id, "token": issued.token });
                whole(StatusCode::OK, "application/json", answer.to_string())
            }
            Err(_) => problem(StatusCode::BAD_REQUEST, "the name cannot be that of a participant"),
        })
    });
    issued.await.unwrap_or_else(|_| Err(Fault::internal())).unwrap_or_else(|fault| refused(&fault))
}

fn stages(server: &Server) -> Result<Vec<Stage>, Fault> {
    read(&server.store, |transaction| {
        let mut stages = Vec::new();
        let broken = transaction.visit(&prefix::<Stage>(), |_, document| {
            match decode(&document.bytes) {
                Ok(stage) => stages.push(stage),
                Err(fault) => return ControlFlow::Break(fault),
            }
            if stages.len() < STAGES_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(Fault::internal())
            }
        });
        match broken.map_err(store_fault)? {
            Some(fault) if stages.len() < STAGES_MAX => Err(fault),
            _ => Ok(stages),
        }
    })
}

fn stage(server: &Server, arn: &str) -> Result<Option<Stage>, Fault> {
    let Some(place) = Arn::parse(arn) else { return Ok(None) };
    let Some(id) = place.id_of("stage") else { return Ok(None) };
    read(&server.store, |transaction| Documents::new(transaction, place.account, place.region).get(&[id]))
}

fn topic(arn: &str) -> &str {
    arn.rsplit_once('/').map_or("", |(_, id)| id)
}

/// Whether the request was meant for a name or address of this machine's own.
fn names_loopback(request: &Request<Incoming>) -> bool {
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host.or_else(|| request.headers().get(HOST)?.to_str().ok()).unwrap_or_default();
    is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn no_stage() -> Response<Bytes> {
    problem(StatusCode::NOT_FOUND, "there is no such stage")
}

fn refused(fault: &Fault) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    problem(status, "the store cannot be read")
}

fn problem(status: StatusCode, message: &str) -> Response<Bytes> {
    whole(status, "application/json", json!({ "message": message }).to_string())
}

/// Nothing but our own files may be loaded, and nobody may frame a page. WHIP sessions are at the node's own address.
fn policy(node: Option<&Node>) -> HeaderValue {
    let node = node.map(|node| format!(" {}", node.origin())).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{node}; media-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("an origin is visible ASCII")
}

fn whole(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::{Node, is_loopback, policy};

    #[test]
    fn a_node_of_another_origin_may_be_called() {
        let connects = |node: Option<&Node>| {
            let policy = policy(node);
            let rules =
                policy.to_str().expect("text").split("; ").find(|rule| rule.starts_with("connect-src"));
            rules.expect("there is one").to_owned()
        };
        assert_eq!(connects(None), "connect-src 'self'");
        let node = Node::new("https://node-1.example.com:8443/").expect("an origin");
        assert_eq!(connects(Some(&node)), "connect-src 'self' https://node-1.example.com:8443");
    }

    #[test]
    fn only_loopback_is_served() {
        for own in ["localhost:4566", "LOCALHOST", "127.0.0.1:1", "127.8.8.8", "[::1]:80"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in
            ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "[::2]:1"]
        {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
