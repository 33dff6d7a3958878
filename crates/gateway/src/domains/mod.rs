//! Custom domain names: which API and stage a request to one is for.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html> and, for routing rules,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>. Pure, but for
//! [`load`], which reads the documents. How a client's certificate is checked is the listener's to do.

mod glob;
pub(crate) mod load;

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Request, Response, Uri, header};

use crate::address::Mapped;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::{Address, ClientCert};

/// Every domain, by its name in lower case.
#[derive(Debug, Default)]
pub(crate) struct Domains(HashMap<String, Arc<Domain>>);

/// One domain.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) region: String,
    /// In the order of their priority; empty if the domain does not use them.
    rules: Vec<Rule>,
    /// The longest paths first; empty if the domain does not use them.
    mappings: Vec<Mapping>,
    pub(crate) tls: DomainTls,
}

/// What a domain demands of a client's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DomainTls {
    /// The domain's name, in lower case; `*.example.com` for all names one label longer.
    pub name: String,
    /// `s3://bucket/key` of the certificates that clients' own must descend from, if clients need any.
    pub truststore: Option<String>,
    /// Whether TLS 1.3 is the least; else it is TLS 1.2.
    pub only_tls_1_3: bool,
}

#[derive(Debug)]
struct Mapping {
    /// Whole segments without slashes at the ends; empty for all requests.
    path: String,
    api: String,
    /// `None`: the next segment names it.
    stage: Option<String>,
}

#[derive(Debug)]
struct Rule {
    priority: i64,
    /// All of them must hold.
    conditions: Vec<Condition>,
    api: String,
    stage: String,
    strips_base_path: bool,
}

/// One of several alternatives must hold.
#[derive(Debug)]
enum Condition {
    BasePaths(Vec<String>),
    Headers(Vec<(HeaderName, String)>),
}

impl Domains {
    fn new(domains: impl Iterator<Item = Domain>) -> Self {
        let mut by_name = HashMap::new();
        for domain in domains {
            // The first of several owners has the name.
            by_name.entry(domain.name.clone()).or_insert_with(|| Arc::new(domain));
        }
        Self(by_name)
    }

    /// The domain of a host name, a port is ignored; a name of its own wins over a wildcard.
    pub(crate) fn find(&self, host: &str) -> Option<&Arc<Domain>> {
        if self.0.is_empty() {
            return None;
        }
        let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).to_ascii_lowercase();
        self.0.get(&name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.0.get(&format!("*.{parent}"))
        })
    }

    /// The address of a request to a domain; `None` if it is to none.
    pub(crate) fn address<B>(&self, request: &Request<B>) -> Option<Address> {
        if self.0.is_empty() {
            return None;
        }
        let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().authority().map(|authority| authority.as_str()).or(named)?;
        let domain = self.find(host)?;
        Some(domain.address(request.uri(), request.headers()))
    }
}

impl Domain {
    /// Where a request goes. One that matches nothing addresses no API at all.
    fn address(self: &Arc<Self>, uri: &Uri, headers: &HeaderMap) -> Address {
        let path = uri.path();
        let mapped = |base_path: &str| Mapped { domain: Arc::clone(self), base_path: base_path.to_owned() };
        for rule in &self.rules {
            if let Some(base_path) = rule.matched(path, headers) {
                let stripped = if rule.strips_base_path { prefix_length(base_path) } else { 0 };
                return Address::mapped(
                    (&rule.api, &self.region),
                    Some(rule.stage.clone()),
                    stripped,
                    mapped(base_path),
                );
            }
        }
        match self.mappings.iter().find(|mapping| is_below(path, &mapping.path)) {
            Some(Mapping { path, api, stage }) => {
                Address::mapped((api, &self.region), stage.clone(), prefix_length(path), mapped(path))
            }
            None => Address::mapped(("", &self.region), None, 0, mapped("")),
        }
    }
}

impl Rule {
    /// The base path that the request matched, perhaps empty.
    fn matched(&self, path: &str, headers: &HeaderMap) -> Option<&str> {
        let mut base_path = "";
        for condition in &self.conditions {
            match condition {
                Condition::BasePaths(paths) => {
                    let matching = paths.iter().filter(|known| is_below(path, known));
                    base_path = matching.max_by_key(|known| known.len())?;
                }
                Condition::Headers(globs) => {
                    let matches = |(name, glob): &(HeaderName, String)| {
                        let mut values = headers.get_all(name).iter();
                        values.any(|value| value.to_str().is_ok_and(|value| glob::matches(glob, value)))
                    };
                    globs.iter().any(matches).then_some(())?;
                }
            }
        }
        Some(base_path)
    }
}

/// What a domain answers by itself: health checks, and clients that it does not let in.
pub(crate) fn answered<B>(mapped: &Mapped, request: &Request<B>) -> Option<Response<Body>> {
    let domain = &mapped.domain;
    if domain.tls.truststore.is_some() {
        let cert = request.extensions().get::<Arc<ClientCert>>();
        if cert.is_none_or(|cert| cert.domain != domain.name) {
            return Some(GatewayFault::NoStage.rest_response());
        }
    }
    // The guide reserves these paths for health checks.
    matches!(request.uri().path(), "/ping" | "/sping").then(|| Response::new(body::full("healthy")))
}

