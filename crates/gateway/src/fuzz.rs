//! What fuzz targets may reach of this crate's parsers, which are private: bytes in, nothing out but a panic. Only
//! there with the feature `fuzz`, which nothing that is shipped turns on.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;

use crate::authorize::answer::Answer;
use crate::authorize::source;
use crate::coding::{self, Coding};
use crate::heads::Heads;
use crate::http_api::expression::{Expression, Side, Values};
use crate::http_api::parameters::Parameters;
use crate::http_api::service::Service;
use crate::json_schema::Schema;
use crate::lambda::event_stream;
use crate::logs::{Format, Told};
use crate::mapping::{self, BodyView, Source, Target, View};
use crate::steps::function_answer::{self, Answered};
use crate::uri::{self, UriTemplate};
use crate::{Address, lenient};

/// The head of the request that is being served, as it was written; `None` if that is not known.
///
/// # Panics
/// It lacks one of these names.
pub fn written(heads: &Heads, method: &Method, names: &HeaderMap) -> Option<Vec<u8>> {
    let written = heads.current(method)?;
    for name in names.keys() {
        assert!(written.spelling(name).is_some(), "{name} is lost");
    }
    Some(written.bytes().to_vec())
}

/// Expressions of every kind that definitions may hold, read and then asked of a request with this body.
///
/// # Panics
/// An integration's address names no host.
pub fn expressions(text: &str, body: &str) {
    asked(body, |values| {
        for side in [Side::Request, Side::Response] {
            let Ok(expression) = Expression::parse(text, side) else { continue };
            expression.value(values);
            expression.path_value(values);
        }
        let json = mapping::body_json(body).ok().flatten();
        let view = View {
            path: values.path_variables,
            query: values.query,
            headers: values.headers,
            way: None,
            stage_variables: values.stage_variables,
            context: values.context,
            body: BodyView { text: body, json: json.as_ref() },
        };
        for source in [Source::of_request(text), Source::of_response(text)].into_iter().flatten() {
            source.values(&view);
        }
        let _ = (Target::parse(text), mapping::response_header(text), source::Source::parse_list(text));
        let filled = UriTemplate::parse(text)
            .fill(values.stage_variables, |name| Some(uri::encode_path(name).into_owned().into()));
        if let Ok(uri) = uri::endpoint(filled) {
            assert!(uri.host().is_some_and(|host| !host.is_empty()));
        }
    });
}

/// A request with this body, for expressions to read from.
fn asked<T>(body: &str, ask: impl FnOnce(&Values<'_>) -> T) -> T {
    ask(&Values {
        headers: &HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("a, b"))]),
        way: None,
        query: "x=1&y=%zz&y=+&=&x",
        path: "/a/b",
        path_variables: &[("id", "a%2Fb")],
        body: body.as_bytes(),
        stage_variables: &BTreeMap::from([("x".to_owned(), "a b".to_owned())]),
        context: &|name| (name.len() < 9).then(|| body.to_owned()),
        json: OnceCell::new(),
    })
}

