//! Our server and `dimpl` as its client, wired together in simulated time: whole handshakes over good links and bad
//! ones, data, farewells, and what strangers throw in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, certificate::generate_self_signed_certificate};
use proptest::prelude::*;
use stagedoor_dtls::{Error, Identity, Output, Profile, Server};

const DATAGRAM_MAX: usize = 1200;
const DELAY: Duration = Duration::from_millis(20);

/// What becomes of a datagram that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    Late,
}

/// A client, a server, and the datagrams between them.
struct Wire {
    now: Instant,
    client: Dtls,
    server: Server,
    /// Arrival, whether it is for the server, contents.
    under_way: Vec<(Instant, bool, Vec<u8>)>,
    fates: Vec<Fate>,
    sent: usize,
    from_server: Vec<Vec<u8>>,
    from_client: Vec<Vec<u8>>,
    client_said: Said,
    server_said: Said,
}

/// What one side told.
#[derive(Default)]
struct Said {
    connected: bool,
    closed: bool,
    certificate: Vec<u8>,
    keys: Option<(String, Vec<u8>)>,
    data: Vec<Vec<u8>>,
    error: Option<Error>,
    wait: Option<Instant>,
}

fn identity(certificate: &DtlsCertificate) -> Arc<Identity> {
    Arc::new(Identity::new(certificate.certificate.clone(), &certificate.private_key).unwrap())
}

impl Wire {
    #[expect(clippy::disallowed_methods, reason = "an instant to begin with; time is simulated from there")]
    fn new(
        client_mtu: usize,
        server_mtu: usize,
        fates: Vec<Fate>,
    ) -> (Wire, DtlsCertificate, DtlsCertificate) {
        let now = Instant::now();
        let (ours, theirs) =
            (generate_self_signed_certificate().unwrap(), generate_self_signed_certificate().unwrap());
        let config = Config::builder().mtu(client_mtu).build().unwrap();
        let mut client = Dtls::new_12(Arc::new(config), theirs.clone(), now);
        client.set_active(true);
        client.handle_timeout(now).unwrap();
        let _ = client.handle_packet(&[]);
        let wire = Wire {
            now,
            client,
            server: Server::new(identity(&ours), server_mtu, now),
            under_way: Vec::new(),
            fates,
            sent: 0,
            from_server: Vec::new(),
            from_client: Vec::new(),
            client_said: Said::default(),
            server_said: Said::default(),
        };
        (wire, ours, theirs)
    }

    fn good() -> Wire {
        Wire::new(DATAGRAM_MAX, DATAGRAM_MAX, Vec::new()).0
    }

    fn send(&mut self, to_server: bool, datagram: Vec<u8>) {
        let fate = self.fates.get(self.sent).copied().unwrap_or(Fate::Arrives);
        self.sent += 1;
        let at = self.now + DELAY;
        match fate {
            Fate::Arrives => self.under_way.push((at, to_server, datagram.clone())),
            Fate::Lost => {}
            Fate::Twice => {
                self.under_way.extend([(at, to_server, datagram.clone()), (at, to_server, datagram.clone())])
            }
            Fate::Late => self.under_way.push((at + 2 * DELAY, to_server, datagram.clone())),
        }
        let kept = if to_server { &mut self.from_client } else { &mut self.from_server };
        kept.push(datagram);
    }

    fn poll_server(&mut self) {
        loop {
            match self.server.poll() {
                Output::Datagram(datagram) => self.send(false, datagram),
                Output::Certificate(certificate) => {
                    assert!(!self.server_said.connected, "the certificate comes first");
                    self.server_said.certificate = certificate;
                }
                Output::SrtpKeys(profile, keys) => self.server_said.keys = Some((name(profile).into(), keys)),
                Output::Connected => self.server_said.connected = true,
                Output::Data(data) => self.server_said.data.push(data),
                Output::Closed => self.server_said.closed = true,
                Output::Wait(until) => {
                    self.server_said.wait = Some(until);
                    return;
                }
            }
        }
    }

