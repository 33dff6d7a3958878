//! Calls of AWS services: which endpoint stands for a service, and the signed request to it.
//!
//! What is asked of a service, and what becomes of its answer, is decided by the integrations that use this.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version, header};
use jiff::Timestamp;
use stagedoor_auth::sigv4::{self, Key};

use crate::Config;
use crate::body::{self, Body};
use crate::fault::GatewayFault;

/// The name of the endpoint that stands for every service without one of its own.
pub const ANY_SERVICE: &str = "*";

/// What the host of Step Functions' synchronous operations begins with: `sync-states`.
const SYNCHRONOUS: &str = "sync-";

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Where a service is called, and as whom.
#[derive(Clone, Debug)]
pub struct ServiceEndpoint {
    /// `http://127.0.0.1:9324`: scheme and authority; a path is ignored.
    pub url: Uri,
    /// Signs the calls.
    pub key: Key,
}

/// Services with one endpoint for all regions, which is in this one.
const GLOBAL: [&str; 3] = ["iam", "route53", "cloudfront"];
const GLOBAL_REGION: &str = "us-east-1";

/// The configured endpoints.
pub(crate) struct Services {
    endpoints: BTreeMap<String, ServiceEndpoint>,
    /// Signs calls of AWS itself.
    aws_key: Option<Key>,
    now: fn() -> Duration,
}

/// A call of a service, not yet signed.
#[derive(Debug)]
pub(crate) struct ServiceCall<'a> {
    /// As in `arn:aws:apigateway:{region}:{service}:path/…`: `sqs`, `kinesis`, `states`, `events`.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) method: Method,
    /// Encoded; begins with a slash.
    pub(crate) path: String,
    /// Encoded, without `?`.
    pub(crate) query: String,
    /// Without `Host` and what signing adds.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Services {
    pub(crate) fn new(config: &Config) -> Self {
        Self { endpoints: config.service_endpoints.clone(), aws_key: config.aws_key.clone(), now: config.now }
    }

    /// One endpoint for every service.
    pub(crate) fn all_at(endpoint: ServiceEndpoint, now: fn() -> Duration) -> Self {
        Self { endpoints: BTreeMap::from([(ANY_SERVICE.to_owned(), endpoint)]), aws_key: None, now }
    }

    /// The signed request, for [`crate::integrations::http_proxy::send`].
    ///
    /// # Errors
    /// A configuration error when no endpoint is configured for the service, or the call makes no request.
    pub(crate) fn request(&self, call: ServiceCall<'_>) -> Result<Request<Body>, GatewayFault> {
        let unusable = |why: &dyn std::fmt::Display| {
            GatewayFault::Configuration(
                format!("the service {} cannot be called: {why}", call.service).into(),
            )
        };
        let Endpoint { url, key, region } = self
            .endpoint(&call)
            .ok_or_else(|| unusable(&"it has no endpoint in service-endpoints"))?
            .map_err(|error| unusable(&error))?;
        let uri = target(&url, &call.path, &call.query).map_err(|error| unusable(&error))?;
        let mut headers = call.headers;
        let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|error| unusable(&error))?);
        headers.remove(header::CONTENT_LENGTH);
        if call.service == "s3" {
            let hash = sigv4::Payload::Bytes(&call.body).sha256_hex();
            headers.insert(CONTENT_SHA256, HeaderValue::from_str(&hash).map_err(|error| unusable(&error))?);
        }
        let parts = sigv4::Request {
            method: &call.method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &headers,
            host: None,
            payload: sigv4::Payload::Bytes(&call.body),
        };
        let seconds = i64::try_from((self.now)().as_secs()).unwrap_or(i64::MAX);
        let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let added = sigv4::sign(&parts, key, region, signing_name(call.service), time)
            .map_err(|error| unusable(&error))?;
        for (name, value) in added {
            headers.insert(name, value);
        }
        let mut request = Request::new(body::full(call.body));
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// The configured endpoint, else AWS's own for whoever has a key for it.
    fn endpoint<'s>(&'s self, call: &ServiceCall<'s>) -> Option<Result<Endpoint<'s>, http::Error>> {
        if let Some(ServiceEndpoint { url, key }) = self.configured(call.service) {
            return Some(Ok(Endpoint { url: url.clone(), key, region: call.region }));
        }
        let key = self.aws_key.as_ref()?;
        let (host, region) = aws_host(call.service, call.region);
        let url = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
        Some(url.map(|url| Endpoint { url, key, region }))
    }

    /// The endpoint of a service by its own name, by its name without a subdomain, or the one for all.
    fn configured(&self, service: &str) -> Option<&ServiceEndpoint> {
        let bare = service.rsplit('.').next().unwrap_or(service);
        let asynchronous = bare.strip_prefix(SYNCHRONOUS).unwrap_or(bare);
        [service, bare, asynchronous, ANY_SERVICE].into_iter().find_map(|name| self.endpoints.get(name))
    }
}

