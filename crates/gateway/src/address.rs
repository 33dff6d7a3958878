//! Which API, and which part of the path, a request addresses: the address forms of a stage.
//!
//! Pure. Whether there is such an API or stage is not decided here; custom domain names are [`crate::domains`]'s.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Uri, header};

use crate::domains::Domain;

/// Begins an address by path: `/_aws/execute-api/{api}/{stage}/…`.
const BY_PATH: &str = "/_aws/execute-api/";
/// Begins the other address by path: `/restapis/{api}/{stage}/_user_request_/…`.
const BY_PATH_REST: &str = "/restapis/";
const USER_REQUEST: &str = "_user_request_";
/// What follows the API's id in a host name.
const HOST_LABEL: &str = "execute-api";
/// Names a private API where the host is only that of the VPC endpoint.
const API_ID: HeaderName = HeaderName::from_static("x-apigw-api-id");
/// The ids of VPC endpoints begin so.
const VPC_ENDPOINT: &str = "vpce-";

/// The API that a request names, and where in its path the API's own part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The API's id.
    pub api: String,
    /// The region, where the host name says it.
    pub region: Option<String>,
    /// The stage, where the form of the address fixes it; else it is the first segment of [`Self::path`].
    pub stage: Option<String>,
    /// The offset of [`Self::path`] in the request's path, in bytes.
    path_at: usize,
    /// How a custom domain name led here, if one did.
    pub(crate) mapped: Option<Mapped>,
}

/// What of a custom domain name matched a request.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub(crate) domain: Arc<Domain>,
    /// Without slashes at its ends; perhaps empty.
    pub(crate) base_path: String,
}

impl PartialEq for Mapped {
    fn eq(&self, other: &Self) -> bool {
        (&self.domain.name, &self.base_path) == (&other.domain.name, &other.base_path)
    }
}

impl Eq for Mapped {}

impl Address {
    /// The address of a request with this host (a port is ignored) and path; `None` if it names no API.
    pub fn of(host: Option<&str>, path: &str) -> Option<Self> {
        of_path(path).or_else(|| of_host(host?))
    }

    /// The address of a request from its target or, failing that, its `Host` header. Where the host is a VPC endpoint's,
    /// or names nothing, `x-apigw-api-id` names the API.
    pub fn of_request<B>(request: &http::Request<B>) -> Option<Self> {
        let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let host = request.uri().authority().map(|authority| authority.as_str());
        let host = host.or_else(|| header(header::HOST));
        Self::of(host, request.uri().path()).or_else(|| of_header(header(API_ID)?, host))
    }

    /// The address that a custom domain maps a request to; without an API if it maps it to none.
    pub(crate) fn mapped(
        (api, region): (&str, &str),
        stage: Option<String>,
        path_at: usize,
        mapped: Mapped,
    ) -> Self {
        let region = Some(region.to_owned());
        Self { api: api.to_owned(), region, stage, path_at, mapped: Some(mapped) }
    }

    /// The whole path of a request to a custom domain; `None` of one to a default address.
    pub(crate) fn domain_path<'u>(&self, uri: &'u Uri) -> Option<&'u str> {
        self.mapped.as_ref().map(|_| uri.path())
    }

    /// What follows the part of the path that only says which API is meant.
    pub fn path<'u>(&self, uri: &'u Uri) -> &'u str {
        uri.path().get(self.path_at..).unwrap_or_default()
    }
}

fn of_path(path: &str) -> Option<Address> {
    if let Some(rest) = path.strip_prefix(BY_PATH) {
        let api = rest.split('/').next().filter(|api| !api.is_empty())?;
        return Some(Address {
            api: api.to_owned(),
            region: None,
            stage: None,
            path_at: BY_PATH.len() + api.len(),
            mapped: None,
        });
    }
    let rest = path.strip_prefix(BY_PATH_REST)?;
    let mut segments = rest.splitn(3, '/');
    let (api, stage, tail) = (segments.next()?, segments.next()?, segments.next()?);
    let tail = tail.strip_prefix(USER_REQUEST)?;
    if api.is_empty() || stage.is_empty() || !(tail.is_empty() || tail.starts_with('/')) {
        return None;
    }
    Some(Address {
        api: api.to_owned(),
        region: None,
        stage: Some(decoded(stage)),
        path_at: path.len() - tail.len(),
        mapped: None,
    })
}

