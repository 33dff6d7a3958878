//! Where an integration may point: HTTP endpoints, and the ARNs under which API Gateway reaches AWS services. Pure.

use stagedoor_api::apigateway::{Integration, IntegrationType, ResponseTransferMode};
use stagedoor_state::Result;

use crate::messages;

/// How the path of a Lambda integration that streams its answer ends.
const STREAMING: &str = "/response-streaming-invocations";

/// Refuses a URI that is none for the integration's type. `account` is the caller's.
pub fn check(integration: &Integration, account: &str) -> Result<()> {
    let uri = integration.uri.as_deref().unwrap_or_default();
    match integration.r#type.unwrap_or_default() {
        IntegrationType::Mock => Ok(()),
        IntegrationType::Http | IntegrationType::HttpProxy => check_http(uri),
        IntegrationType::Aws => check_aws(uri, integration.credentials.as_deref(), account),
        IntegrationType::AwsProxy => {
            check_lambda(uri)?;
            check_role(integration.credentials.as_deref(), account)?;
            match (uri.ends_with(STREAMING), integration.response_transfer_mode.unwrap_or_default()) {
                (true, ResponseTransferMode::Buffered) => Err(messages::streaming_is_not_buffered()),
                _ => Ok(()),
            }
        }
    }
}

/// `http(s)://{host}…`. Stage variables and path parameters may stand anywhere after the scheme, so only what
/// cannot become a URL is refused. Loopback is fine: that is where local back ends are.
fn check_http(uri: &str) -> Result<()> {
    let rest = ["http://", "https://"].into_iter().find_map(|scheme| strip_prefix_ignoring_case(uri, scheme));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let printable = !uri.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control());
    let has_host = !host.is_empty() && !host.starts_with(':');
    if printable && has_host && has_good_port(host) { Ok(()) } else { Err(messages::bad_endpoint()) }
}

fn has_good_port(host: &str) -> bool {
    match host.rsplit_once(':') {
        None => true,
        // `${…}` stands for a port, or an IPv6 address holds the colon.
        Some((_, port)) if port.contains(['}', ']']) => true,
        Some((_, port)) => port.parse::<u16>().is_ok(),
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `arn:{partition}:apigateway:{region}:{service}:path/…` or `…:action/…`.
fn check_aws(uri: &str, credentials: Option<&str>, account: &str) -> Result<()> {
    let (service, _) = service_and_target(uri)?;
    // Lambda functions can allow API Gateway to call them; all other services need a role.
    if service != "lambda" && credentials.is_none_or(str::is_empty) {
        return Err(messages::role_needed());
    }
    check_role(credentials, account)
}

/// `arn:{partition}:apigateway:{region}:lambda:path/{date}/functions/{function ARN}/invocations`
fn check_lambda(uri: &str) -> Result<()> {
    let (service, target) = service_and_target(uri)?;
    let call = target.strip_prefix("path/").and_then(|path| path.split_once("/functions/"));
    let function = call.and_then(|(date, call)| {
        let function = call.strip_suffix(STREAMING).or_else(|| call.strip_suffix("/invocations"))?;
        ["2015-03-31", "2021-11-15"].contains(&date).then_some(function)
    });
    let parts: Vec<_> = function.unwrap_or_default().splitn(7, ':').collect();
    let is_function = matches!(parts.as_slice(),
        ["arn", _, "lambda", _, _, "function", name] if !name.is_empty());
    if service == "lambda" && is_function { Ok(()) } else { Err(messages::proxy_is_for_lambda()) }
}

fn service_and_target(uri: &str) -> Result<(&str, &str)> {
    let parts: Vec<_> = uri.splitn(6, ':').collect();
    let ["arn", _, _, _, service, target] = parts.as_slice() else { return Err(messages::bad_arn()) };
    if target.starts_with("path/") || target.starts_with("action/") {
        Ok((service, target))
    } else {
        Err(messages::arn_without_action())
    }
}

/// A role must be the caller's own. `arn:aws:iam::*:user/*` means the caller's credentials.
fn check_role(credentials: Option<&str>, account: &str) -> Result<()> {
    let parts: Vec<_> = credentials.unwrap_or_default().splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", owner, role] if role.starts_with("role/") && *owner != account => {
            Err(messages::foreign_role())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_endpoints() {
        for good in [
            "http://example.com",
            "HTTPS://example.com/{proxy}?a=b",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/x",
            "http://[::1]/x",
            "http://${stageVariables.host}/x",
            "https://${stageVariables.host}:${stageVariables.port}/x",
            "http://user@example.com/",
        ] {
            assert_eq!(check_http(good), Ok(()), "{good}");
        }
        for bad in
            ["", "example.com", "ftp://example.com", "http://", "http:///x", "http://a b/", "http://h:x/"]
        {
            assert_eq!(check_http(bad), Err(messages::bad_endpoint()), "{bad}");
        }
    }

    #[test]
    fn aws_arns() {
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let lambda =
            format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations");
        let cases = [
            (lambda.as_str(), Ok(())),
            (function, Err(messages::arn_without_action())),
            ("arn:aws:apigateway:us-east-1:lambda:test/2015-03-31", Err(messages::arn_without_action())),
            ("lambda", Err(messages::bad_arn())),
            ("arn:aws:apigateway:us-east-1:firehose:path/2015-03-31", Err(messages::proxy_is_for_lambda())),
            (
                "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations",
                Err(messages::proxy_is_for_lambda()),
            ),
        ];
        for (uri, expected) in cases {
            assert_eq!(check_lambda(uri), expected, "{uri}");
        }
        assert_eq!(check_aws(&lambda, None, "000000000000"), Ok(()));
        let queue = "arn:aws:apigateway:us-east-1:sqs:path/000000000000/q";
        assert_eq!(check_aws(queue, None, "000000000000"), Err(messages::role_needed()));
        let role = "arn:aws:iam::000000000000:role/r";
        assert_eq!(check_aws(queue, Some(role), "000000000000"), Ok(()));
        assert_eq!(check_aws(queue, Some(role), "111111111111"), Err(messages::foreign_role()));
        assert_eq!(check_aws(queue, Some("arn:aws:iam::*:user/*"), "000000000000"), Ok(()));
    }
}
