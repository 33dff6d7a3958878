//! Formats of access logs, and the value of every variable, after a line `===`: a line stays one, and JSON stays JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::fuzz;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (format, value) = text.split_once("\n===\n").unwrap_or((&text, "a"));
    fuzz::log_line(format, value);
});
