//! Whether what the options point to can be reached from here, and whether its clock agrees with ours.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::Finding;
use crate::config::Config;

/// How long a connection, and an answer, may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Difference of clocks in seconds that AWS's signatures bear.
const SKEW: i64 = 5 * 60;

/// Whether a Stagedoor answers at the address.
pub(super) fn own_server(address: SocketAddr) -> bool {
    let stream = TcpStream::connect_timeout(&address, PATIENCE);
    stream.is_ok_and(|stream| {
        head(stream, "GET", "/_stagedoor/health", &address.to_string())
            .is_some_and(|head| head.starts_with("HTTP/1.1 200"))
    })
}

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut places: Vec<(String, http::Uri)> = Vec::new();
    let public = config.public_url.as_deref().and_then(|url| url.parse().ok());
    places.extend(public.map(|uri| ("public-url".to_owned(), uri)));
    places.extend(
        config.lambda_endpoint.iter().map(|lambda| ("lambda-endpoint".to_owned(), lambda.url.clone())),
    );
    let services = config.service_endpoints.iter();
    places
        .extend(services.map(|(name, endpoint)| (format!("service-endpoints {name}"), endpoint.url.clone())));
    places.extend(config.vpc_links.iter().map(|(name, uri)| (format!("vpc-links {name}"), uri.clone())));
    places.iter().map(|(name, uri)| place(name, uri)).collect()
}

fn place(name: &str, uri: &http::Uri) -> Finding {
    const CHECK: &str = "reachability";
    let advice =
        || format!("start what should be there, or correct --{}", name.split(' ').next().unwrap_or(name));
    let is_http = uri.scheme_str() == Some("http");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if is_http { 80 } else { 443 });
    let addresses = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            return Finding::warning(CHECK, format!("{name}: {host} has no address: {error}"), advice());
        }
    };
    let mut last = "no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                let head = if is_http { head(stream, "HEAD", "/", host) } else { None };
                return match head.as_deref().and_then(skew).filter(|skew| skew.abs() > SKEW) {
                    Some(skew) => Finding::warning(
                        "clock",
                        format!("{name} ({uri}) is {skew} s ahead of this machine"),
                        "set the clock that is wrong, e.g. timedatectl set-ntp true",
                    ),
                    None => Finding::ok(CHECK, format!("{name} ({uri}) takes connections")),
                };
            }
            Err(error) => last = error.to_string(),
        }
    }
    Finding::warning(CHECK, format!("{name} ({uri}): {last}"), advice())
}

/// The head of an answer, or its beginning.
fn head(mut stream: TcpStream, method: &str, path: &str, host: &str) -> Option<String> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut bytes = [0; 4096];
    let mut read = 0;
    while read < bytes.len() && !bytes[..read].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut bytes[read..]) {
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    Some(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

/// Seconds by which the clock behind an answer is ahead of ours.
fn skew(head: &str) -> Option<i64> {
    let date = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| value.trim().to_owned())
    })?;
    let there = jiff::fmt::rfc2822::parse(&date).ok()?.timestamp();
    Some(there.as_second() - jiff::Timestamp::now().as_second())
}