    fn poll_client(&mut self) {
        let mut buffer = vec![0; 4096];
        loop {
            let mut packet = None;
            match self.client.poll_output(&mut buffer) {
                dimpl::Output::Packet(datagram) => packet = Some(datagram.to_vec()),
                dimpl::Output::PeerCert(certificate) => self.client_said.certificate = certificate.to_vec(),
                dimpl::Output::KeyingMaterial(keys, profile) => {
                    self.client_said.keys = Some((profile.to_string(), keys.as_ref().to_vec()));
                }
                dimpl::Output::Connected => self.client_said.connected = true,
                dimpl::Output::ApplicationData(data) => self.client_said.data.push(data.to_vec()),
                dimpl::Output::CloseNotify => self.client_said.closed = true,
                dimpl::Output::Timeout(until) => {
                    self.client_said.wait = Some(until);
                    return;
                }
                other => panic!("unexpected: {other:?}"),
            }
            if let Some(packet) = packet {
                self.send(true, packet);
            }
        }
    }

    /// One round: what is due happens, then time moves on to whatever comes next.
    fn step(&mut self) {
        let client_lives = self.client.handle_timeout(self.now).is_ok();
        self.poll_client();
        if !client_lives {
            self.client_said.wait = None;
        }
        if let Err(error) = self.server.advance(self.now) {
            self.server_said.error = Some(error);
        }
        self.poll_server();
        self.under_way.sort_by_key(|(at, ..)| *at);
        let waits =
            [self.client_said.wait, self.server_said.wait, self.under_way.first().map(|(at, ..)| *at)];
        let next = waits.into_iter().flatten().min().unwrap();
        self.now = self.now.max(next);
        let due = self.under_way.partition_point(|(at, ..)| *at <= self.now);
        for (_, to_server, datagram) in self.under_way.drain(..due).collect::<Vec<_>>() {
            if to_server {
                self.server.receive(&datagram);
                self.poll_server();
            } else {
                let _ = self.client.handle_packet(&datagram);
                self.poll_client();
            }
        }
    }

    /// Steps until that is so, for half a minute of simulated time at most.
    fn until(&mut self, wanted: impl Fn(&Wire) -> bool) -> bool {
        let deadline = self.now + Duration::from_secs(30);
        for _ in 0..2000 {
            if wanted(self) {
                return true;
            }
            if self.now > deadline {
                return false;
            }
            self.step();
        }
        false
    }

    fn connects(&mut self) -> bool {
        self.until(|wire| wire.client_said.connected && wire.server_said.connected)
    }
}

fn name(profile: Profile) -> &'static str {
    match profile {
        Profile::Aes256Gcm => "SRTP_AEAD_AES_256_GCM",
        Profile::Aes128Gcm => "SRTP_AEAD_AES_128_GCM",
        Profile::Aes128CmSha1 => "SRTP_AES128_CM_SHA1_80",
    }
}

#[test]
fn both_sides_have_the_same_keys_and_each_others_certificate() {
    let (mut wire, ours, theirs) = Wire::new(DATAGRAM_MAX, DATAGRAM_MAX, Vec::new());
    assert!(wire.connects());
    assert_eq!(wire.server_said.certificate, theirs.certificate);
    assert_eq!(wire.client_said.certificate, ours.certificate);
    assert_eq!(wire.client_said.keys, wire.server_said.keys);
    let (profile, keys) = wire.server_said.keys.as_ref().unwrap();
    assert_eq!((profile.as_str(), keys.len()), ("SRTP_AEAD_AES_256_GCM", 88));
    assert_eq!(wire.from_server.len(), 2, "a flight is a datagram");
}

#[test]
fn flights_are_cut_to_the_size_of_datagrams() {
    let (mut wire, ..) = Wire::new(300, 300, Vec::new());
    assert!(wire.connects());
    assert!(wire.from_server.len() > 3);
    assert!(wire.from_server.iter().all(|datagram| datagram.len() <= 300));
}

