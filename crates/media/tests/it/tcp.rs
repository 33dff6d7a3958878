//! Media over TCP: clients whose datagrams go through a bridge of one TCP connection each, and strangers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use http::StatusCode;
use stagedoor_media::client::{Client, Event};
use stagedoor_sfu::{Codec, Kind};

use crate::stage::*;
use crate::support::*;

const CODECS: [Codec; 2] = [Codec::Opus, Codec::H264];

/// Takes datagrams on the address that it returns and carries them to the server in frames (RFC 4571), and back.
fn bridge(server: SocketAddr) -> SocketAddr {
    let socket = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
    let address = socket.local_addr().expect("bound");
    let mut stream = TcpStream::connect(server).expect("the media port takes TCP");
    stream.set_nodelay(true).expect("set");
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        let (length, client) = socket.recv_from(&mut buffer).expect("the first datagram");
        socket.connect(client).expect("connected");
        let (back, mut answers) = (socket.try_clone().expect("cloned"), stream.try_clone().expect("cloned"));
        thread::spawn(move || {
            let mut head = [0; 2];
            while answers.read_exact(&mut head).is_ok() {
                let mut datagram = vec![0; usize::from(u16::from_be_bytes(head))];
                answers.read_exact(&mut datagram).expect("a whole frame");
                drop(back.send(&datagram));
            }
        });
        let mut length = length;
        loop {
            let head = (length as u16).to_be_bytes();
            if stream.write_all(&[&head, &buffer[..length]].concat()).is_err() {
                return;
            }
            match socket.recv(&mut buffer) {
                Ok(received) => length = received,
                Err(_) => return,
            }
        }
    });
    address
}

/// The answer with the bridge for its only candidate; it must have had one for TCP.
fn through_bridge(answer: &str, server: SocketAddr) -> String {
    let (candidates, mut lines): (Vec<&str>, Vec<&str>) =
        answer.lines().partition(|line| line.starts_with("a=candidate:"));
    let tcp = format!(" {} {} typ host tcptype passive", server.ip(), server.port());
    assert!(candidates.iter().any(|line| line.contains(&tcp) && line.contains(" tcp ")), "{candidates:?}");
    let bridge = bridge(server);
    let candidate = format!("a=candidate:1 1 udp 2130706431 {} {} typ host", bridge.ip(), bridge.port());
    lines.push(&candidate);
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn media_flows_over_tcp_alone() {
    let plane = Plane::start(config());
    let server = plane.handle.media_address();
    let world = plane.world.clone();
    let (mut publisher, offer) = Client::publisher(LOCALHOST, &CODECS, world.clone()).expect("a client");
    let answer = plane.post("/whip", &plane.token("alice", true, true), offer).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    publisher.accept(&through_bridge(&answer.body, server)).expect("a good answer");
    let connected = {
        let world = world.clone();
        tokio::task::spawn_blocking(move || {
            connect(&mut publisher, &world);
            publisher
        })
    };
    let mut publisher = connected.await.expect("connects");
    plane.told(2).await;
    let (mut subscriber, offer) = Client::subscriber(LOCALHOST, &CODECS, world.clone()).expect("a client");
    let answer = plane.post("/whip/subscribe/alice", &plane.token("bob", true, true), offer).await;
    subscriber.accept(&through_bridge(&answer.body, server)).expect("a good answer");
    let watched = tokio::task::spawn_blocking(move || {
        connect(&mut subscriber, &world);
        let mut sequences = Vec::new();
        for number in 1..=60_u8 {
            publisher.send_frame(Kind::Video, u32::from(number) * 3000, &key_frame(number)).expect("sent");
            run_both(&mut publisher, &mut subscriber, &world, Duration::from_millis(10), |event| {
                if let Event::Packet(packet) = event {
                    sequences.push(packet.sequence);
                }
            });
        }
        // The first pictures may pass before the subscriber has arrived on its thread.
        while sequences.len() < 150 {
            sequences.push(expect_packet(&mut subscriber, &world, Kind::Video).sequence);
        }
        sequences
    });
    let sequences = watched.await.expect("watches");
    assert!(sequences.windows(2).all(|two| two[1] == two[0] + 1), "TCP neither loses nor reorders");
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_on_tcp_are_turned_out() {
    let plane = Plane::start(config());
    let server = plane.handle.media_address();
    let garbage = tokio::task::spawn_blocking(move || {
        for bytes in [&[0, 5, 1, 2, 3, 4, 5][..], &[0xff, 0xff, 0], &[0, 0]] {
            let mut stream = TcpStream::connect(server).expect("connects");
            stream.set_read_timeout(Some(PATIENCE)).expect("set");
            stream.write_all(bytes).expect("sent");
            // An end or a reset, soon.
            assert!(matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)), "{bytes:?}");
        }
    });
    garbage.await.expect("turned out");
    plane.stop().await;
}
