//! Expressions of mappings, addresses of integrations and formats of logs, each asked of a request with any body; and
//! the addresses that requests name. A line `===` parts the two.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::fuzz;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (expression, body) = text.split_once("\n===\n").unwrap_or((&text, "{}"));
    fuzz::expressions(expression, body);
    fuzz::address(expression, body);
});
