//! Parameter mappings of HTTP APIs, applied: `append|overwrite|remove` of headers, query, path and status.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>. Everything is read
//! from the message as it came. The guide names no order, so removals come first, then what overwrites, then what is
//! appended. A mapping whose value is missing does nothing. Pure.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use stagedoor_state::http::is_reserved_header;

use super::expression::{Expression, Invalid, Side, Values};
use crate::answer_names::Spelt;
use crate::fault::GatewayFault;
use crate::{headers, uri};

/// A whole map of mappings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    /// In the order in which they are applied.
    list: Vec<Parameter>,
    /// How they write the names of headers.
    spelt: Spelt,
}

#[derive(Clone, Debug)]
struct Parameter {
    operation: Operation,
    place: Place,
    value: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Remove,
    Overwrite,
    Append,
}

#[derive(Clone, Debug)]
enum Place {
    Header(HeaderName),
    Query(String),
    Path,
    Status,
}

/// A request's address, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Encoded; `None` where no mapping says it.
    pub(crate) path: Option<String>,
    /// Encoded.
    pub(crate) query: String,
}

impl Parameters {
    /// Reads `requestParameters`.
    pub(crate) fn of_request(stored: &BTreeMap<String, String>) -> Result<Self, Invalid> {
        Self::parse(stored, Side::Request)
    }

    /// Reads the map of one status code of `responseParameters`.
    pub(crate) fn of_response(stored: &BTreeMap<String, String>) -> Result<Self, Invalid> {
        Self::parse(stored, Side::Response)
    }

