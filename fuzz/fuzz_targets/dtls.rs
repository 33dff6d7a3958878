//! A DTLS server and what strangers send it: datagrams of any kind, one after the other, each after its length in two
//! bytes.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use stagedoor_dtls::{Identity, Output, Server};

static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(Vec::new()).expect("a certificate");
    Arc::new(
        Identity::new(made.cert.der().to_vec(), &made.signing_key.serialize_der()).expect("a key on P-256"),
    )
});

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut now = Instant::now();
    let mut server = Server::new(IDENTITY.clone(), 1200, now);
    while let Some((length, after)) = rest.split_first_chunk() {
        let (datagram, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        rest = after;
        server.receive(datagram);
        now += Duration::from_millis(100);
        let alive = server.advance(now).is_ok();
        while !matches!(server.poll(), Output::Wait(_)) {}
        if !alive {
            return;
        }
    }
});
