//! Publishing and receiving by HTTP: what is answered, and what is noted of it.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use stagedoor_media::Config;
use stagedoor_media::client::{Client, Event};
use stagedoor_media::config::{Limits, Rules, Timeouts};
use stagedoor_sfu::{Codec, Kind};

use crate::stage::*;
use crate::support::*;

const H264: [Codec; 2] = [Codec::Opus, Codec::H264];
const VP8: [Codec; 2] = [Codec::Opus, Codec::Vp8];

async fn sees(publisher: Client, subscriber: Client, plane: &Plane, frame: Vec<u8>) {
    let world = plane.world.clone();
    let seen = tokio::task::spawn_blocking(move || {
        let (mut publisher, mut subscriber) = (publisher, subscriber);
        publisher.send_frame(Kind::Video, 0, &frame).expect("sent");
        publisher.send_frame(Kind::Audio, 0, &[0xfc, 1, 2, 3]).expect("sent");
        let (mut video, mut audio) = (0, 0);
        while video == 0 || audio == 0 {
            let packet = expect_event(&mut subscriber, &world, "a packet", |event| match event {
                Event::Packet(packet) => Some(packet),
                _ => None,
            });
            match packet.kind {
                Kind::Audio => audio += 1,
                Kind::Video => video += 1,
            }
        }
    });
    seen.await.expect("audio and video");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_is_received_and_everything_is_noted() {
    for (codecs, frame) in [(H264, key_frame(1)), (VP8, vec![0x10; 2500])] {
        let plane = Plane::start(config());
        let (publisher, _) = plane.publish("alice", &codecs).await;
        plane.told(2).await;
        let (subscriber, _) = plane.subscribe("bob", "alice", &[Codec::Opus, Codec::H264, Codec::Vp8]).await;
        assert_eq!(subscriber.codec(Kind::Video), Some(codecs[1]), "only the publisher's codec is answered");
        plane.told(4).await;
        sees(publisher, subscriber, &plane, frame).await;
        let notes = plane.ledger.notes();
        assert!(notes.iter().all(|note| note.session_id.starts_with("st-") && note.session_id.len() == 16));
        assert!(notes.windows(2).all(|two| two[0].session_id == two[1].session_id && two[0].at <= two[1].at));
        assert_eq!(
            plane.stop().await,
            [
                "alice joined",
                "alice publishes",
                "bob joined",
                "bob receives alice",
                "alice stopped",
                "alice left",
                "bob lost alice",
                "bob left",
                "session ended"
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_what_clients_need() {
    let plane = Plane::start(config());
    let (_, offer) = Client::publisher(LOCALHOST, &H264, plane.world.clone()).expect("a client");
    // AWS's samples offer sendrecv.
    let offer = offer.replace("a=sendonly", "a=sendrecv");
    let answer = plane.post("/whip", &plane.token("alice", true, false), offer).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert!(answer.header("location").starts_with("/whip/session/"));
    assert!(answer.header("etag").starts_with('"'));
    assert_eq!(answer.header("content-type"), "application/sdp");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").contains("Location"));
    let candidate = format!(" {} {} typ host", LOCALHOST, plane.handle.media_address().port());
    let sections: Vec<&str> = answer.body.split("\r\nm=").skip(1).collect();
    assert_eq!(sections.len(), 2);
    for section in sections {
        assert!(section.contains(&candidate), "{section}");
        assert!(section.contains("a=end-of-candidates"), "{section}");
        assert!(section.contains("a=recvonly"), "{section}");
    }
    assert!(answer.body.contains("a=ice-lite"));
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn options_patch_and_delete() {
    let plane = Plane::start(config());
    let options = plane.method(Method::OPTIONS, "/whip").await;
    assert_eq!((options.status, options.header("accept-post")), (StatusCode::NO_CONTENT, "application/sdp"));
    assert!(options.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!(plane.method(Method::OPTIONS, "/whip/subscribe/alice").await.status, StatusCode::NO_CONTENT);
    assert_eq!(plane.method(Method::GET, "/whip").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(plane.method(Method::GET, "/whip/nothing/here").await.status, StatusCode::NOT_FOUND);

    let (_, offer) = Client::publisher(LOCALHOST, &H264, plane.world.clone()).expect("a client");
    let ufrag = offer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("has one").to_owned();
    let answer = plane.post("/whip", &plane.token("alice", true, false), offer).await;
    let location = answer.header("location").to_owned();
    let patch = |tag: Option<&str>, body: String| {
        let mut request = Request::patch(&location).header("content-type", "application/trickle-ice-sdpfrag");
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        plane.send(request.body(Full::new(Bytes::from(body))).expect("a good request"))
    };
    let fragment = format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    );
    assert_eq!(patch(Some(answer.header("etag")), fragment.clone()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(patch(Some("\"other\""), fragment.clone()).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(patch(None, fragment).await.status, StatusCode::PRECONDITION_REQUIRED);
    for bad in ["a=ice-ufrag:else\r\n", "a=ice-ufrag:else\r\na=ice-pwd:short\r\n", "{}"] {
        assert_eq!(patch(Some("*"), bad.to_owned()).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }

    assert_eq!(plane.method(Method::DELETE, &location).await.status, StatusCode::OK);
    assert_eq!(plane.method(Method::DELETE, &location).await.status, StatusCode::OK);
    let gone = Request::patch(&location).header("content-type", "application/trickle-ice-sdpfrag");
    let gone = plane.send(gone.body(Full::new(Bytes::new())).expect("a good request")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_for_a_stage_changes_nothing() {
    let plane = Plane::start(config());
    let (_, offer) = Client::publisher(LOCALHOST, &H264, plane.world.clone()).expect("a client");
    let good = plane.token("alice", true, true);
    let bare = |authorization: Option<&str>, kind: &str| {
        let mut request = Request::post("/whip").header("content-type", kind);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        plane.send(request.body(Full::new(Bytes::from(offer.clone()))).expect("a good request"))
    };
    let missing = bare(None, "application/sdp").await;
    assert_eq!((missing.status, missing.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert!(missing.message().contains("missing"));
    assert_eq!(bare(Some("Basic YWJj"), "application/sdp").await.status, StatusCode::UNAUTHORIZED);
    let kind = bare(Some(&format!("Bearer {good}")), "application/json").await;
    assert_eq!(
        (kind.status, kind.header("accept-post")),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/sdp")
    );

    let expired =
        plane.token_with("alice", |claims| (claims.iat, claims.exp) = (claims.iat - 100, claims.iat - 1));
    let forged = format!("{}AAAA{}", &good[..good.len() - 8], &good[good.len() - 4..]);
    let other_stage = plane.token_with("alice", |claims| {
        claims.resource = STAGE.replace(TOPIC, "Other1234567");
        claims.topic = "Other1234567".into();
    });
    let vp9 = offer.replace("H264/90000", "VP9/90000");
    let no_opus = offer.replace("opus/48000", "PCMU/8000");
    let (_, audio_only) =
        Client::publisher(LOCALHOST, &[Codec::Opus], plane.world.clone()).expect("a client");
    let no_mid: String =
        offer.lines().filter(|l| !l.starts_with("a=mid")).map(|l| format!("{l}\r\n")).collect();
    for (token, body, status) in [
        ("x", offer.clone(), StatusCode::UNAUTHORIZED),
        (&expired, offer.clone(), StatusCode::UNAUTHORIZED),
        (&forged, offer.clone(), StatusCode::UNAUTHORIZED),
        (&other_stage, offer.clone(), StatusCode::NOT_FOUND),
        (&good, String::new(), StatusCode::BAD_REQUEST),
        (&good, "v=0\r\n".into(), StatusCode::BAD_REQUEST),
        (&good, offer[..offer.find("m=video").expect("has one")].into(), StatusCode::BAD_REQUEST),
        (&good, no_mid, StatusCode::BAD_REQUEST),
        (&good, vp9, StatusCode::UNPROCESSABLE_ENTITY),
        (&good, no_opus, StatusCode::UNPROCESSABLE_ENTITY),
        (&good, audio_only, StatusCode::UNPROCESSABLE_ENTITY),
        (&good, offer.clone() + &"a=x\r\n".repeat(20_000), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let answer = plane.post("/whip", token, body.clone()).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(!answer.message().is_empty());
    }
    let told = plane.stop().await;
    // What is an offer at least is an event.
    let expected = [
        "alice joined",
        "alice cannot publish: InvalidVideoCodec",
        "alice cannot publish: InvalidAudioCodec",
        "alice cannot publish: InvalidVideoCodec",
    ];
    assert_eq!(told[..4], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_cut_anywhere_is_answered_or_refused() {
    let plane = Plane::start(config());
    let (_, offer) = Client::publisher(LOCALHOST, &VP8, plane.world.clone()).expect("a client");
    let token = plane.token("alice", true, true);
    for length in 0..offer.len() {
        let answer = plane.post("/whip", &token, offer[..length].to_owned()).await;
        let expected = [StatusCode::CREATED, StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY];
        assert!(expected.contains(&answer.status), "{length}: {} {}", answer.status, answer.body);
    }
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_participant_may_not_do_is_refused_and_noted() {
    let plane = Plane::start(limited(1));
    let (_publisher, _) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    let (_, offer) = Client::subscriber(LOCALHOST, &H264, plane.world.clone()).expect("a client");
    let (_, vp8) = Client::subscriber(LOCALHOST, &VP8, plane.world.clone()).expect("a client");
    let may = |publish, subscribe| plane.token("bob", publish, subscribe);
    for (path, token, body, status) in [
        ("/whip", may(false, true), &offer, StatusCode::FORBIDDEN),
        ("/whip/subscribe/alice", may(true, false), &offer, StatusCode::FORBIDDEN),
        ("/whip/subscribe/carol", may(true, true), &offer, StatusCode::NOT_FOUND),
        ("/whip/subscribe/bob", may(true, true), &offer, StatusCode::CONFLICT),
        ("/whip/subscribe/alice", may(true, true), &vp8, StatusCode::UNPROCESSABLE_ENTITY),
        ("/whip", may(true, true), &offer, StatusCode::TOO_MANY_REQUESTS),
    ] {
        let answer = plane.post(path, &token, body.clone()).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(!answer.message().is_empty());
    }
    let told = plane.stop().await;
    let bob: Vec<&str> = told.iter().map(String::as_str).filter(|note| note.starts_with("bob")).collect();
    assert_eq!(
        bob,
        [
            "bob joined",
            "bob cannot publish: InsufficientCapabilities",
            "bob cannot receive alice: InsufficientCapabilities",
            "bob cannot receive carol: PublisherNotFound",
            "bob cannot receive bob: PublisherNotFound",
            "bob cannot receive alice: InvalidVideoCodec",
            "bob cannot publish: QuotaExceeded",
            "bob left"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_publication_of_a_participant_replaces_the_old_one() {
    let plane = Plane::start(config());
    let (mut old, _) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    let (subscriber, _) = plane.subscribe("bob", "alice", &H264).await;
    plane.told(4).await;
    let (new, _) = plane.publish("alice", &H264).await;
    let world = plane.world.clone();
    let ended = tokio::task::spawn_blocking(move || {
        expect_event(&mut old, &world, "closed", |event| matches!(event, Event::Closed).then_some(()));
    });
    ended.await.expect("the old connection ends");
    plane.told(6).await;
    sees(new, subscriber, &plane, key_frame(1)).await;
    let told = plane.stop().await;
    assert_eq!(told[4..6], ["alice stopped", "alice publishes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_publisher_leaves_and_the_session_ends() {
    let plane = Plane::start(hasty());
    let (publisher, _) = plane.publish("alice", &H264).await;
    // Kept but not run any more: no checks, no packets.
    assert_eq!(
        plane.told(5).await,
        ["alice joined", "alice publishes", "alice stopped", "alice left", "session ended"]
    );
    drop(publisher);
    plane.counted(|counters| counters.publishers == 0 && counters.rooms == 0).await;
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_in_time_finds_the_same_session() {
    let plane = Plane::start(config());
    let (_one, location) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    plane.method(Method::DELETE, &location).await;
    let (_two, _) = plane.publish("alice", &H264).await;
    plane.told(4).await;
    let sessions: Vec<_> = plane.ledger.notes().iter().map(|note| note.session_id.clone()).collect();
    assert!(sessions.windows(2).all(|two| two[0] == two[1]));
    assert_eq!(
        plane.stop().await[..4],
        ["alice joined", "alice publishes", "alice stopped", "alice publishes"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_participant_is_out_for_good() {
    let plane = Plane::start(config());
    let (mut publisher, _) = plane.publish("alice", &H264).await;
    plane.told(2).await;
    let (_subscriber, _) = plane.subscribe("bob", "alice", &H264).await;
    plane.told(4).await;
    plane.disconnect("alice").await;
    let told = plane.told(7).await;
    assert_eq!(told[4..], ["alice stopped", "alice left", "bob lost alice"]);
    let world = plane.world.clone();
    let ended = tokio::task::spawn_blocking(move || {
        expect_event(&mut publisher, &world, "closed", |event| matches!(event, Event::Closed).then_some(()));
    });
    ended.await.expect("the connection ends");
    let (_, offer) = Client::publisher(LOCALHOST, &H264, plane.world.clone()).expect("a client");
    assert_eq!(
        plane.post("/whip", &plane.token("alice", true, true), offer).await.status,
        StatusCode::FORBIDDEN
    );
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whep_receives_and_chooses_layers() {
    let plane = Plane::start(config());
    let token = plane.token("bob", false, true);
    let path = format!("/whep/{TOPIC}/alice");
    let offer = || Client::subscriber(LOCALHOST, &VP8, plane.world.clone()).expect("a client");
    // Nobody publishes yet.
    let early = plane.post(&path, &token, offer().1).await;
    assert_eq!((early.status, early.header("retry-after")), (StatusCode::CONFLICT, "1"));
    let (publisher, publisher_offer) =
        Client::simulcast(LOCALHOST, &VP8, &["h", "l"], plane.world.clone()).expect("a client");
    let answer = plane.post("/whip", &plane.token("alice", true, true), publisher_offer).await;
    assert_eq!(answer.header("link"), "");
    let (publisher, _) = plane.join(publisher, answer).await;
    plane.told(4).await;

    let elsewhere = plane.post("/whep/Other1234567/alice", &token, offer().1).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    assert_eq!(
        plane.post(&(path.clone() + "?layer="), &token, offer().1).await.status,
        StatusCode::BAD_REQUEST
    );
    let (subscriber, subscriber_offer) = offer();
    let answer = plane.post(&(path.clone() + "?layer=highest"), &token, subscriber_offer).await;
    let location = answer.header("location").to_owned();
    assert!(location.starts_with("/whep/session/"), "{location}");
    assert!(answer.header("etag").starts_with('"'));
    let link = format!("<{location}/layer>; rel=\"urn:ietf:params:whep:ext:core:layer\"");
    assert_eq!(answer.header("link"), link);
    let (subscriber, _) = plane.join(subscriber, answer).await;

    let layer = format!("{location}/layer");
    let choose = |path: String, kind: &'static str, body: &'static str| {
        let request = Request::post(path).header("content-type", kind);
        plane.send(request.body(Full::new(Bytes::from(body))).expect("a good request"))
    };
    for (kind, body, status) in [
        ("application/json", r#"{"mediaId": "1", "encodingId": "l"}"#, StatusCode::OK),
        ("application/json", r#"{"maxWidth": 640}"#, StatusCode::OK),
        ("application/json", "{}", StatusCode::OK),
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", r#"{"rid": 1}"#, StatusCode::BAD_REQUEST),
        ("application/sdp", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        assert_eq!(choose(layer.clone(), kind, body).await.status, status, "{body}");
    }
    let unknown = choose("/whep/session/nothing/layer".into(), "application/json", "{}").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(plane.method(Method::OPTIONS, &path).await.header("accept-post"), "application/sdp");
    assert_eq!(plane.method(Method::GET, &path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(plane.method(Method::GET, &layer).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let patch = Request::patch(&location).header("content-type", "application/trickle-ice-sdpfrag");
    let patch = plane.send(patch.body(Full::new(Bytes::new())).expect("a good request")).await;
    assert_eq!(patch.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(plane.method(Method::DELETE, &location).await.status, StatusCode::OK);
    assert_eq!(choose(layer, "application/json", "{}").await.status, StatusCode::NOT_FOUND);
    drop((publisher, subscriber));
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_a_rule_is_sent_away() {
    let large = {
        // VP8 of 1920 by 1080.
        let mut frame = vec![0, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x07, 0x38, 0x04];
        frame.resize(500, 0);
        frame
    };
    let bidirectional = [&[0, 0, 0, 1, 0x01, 0b1010_0000][..], &[0x22; 100]].concat();
    let rules = Rules { bit_rate_max: 1000, ..Rules::default() };
    let short = Timeouts { stream: Duration::from_millis(500), ..Timeouts::default() };
    for (codecs, frame, config, code) in [
        (VP8, large, config(), "ResolutionExceeded"),
        (H264, bidirectional, config(), "BFramePresent"),
        (H264, key_frame(1), Config { rules, ..config() }, "BitrateExceeded"),
        (H264, key_frame(1), Config { timeouts: short, ..config() }, "StreamDurationExceeded"),
    ] {
        let plane = Plane::start(config);
        let (mut publisher, _) = plane.publish("alice", &codecs).await;
        let world = plane.world.clone();
        let sent_away = tokio::task::spawn_blocking(move || {
            let deadline = deadline(&world);
            for number in 0_u32.. {
                publisher.send_frame(Kind::Video, number * 3000, &frame).expect("sent");
                let event = publisher.next_event(world.now() + Duration::from_millis(50)).expect("works");
                if matches!(event, Some(Event::Closed)) {
                    return;
                }
                assert!(world.now() < deadline, "still here");
            }
        });
        sent_away.await.expect("sent away");
        assert_eq!(
            plane.told(4).await,
            ["alice joined", "alice publishes", &format!("alice cannot publish: {code}"), "alice stopped"]
        );
        plane.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_is_noted() {
    let limits = Limits { participants_per_stage: 1, ..Limits::default() };
    let plane = Plane::start(Config { limits, ..config() });
    plane.publish("alice", &[Codec::Opus, Codec::H264]).await;
    plane.told(2).await;
    let (_, offer) = Client::subscriber(LOCALHOST, &[Codec::H264], plane.world.clone()).expect("a client");
    let answer = plane.post("/whip/subscribe/alice", &plane.token("bob", true, true), offer).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.body);
    assert_eq!(plane.told(3).await[2], "bob cannot join: QuotaExceeded");
    plane.stop().await;
}