    fn parse(stored: &BTreeMap<String, String>, side: Side) -> Result<Self, Invalid> {
        let mut parameters: Vec<Parameter> =
            stored.iter().map(|(key, value)| Parameter::parse(key, value, side)).collect::<Result<_, _>>()?;
        parameters.sort_by_key(|parameter| parameter.operation);
        let spelt =
            Spelt::of(stored.keys().filter_map(|key| key.split_once(":header.")).map(|(_, name)| name));
        Ok(Self { list: parameters, spelt })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How the names of headers are written that they set.
    pub(crate) fn spelt(&self) -> &Spelt {
        &self.spelt
    }

    /// Whether [`Values::body`] must be there.
    pub(crate) fn read_body(&self) -> bool {
        self.list.iter().any(|parameter| parameter.value.reads_body())
    }

    /// Changes a request.
    ///
    /// # Errors
    /// When a value cannot stand in a header.
    pub(crate) fn change_request(
        &self,
        values: &Values<'_>,
        headers: &mut HeaderMap,
        query: &str,
    ) -> Result<Target, GatewayFault> {
        let mut target = Target { path: None, query: query.to_owned() };
        for parameter in &self.list {
            match &parameter.place {
                Place::Header(name) => parameter.change_header(name, values, headers)?,
                Place::Query(name) => parameter.change_query(name, values, &mut target.query),
                Place::Path => {
                    target.path = parameter.value.path_value(values).map(|path| with_slash(&path));
                }
                Place::Status => {}
            }
        }
        Ok(target)
    }

    /// Changes an answer.
    ///
    /// # Errors
    /// When a value cannot stand in a header, or is no status code.
    pub(crate) fn change_response(
        &self,
        values: &Values<'_>,
        headers: &mut HeaderMap,
        status: &mut StatusCode,
    ) -> Result<(), GatewayFault> {
        for parameter in &self.list {
            match &parameter.place {
                Place::Header(name) => parameter.change_header(name, values, headers)?,
                Place::Status => {
                    if let Some(text) = parameter.value.value(values) {
                        *status = StatusCode::from_bytes(text.trim().as_bytes())
                            .ok()
                            .filter(|status| status.as_u16() >= 200)
                            .ok_or_else(|| unusable("overwrite:statuscode", "is no status code"))?;
                    }
                }
                Place::Query(_) | Place::Path => {}
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn parse(key: &str, value: &str, side: Side) -> Result<Self, Invalid> {
        let invalid = || Invalid(format!("Invalid mapping expression specified: {key}"));
        let (operation, place) = key.split_once(':').ok_or_else(invalid)?;
        let operation = match operation {
            "append" => Operation::Append,
            "overwrite" => Operation::Overwrite,
            "remove" => Operation::Remove,
            _ => return Err(invalid()),
        };
        let place = match (place.split_once('.'), side) {
            (Some(("header", name)), _) => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
                if is_reserved(&name) {
                    return Err(Invalid(format!("Operations on header {name} are restricted")));
                }
                Place::Header(name)
            }
            (Some(("querystring", name)), Side::Request) if !name.is_empty() => Place::Query(name.to_owned()),
            (None, Side::Request) if place == "path" && operation == Operation::Overwrite => Place::Path,
            (None, Side::Response) if place == "statuscode" && operation == Operation::Overwrite => {
                Place::Status
            }
            _ => return Err(invalid()),
        };
        // What stands beside a removal has no meaning; the console writes `''`.
        let value = if operation == Operation::Remove { "" } else { value };
        Ok(Self { operation, place, value: Expression::parse(value, side)? })
    }

    fn change_header(
        &self,
        name: &HeaderName,
        values: &Values<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), GatewayFault> {
        if self.operation == Operation::Remove {
            headers.remove(name);
            return Ok(());
        }
        let Some(text) = self.value.value(values) else { return Ok(()) };
        let value: HeaderValue =
            headers::value(&text).ok_or_else(|| unusable(name.as_str(), "cannot stand in a header"))?;
        if self.operation == Operation::Append {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
        Ok(())
    }

    fn change_query(&self, name: &str, values: &Values<'_>, query: &mut String) {
        let value = match self.operation {
            Operation::Remove => None,
            Operation::Overwrite | Operation::Append => match self.value.value(values) {
                Some(value) => Some(value),
                None => return,
            },
        };
        if self.operation != Operation::Append {
            let others = query
                .split('&')
                .filter(|pair| !pair.is_empty() && uri::query_pairs(pair).all(|(known, _)| known != name));
            *query = others.collect::<Vec<_>>().join("&");
        }
        if let Some(value) = value {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&format!("{}={}", uri::encode_query(name), uri::encode_query(&value)));
        }
    }
}

fn unusable(what: &str, why: &str) -> GatewayFault {
    GatewayFault::Configuration(format!("the value mapped onto {what} {why}").into())
}

/// A path with its slash, and without what would end it.
fn with_slash(path: &str) -> String {
    let path = path.replace('?', "%3F").replace('#', "%23").replace(' ', "%20");
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// Headers that no mapping may touch. `Trailer` belongs to the connection, whatever AWS's list says.
fn is_reserved(name: &HeaderName) -> bool {
    name == http::header::TRAILER || is_reserved_header(name.as_str())
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn changed(pairs: &[(&str, &str)]) -> Result<String, GatewayFault> {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-a", "1"), ("x-b", "2")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let sent = headers.clone();
        let values = Values {
            headers: &sent,
            way: None,
            query: "a=1&b=2&a=3",
            path: "/p/q",
            path_variables: &[],
            body: b"{\"evil\": \"a\\r\\nx: y\"}",
            stage_variables: &BTreeMap::new(),
            context: &|_| None,
            json: OnceCell::new(),
        };
        let parameters = Parameters::of_request(&map(pairs)).expect("mappings");
        let target = parameters.change_request(&values, &mut headers, values.query)?;
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}", value.to_str().unwrap_or_default()))
            .collect();
        Ok(format!("{} {}?{}", headers.join(" "), target.path.unwrap_or_default(), target.query))
    }

    fn check(pairs: &[(&str, &str)], expected: &str) {
        assert_eq!(changed(pairs).expect("values that fit"), expected, "{pairs:?}");
    }

    #[test]
    fn requests_are_changed() {
        check(&[], "x-a:1 x-b:2 ?a=1&b=2&a=3");
        check(&[("overwrite:header.X-A", "$request.header.x-b")], "x-a:2 x-b:2 ?a=1&b=2&a=3");
        check(&[("append:header.x-a", "$request.header.x-a")], "x-a:1 x-a:1 x-b:2 ?a=1&b=2&a=3");
        check(&[("remove:header.x-a", "''")], "x-b:2 ?a=1&b=2&a=3");
        check(&[("overwrite:header.x-a", "$request.header.none")], "x-a:1 x-b:2 ?a=1&b=2&a=3");
        check(&[("overwrite:querystring.a", "x y")], "x-a:1 x-b:2 ?b=2&a=x%20y");
        check(&[("append:querystring.c", "$request.querystring.a")], "x-a:1 x-b:2 ?a=1&b=2&a=3&c=1%2C3");
        check(&[("remove:querystring.a", "")], "x-a:1 x-b:2 ?b=2");
        check(&[("overwrite:path", "$request.path")], "x-a:1 x-b:2 /p/q?a=1&b=2&a=3");
        check(&[("overwrite:path", "x?y#z")], "x-a:1 x-b:2 /x%3Fy%23z?a=1&b=2&a=3");
        check(
            &[("append:header.x-c", "new"), ("remove:header.x-c", ""), ("overwrite:header.x-c", "first")],
            "x-a:1 x-b:2 x-c:first x-c:new ?a=1&b=2&a=3",
        );
    }

    #[test]
    fn nothing_is_smuggled_into_headers() {
        assert!(changed(&[("overwrite:header.x-a", "$request.body.evil")]).is_err());
    }

    #[test]
    fn keys_that_cannot_be_are_refused() {
        for key in [
            "header.x",
            "set:header.x",
            "append:path",
            "remove:path",
            "overwrite:statuscode",
            "overwrite:querystring.",
            "overwrite:header.a b",
            "overwrite:header.Authorization",
            "append:header.x-amzn-trace-id",
            "remove:header.X-Forwarded-For",
            "overwrite:body",
        ] {
            assert!(Parameters::of_request(&map(&[(key, "x")])).is_err(), "{key}");
        }
        for key in ["overwrite:path", "append:querystring.x", "overwrite:header.Access-Control-Allow-Origin"]
        {
            assert!(Parameters::of_response(&map(&[(key, "x")])).is_err(), "{key}");
        }
        let refused = Parameters::of_request(&map(&[("remove:header.Via", "")])).expect_err("reserved");
        assert_eq!(refused.0, "Operations on header via are restricted");
    }
}