/// Where a call goes, and whose it is.
struct Endpoint<'s> {
    url: Uri,
    key: &'s Key,
    /// Of the signature.
    region: &'s str,
}

/// The host of a service, and the region that signatures for it name. A bucket's name stands in the path already.
fn aws_host<'r>(service: &str, region: &'r str) -> (String, &'r str) {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    if GLOBAL.contains(&service) && !region.starts_with("cn-") {
        return (format!("{service}.{suffix}"), GLOBAL_REGION);
    }
    let service = if service.ends_with(".s3") { "s3" } else { service };
    (format!("{service}.{region}.{suffix}"), region)
}

/// The name in the signature's scope, where it is not the host name's.
fn signing_name(service: &str) -> &str {
    match service.rsplit('.').next().unwrap_or(service) {
        "email" => "ses",
        "streams" => "dynamodb",
        bare => bare.strip_prefix(SYNCHRONOUS).unwrap_or(bare),
    }
}

fn target(endpoint: &Uri, path: &str, query: &str) -> Result<Uri, http::Error> {
    let separator = if query.is_empty() { "" } else { "?" };
    let mut parts = endpoint.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{separator}{query}"))?);
    Ok(Uri::from_parts(parts)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(names: &[&str]) -> Services {
        let endpoint = |name: &&str| {
            let url = format!("http://{}.example:1", if *name == "*" { "any" } else { name });
            let key = Key::long_term("AKID", "secret", "1");
            ((*name).to_owned(), ServiceEndpoint { url: url.parse().expect("a URL"), key })
        };
        let mut config = Config::new(|| Duration::from_secs(1_700_000_000));
        config.service_endpoints = names.iter().map(endpoint).collect();
        Services::new(&config)
    }

    fn request(services: &Services, service: &str) -> Result<Request<Body>, GatewayFault> {
        services.request(ServiceCall {
            service,
            region: "eu-west-1",
            method: Method::POST,
            path: "/q/a%20b".to_owned(),
            query: "x=1".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
        })
    }

    #[test]
    fn requests_go_signed_to_the_services_endpoint() {
        let check = |configured: &[&str], service: &str, host: &str, scope: &str| {
            let request = request(&services(configured), service).expect("an endpoint");
            assert_eq!(request.uri().to_string(), format!("http://{host}.example:1/q/a%20b?x=1"));
            let signed = request.headers()[header::AUTHORIZATION].to_str().expect("visible characters");
            assert!(signed.contains(&format!("AKID/20231114/eu-west-1/{scope}/aws4_request")), "{signed}");
        };
        check(&["sqs", "*"], "sqs", "sqs", "sqs");
        check(&["sqs", "*"], "kinesis", "any", "kinesis");
        check(&["s3"], "bucket.s3", "s3", "s3");
        check(&["email"], "email", "email", "ses");
        check(&["states"], "sync-states", "states", "states");
    }

    #[test]
    fn services_without_an_endpoint_are_awss_for_whoever_has_a_key() {
        let check = |service: &str, region: &str, url: &str, scope: &str| {
            let mut services = services(&["sqs"]);
            services.aws_key = Some(Key::long_term("OWN", "secret", "1"));
            let call = ServiceCall {
                service,
                region,
                method: Method::GET,
                path: "/a%20b".to_owned(),
                query: String::new(),
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            let request = services.request(call).expect("AWS has an endpoint");
            assert_eq!(request.uri().to_string(), url);
            let signed = request.headers()[header::AUTHORIZATION].to_str().expect("visible characters");
            assert!(signed.contains(scope), "{signed}");
        };
        let host = "https://kinesis.eu-west-1.amazonaws.com/a%20b";
        check("kinesis", "eu-west-1", host, "OWN/20231114/eu-west-1/kinesis/");
        check("b.s3", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/a%20b", "/eu-west-1/s3/");
        check("iam", "eu-west-1", "https://iam.amazonaws.com/a%20b", "/us-east-1/iam/");
        check("sns", "cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn/a%20b", "/cn-north-1/sns/");
        check("sqs", "eu-west-1", "http://sqs.example:1/a%20b", "AKID/20231114/eu-west-1/sqs/");
    }

    #[test]
    fn a_service_without_an_endpoint_is_named() {
        let Err(GatewayFault::Configuration(why)) = request(&services(&["sqs"]), "kinesis") else {
            panic!("there is no endpoint");
        };
        assert_eq!(why, "the service kinesis cannot be called: it has no endpoint in service-endpoints");
    }
}
