//! Reads the documents of custom domain names. One that cannot be read is left out.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use ::http::HeaderName;
use stagedoor_api::{apigateway as rest, apigatewayv2 as http};
use stagedoor_state::document::{self, Key, Kind};
use stagedoor_state::domain::Mapping as StoredMapping;
use stagedoor_store::{Result, Transaction};

use super::{Condition, Domain, DomainTls, Domains, Mapping, Rule};

/// Whether a change of this key may change a domain.
pub(crate) fn concerned(key: &str) -> bool {
    Key::parse::<rest::DomainName>(key).is_some()
        || Key::parse::<StoredMapping>(key).is_some()
        || Key::parse::<http::RoutingRule>(key).is_some()
}

/// Every domain of the store. There are few, so a change reads all of them anew.
pub(crate) fn all(transaction: &mut Transaction) -> Result<Domains> {
    let mut stored: Vec<(Key, rest::DomainName)> = Vec::new();
    transaction.visit::<()>(&document::prefix::<rest::DomainName>(), |key, document| {
        let read = Key::parse::<rest::DomainName>(key).zip(document::decode(&document.bytes).ok());
        stored.extend(read);
        ControlFlow::Continue(())
    })?;
    // Public ones first: private domains may share their names.
    stored.sort_by_key(|(_, domain)| domain.domain_name_id.is_some());
    let mut domains = Vec::with_capacity(stored.len());
    for (key, document) in stored {
        let mappings = below::<StoredMapping>(transaction, &key)?;
        let rules = below::<http::RoutingRule>(transaction, &key)?;
        domains.extend(domain(key, document, mappings, rules));
    }
    Ok(Domains::new(domains.into_iter()))
}

fn below<T: Kind>(transaction: &mut Transaction, key: &Key) -> Result<Vec<T>> {
    let ids: Vec<&str> = key.ids.iter().map(String::as_str).collect();
    let prefix = document::key::<T>(&key.account, &key.region, &ids) + "/";
    let mut found = Vec::new();
    transaction.visit::<()>(&prefix, |_, document| {
        found.extend(document::decode(&document.bytes).ok());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

fn domain(
    key: Key,
    document: rest::DomainName,
    mappings: Vec<StoredMapping>,
    rules: Vec<http::RoutingRule>,
) -> Option<Domain> {
    use rest::RoutingMode::*;
    let name = document.domain_name?.to_ascii_lowercase();
    let mode = document.routing_mode.unwrap_or(BasePathMappingOnly);
    let (uses_mappings, uses_rules) = (mode != RoutingRuleOnly, mode != BasePathMappingOnly);
    let mut mappings: Vec<Mapping> = mappings
        .into_iter()
        .filter(|_| uses_mappings)
        .map(|stored| Mapping { path: stored.path, api: stored.api_id, stage: stored.stage })
        .collect();
    let mut rules: Vec<Rule> = rules.into_iter().filter(|_| uses_rules).filter_map(rule).collect();
    sort(&mut mappings, &mut rules);
    let truststore = document.mutual_tls_authentication.and_then(|tls| tls.truststore_uri);
    let policy = document.security_policy.map(|policy| policy.as_str().to_owned()).unwrap_or_default();
    let tls = DomainTls {
        name: name.clone(),
        truststore: truststore.filter(|uri| !uri.is_empty()),
        only_tls_1_3: policy.contains("TLS13_1_3_") || policy.contains("TLS13_2025_EDGE"),
    };
    Some(Domain { name, region: key.region, rules, mappings, tls })
}

/// The longest mappings and the least priorities first.
pub(super) fn sort(mappings: &mut [Mapping], rules: &mut [Rule]) {
    mappings.sort_by_key(|mapping| Reverse(mapping.path.len()));
    rules.sort_by_key(|rule| rule.priority);
}

fn rule(stored: http::RoutingRule) -> Option<Rule> {
    let action = stored.actions.unwrap_or_default().into_iter().next()?.invoke_api;
    let mut conditions = Vec::new();
    for condition in stored.conditions.unwrap_or_default() {
        if let Some(paths) = condition.match_base_paths {
            let paths = paths.any_of.iter().map(|path| path.trim_matches('/').to_owned());
            conditions.push(Condition::BasePaths(paths.collect()));
        }
        if let Some(headers) = condition.match_headers {
            let globs = headers.any_of.into_iter().filter_map(|one| {
                Some((HeaderName::from_bytes(one.header.as_bytes()).ok()?, one.value_glob))
            });
            conditions.push(Condition::Headers(globs.collect()));
        }
    }
    Some(Rule {
        priority: stored.priority.unwrap_or(i64::MAX),
        conditions,
        api: action.api_id,
        stage: action.stage,
        strips_base_path: action.strip_base_path == Some(true),
    })
}
