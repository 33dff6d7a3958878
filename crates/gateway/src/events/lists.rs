//! Headers, query parameters and variables as members of an event. Pure.

use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

use crate::spelling::Spelling;
use crate::uri;

/// Names with all their values, in the order in which the names first appeared.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<(String, Vec<String>)>);

impl Lists {
    pub(super) fn of_headers(headers: &HeaderMap, spelling: &Spelling) -> Self {
        let lists = headers.keys().map(|name| (spelling.of(name), values(headers, name)));
        Self(lists.collect())
    }

    pub(super) fn of_query(query: &str) -> Self {
        let mut lists = Self::default();
        for (name, value) in uri::query_pairs(query) {
            match lists.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value.into_owned()),
                None => lists.0.push((name.into_owned(), vec![value.into_owned()])),
            }
        }
        lists
    }

    /// `{"a": "last"}`, or null.
    pub(super) fn last_of_each(&self) -> Value {
        let last = |values: &Vec<String>| values.last().cloned().unwrap_or_default();
        object(self.0.iter().map(|(name, values)| (name.clone(), Value::from(last(values)))))
    }

    /// `{"a": ["first", "last"]}`, or null.
    pub(super) fn all_of_each(&self) -> Value {
        object(self.0.iter().map(|(name, values)| (name.clone(), Value::from(values.clone()))))
    }

    /// `{"a": "first,last"}`, or null.
    pub(super) fn joined(&self) -> Value {
        object(self.0.iter().map(|(name, values)| (name.clone(), Value::from(values.join(",")))))
    }
}

/// All values of a header, as text.
pub(super) fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect()
}

/// An object, or null instead of an empty one.
pub(super) fn object(members: impl Iterator<Item = (String, Value)>) -> Value {
    let members: Map<String, Value> = members.collect();
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

/// A path's variables, as they were sent.
pub(super) fn raw_variables(variables: &[(&str, &str)]) -> Value {
    object(variables.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))))
}

/// A path's variables, decoded.
pub(super) fn variables(variables: &[(&str, &str)]) -> Value {
    let decoded = |value: &str| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
    object(variables.iter().map(|(name, value)| ((*name).to_owned(), Value::from(decoded(value)))))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Version};

    use super::*;

    #[test]
    fn queries_keep_all_values() {
        let lists = Lists::of_query("a=1+2&b=%2B&a=3&c");
        assert_eq!(lists.last_of_each().to_string(), r#"{"a":"3","b":"+","c":""}"#);
        assert_eq!(lists.all_of_each().to_string(), r#"{"a":["1 2","3"],"b":["+"],"c":[""]}"#);
        assert_eq!(lists.joined().to_string(), r#"{"a":"1 2,3","b":"+","c":""}"#);
        assert_eq!(Lists::of_query("").all_of_each(), Value::Null);
    }

    #[test]
    fn headers_are_spelt_as_clients_write_them() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("content-type", "a/b"), ("x-own", "1"), ("x-own", "2"), ("user-agent", "me")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let spelt =
            |version| Lists::of_headers(&headers, &Spelling::new(version, None)).last_of_each().to_string();
        assert_eq!(spelt(Version::HTTP_11), r#"{"Content-Type":"a/b","X-Own":"2","User-Agent":"me"}"#);
        assert_eq!(spelt(Version::HTTP_2), r#"{"content-type":"a/b","x-own":"2","User-Agent":"me"}"#);
    }

    #[test]
    fn variables_are_raw_or_decoded() {
        let found = [("id", "a%2Bb")];
        assert_eq!(raw_variables(&found).to_string(), r#"{"id":"a%2Bb"}"#);
        assert_eq!(variables(&found).to_string(), r#"{"id":"a+b"}"#);
        assert_eq!(variables(&[]), Value::Null);
    }
}