/// Whether a request's path begins with these whole segments.
fn is_below(path: &str, base: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(base));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How much of a path a base path takes, with its slash.
fn prefix_length(base: &str) -> usize {
    if base.is_empty() { 0 } else { base.len() + 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mapping(path: &str, api: &str, stage: Option<&str>) -> Mapping {
        Mapping { path: path.to_owned(), api: api.to_owned(), stage: stage.map(str::to_owned) }
    }

    fn domain(mut mappings: Vec<Mapping>, mut rules: Vec<Rule>) -> Arc<Domain> {
        load::sort(&mut mappings, &mut rules);
        let name = "a.example".to_owned();
        Arc::new(Domain { name, mappings, rules, ..Domain::default() })
    }

    fn seen(domain: &Arc<Domain>, target: &str, headers: &[(&'static str, &'static str)]) -> String {
        let uri: Uri = target.parse().expect("a test's own target");
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a header")))
            .collect();
        let address = domain.address(&uri, &headers);
        format!("{} {} {}", address.api, address.stage.as_deref().unwrap_or("-"), address.path(&uri))
    }

    #[test]
    fn the_longest_mapping_wins() {
        let domain = domain(
            vec![
                mapping("", "root", Some("prod")),
                mapping("orders", "orders", Some("prod")),
                mapping("orders/v2", "orders2", Some("$default")),
                mapping("free", "free", None),
            ],
            vec![],
        );
        let check =
            |target: &str, expected: &str| assert_eq!(seen(&domain, target, &[]), expected, "{target}");
        check("/", "root prod /");
        check("/x/y", "root prod /x/y");
        check("/orders", "orders prod ");
        check("/orders/", "orders prod /");
        check("/orders/1?x=y", "orders prod /1");
        check("/ordersx", "root prod /ordersx");
        check("/orders/v2/1", "orders2 $default /1");
        check("/orders/v22/1", "orders prod /v22/1");
        check("/Orders/1", "root prod /Orders/1");
        check("/free/dev/x", "free - /dev/x");
    }

    #[test]
    fn nothing_matches_without_a_root() {
        assert_eq!(seen(&domain(vec![mapping("a", "a", None)], vec![]), "/b", &[]), " - /b");
    }

    #[test]
    fn rules_are_tried_by_priority() {
        let rule = |priority: i64, conditions: Vec<Condition>, api: &str, strips_base_path: bool| Rule {
            priority,
            conditions,
            api: api.to_owned(),
            stage: "prod".to_owned(),
            strips_base_path,
        };
        let beta = || Condition::Headers(vec![(HeaderName::from_static("x-version"), "beta*".to_owned())]);
        let orders = || Condition::BasePaths(vec!["orders".to_owned(), "orders/v2".to_owned()]);
        let domain = domain(
            vec![mapping("", "root", Some("dev"))],
            vec![
                rule(30, vec![orders()], "stripped", true),
                rule(10, vec![beta(), orders()], "both", false),
                rule(20, vec![beta()], "header", true),
            ],
        );
        let check = |target: &str, headers: &[(&'static str, &'static str)], expected: &str| {
            assert_eq!(seen(&domain, target, headers), expected, "{target} {headers:?}");
        };
        check("/orders/1", &[("x-version", "beta-2")], "both prod /orders/1");
        check("/other", &[("x-version", "beta")], "header prod /other");
        check("/orders/1", &[("x-version", "gamma")], "stripped prod /1");
        check("/orders/v2/1", &[], "stripped prod /1");
        check("/other", &[], "root dev /other");
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        let named = |name: &str| Domain { name: name.to_owned(), ..Domain::default() };
        let domains = Domains::new(["api.example.com", "*.example.com"].map(named).into_iter());
        let check = |host: &str, expected: Option<&str>| {
            assert_eq!(domains.find(host).map(|domain| domain.name.as_str()), expected, "{host}");
        };
        check("api.example.com", Some("api.example.com"));
        check("API.Example.com:8443", Some("api.example.com"));
        check("other.example.com", Some("*.example.com"));
        check("a.b.example.com", None);
        check("example.com", None);
    }

    proptest! {
        /// The mapping found is the longest of those whose segments begin the path's.
        #[test]
        fn mappings_equal_a_naive_matcher(
            bases in proptest::collection::vec("([ab]{1,2}(/[ab]{1,2}){0,2})?", 0..6),
            path in "(/[ab]{0,2}){1,5}",
        ) {
            let mappings = bases.iter().map(|base| mapping(base, &format!("api-{base}"), Some("s"))).collect();
            let segments: Vec<&str> = path[1..].split('/').collect();
            let begins = |base: &&String| {
                base.is_empty() || segments.starts_with(&base.split('/').collect::<Vec<_>>())
            };
            let longest = bases.iter().filter(begins).max_by_key(|base| base.len());
            let expected = longest.map(|base| format!("api-{base}")).unwrap_or_default();
            let uri: Uri = path.parse().expect("a path");
            let address = domain(mappings, vec![]).address(&uri, &HeaderMap::new());
            prop_assert_eq!(&address.api, &expected);
            prop_assert!(path.ends_with(address.path(&uri)));
        }
    }
}
