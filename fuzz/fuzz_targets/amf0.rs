//! AMF 0 from a stranger: it is refused or read, and what was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_rtmp::amf0::{read_all, write_all};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(values) = read_all(bytes) {
        let written = write_all(&values);
        // Texts that were not UTF-8 have grown, so bounds may now be met; and NaN is not itself.
        if let Ok(again) = read_all(&written) {
            assert_eq!(write_all(&again), written);
        }
    }
});
