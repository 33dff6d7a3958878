//! The answers of the WHIP and WHEP endpoints: the CORS headers that every answer carries, and errors as JSON.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::presence::{Connection, Purpose};

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const SDP: HeaderValue = HeaderValue::from_static("application/sdp");
const FRAGMENT: HeaderValue = HeaderValue::from_static("application/trickle-ice-sdpfrag");

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Problem {
        Problem { status, message: message.into(), headers: Vec::new() }
    }

    pub fn bad(message: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn unauthorized(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, message)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub fn quota(message: &str) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, message)
    }

    pub fn unsupported(wanted: &str) -> Problem {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("The Content-Type must be {wanted}."))
            .with(ACCEPT_POST, SDP)
    }

    pub fn method(allowed: &'static str) -> Problem {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("The method must be one of {allowed}."))
            .with(ALLOW, HeaderValue::from_static(allowed))
    }

    pub fn located(self, location: HeaderValue) -> Problem {
        self.with(LOCATION, location)
    }

    pub fn retry_after(self, seconds: u32) -> Problem {
        self.with(RETRY_AFTER, seconds.into())
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }
}

impl From<Problem> for Response<Full<Bytes>> {
    fn from(problem: Problem) -> Response<Full<Bytes>> {
        let body = json!({ "message": problem.message }).to_string();
        let mut response = answer(problem.status, body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(problem.headers);
        response
    }
}

/// 201 with the SDP answer. `servers` are the `Link`s of ICE servers.
pub fn created(
    connection: &Connection,
    base: &str,
    sdp: String,
    servers: Vec<HeaderValue>,
) -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::CREATED, sdp);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, SDP);
    headers.insert(ACCEPT_PATCH, FRAGMENT);
    // An absolute path: the host is the one that the client used, whatever stands before this server.
    let location = format!("{base}/session/{}", connection.resource);
    insert(headers, LOCATION, &location);
    if matches!(connection.purpose, Purpose::Subscribe { .. }) {
        insert(headers, LINK, &format!("<{location}/layer>; rel=\"urn:ietf:params:whep:ext:core:layer\""));
    }
    headers.extend(servers.into_iter().map(|server| (LINK, server)));
    insert(headers, ETAG, &connection.etag);
    response
}

/// 200 with our side of a restarted ICE session.
pub fn restarted(connection: &Connection, fragment: String) -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::OK, fragment);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, FRAGMENT);
    insert(headers, ETAG, &connection.etag);
    response
}

/// The answer to `OPTIONS`, with what an endpoint or a session takes. `servers` are the `Link`s of ICE servers.
pub fn options(endpoint: bool, servers: Vec<HeaderValue>) -> Response<Full<Bytes>> {
    let mut response = no_content();
    let headers = response.headers_mut();
    if endpoint {
        headers.insert(ACCEPT_POST, SDP);
    } else {
        headers.insert(ACCEPT_PATCH, FRAGMENT);
    }
    let methods = HeaderValue::from_static("POST, PATCH, DELETE, OPTIONS");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let allowed = HeaderValue::from_static("Authorization, Content-Type, If-Match");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(ACCESS_CONTROL_MAX_AGE, 86_400.into());
    headers.extend(servers.into_iter().map(|server| (LINK, server)));
    response
}

pub fn no_content() -> Response<Full<Bytes>> {
    answer(StatusCode::NO_CONTENT, "")
}

pub fn ok() -> Response<Full<Bytes>> {
    answer(StatusCode::OK, "")
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The values are made of what the server itself chose, all of it visible.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).expect("visible ASCII"));
}
