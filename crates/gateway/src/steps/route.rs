//! Which method of a REST API, or which route of an HTTP API, serves a request.

use http::request::Parts;
use http::{HeaderMap, Method as Verb};
use stagedoor_auth::sigv4;

use super::stage::Located;
use crate::fault::GatewayFault;
use crate::http_api::plan::{self as http_plan, Route};
use crate::rest::plan::{self as rest_plan, Method};
use crate::rest::tuning::VERBS;
use crate::routes::Search;

const METHOD_OVERRIDE: &str = "x-http-method-override";

/// The method or route, and the path's variables.
pub(crate) struct Routed<'a, R> {
    pub(crate) route: &'a R,
    pub(crate) verb: Verb,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

/// The method of a REST API. A slash at the end of the path does not count.
pub(crate) fn of_rest<'a>(
    located: &Located<'a, rest_plan::Deployed>,
    head: &Parts,
) -> Result<Routed<'a, Method>, GatewayFault> {
    let verb = overridden_verb(head);
    let path = located.path.strip_suffix('/').unwrap_or(located.path);
    let find = || located.stage.deployed.routes.find(Search::LevelByLevel, &verb, path);
    match VERBS.contains(&verb).then(find).flatten() {
        Some(found) => Ok(Routed { route: found.route, verb, variables: found.variables }),
        None => Err(no_method(&head.headers)),
    }
}

/// `X-HTTP-Method-Override` names the verb that counts.
fn overridden_verb(head: &Parts) -> Verb {
    let named = head.headers.get(METHOD_OVERRIDE).and_then(|name| Verb::from_bytes(name.as_bytes()).ok());
    named.unwrap_or_else(|| head.method.clone())
}

/// AWS takes an `Authorization` header of an unknown method for a signature, and says what is wrong with it.
fn no_method(headers: &HeaderMap) -> GatewayFault {
    match sigv4::malformed(headers) {
        Some(refusal) => GatewayFault::IncompleteSignature(refusal.message().to_owned()),
        None => GatewayFault::NoRoute,
    }
}

/// The route of an HTTP API; `$default` if there is one and no other matches.
pub(crate) fn of_http<'a>(
    located: &Located<'a, http_plan::Deployed>,
    head: &Parts,
) -> Result<Routed<'a, Route>, GatewayFault> {
    let deployed = &located.stage.deployed;
    let verb = head.method.clone();
    if let Some(found) = deployed.routes.find(Search::FullBeforeGreedy, &verb, located.path) {
        return Ok(Routed { route: found.route, verb, variables: found.variables });
    }
    let route = deployed.default.as_ref().ok_or(GatewayFault::NoRoute)?;
    Ok(Routed { route, verb, variables: Vec::new() })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn unknown_methods_look_at_the_signature() {
        let check = |authorization: Option<&'static str>, expected: GatewayFault| {
            let mut headers = HeaderMap::new();
            headers.extend(authorization.map(|value| (AUTHORIZATION, HeaderValue::from_static(value))));
            assert_eq!(no_method(&headers), expected);
        };
        check(None, GatewayFault::NoRoute);
        let says = |text: &str| GatewayFault::IncompleteSignature(text.to_owned());
        let token = "not a valid key=value pair (missing equal-sign) in Authorization header";
        check(Some("Bearer abc"), says(&format!("'abc' {token}: 'Bearer abc'.")));
        let lacks = "Authorization header requires 'Credential' parameter. Authorization header requires \
                     'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization \
                     header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=";
        check(Some("abc"), says(&format!("{lacks}abc")));
        check(Some("Basic dTpw="), says(&format!("{lacks}Basic dTpw=")));
        let whole = "AWS4-HMAC-SHA256 Credential=a/20260101/r/execute-api/aws4_request, SignedHeaders=host, \
                     Signature=0";
        let mut signed = HeaderMap::new();
        signed.insert(AUTHORIZATION, HeaderValue::from_static(whole));
        signed.insert("x-amz-date", HeaderValue::from_static("20260101T001500Z"));
        assert_eq!(no_method(&signed), GatewayFault::NoRoute);
    }
}