/// Parameter mappings, lines of a key, `=` and a value, and integrations with services, whose first line is their
/// subtype; applied to a request with this body.
///
/// # Panics
/// A value leaves its part of an address, or makes a status that cannot be sent.
pub fn mappings(text: &str, body: &str) {
    let stored = |lines: &str| -> BTreeMap<String, String> {
        let pairs = lines.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    asked(body, |values| {
        let mut headers = values.headers.clone();
        if let Ok(parameters) = Parameters::of_request(&stored(text))
            && let Ok(target) = parameters.change_request(values, &mut headers, values.query)
        {
            stays_apart(target.path.as_deref().unwrap_or("/"), &target.query);
        }
        let mut status = StatusCode::OK;
        if let Ok(parameters) = Parameters::of_response(&stored(text))
            && parameters.change_response(values, &mut headers, &mut status).is_ok()
        {
            assert!(status.as_u16() >= 200, "{status}");
        }
        if let Some((subtype, lines)) = text.split_once('\n')
            && let Ok(service) = Service::parse(subtype, &stored(lines))
            && let Ok(call) = service.call(values, &mut "eu-west-1".to_owned())
        {
            stays_apart(&call.path, &call.query);
        }
    });
}

/// A path and a query that are an address together are the same ones in it.
fn stays_apart(path: &str, query: &str) {
    assert!(path.starts_with('/'), "{path}");
    if let Ok(uri) = format!("{path}?{query}").parse::<Uri>() {
        assert_eq!((uri.path(), uri.query()), (path, Some(query)));
    }
}

/// A line of a log with this value for each variable.
///
/// # Panics
/// The value makes two lines of one, or no JSON of what is JSON with variables in its texts.
pub fn log_line(format: &str, value: &str) {
    let read = Format::parse(format);
    let line = |value: &str| {
        read.line(|line, _, _| {
            line.push_str(value);
            Told::Now
        })
    };
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    let told = line(value);
    assert!(format.contains(['\r', '\n']) || !told.contains(['\r', '\n']), "{told:?}");
    // No text of JSON but a string has this letter, and no escape. What is quoted by definition is another matter.
    let has_texts_alone =
        is_json(&line("q")) && !read.names().iter().any(|name| name == "error.messageString");
    if format.starts_with('{') && has_texts_alone {
        assert!(is_json(&told), "{told:?}");
    }
}

/// The address that a host and a target name, and the path that follows it.
///
/// # Panics
/// The path is none of the target.
pub fn address(host: &str, target: &str) {
    let Ok(uri) = target.parse::<Uri>() else { return };
    if let Some(address) = Address::of(Some(host), uri.path()) {
        assert!(uri.path().ends_with(address.path(&uri)));
        assert!(!address.api.is_empty());
    }
}

/// What a function returned, or an authorizer did, in every format.
///
/// # Panics
/// An answer has a status that cannot be sent.
pub fn function_answers(payload: &Bytes) {
    let answers = [
        function_answer::of_rest(payload, false),
        function_answer::of_rest(payload, true),
        function_answer::of_head(payload),
        function_answer::of_http_v1(payload),
        function_answer::of_http_v2(payload),
    ];
    for Answered { status, .. } in answers.into_iter().flatten() {
        assert!((200..600).contains(&status.as_u16()), "{status}");
    }
    let _ = (Answer::with_policy(payload), Answer::simple(payload));
}

/// Frames of a streamed answer, which come in two parts.
///
/// # Panics
/// Where the parts are cut makes a difference.
pub fn event_stream(bytes: &[u8], cut: usize) {
    let read = |parts: &[&[u8]]| {
        let mut reader = event_stream::Reader::default();
        let mut events = Vec::new();
        for part in parts {
            reader.add(part);
            while let Some(event) = reader.next()? {
                events.push(event);
            }
        }
        Ok::<_, event_stream::Unreadable>(events)
    };
    let (before, after) = bytes.split_at(cut.min(bytes.len()));
    assert_eq!(read(&[bytes]), read(&[before, after]));
}

/// JSON as `MOCK` integrations take it.
///
/// # Panics
/// What is JSON is read as something else.
pub fn lenient_json(text: &str) {
    let read = lenient::parse(text);
    let Ok(json) = serde_json::from_str::<Value>(text) else { return };
    if depth(&json) < 30 {
        assert_eq!(read, Some(json));
    }
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => None,
    };
    1 + inner.unwrap_or_default()
}

/// A model and the body that it checks. The model may refer to itself as `Self`.
pub fn json_schema(schema: &str, body: &str) {
    let (Ok(schema), Ok(body)) = (serde_json::from_str::<Value>(schema), serde_json::from_str(body)) else {
        return;
    };
    if let Ok(read) = Schema::read(&schema, &|name: &str| (name == "Self").then_some(&schema)) {
        read.errors(&body);
    }
}

/// A packed body, and what clients say of codings.
///
/// # Panics
/// More is unpacked than allowed, or what is packed is unpacked to something else.
pub fn content_coding(bytes: &[u8]) {
    const BYTES_MAX: usize = 100_000;
    for coding in [Coding::Gzip, Coding::Deflate] {
        if let Ok(unpacked) = coding.decode(bytes, BYTES_MAX) {
            assert!(unpacked.len() <= BYTES_MAX);
        }
        let packed = coding.encode(bytes).expect("written to memory");
        assert_eq!(coding.decode(&packed, bytes.len()).as_deref(), Ok(bytes));
    }
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        coding::of_body(&HeaderMap::from_iter([(header::CONTENT_ENCODING, value.clone())]));
        coding::accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]));
    }
}
