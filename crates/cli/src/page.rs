//! All pages of an operation as one answer, by the rules of botocore's paginator: `--max-items` may end in the middle
//! of a page, and the `NextToken` that is printed then says how many of its items were shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stagedoor_model::value::Key;
use stagedoor_model::{Kind, Operation, Paginator, Service, Value};

use crate::client::Client;
use crate::command::{Paging, members};
use crate::failure::{Failure, Result};

/// What all pages gave.
#[derive(Debug, Default)]
pub struct Pages {
    /// The result of each page, as the formats print it: `text` prints page by page.
    pub pages: Vec<Value>,
    /// Where `--starting-token` goes on.
    pub next_token: Option<String>,
}

impl Pages {
    /// One answer with the items of all pages.
    pub fn whole(self, paginator: &Paginator) -> Value {
        let mut result: Vec<(Key, Value)> = Vec::new();
        let mut once: Vec<(Key, Value)> = Vec::new();
        for page in self.pages {
            let Value::Map(entries) = page else { continue };
            for (key, value) in entries {
                if key != paginator.result_key {
                    once.push((key, value));
                    continue;
                }
                match (result.iter_mut().find(|(known, _)| *known == key).map(|(_, whole)| whole), value) {
                    (_, Value::Null) => {}
                    (Some(Value::List(whole)), Value::List(items)) => whole.extend(items),
                    (Some(Value::Map(whole)), Value::Map(items)) => {
                        whole.retain(|(known, _)| !items.iter().any(|(key, _)| key == known));
                        whole.extend(items);
                    }
                    (_, value) => result.push((key, value)),
                }
            }
        }
        result.extend(once);
        result.extend(self.next_token.map(|token| ("NextToken".into(), Value::String(token))));
        Value::Map(result)
    }
}

/// Where to begin: a token of the service, and how many items of its page were shown already.
#[derive(Debug, Default, PartialEq, Eq)]
struct Start {
    token: Option<String>,
    shown: usize,
}

/// What is asked for in pages.
pub struct Paged<'p> {
    pub service: &'static Service,
    pub operation: &'static Operation,
    pub paginator: &'p Paginator,
    /// Whether pages keep the members besides their items.
    pub whole: bool,
}

/// Asks for pages until there are no more, or enough items.
pub async fn all(client: &Client, paged: &Paged<'_>, input: Value, paging: &Paging) -> Result<Pages> {
    let Paged { service, operation, paginator, whole } = *paged;
    let start = paging.starting_token.as_deref().map(|text| parse_token(text, paginator)).unwrap_or_default();
    let mut input = input;
    set(&mut input, paginator.input_token, start.token.clone().map(Value::String));
    if let Some(size) = &paging.page_size {
        set(&mut input, paginator.limit_key, Some(page_size(operation, paginator, size)?));
    }
    let mut pages = Pages::default();
    let (mut token, mut skip, mut total) = (start.token, start.shown, 0);
    loop {
        let answer = client.call_value(service, operation.name, &input).await;
        let answer = answer.map_err(|error| Failure::of_call(operation.name, error))?;
        let mut items = answer.get(paginator.result_key).cloned().unwrap_or_default();
        truncate(&mut items, skip, usize::MAX);
        let count = length(&items);
        let left = paging.max_items.map_or(usize::MAX, |max| max.saturating_sub(total));
        let next =
            answer.get(paginator.output_token).and_then(Value::as_str).filter(|token| !token.is_empty());
        let next = next.map(str::to_owned);
        truncate(&mut items, 0, left);
        let is_first = pages.pages.is_empty();
        pages.pages.push(match answer {
            answer if !whole => selected(paginator, &answer, items, is_first),
            mut answer => {
                set(&mut answer, paginator.result_key, Some(items).filter(|items| !items.is_null()));
                answer
            }
        });
        if count > left {
            pages.next_token = Some(print_token(paginator, token.as_deref(), Some(left + skip)));
            return Ok(pages);
        }
        total += count;
        match next {
            None => return Ok(pages),
            Some(next) if paging.max_items == Some(total) => {
                pages.next_token = Some(print_token(paginator, Some(&next), None));
                return Ok(pages);
            }
            Some(next) if token.as_ref() == Some(&next) && pages.pages.len() > 1 => {
                return Err(Failure::Other(format!(
                    "Error during pagination: The same next token was received twice: {{'{}': '{next}'}}",
                    paginator.input_token
                )));
            }
            Some(next) => {
                set(&mut input, paginator.input_token, Some(Value::String(next.clone())));
                (token, skip) = (Some(next), 0);
            }
        }
    }
}

