//! A DTLS server and what strangers send it: datagrams of any kind, one after the other.
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

fuzz_target!(|datagrams: Vec<Vec<u8>>| {
    let mut now = Instant::now();
    let mut server = Server::new(IDENTITY.clone(), 1200, now);
    for datagram in datagrams {
        server.receive(&datagram);
        now += Duration::from_millis(100);
        let alive = server.advance(now).is_ok();
        while !matches!(server.poll(), Output::Wait(_)) {}
        if !alive {
            return;
        }
    }
});
