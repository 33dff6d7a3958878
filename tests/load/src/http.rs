//! The one HTTP request that a client needs: an offer is posted, an answer comes back.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Result;

/// Posts an SDP offer with a participant token; the answer.
pub(crate) fn post_sdp(url: &str, token: &str, offer: &str) -> Result<String> {
    let rest = url.strip_prefix("http://").ok_or("the server's address is no http URL")?;
    let (host, path) = rest.split_once('/').ok_or("the URL has no path")?;
    let mut connection = TcpStream::connect(host)?;
    write!(
        connection,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/sdp\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{offer}",
        offer.len()
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == "201" { Ok(body.to_owned()) } else { Err(format!("{url}: {head}\n{body}").into()) }
}