/// `{api}.execute-api.{region}.{domain}`; for a private API `{api}-{vpce}` is accepted too.
fn of_host(host: &str) -> Option<Address> {
    // What a port could stand behind is of no interest.
    let (api, rest) = before_dot(host)?;
    let (label, rest) = before_dot(rest)?;
    if !label.eq_ignore_ascii_case(HOST_LABEL) || api.starts_with(VPC_ENDPOINT) {
        return None;
    }
    // Most ids have no hyphen, which costs less to see than that this is not in them.
    let behind_endpoint = if api.contains('-') { api.split_once("-vpce-") } else { None };
    let api = behind_endpoint.map_or(api, |(api, _)| api);
    let region = before_dot(rest).map(|(region, _)| region.to_ascii_lowercase());
    named(api, region)
}

/// A host's first label, and what follows it.
fn before_dot(host: &str) -> Option<(&str, &str)> {
    let at = host.bytes().position(|byte| byte == b'.')?;
    Some((&host[..at], &host[at + 1..]))
}

/// The address of a request whose header names the API. The host may say the region:
/// `{vpce}.execute-api.{region}.vpce.{domain}`.
fn of_header(api: &str, host: Option<&str>) -> Option<Address> {
    let mut labels = host.unwrap_or_default().split('.');
    let is_endpoint = labels.next().is_some_and(|label| label.starts_with(VPC_ENDPOINT));
    let region = labels.nth(1).filter(|_| is_endpoint).map(str::to_ascii_lowercase);
    named(api, region)
}