#[test]
fn data_flows_both_ways_and_each_record_counts_once() {
    let mut wire = Wire::good();
    assert_eq!(wire.server.send(b"too soon"), Err(Error::NotConnected));
    assert!(wire.connects());
    assert_eq!(wire.server.send(&[0; 16 * 1024 + 1]), Err(Error::TooLong));
    wire.server.send(b"to the client").unwrap();
    wire.client.send_application_data(b"to the server").unwrap();
    assert!(wire.until(|wire| !wire.client_said.data.is_empty() && !wire.server_said.data.is_empty()));
    assert_eq!(wire.client_said.data, [b"to the client"]);
    assert_eq!(wire.server_said.data, [b"to the server"]);
    let replayed = wire.from_client.last().unwrap().clone();
    wire.server.receive(&replayed);
    wire.poll_server();
    assert_eq!(wire.server_said.data.len(), 1);
}

#[test]
fn either_side_says_goodbye() {
    let mut wire = Wire::good();
    assert!(wire.connects());
    wire.client.close().unwrap();
    assert!(wire.until(|wire| wire.server_said.closed));
    assert!(wire.server.is_closed());
    assert_eq!(wire.server.send(b"too late"), Err(Error::NotConnected));

    let mut wire = Wire::good();
    assert!(wire.connects());
    wire.server.close();
    assert!(wire.until(|wire| wire.client_said.closed));
}

#[test]
fn a_lost_last_flight_is_sent_again_when_the_client_repeats_its_own() {
    // Hello, our flight, the client's flight, our last one: lost three times.
    let fates = [vec![Fate::Arrives; 3], vec![Fate::Lost]].concat();
    let (mut wire, ..) = Wire::new(DATAGRAM_MAX, DATAGRAM_MAX, fates);
    assert!(wire.until(|wire| wire.server_said.connected));
    assert!(!wire.client_said.connected);
    assert!(wire.connects());
}

#[test]
fn a_client_that_falls_silent_is_given_up() {
    let fates = [vec![Fate::Arrives; 2], vec![Fate::Lost; 1000]].concat();
    let (mut wire, ..) = Wire::new(DATAGRAM_MAX, DATAGRAM_MAX, fates);
    let began = wire.now;
    for _ in 0..500 {
        wire.step();
        if wire.server_said.error.is_some() {
            break;
        }
    }
    assert_eq!(wire.server_said.error, Some(Error::Timeout));
    assert!(wire.now - began < Duration::from_secs(35));
    assert!(wire.from_server.len() <= 13, "{} datagrams", wire.from_server.len());
}

#[test]
fn who_is_refused_is_told_why() {
    let mut wire = Wire::good();
    wire.poll_client();
    let mut hello = wire.from_client[0].clone();
    // The version behind the headers of record and message: DTLS 1.0.
    hello[25..27].copy_from_slice(&[0xfe, 0xff]);
    wire.server.receive(&hello);
    assert_eq!(wire.server.advance(wire.now), Ok(()), "the alert has not been taken yet");
    let Output::Datagram(alert) = wire.server.poll() else { panic!("no alert") };
    let protocol_version = 70;
    assert_eq!((alert[0], &alert[13..]), (21, &[2, protocol_version][..]));
    assert_eq!(wire.server.poll(), Output::Wait(wire.now));
    assert_eq!(wire.server.advance(wire.now), Err(Error::Version));
    wire.server.receive(&wire.from_client[0]);
    assert_eq!(wire.server.advance(wire.now), Err(Error::Version), "and it stays so");
}

