//! Going on after a change: ICE restarts by PATCH, a server that was restarted, both families of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use stagedoor_media::Config;
use stagedoor_media::client::{Client, Event};
use stagedoor_sfu::{Codec, Kind};

use crate::stage::*;
use crate::support::*;

const H264: [Codec; 2] = [Codec::Opus, Codec::H264];

async fn patch(plane: &Plane, location: &str, tag: &str, fragment: String) -> Answer {
    let request = Request::patch(location)
        .header("content-type", "application/trickle-ice-sdpfrag")
        .header("if-match", tag)
        .body(Full::new(Bytes::from(fragment)));
    plane.send(request.expect("a good request")).await
}

/// Sends frames until the subscriber has one of this number.
async fn shows(mut publisher: Client, mut subscriber: Client, plane: &Plane, number: u8) -> (Client, Client) {
    let world = plane.world.clone();
    let seen = tokio::task::spawn_blocking(move || {
        let deadline = deadline(&world);
        let mut seen = false;
        for turn in 0_u32.. {
            assert!(world.now() < deadline, "frame {number} never arrives");
            let time = u32::from(number) * 100_000 + turn * 3000;
            publisher.send_frame(Kind::Video, time, &key_frame(number)).expect("sent");
            run_both(
                &mut publisher,
                &mut subscriber,
                &world,
                std::time::Duration::from_millis(20),
                |event| {
                    if let Event::Packet(packet) = event {
                        seen |= packet.payload[..2] == [0x65, number];
                    }
                },
            );
            if seen {
                break;
            }
        }
        (publisher, subscriber)
    });
    seen.await.expect("the frame arrives")
}

#[tokio::test(flavor = "multi_thread")]
async fn publisher_and_subscriber_restart_ice_and_go_on() {
    let plane = Plane::start(config());
    let (publisher, publication) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    let (subscriber, subscription) = plane.subscribe("bob", "alice", &H264).await;
    plane.told(4).await;
    let (mut publisher, mut subscriber) = shows(publisher, subscriber, &plane, 1).await;

    let fragment = publisher.restart_ice().expect("another port");
    assert_eq!(
        patch(&plane, &publication, "\"other\"", fragment.clone()).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let answer = patch(&plane, &publication, "*", fragment.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/trickle-ice-sdpfrag");
    let tag = answer.header("etag").to_owned();
    assert!(answer.body.contains(&format!("a=ice-ufrag:{}\r\n", tag.trim_matches('"'))), "{}", answer.body);
    assert!(answer.body.contains("a=mid:0\r\n") || answer.body.contains("a=mid:"), "{}", answer.body);
    publisher.restarted(&answer.body).expect("a good fragment");
    // The same credentials again are candidates for the session that now is.
    assert_eq!(patch(&plane, &publication, &tag, fragment).await.status, StatusCode::NO_CONTENT);
    let (publisher, again) = shows(publisher, subscriber, &plane, 2).await;
    subscriber = again;

    let fragment = subscriber.restart_ice().expect("another port");
    let answer = patch(&plane, &subscription, "*", fragment).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    subscriber.restarted(&answer.body).expect("a good fragment");
    shows(publisher, subscriber, &plane, 3).await;
    let told = plane.stop().await;
    // Nothing of it is an event.
    assert_eq!(told[..4], ["alice joined", "alice publishes", "bob joined", "bob receives alice"]);
    assert_eq!(told.len(), 9, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_the_same_tokens_are_good() {
    let plane = Plane::start(config());
    let (tokens, offers) = (["alice", "bob"].map(|name| plane.token(name, true, true)), [(); 2]);
    let mut plane = Some(plane);
    for _ in offers {
        let running = plane.take().expect("always one");
        let (client, offer) = Client::publisher(LOCALHOST, &H264, running.world.clone()).expect("a client");
        let answer = running.post("/whip", &tokens[0], offer).await;
        let (publisher, _) = running.join(client, answer).await;
        running.told(2).await;
        let (client, offer) = Client::subscriber(LOCALHOST, &H264, running.world.clone()).expect("a client");
        let answer = running.post("/whip/subscribe/alice", &tokens[1], offer).await;
        let (subscriber, _) = running.join(client, answer).await;
        running.told(4).await;
        shows(publisher, subscriber, &running, 1).await;
        plane = Some(running.restart(config()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_serves_ipv4_and_ipv6() {
    let (four, six) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let listen = (Ipv6Addr::UNSPECIFIED, 0).into();
    let plane = Plane::start(Config { listen, advertise: vec![four, six], ..config() });
    for (number, (from, to)) in [(four, six), (six, four)].into_iter().enumerate() {
        let (client, offer) = Client::publisher(from, &H264, plane.world.clone()).expect("a client");
        let answer = plane.post("/whip", &plane.token("alice", true, true), offer).await;
        assert!(answer.body.contains(" 127.0.0.1 ") && answer.body.contains(" ::1 "), "{}", answer.body);
        let (publisher, _) = plane.join(client, answer).await;
        plane.told(2).await;
        let (client, offer) = Client::subscriber(to, &H264, plane.world.clone()).expect("a client");
        let answer = plane.post("/whip/subscribe/alice", &plane.token("bob", true, true), offer).await;
        let (subscriber, _) = plane.join(client, answer).await;
        shows(publisher, subscriber, &plane, number as u8 + 1).await;
    }
    plane.stop().await;
}

/// A socket of IPv6 also takes IPv4 datagrams, but calls their senders by other addresses.
#[tokio::test(flavor = "multi_thread")]
async fn only_ipv4_may_be_advertised_of_a_socket_of_ipv6() {
    let listen = (Ipv6Addr::UNSPECIFIED, 0).into();
    let plane = Plane::start(Config { listen, advertise: vec![LOCALHOST], ..config() });
    let (publisher, _) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    let (subscriber, _) = plane.subscribe("bob", "alice", &H264).await;
    shows(publisher, subscriber, &plane, 1).await;
    plane.stop().await;
}
