//! Which method of a REST API, or which route of an HTTP API, serves a request.

use http::request::Parts;
use http::{HeaderMap, Method as Verb, header};

use super::stage::Located;
use crate::fault::GatewayFault;
use crate::http_api::plan::{self as http_plan, Route};
use crate::rest::plan::{self as rest_plan, Method};
use crate::routes::Search;

const METHOD_OVERRIDE: &str = "x-http-method-override";
const SIGNATURE: &str = "AWS4-HMAC-SHA256";

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
    match located.stage.deployed.routes.find(Search::LevelByLevel, &verb, path) {
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
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(authorization) = authorization.filter(|value| !value.starts_with(SIGNATURE)) else {
        return GatewayFault::NoRoute;
    };
    let pairs = authorization.split_once(' ').map_or(authorization, |(_scheme, pairs)| pairs);
    match pairs.split(',').map(str::trim).find(|pair| !pair.contains('=')) {
        Some(pair) => GatewayFault::IncompleteSignature(format!(
            "'{pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
        )),
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

    use super::*;

    #[test]
    fn unknown_methods_look_at_the_signature() {
        let check = |authorization: Option<&'static str>, expected: GatewayFault| {
            let mut headers = HeaderMap::new();
            headers
                .extend(authorization.map(|value| (header::AUTHORIZATION, HeaderValue::from_static(value))));
            assert_eq!(no_method(&headers), expected);
        };
        check(None, GatewayFault::NoRoute);
        check(Some("AWS4-HMAC-SHA256 Credential=x"), GatewayFault::NoRoute);
        let text =
            "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.";
        check(Some("Bearer abc"), GatewayFault::IncompleteSignature(text.to_owned()));
    }
}
