//! Bodies: packed ones, JSON that is read leniently, and models with what they check, which a line `===` parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::fuzz;

fuzz_target!(|bytes: &[u8]| {
    fuzz::content_coding(bytes);
    let text = String::from_utf8_lossy(bytes);
    fuzz::lenient_json(&text);
    if let Some((schema, body)) = text.split_once("\n===\n") {
        fuzz::json_schema(schema, body);
    }
});
