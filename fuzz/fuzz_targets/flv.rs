//! The bodies of FLV tags from a publisher: configurations, access units, frames.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_rtmp::flv::{self, Video};

fuzz_target!(|bytes: &[u8]| {
    let tag: bytes::Bytes = bytes.to_vec().into();
    let _ = flv::audio(tag.clone());
    if let Ok(Video::Config(config)) = flv::video(tag.clone()) {
        let _ = config.units(tag);
    }
});
