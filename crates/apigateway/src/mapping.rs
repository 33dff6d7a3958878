//! Mapping expressions: the names of request and response parameters, and what maps to what. Pure.
//!
//! Parsing only as far as the control plane must in order to refuse what AWS refuses; the data plane evaluates.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{Method, MethodResponse};
use stagedoor_state::Result;

use crate::messages;

/// Where parameters of a request are.
const REQUEST_LOCATIONS: &[&str] = &["path", "querystring", "header"];

/// Refuses malformed names of a method's request parameters, `method.request.{location}.{name}`, and a name that is
/// used in two locations.
pub fn check_request_parameters(parameters: &BTreeMap<String, bool>) -> Result<()> {
    let mut names = Vec::new();
    let mut errors = Vec::new();
    for key in parameters.keys() {
        match parameter(key, "method.request.", REQUEST_LOCATIONS) {
            Ok(name) => names.push(name),
            Err(error) => errors.push(error),
        }
    }
    refuse(&errors)?;
    names.sort_unstable();
    match names.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(messages::parameter_names_not_unique()),
        false => Ok(()),
    }
}

/// Refuses malformed names of a method response's parameters, `method.response.header.{name}`.
pub fn check_response_parameters(parameters: &BTreeMap<String, bool>) -> Result<()> {
    let checked = parameters.keys().map(|key| parameter(key, "method.response.", &["header"]));
    refuse(&checked.filter_map(std::result::Result::err).collect::<Vec<_>>())
}

/// Refuses what an integration's request cannot be made of: targets are `integration.request.…`, sources what the
/// method declares, `context.…`, `stageVariables.…` or a `'literal'`.
pub fn check_integration_request(mappings: &BTreeMap<String, String>, method: &Method) -> Result<()> {
    let declared = method.request_parameters.as_ref();
    let mut errors = Vec::new();
    for (target, source) in mappings {
        errors.extend(parameter(target, "integration.request.", REQUEST_LOCATIONS).err());
        if let Some(place) = source.strip_prefix("method.request.") {
            errors.extend(undeclared_source(source, place, declared));
        } else if !is_general_source(source) {
            errors.push(malformed(source));
        }
    }
    refuse(&errors)
}

/// Refuses what a response cannot be made of: targets are headers that the method response declares, sources are
/// `integration.response.…`, `context.…`, `stageVariables.…` or a `'literal'`.
pub fn check_integration_response(
    mappings: &BTreeMap<String, String>,
    response: Option<&MethodResponse>,
) -> Result<()> {
    let Some(response) = response else {
        return match mappings.is_empty() {
            true => Ok(()),
            false => refuse(&["No method response exists for method.".to_owned()]),
        };
    };
    let declared = response.response_parameters.as_ref();
    let mut errors = Vec::new();
    for (target, source) in mappings {
        match parameter(target, "method.response.", &["header"]) {
            Ok(_) if declared.is_some_and(|declared| declared.contains_key(target)) => {}
            Ok(_) => errors.push(unknown(target)),
            Err(error) => errors.push(error),
        }
        let place = source.strip_prefix("integration.response.");
        if !place.is_some_and(is_response_place) && !is_general_source(source) {
            errors.push(malformed(source));
        }
    }
    refuse(&errors)
}

/// Refuses what a gateway response cannot be made of: targets are `gatewayresponse.header.{name}`, sources are
/// `method.request.{location}.{name}`, `context.…`, `stageVariables.…` or a `'literal'`.
pub fn check_gateway_response(mappings: &BTreeMap<String, String>) -> Result<()> {
    let mut errors = Vec::new();
    for (target, source) in mappings {
        errors.extend(parameter(target, "gatewayresponse.", &["header"]).err());
        let requested = parameter(source, "method.request.", REQUEST_LOCATIONS).is_ok();
        if !requested && !is_general_source(source) {
            errors.push(malformed(source));
        }
    }
    refuse(&errors)
}

/// Refuses parameters that cannot be part of a cache key: neither declared by the method nor mapped by the
/// integration.
pub fn check_cache_keys(
    keys: &[String],
    method: &Method,
    mappings: Option<&BTreeMap<String, String>>,
) -> Result<()> {
    let declared =
        |key: &String| method.request_parameters.as_ref().is_some_and(|known| known.contains_key(key));
    let mapped = |key: &String| mappings.is_some_and(|known| known.contains_key(key));
    match keys.iter().find(|key| !declared(key) && !mapped(key)) {
        Some(key) => Err(messages::bad_cache_key(key)),
        None => Ok(()),
    }
}

/// Refuses keys of templates that are no media types.
pub fn check_content_types<'a>(keys: impl Iterator<Item = &'a String>) -> Result<()> {
    let bad = |key: &&String| !is_content_type(key);
    let errors: Vec<_> =
        keys.filter(bad).map(|key| format!("Invalid content type specified: {key}")).collect();
    if errors.is_empty() { Ok(()) } else { Err(messages::bad_content_types(&errors)) }
}

// === Parts ===