#[test]
fn the_time_for_a_handshake_begins_with_the_hello() {
    let mut wire = Wire::good();
    wire.poll_client();
    let hello = wire.from_client[0].clone();
    // Nobody told the server the time since it was made.
    wire.server.receive(&hello);
    let late = wire.now + Duration::from_secs(100);
    wire.poll_server();
    assert!(wire.server_said.wait.unwrap() <= wire.now, "it wants to know the time");
    assert_eq!(wire.server.advance(late), Ok(()));
    assert_eq!(wire.server.advance(late + Duration::from_secs(29)), Ok(()));
    while !matches!(wire.server.poll(), Output::Wait(_)) {}
    assert_eq!(wire.server.advance(late + Duration::from_secs(31)), Err(Error::Timeout));
}

#[test]
fn repeated_hellos_do_not_bring_forth_more_than_some_flights() {
    let mut wire = Wire::good();
    wire.step();
    let hello = wire.from_client[0].clone();
    for _ in 0..1000 {
        wire.server.receive(&hello);
        wire.poll_server();
    }
    let sent: usize = wire.from_server.iter().map(Vec::len).sum();
    assert!(sent < 20 * 1024, "{sent} bytes");
    assert!(wire.connects(), "and the client is served nevertheless");
}

#[test]
fn nothing_that_is_not_authentic_disturbs_a_connection() {
    let mut wire = Wire::good();
    assert!(wire.connects());
    let before = wire.from_server.len();
    let earlier = wire.from_client.clone();
    let hello = earlier[0].clone();
    let fatal_alert = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40].to_vec();
    let sealed_garbage = [&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 32][..], &[7; 32]].concat();
    for datagram in
        earlier.into_iter().chain([hello, fatal_alert, sealed_garbage, vec![], vec![22], vec![0xff; 1500]])
    {
        wire.server.receive(&datagram);
        wire.poll_server();
    }
    assert_eq!(wire.from_server.len(), before, "nothing is answered");
    wire.client.send_application_data(b"still here").unwrap();
    assert!(wire.until(|wire| wire.server_said.data == [b"still here"]));
}

#[test]
fn a_key_of_another_curve_is_no_identity() {
    let certificate = generate_self_signed_certificate().unwrap();
    assert_eq!(Identity::new(certificate.certificate, b"no key").unwrap_err(), Error::PrivateKey);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        2 => Just(Fate::Late),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever befalls the first datagrams, the handshake comes to its end. (With more of them, the client's patience
    /// may come to its end before.)
    #[test]
    fn bad_links_only_delay(fates in prop::collection::vec(fate(), 0..10), mtu in 300_usize..1400) {
        let (mut wire, ..) = Wire::new(mtu, mtu, fates);
        prop_assert!(wire.connects());
        prop_assert_eq!(&wire.client_said.keys, &wire.server_said.keys);
    }

    /// Changed bytes on the way never bring about a connection with other keys, nor a panic.
    #[test]
    fn changed_flights_bring_no_connection_with_other_keys(
        at in 0_usize..2000, bits in 1_u8..=255, which in 0_usize..3,
    ) {
        let mut wire = Wire::good();
        for _ in 0..6 {
            wire.step();
            for (index, (_, to_server, datagram)) in wire.under_way.iter_mut().enumerate() {
                if *to_server && index == which % 2 && let Some(byte) = datagram.get_mut(at) {
                    *byte ^= bits;
                }
            }
        }
        if wire.connects() {
            prop_assert_eq!(&wire.client_said.keys, &wire.server_said.keys);
        }
    }

    #[test]
    fn garbage_is_taken_calmly(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let mut wire = Wire::good();
        for mut datagram in datagrams {
            // Most of it would fail at the first byte.
            if datagram.len() > 13 {
                let (kind, epoch) = (20 + datagram[0] % 4, datagram[4] & 1);
                datagram[..5].copy_from_slice(&[kind, 0xfe, 0xfd, 0, epoch]);
                let len = (datagram.len() - 13) as u16;
                datagram[11..13].copy_from_slice(&len.to_be_bytes());
            }
            wire.server.receive(&datagram);
        }
        wire.poll_server();
    }
}
