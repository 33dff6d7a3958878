//! What users write on the command line: JMESPath (`--query`) and the data it is asked of, shorthand syntax for inputs
//! of any operation, JSON and what is wrong with it. The first byte chooses the operation, a line `===` parts the rest.
//! The parsers stand here as files of their crate, for all of it is private there, and large.
#![no_main]

#[path = "../../crates/cli/src/malformed.rs"]
mod malformed;
#[path = "../../crates/cli/src/query/mod.rs"]
mod query;
#[path = "../../crates/cli/src/shorthand.rs"]
mod shorthand;

use libfuzzer_sys::fuzz_target;
use stagedoor_model::{Kind, Member, SERVICES, Value};

/// Longer expressions are not searched with: each `[@,@]` makes twice as much of its data.
const SEARCHED_BYTES_MAX: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let Some((chosen, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let (words, data) = text.split_once("\n===\n").unwrap_or((&text, "{}"));
    let json = serde_json::from_str::<Value>(data);
    if json.is_ok() {
        assert_eq!(malformed::complaint(data), None);
    } else {
        malformed::complaint(data);
    }
    if let (Ok(query), Ok(data)) = (query::Query::parse(words), json)
        && words.len() <= SEARCHED_BYTES_MAX
    {
        let _ = query.search(&data);
    }
    if let Ok(value) = shorthand::parse(words, &|_| Ok(None)) {
        let operations = SERVICES.iter().flat_map(|service| service.operations);
        for Member { shape, .. } in operations.skip(usize::from(*chosen)).step_by(256).flat_map(members) {
            if let Err(message) = shorthand::adapt(shape, value.clone()) {
                assert!(shorthand::is_of_number(&message), "{message}");
            }
        }
    }
});

fn members(operation: &stagedoor_model::Operation) -> &'static [Member] {
    match &operation.input.kind {
        Kind::Structure { members, .. } => members,
        _ => &[],
    }
}
