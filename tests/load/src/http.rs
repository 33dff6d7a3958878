//! The few HTTP requests that a client needs. Version 1.0, so that answers come in one piece.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::Result;

/// Posts an SDP offer with a participant token; the answer.
pub(crate) fn post_sdp(url: &str, token: &str, offer: &str) -> Result<String> {
    let head = format!("Content-Type: application/sdp\r\nAuthorization: Bearer {token}\r\n");
    request("POST", url, &head, offer, "201")
}

/// Posts JSON; the answer.
pub(crate) fn post_json(url: &str, body: &Value) -> Result<Value> {
    let answer = request("POST", url, "Content-Type: application/json\r\n", &body.to_string(), "200")?;
    Ok(serde_json::from_str(&answer)?)
}

pub(crate) fn get_json(url: &str) -> Result<Value> {
    Ok(serde_json::from_str(&request("GET", url, "", "", "200")?)?)
}

fn request(method: &str, url: &str, head: &str, body: &str, expected: &str) -> Result<String> {
    let rest = url.strip_prefix("http://").ok_or("the server's address is no http URL")?;
    let (host, path) = rest.split_once('/').ok_or("the URL has no path")?;
    let mut connection = TcpStream::connect(host)?;
    let whole = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(whole.as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == expected { Ok(body.to_owned()) } else { Err(format!("{url}: {head}\n{body}").into()) }
}
