//! Parameter mappings of HTTP APIs and their integrations with AWS services, each asked of a request with any body. A line
//! `===` parts the two.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::fuzz;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (mappings, body) = text.split_once("\n===\n").unwrap_or((&text, "{}"));
    fuzz::mappings(mappings, body);
});
