//! The addresses of APIs' stages as answers print them. They are computed for each answer, never stored, since a
//! server may listen elsewhere tomorrow.

use std::net::IpAddr;

/// `{scheme}://{api}.execute-api.{region}.{host}:{port}`, as on AWS, below the host of `origin`.
///
/// A loopback address becomes `localhost`, whose subdomains browsers and curl resolve to loopback. Any other IP
/// address can have no subdomain, so there the API's address is a path, [`by_path`].
pub fn by_host(origin: &str, region: &str, api: &str) -> String {
    let Some((scheme, authority)) = origin.split_once("://") else { return origin.to_owned() };
    let (host, port) = split_port(authority);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let host = match address {
        Ok(address) if address.is_loopback() || address.is_unspecified() => "localhost",
        Ok(_) => return by_path(origin, api),
        Err(_) => host,
    };
    format!("{scheme}://{api}.execute-api.{region}.{host}{port}")
}

/// `{origin}/_aws/execute-api/{api}`, for clients that cannot resolve host names below the server's own.
pub fn by_path(origin: &str, api: &str) -> String {
    format!("{origin}/_aws/execute-api/{api}")
}

/// Host and `:port`, the latter empty if there is none.
fn split_port(authority: &str) -> (&str, &str) {
    let authority = authority.trim_end_matches('/');
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => authority.split_at(colon),
        _ => (authority, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("http://127.0.0.1:4566", "http://a1.execute-api.eu-west-1.localhost:4566"),
            ("http://[::1]:4566", "http://a1.execute-api.eu-west-1.localhost:4566"),
            ("http://0.0.0.0:80", "http://a1.execute-api.eu-west-1.localhost:80"),
            ("https://example.com", "https://a1.execute-api.eu-west-1.example.com"),
            ("http://192.0.2.7:4566", "http://192.0.2.7:4566/_aws/execute-api/a1"),
        ];
        for (origin, expected) in cases {
            assert_eq!(by_host(origin, "eu-west-1", "a1"), expected);
        }
    }
}