fn refuse(errors: &[String]) -> Result<()> {
    if errors.is_empty() { Ok(()) } else { Err(messages::bad_mappings(errors)) }
}

/// The name in `{prefix}{location}.{name}`, or what is wrong with the expression.
fn parameter<'a>(key: &'a str, prefix: &str, locations: &[&str]) -> std::result::Result<&'a str, String> {
    let place = key.strip_prefix(prefix).and_then(|rest| rest.split_once('.'));
    let (_, name) =
        place.filter(|(location, _)| locations.contains(location)).ok_or_else(|| malformed(key))?;
    match is_parameter_name(name) {
        true => Ok(name),
        false => {
            Err("Parameter name should match the following regular expression: ^[a-zA-Z0-9._$-]+$".to_owned())
        }
    }
}

fn is_parameter_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte))
}

/// What is wrong with `method.request.{place}` as a source. The body needs no declaration.
fn undeclared_source(source: &str, place: &str, declared: Option<&BTreeMap<String, bool>>) -> Option<String> {
    if is_body(place) {
        return None;
    }
    let Some((location, name)) = place.split_once('.') else { return Some(malformed(source)) };
    let location = match location {
        "multivalueheader" => "header",
        "multivaluequerystring" => "querystring",
        other => other,
    };
    if !REQUEST_LOCATIONS.contains(&location) || !is_parameter_name(name) {
        return Some(malformed(source));
    }
    let key = format!("method.request.{location}.{name}");
    let known = declared.is_some_and(|declared| declared.contains_key(&key));
    (!known).then(|| unknown(source))
}

fn is_general_source(source: &str) -> bool {
    let literal = source.len() >= 2 && source.starts_with('\'') && source.ends_with('\'');
    let named = |prefix: &str| source.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    literal || named("context.") || named("stageVariables.")
}

fn is_response_place(place: &str) -> bool {
    let header = place.strip_prefix("header.").or_else(|| place.strip_prefix("multivalueheader."));
    is_body(place) || header.is_some_and(is_parameter_name)
}

/// `body`, or a JSON path into it.
fn is_body(place: &str) -> bool {
    place.strip_prefix("body").is_some_and(|path| path.is_empty() || path.starts_with(['.', '[']))
}

/// `type/subtype`, with parameters or without (RFC 9110 section 8.3.1).
fn is_content_type(text: &str) -> bool {
    let token = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let media_type = text.split(';').next().unwrap_or_default().trim();
    media_type.split_once('/').is_some_and(|(main, sub)| token(main) && token(sub))
}

fn malformed(expression: &str) -> String {
    format!("Invalid mapping expression specified: {expression}")
}

fn unknown(parameter: &str) -> String {
    format!("Invalid mapping expression parameter specified: {parameter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method() -> Method {
        let declared = [("method.request.header.h", true), ("method.request.path.p", true)];
        let declared = declared.map(|(key, required)| (key.to_owned(), required));
        Method { request_parameters: Some(BTreeMap::from(declared)), ..Method::default() }
    }

    fn request(target: &str, source: &str) -> std::result::Result<(), String> {
        let mappings = BTreeMap::from([(target.to_owned(), source.to_owned())]);
        check_integration_request(&mappings, &method()).map_err(|fault| fault.message)
    }

    #[test]
    fn sources_of_an_integration_request() {
        let good = [
            "method.request.header.h",
            "method.request.multivalueheader.h",
            "method.request.path.p",
            "method.request.body",
            "method.request.body.a.b",
            "context.identity.sourceIp",
            "stageVariables.v",
            "'fixed'",
        ];
        for source in good {
            assert_eq!(request("integration.request.header.x", source), Ok(()), "{source}");
        }
        for source in ["method.request.header.other", "method.request.querystring.h"] {
            let refusal = request("integration.request.header.x", source).expect_err(source);
            assert!(refusal.ends_with(&format!("[{}]", unknown(source))), "{refusal}");
        }
        for source in ["", "'", "fixed", "method.request.cookie.c", "context.", "method.request.header"] {
            let refusal = request("integration.request.header.x", source).expect_err(source);
            assert!(refusal.ends_with(&format!("[{}]", malformed(source))), "{refusal}");
        }
    }

    #[test]
    fn targets_of_an_integration_request() {
        for target in ["integration.request.querystring.a$b", "integration.request.path.p"] {
            assert_eq!(request(target, "'x'"), Ok(()), "{target}");
        }
        let refusal = request("integration.request.header.a b", "'x'").expect_err("a blank in a name");
        assert!(
            refusal.contains("should match the following regular expression: ^[a-zA-Z0-9._$-]+$"),
            "{refusal}"
        );
        assert!(request("method.request.header.h", "'x'").is_err());
    }

    #[test]
    fn content_types() {
        for good in ["application/json", "text/plain;charset=utf-8", "application/vnd.a+json", "*/*"] {
            assert!(is_content_type(good), "{good}");
        }
        for bad in ["", "123", "text", "text/", "/plain", "a b/c", "a/b/c"] {
            assert!(!is_content_type(bad), "{bad}");
        }
    }
}
