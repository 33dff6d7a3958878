//! Which parts of a request or an answer an integration's mappings may write. Applying them is the data plane's.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>

use std::collections::BTreeMap;

use stagedoor_api::apigatewayv2::ProtocolType;
use stagedoor_state::Result;
use stagedoor_state::http::is_reserved_header;
use stagedoor_vtl::expression::{self, Side};

use crate::messages;

/// Refuses a destination that requests do not have, and a value that is no expression.
pub fn check_request(protocol: ProtocolType, parameters: &BTreeMap<String, String>) -> Result<()> {
    for (destination, value) in parameters {
        match protocol {
            ProtocolType::Http => {
                check_http_request(destination)?;
                check_value(destination, value, Side::Request)?;
            }
            ProtocolType::Websocket if is_websocket_request(destination) => {}
            ProtocolType::Websocket => return Err(messages::mapping_invalid(destination)),
        }
    }
    Ok(())
}

/// Refuses a destination that answers do not have, a value that is no expression, or a status that is none.
pub fn check_response(parameters: &BTreeMap<String, BTreeMap<String, String>>) -> Result<()> {
    for (status, mappings) in parameters {
        if !status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)) {
            return Err(messages::response_status_invalid(status));
        }
        for (destination, value) in mappings {
            check_http_response(destination)?;
            check_value(destination, value, Side::Response)?;
        }
    }
    Ok(())
}

/// Refuses a value of a service's parameter that is no expression.
pub fn check_service(parameters: &BTreeMap<String, String>) -> Result<()> {
    parameters.iter().try_for_each(|(name, value)| check_value(name, value, Side::Request))
}

/// What stands beside a removal has no meaning.
fn check_value(destination: &str, value: &str, side: Side) -> Result<()> {
    if destination.starts_with("remove:") || expression::parse(value, side).is_ok() {
        return Ok(());
    }
    Err(messages::mapping_invalid(value))
}

fn check_http_request(destination: &str) -> Result<()> {
    let refusal = || messages::request_parameter_invalid(destination);
    if destination == "overwrite:path" {
        return Ok(());
    }
    match action(destination).ok_or_else(refusal)?.split_once('.') {
        Some(("header", name)) if named(name) => check_header(name),
        Some(("querystring", name)) if named(name) => Ok(()),
        _ => Err(refusal()),
    }
}

fn check_http_response(destination: &str) -> Result<()> {
    let refusal = || messages::response_parameter_invalid(destination);
    if destination == "overwrite:statuscode" {
        return Ok(());
    }
    match action(destination).ok_or_else(refusal)?.split_once('.') {
        Some(("header", name)) if named(name) => check_header(name),
        _ => Err(refusal()),
    }
}

/// What stands after `append:`, `overwrite:` or `remove:`.
fn action(destination: &str) -> Option<&str> {
    let (action, place) = destination.split_once(':')?;
    matches!(action, "append" | "overwrite" | "remove").then_some(place)
}

fn named(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace)
}

fn check_header(name: &str) -> Result<()> {
    if is_reserved_header(&name.to_ascii_lowercase()) { Err(messages::header_reserved(name)) } else { Ok(()) }
}

/// `integration.request.{header|querystring|path}.{name}`
fn is_websocket_request(destination: &str) -> bool {
    let place = destination.strip_prefix("integration.request.").and_then(|place| place.split_once('.'));
    matches!(place, Some(("header" | "querystring" | "path", name)) if named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(protocol: ProtocolType, destination: &str) -> Result<()> {
        check_request(protocol, &BTreeMap::from([(destination.to_owned(), "x".to_owned())]))
    }

    #[test]
    fn request_destinations() {
        let http = ["append:header.a", "overwrite:querystring.b", "remove:header.c", "overwrite:path"];
        for good in http {
            assert_eq!(request(ProtocolType::Http, good), Ok(()), "{good}");
        }
        for bad in ["header.a", "set:header.a", "append:path", "overwrite:header.", "append:cookie.a", ""] {
            let expected = Err(messages::request_parameter_invalid(bad));
            assert_eq!(request(ProtocolType::Http, bad), expected, "{bad}");
        }
        for reserved in ["Authorization", "x-amzn-trace-id", "Access-Control-Allow-Origin"] {
            let result = request(ProtocolType::Http, &format!("overwrite:header.{reserved}"));
            assert_eq!(result, Err(messages::header_reserved(reserved)));
        }
        let websocket = "integration.request.header.a";
        assert_eq!(request(ProtocolType::Websocket, websocket), Ok(()));
        let bad = request(ProtocolType::Websocket, "append:header.a");
        assert_eq!(bad, Err(messages::mapping_invalid("append:header.a")));
    }

    #[test]
    fn response_destinations() {
        let response = |status: &str, destination: &str| {
            let mapping = BTreeMap::from([(destination.to_owned(), "x".to_owned())]);
            check_response(&BTreeMap::from([(status.to_owned(), mapping)]))
        };
        assert_eq!(response("200", "overwrite:statuscode"), Ok(()));
        assert_eq!(response("599", "append:header.a"), Ok(()));
        assert_eq!(response("99", "append:header.a"), Err(messages::response_status_invalid("99")));
        let bad = "append:querystring.a";
        assert_eq!(response("200", bad), Err(messages::response_parameter_invalid(bad)));
    }

    #[test]
    fn values_are_expressions() {
        for (destination, value, is_one) in [
            ("append:header.a", "$request.header.b", true),
            ("append:header.a", "text $5 ${7}", true),
            ("append:header.a", "${context.requestId}/${stageVariables.x}", true),
            ("append:header.a", "$request.header", false),
            ("append:header.a", "$request.cookie.b", false),
            ("append:header.a", "$response.header.b", false),
            ("append:header.a", "a ${request.path.id", false),
            ("overwrite:path", "$request.body..a", false),
            ("remove:header.a", "$request.header", true),
        ] {
            let mappings = BTreeMap::from([(destination.to_owned(), value.to_owned())]);
            let expected = if is_one { Ok(()) } else { Err(messages::mapping_invalid(value)) };
            assert_eq!(check_request(ProtocolType::Http, &mappings), expected, "{value}");
        }
        let answers = |value: &str| {
            let mappings = BTreeMap::from([("append:header.a".to_owned(), value.to_owned())]);
            check_response(&BTreeMap::from([("200".to_owned(), mappings)]))
        };
        assert_eq!(answers("$response.header.b"), Ok(()));
        let bad = "$request.header.b";
        assert_eq!(answers(bad), Err(messages::mapping_invalid(bad)));
    }
}