/// The address of an API whose stage is in the path; `None` if that is no id.
fn named(api: &str, region: Option<String>) -> Option<Address> {
    let api = is_id(api).then(|| api.to_ascii_lowercase())?;
    Some(Address { api, region, stage: None, path_at: 0, mapped: None })
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The VPC endpoint by which a request comes, as its host says: `{api}-{vpce}.execute-api.…`, or the endpoint's own name,
/// `{vpce}-{suffix}.execute-api.…`.
pub(crate) fn vpc_endpoint(host: &str) -> Option<String> {
    let (label, rest) = host.split_once('.')?;
    if !rest.get(..HOST_LABEL.len()).is_some_and(|label| label.eq_ignore_ascii_case(HOST_LABEL)) {
        return None;
    }
    let id = match label.split_once("-vpce-") {
        Some((_api, id)) => id,
        None => label.strip_prefix(VPC_ENDPOINT)?.split('-').next()?,
    };
    Some(format!("{VPC_ENDPOINT}{id}"))
}

/// A segment as it was before percent encoding; clients may encode the `$` of `$default`.
pub(crate) fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `api region stage path`, with `-` for what is absent.
    fn check(host: &str, target: &str, expected: &str) {
        let uri: Uri = target.parse().expect("a test's own target");
        let host = Some(host).filter(|host| !host.is_empty());
        let found = Address::of(host, uri.path()).map(|address| {
            let or_dash = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
            let path = address.path(&uri).to_owned();
            format!("{} {} {} {path}", address.api, or_dash(&address.region), or_dash(&address.stage))
        });
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{host:?} {target}");
    }

    #[test]
    fn hosts_name_the_api() {
        check("abc123.execute-api.eu-west-1.localhost", "/dev/pets", "abc123 eu-west-1 - /dev/pets");
        check("abc123.execute-api.eu-west-1.localhost:4566", "/dev/pets?a=1", "abc123 eu-west-1 - /dev/pets");
        check("ABC123.Execute-API.us-east-1.amazonaws.com", "/", "abc123 us-east-1 - /");
        check("abc123.execute-api.localhost:4566", "/dev", "abc123 - - /dev");
        check("abc123-vpce-0a1b.execute-api.us-east-1.amazonaws.com", "/dev", "abc123 us-east-1 - /dev");
        check("my-own-id.execute-api.us-east-1.localhost", "/dev", "my-own-id us-east-1 - /dev");
        check("abc123.execute-api.us-east-1.localhost", "//dev//pets/", "abc123 us-east-1 - //dev//pets/");
    }

    #[test]
    fn paths_name_the_api() {
        check("127.0.0.1:4566", "/_aws/execute-api/abc/dev/pets", "abc - - /dev/pets");
        check("", "/_aws/execute-api/abc/$default/x", "abc - - /$default/x");
        check("", "/_aws/execute-api/abc", "abc - - ");
        check("", "/_aws/execute-api/abc/", "abc - - /");
        check("localhost", "/restapis/abc/dev/_user_request_/pets/1?x=y", "abc - dev /pets/1");
        check("localhost", "/restapis/abc/dev/_user_request_", "abc - dev ");
        check("localhost", "/restapis/abc/dev/_user_request_//pets", "abc - dev //pets");
        check("localhost", "/restapis/abc/%24default/_user_request_/x", "abc - $default /x");
        check("other.execute-api.r.localhost", "/_aws/execute-api/abc/dev", "abc - - /dev");
    }

    /// `api region path`
    fn check_header(host: &str, target: &str, api: &str, expected: &str) {
        let request = http::Request::builder().uri(target).header("host", host).header(API_ID, api);
        let request = request.body(()).expect("a test's own request");
        let found = Address::of_request(&request).map(|address| {
            let region = address.region.clone().unwrap_or_default();
            format!("{} {region} {}", address.api, address.path(request.uri()))
        });
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{host} {target}");
    }

    #[test]
    fn a_header_names_the_api_behind_a_vpc_endpoint() {
        let endpoint = "vpce-0a1b-xyz.execute-api.eu-west-1.vpce.amazonaws.com";
        check_header(endpoint, "/dev/pets", "ABC", "abc eu-west-1 /dev/pets");
        check_header("127.0.0.1:4566", "/dev", "abc", "abc  /dev");
        check_header("own.execute-api.eu-west-1.amazonaws.com", "/dev", "abc", "own eu-west-1 /dev");
        check_header(endpoint, "/_aws/execute-api/own/dev", "abc", "own  /dev");
        check_header(endpoint, "/dev", "a.b", "none");
        check_header(endpoint, "/dev", "", "none");
        check(endpoint, "/dev", "none");
    }

    #[test]
    fn hosts_name_the_vpc_endpoint() {
        for (host, expected) in [
            ("abc-vpce-0a1b.execute-api.us-east-1.amazonaws.com", Some("vpce-0a1b")),
            ("vpce-0a1b-xyz.execute-api.us-east-1.vpce.amazonaws.com", Some("vpce-0a1b")),
            ("vpce-0a1b-xyz-us-east-1a.execute-api.us-east-1.vpce.amazonaws.com", Some("vpce-0a1b")),
            ("abc.execute-api.eu-west-1.localhost", None),
            ("abc-vpce-0a1b.example.com", None),
            ("vpce-0a1b", None),
        ] {
            assert_eq!(vpc_endpoint(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn other_requests_name_none() {
        check("", "/dev/pets", "none");
        check("127.0.0.1:4566", "/restapis/abc/stages/dev", "none");
        check("127.0.0.1:4566", "/restapis/abc/dev/_user_request_ed/x", "none");
        check("127.0.0.1:4566", "/restapis//dev/_user_request_/x", "none");
        check("127.0.0.1:4566", "/_aws/execute-api/", "none");
        check("127.0.0.1:4566", "/_aws/execute-api", "none");
        check("execute-api.us-east-1.localhost", "/", "none");
        check(".execute-api.us-east-1.localhost", "/", "none");
        check("abc.execute-apis.us-east-1.localhost", "/", "none");
        check("abc.execute-api", "/", "none");
        check("[::1]:4566", "/x", "none");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            host in "\\PC{0,30}|[a-c.:\\[\\]-]{0,8}(execute-api)?[.a-c:]{0,8}",
            path in "(/_aws/execute-api/|/restapis/)?[a-b/$%._é-]{0,12}(_user_request_)?[a/é]{0,4}",
        ) {
            if let Some(address) = Address::of(Some(&host), &path) {
                prop_assert!(!address.api.is_empty());
                prop_assert!(path.get(address.path_at..).is_some(), "{:?}", address);
            }
        }
    }
}