/// The items of a page; with the first one, what all pages repeat.
fn selected(paginator: &Paginator, answer: &Value, items: Value, is_first: bool) -> Value {
    let mut page = vec![(Key::from(paginator.result_key), items)];
    if is_first {
        let once = paginator.once.iter();
        page.extend(once.map(|name| (Key::from(*name), answer.get(name).cloned().unwrap_or_default())));
    }
    Value::Map(page)
}

/// The limit as its member wants it: most are numbers, those of `apigatewayv2` strings.
fn page_size(operation: &'static Operation, paginator: &Paginator, text: &str) -> Result<Value> {
    let member = members(operation).iter().find(|member| member.name == paginator.limit_key);
    if member.is_some_and(|member| matches!(member.shape.kind, Kind::String)) {
        return Ok(Value::String(text.to_owned()));
    }
    let invalid = |_| Failure::Usage(format!("argument --page-size: invalid int value: '{text}'"));
    text.parse().map(Value::Int).map_err(invalid)
}

fn set(input: &mut Value, name: &'static str, value: Option<Value>) {
    if let (Value::Map(entries), Some(value)) = (input, value) {
        entries.retain(|(key, _)| key != name);
        entries.push((name.into(), value));
    }
}

fn length(items: &Value) -> usize {
    match items {
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => 0,
    }
}

/// Leaves out `skip` items and everything behind the next `keep`.
fn truncate(items: &mut Value, skip: usize, keep: usize) {
    if let Value::List(items) = items {
        items.drain(..skip.min(items.len()));
        items.truncate(keep);
    }
}

// === Tokens: base64 of what Python's `json.dumps` makes of a dictionary ===

fn print_token(paginator: &Paginator, token: Option<&str>, shown: Option<usize>) -> String {
    let token = serde_json::to_string(&token).unwrap_or_default();
    let shown = shown.map_or(String::new(), |shown| format!(", \"boto_truncate_amount\": {shown}"));
    STANDARD.encode(format!("{{\"{}\": {}{shown}}}", paginator.input_token, ascii(&token)))
}

/// JSON with escapes for everything beyond ASCII, as Python writes it.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Text that is no such token is the service's own, perhaps with `___` and the count of shown items behind it.
fn parse_token(text: &str, paginator: &Paginator) -> Start {
    let json = STANDARD.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    if let Some(json @ Value::Map(_)) = json {
        let token = json.get(paginator.input_token).and_then(Value::as_str).map(str::to_owned);
        let shown = match json.get("boto_truncate_amount") {
            Some(Value::Int(shown)) => usize::try_from(*shown).unwrap_or_default(),
            _ => 0,
        };
        return Start { token, shown };
    }
    let (token, shown) = match text.split_once("___").map(|(token, shown)| (token, shown.parse())) {
        Some((token, Ok(shown))) => (token, shown),
        _ => (text, 0),
    };
    Start { token: (token != "None").then(|| token.to_owned()), shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGINATOR: Paginator = Paginator {
        input_token: "position",
        output_token: "position",
        limit_key: "limit",
        result_key: "items",
        once: &[],
    };

    #[test]
    fn tokens_survive_the_way_out_and_back() {
        for (token, shown) in [(None, Some(2)), (Some("abc"), Some(1)), (Some("äöü\""), None)] {
            let printed = print_token(&PAGINATOR, token, shown);
            let expected = Start { token: token.map(str::to_owned), shown: shown.unwrap_or_default() };
            assert_eq!(parse_token(&printed, &PAGINATOR), expected);
        }
        assert_eq!(parse_token("abc___3", &PAGINATOR), Start { token: Some("abc".to_owned()), shown: 3 });
        assert_eq!(parse_token("None", &PAGINATOR), Start::default());
    }

    #[test]
    fn tokens_are_those_of_botocore() {
        // base64 of {"position": null, "boto_truncate_amount": 2}
        let expected = "eyJwb3NpdGlvbiI6IG51bGwsICJib3RvX3RydW5jYXRlX2Ftb3VudCI6IDJ9";
        assert_eq!(print_token(&PAGINATOR, None, Some(2)), expected);
    }
}
