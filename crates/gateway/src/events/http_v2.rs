//! The event of an HTTP API's `AWS_PROXY` integration, payload format 2.0: members without a value are absent.

use bytes::Bytes;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{body, lists};
use crate::fault::GatewayFault;
use crate::forwarded;
use crate::headers;
use crate::http_api::call::Call;

/// # Errors
/// When the path cannot be decoded as AWS does it.
pub(crate) fn event(call: &Call<'_>, sent: &Bytes) -> Result<Bytes, GatewayFault> {
    let told = body::of_http(sent, &call.head.headers);
    let path = told_path(&call.full_path).ok_or(GatewayFault::RequestUnreadable)?;
    let mut event = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            event.insert(name.to_owned(), value);
        }
    };
    add("version", "2.0".into());
    add("routeKey", call.routed.route.key.as_str().into());
    add("rawPath", path.as_str().into());
    add("rawQueryString", call.query().into());
    add("cookies", cookies(&call.head.headers));
    add("headers", told_headers(call, sent.len()));
    add("queryStringParameters", lists::Lists::of_query(call.query()).joined());
    add("requestContext", context(call, &path));
    add("body", told.text.into());
    add("pathParameters", lists::variables(&call.routed.variables));
    add("isBase64Encoded", told.is_base64.into());
    let variables = &call.located.stage.variables;
    add("stageVariables", if variables.is_empty() { Value::Null } else { json!(variables) });
    Ok(Value::Object(event).to_string().into())
}

/// A path as format 2.0 tells it: decoded, cut off at what then is a question mark, and decoded again. Format 1.0 and
/// REST APIs leave it as it was sent. From requests to AWS in July 2026, whose answers hotsock/voker keeps in
/// `vokerhttp/testdata`; `None` stands for the 400 that was answered to `percent%25done`.
pub(super) fn told_path(path: &str) -> Option<String> {
    let once = decoded(path)?;
    decoded(once.split('?').next().unwrap_or_default())
}

/// `None` if a percent sign is not followed by two digits.
fn decoded(text: &str) -> Option<String> {
    let is_escape = |(at, _)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let whole = text.match_indices('%').all(is_escape);
    whole.then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

pub(super) fn cookies(headers: &HeaderMap) -> Value {
    let lines = lists::values(headers, &header::COOKIE);
    let cookies: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
        .collect();
    if cookies.is_empty() { Value::Null } else { json!(cookies) }
}

/// Lower-case names; several values become one.
pub(super) fn told_headers(call: &Call<'_>, body_bytes: usize) -> Value {
    let told = sent_headers(call, body_bytes);
    let names = told.keys().filter(|name| *name != header::COOKIE);
    lists::object(names.map(|name| (name.to_string(), lists::values(&told, name).join(",").into())))
}

/// The client's headers and what the gateway adds. The body's length is told also if it is 0.
pub(super) fn sent_headers(call: &Call<'_>, body_bytes: usize) -> HeaderMap {
    let mut told = call.head.headers.clone();
    headers::remove_hop_by_hop(&mut told);
    told.insert(header::CONTENT_LENGTH, body_bytes.into());
    forwarded::add_with_host(&mut told, call.visit, &call.shared.config);
    told
}

/// `path` as [`told_path`] has it.
pub(super) fn context(call: &Call<'_>, path: &str) -> Value {
    let text = |name: &str| call.context(name).unwrap_or_default();
    let mut context = json!({
        "accountId": text("accountId"),
        "apiId": text("apiId"),
        "domainName": text("domainName"),
        "domainPrefix": text("domainPrefix"),
        "http": {
            "method": call.routed.verb.as_str(),
            "path": path,
            "protocol": text("protocol"),
            "sourceIp": text("identity.sourceIp"),
            "userAgent": text("identity.userAgent"),
        },
        "requestId": text("requestId"),
        "routeKey": call.routed.route.key,
        "stage": call.located.stage.name,
        "time": text("requestTime"),
        "timeEpoch": u64::try_from(call.visit.time.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(cert) = &call.visit.client_cert {
        context["authentication"] = json!({"clientCert": cert.told()});
    }
    let authorizer = call.caller.http_v2_authorizer();
    if !authorizer.is_null() {
        context["authorizer"] = authorizer;
    }
    context
}

#[cfg(test)]
mod tests {
    use super::told_path;

    /// Paths that AWS was asked for, and what a function was told.
    #[test]
    fn paths_are_told_decoded_as_captured() {
        for (sent, told) in [
            ("/capture/plain", Some("/capture/plain")),
            ("/capture/space%20value", Some("/capture/space value")),
            ("/capture/question%3Fvalue", Some("/capture/question")),
            ("/capture/percent%25done", None),
            ("/capture/hash%23value", Some("/capture/hash#value")),
            ("/capture/slash%2Fvalue", Some("/capture/slash/value")),
            ("/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C", Some("/capture/unicode-λ-世界")),
            ("/capture/literal%252Fvalue", Some("/capture/literal/value")),
            ("/capture/literal%253Fvalue", Some("/capture/literal?value")),
            ("/capture/literal%2525value", Some("/capture/literal%value")),
            ("/a+b", Some("/a+b")),
            ("/a%", None),
            ("/a%4", None),
        ] {
            assert_eq!(told_path(sent).as_deref(), told, "{sent}");
        }
    }
}
