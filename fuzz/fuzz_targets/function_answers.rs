//! What functions and authorizers return, in all formats, and the frames of streamed answers.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::fuzz;

fuzz_target!(|bytes: &[u8]| {
    fuzz::function_answers(&Bytes::copy_from_slice(bytes));
    fuzz::event_stream(bytes, bytes.len() / 2);
});
