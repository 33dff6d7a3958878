//! Makes an answer from what a function of a proxy integration returned: status, headers and body, or a fault. Pure.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>, corrected by
//! recordings, and, for format 2.0,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::answer_names::Spelt;
use crate::fault::GatewayFault;

/// What goes back to the client.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How it wrote the names of the headers.
    pub(crate) spelt: Spelt,
    pub(crate) body: Bytes,
}

type Made<T> = Result<T, GatewayFault>;

/// REST APIs. Base64 is decoded only for clients that accept a binary media type.
pub(crate) fn of_rest(payload: &[u8], accepts_binary: bool) -> Made<Answered> {
    let answer = Envelope::parse(payload)?.only_known_members()?;
    answer.answered(accepts_binary)
}

/// REST APIs, the head of a streamed answer: as [`of_rest`], with cookies and without a body.
pub(crate) fn of_head(head: &[u8]) -> Made<Answered> {
    let head = Envelope::parse(head)?;
    let (headers, spelt) = head.headers()?;
    Ok(Answered { status: head.status()?, headers, spelt, body: Bytes::new() })
}

/// HTTP APIs, payload format 1.0.
pub(crate) fn of_http_v1(payload: &[u8]) -> Made<Answered> {
    Envelope::parse(payload)?.only_known_members()?.answered_as_text()
}

/// HTTP APIs, payload format 2.0: what has no status code is the body itself. The guide says so of JSON; AWS does not
/// look whether it is any, as the tests of aws-lambda-dotnet's test tool (`ToHttpApiV2Response`) found out.
pub(crate) fn of_http_v2(payload: &Bytes) -> Made<Answered> {
    let body = match json(payload) {
        Ok(Value::Object(members)) if members.contains_key("statusCode") => {
            return Envelope(members).answered_as_text();
        }
        Ok(Value::String(text)) => text.into(),
        _ => payload.clone(),
    };
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, JSON)]);
    Ok(Answered { status: StatusCode::OK, headers, spelt: Spelt::default(), body })
}

/// As in AWS's execution logs; gateway responses know it as a configuration error.
const NO_BASE64: &str = "Unable to base64 decode the body.";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// `{"statusCode": …, "headers": …, "multiValueHeaders": …, "body": …, "isBase64Encoded": …}`, all optional.
struct Envelope(Map<String, Value>);

impl Envelope {
    const MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

    fn parse(payload: &[u8]) -> Made<Self> {
        match json(payload)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(malformed("no object")),
        }
    }

    fn only_known_members(self) -> Made<Self> {
        match self.0.keys().find(|name| !Self::MEMBERS.contains(&name.as_str())) {
            Some(name) => Err(malformed(&format!("the member {name:?} is unknown"))),
            None => Ok(self),
        }
    }

    /// As HTTP APIs take it in either format: base64 is always decoded, and what has no type is plain text.
    fn answered_as_text(&self) -> Made<Answered> {
        let mut answer = self.answered(true)?;
        answer.headers.entry(header::CONTENT_TYPE).or_insert(PLAIN_TEXT);
        Ok(answer)
    }

    fn answered(&self, decodes: bool) -> Made<Answered> {
        let status = self.status()?;
        let body = match self.member("body") {
            None => Bytes::new(),
            Some(Value::String(text)) if decodes && self.is_base64()? => {
                let bytes = STANDARD.decode(text);
                bytes.map_err(|_| GatewayFault::Configuration(NO_BASE64.into()))?.into()
            }
            Some(Value::String(text)) => Bytes::from(text.clone()),
            Some(_) => return Err(malformed("the body is no string")),
        };
        self.is_base64()?;
        let (headers, spelt) = self.headers()?;
        Ok(Answered { status, headers, spelt, body })
    }

    /// A member; null is as good as none.
    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn is_base64(&self) -> Made<bool> {
        match self.member("isBase64Encoded") {
            None => Ok(false),
            Some(Value::Bool(is)) => Ok(*is),
            Some(_) => Err(malformed("isBase64Encoded is no boolean")),
        }
    }

    fn status(&self) -> Made<StatusCode> {
        let number = match self.member("statusCode") {
            None => Some(200),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => whole(value).and_then(|number| u16::try_from(number).ok()),
        };
        // 1xx are no answers.
        let status = number.filter(|number| (200..600).contains(number));
        let status = status.and_then(|number| StatusCode::from_u16(number).ok());
        status.ok_or_else(|| malformed("statusCode is none"))
    }

    /// Values of `multiValueHeaders` come first; one that `headers` has too comes once. Cookies of format 2.0 last.
    fn headers(&self) -> Made<(HeaderMap, Spelt)> {
        let (mut headers, mut spelt) = (HeaderMap::new(), Spelt::default());
        for (name, values) in members(self.member("multiValueHeaders"), "multiValueHeaders")? {
            let Value::Array(values) = values else {
                return Err(malformed(&format!("multiValueHeaders has no list for {name:?}")));
            };
            for value in values {
                add(&mut headers, name, value)?;
            }
            spelt.note(name);
        }
        for (name, value) in members(self.member("headers"), "headers")? {
            add(&mut headers, name, value)?;
            spelt.note(name);
        }
        match self.member("cookies") {
            None => {}
            Some(Value::Array(cookies)) => {
                for cookie in cookies {
                    add(&mut headers, header::SET_COOKIE.as_str(), cookie)?;
                }
            }
            Some(_) => return Err(malformed("cookies is no list")),
        }
        Ok((headers, spelt))
    }
}

fn members<'v>(value: Option<&'v Value>, name: &str) -> Made<impl Iterator<Item = (&'v String, &'v Value)>> {
    match value {
        None => Ok(None.into_iter().flatten()),
        Some(Value::Object(members)) => Ok(Some(members).into_iter().flatten()),
        Some(_) => Err(malformed(&format!("{name} is no object"))),
    }
}

fn add(headers: &mut HeaderMap, name: &str, value: &Value) -> Made<()> {
    let text = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            return Err(malformed(&format!("the header {name:?} is no text")));
        }
    };
    let unusable = || malformed(&format!("the header {name:?} cannot be sent"));
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
    let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unusable())?;
    if !headers.get_all(&name).iter().any(|known| known == value) {
        headers.append(name, value);
    }
    Ok(())
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..1000.0).contains(&number);
        is_whole.then_some(number as u64)
    })
}

fn json(payload: &[u8]) -> Made<Value> {
    serde_json::from_slice(payload).map_err(|error| malformed(&error.to_string()))
}

/// AWS's words in the execution log, and why.
fn malformed(why: &str) -> GatewayFault {
    GatewayFault::FunctionFailure(format!("malformed Lambda proxy response: {why}").into())
}

#[cfg(test)]
mod tests;
