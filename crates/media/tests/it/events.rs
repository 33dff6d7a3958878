//! The events socket, over a real HTTP server and a real WebSocket client.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderValue, Method};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stagedoor_media::Handle;
use stagedoor_media::client::Client;
use stagedoor_media::figures::Mean;
use stagedoor_media::ledger::Change;
use stagedoor_sfu::Codec;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::stage::*;
use crate::support::*;

/// Serves the events socket as the binary's listener will.
async fn serve(handle: Handle) -> SocketAddr {
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handle = handle.clone();
            let service = service_fn(move |request| {
                let response = handle.events(request);
                async move { Ok::<_, std::convert::Infallible>(response) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(address: SocketAddr, topic: &str, token: &str) -> Socket {
        let stream = TcpStream::connect(address).await.expect("connects");
        Socket::over(stream, address, topic, token).await
    }

    /// For which the system holds some kilobytes, not megabytes.
    async fn open_small(address: SocketAddr, topic: &str, token: &str) -> Socket {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("set");
        let stream = socket.connect(address).await.expect("connects");
        Socket::over(stream, address, topic, token).await
    }

    async fn over(stream: TcpStream, address: SocketAddr, topic: &str, token: &str) -> Socket {
        let mut request = format!("ws://{address}/events/{topic}").into_client_request().expect("a good URL");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(token).expect("ASCII"));
        // The client checks by itself that the subprotocol comes back.
        let (socket, response) = client_async(request, stream).await.expect("a handshake");
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], token);
        Socket(socket)
    }

    async fn next(&mut self) -> Message {
        timeout(PATIENCE, self.0.next()).await.expect("in time").expect("open").expect("well-formed")
    }

    async fn json(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message that is not a state.
    async fn answer(&mut self) -> Value {
        loop {
            let message = self.json().await;
            if message["type"] != "STAGE_STATE" {
                return message;
            }
        }
    }

    /// The participants of the next state: id and whether it publishes.
    async fn state(&mut self) -> Vec<(String, bool)> {
        let message = self.json().await;
        assert_eq!(
            (&message["type"], &message["payload"]["stageId"]),
            (&json!("STAGE_STATE"), &json!(TOPIC))
        );
        let participants = message["payload"]["participants"].as_array().expect("a list");
        let entry =
            |p: &Value| (p["id"].as_str().expect("text").to_owned(), p["isPublishing"] == json!(true));
        participants.iter().map(entry).collect()
    }

    async fn state_until(&mut self, expected: &[(&str, bool)]) {
        let expected: Vec<(String, bool)> = expected.iter().map(|(id, on)| ((*id).to_owned(), *on)).collect();
        loop {
            let state = self.state().await;
            if state == expected {
                return;
            }
        }
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            match self.next().await {
                Message::Close(frame) => return frame.expect("a reason").code.into(),
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_sent_at_once_and_after_every_change() {
    let mut config = hasty();
    config.timeouts.consent = PATIENCE;
    let plane = Plane::start(config);
    let address = serve(plane.handle.clone()).await;
    let mut alice = Socket::open(address, TOPIC, &plane.token("alice", true, true)).await;
    let first = alice.json().await;
    let expected = json!({
        "type": "STAGE_STATE",
        "payload": {
            "stageId": TOPIC,
            "participants": [
                {
                    "id": "alice", "userId": "user of alice", "attributes": { "color": "red" },
                    "isPublishing": false, "audioMuted": false, "videoStopped": false
                }
            ]
        }
    });
    assert_eq!(first, expected);
    let mut bob = Socket::open(address, TOPIC, &plane.token("bob", false, true)).await;
    assert_eq!(bob.state().await, [("alice".to_owned(), false), ("bob".to_owned(), false)]);
    alice.state_until(&[("alice", false), ("bob", false)]).await;
    let (_client, location) = plane.publish("carol", &[Codec::Opus, Codec::Vp8]).await;
    bob.state_until(&[("alice", false), ("bob", false), ("carol", true)]).await;
    plane.method(Method::DELETE, &location).await;
    bob.state_until(&[("alice", false), ("bob", false), ("carol", false)]).await;
    bob.state_until(&[("alice", false), ("bob", false)]).await;
    drop(alice);
    bob.state_until(&[("bob", false)]).await;
    bob.0.close(None).await.expect("closes");
    let told = plane.told(9).await;
    assert_eq!(told.last().map(String::as_str), Some("session ended"), "{told:?}");
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_and_sent() {
    let mut config = config();
    config.timeouts.ping = Duration::from_millis(100);
    let plane = Plane::start(config);
    let address = serve(plane.handle.clone()).await;
    let mut socket = Socket::open(address, TOPIC, &plane.token("alice", true, true)).await;
    socket.state().await;
    for message in ["nonsense", "{}", "[1]", r#"{"type":"UNKNOWN"}"#, r#"{"type":"PING"}"#] {
        socket.0.send(Message::text(message)).await.expect("sent");
    }
    let (mut pings, mut pongs) = (0, 0);
    while pings < 5 || pongs < 1 {
        match socket.json().await["type"].as_str() {
            Some("PING") => pings += 1,
            Some("PONG") => pongs += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pongs, 1);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_close_codes() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let good = plane.token("alice", true, true);
    let gone = plane.token_with("alice", |claims| {
        claims.resource = STAGE.replace(TOPIC, "Other1234567");
        claims.topic = "Other1234567".into();
    });
    for (topic, token, code) in [
        (TOPIC, "rubbish", 4401),
        (TOPIC, &format!("{good}x"), 4401),
        ("Other1234567", &good, 4403),
        ("Other1234567", &gone, 4404),
    ] {
        assert_eq!(Socket::open(address, topic, token).await.close_code().await, code, "{topic} {token}");
    }
    assert_eq!(plane.stop().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_ends_sockets() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let mut alice = Socket::open(address, TOPIC, &plane.token("alice", true, true)).await;
    let mut bob = Socket::open(address, TOPIC, &plane.token("bob", true, true)).await;
    bob.state().await;
    plane.disconnect("alice").await;
    assert_eq!(alice.close_code().await, 4403);
    bob.state_until(&[("bob", false)]).await;
    let mut again = Socket::open(address, TOPIC, &plane.token("alice", true, true)).await;
    assert_eq!(again.close_code().await, 4403);
    plane.changes.send(Change::StageDeleted { stage_arn: STAGE.into() }).await.expect("running");
    assert_eq!(bob.close_code().await, 4404);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_is_chosen_by_a_message_of_our_own() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let codecs = [Codec::Opus, Codec::Vp8];
    let (client, offer) =
        Client::simulcast(LOCALHOST, &codecs, &["h", "l"], plane.world.clone()).expect("a client");
    let answer = plane.post("/whip", &plane.token("alice", true, true), offer).await;
    let (_publisher, _) = plane.join(client, answer).await;
    plane.told(2).await;
    let (_subscriber, _) = plane.subscribe("bob", "alice", &codecs).await;
    let mut socket = Socket::open(address, TOPIC, &plane.token("bob", true, true)).await;
    socket.state().await;
    for (payload, kind) in [
        (json!({"participantId": "alice", "layer": "h"}), "x-stagedoor-LAYER_CHOSEN"),
        (json!({"participantId": "alice", "maxWidth": 640}), "x-stagedoor-LAYER_CHOSEN"),
        (json!({"participantId": "alice", "layer": 7}), "x-stagedoor-LAYER_REFUSED"),
        (json!({"participantId": "carol", "layer": "h"}), "x-stagedoor-LAYER_REFUSED"),
        (json!([]), "x-stagedoor-LAYER_REFUSED"),
    ] {
        let message = json!({"type": "x-stagedoor-CHOOSE_LAYER", "payload": payload});
        socket.0.send(Message::text(message.to_string())).await.expect("sent");
        let answer = socket.answer().await;
        assert_eq!(answer["type"], kind, "{payload} {answer}");
        if kind.ends_with("CHOSEN") {
            assert_eq!(answer["payload"], json!({"participantId": "alice", "layers": ["h", "l"]}));
        } else {
            assert!(answer["payload"]["message"].is_string());
        }
    }
    plane.stop().await;
}

async fn ask(socket: &mut Socket, kind: &str, payload: Value) -> Value {
    let message = json!({"type": kind, "payload": payload});
    socket.0.send(Message::text(message.to_string())).await.expect("sent");
    socket.answer().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_see_who_is_muted() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let mut bob = Socket::open(address, TOPIC, &plane.token("bob", true, true)).await;
    let mut alice = Socket::open(address, TOPIC, &plane.token("alice", true, true)).await;
    let refused = ask(&mut alice, "x-stagedoor-SET_MUTED", json!({"audioMuted": true})).await;
    assert_eq!(refused["type"], "x-stagedoor-MUTED_REFUSED");
    let (_publisher, _) = plane.publish("alice", &[Codec::Opus, Codec::Vp8]).await;
    bob.state_until(&[("alice", true), ("bob", false)]).await;
    let muted = ask(&mut alice, "x-stagedoor-SET_MUTED", json!({"audioMuted": true})).await;
    let payload = json!({"audioMuted": true, "videoStopped": false});
    assert_eq!(muted, json!({"type": "x-stagedoor-MUTED", "payload": payload}));
    let wrong = ask(&mut alice, "x-stagedoor-SET_MUTED", json!({"audioMuted": 1})).await;
    assert_eq!(wrong["type"], "x-stagedoor-MUTED_REFUSED");
    let state = bob.json().await;
    let seen = &state["payload"]["participants"][0];
    assert_eq!((&seen["audioMuted"], &seen["videoStopped"]), (&json!(true), &json!(false)), "{state}");
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_exchanged() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let token = |user: &str, issued: i64, allow_publish: bool| {
        plane.token_with("alice", |claims| {
            claims.iat += issued;
            claims.user_id = Some(user.to_owned());
            claims.capabilities.allow_publish = allow_publish;
        })
    };
    let mut bob = Socket::open(address, TOPIC, &plane.token("bob", true, true)).await;
    let mut alice = Socket::open(address, TOPIC, &token("host", 0, true)).await;
    let (_publisher, _) = plane.publish("alice", &[Codec::Opus, Codec::Vp8]).await;
    bob.state_until(&[("alice", true), ("bob", false)]).await;
    let exchanged =
        ask(&mut alice, "x-stagedoor-EXCHANGE_TOKEN", json!({"token": token("guest", 1, false)})).await;
    assert_eq!(exchanged["type"], "x-stagedoor-TOKEN_EXCHANGED", "{exchanged}");
    assert_eq!(exchanged["payload"]["userId"], "guest");
    // The name changes and the publication ends, for the others to see.
    bob.state_until(&[("alice", false), ("bob", false)]).await;
    let told = plane.told(5).await;
    let host = ["user of alice", "host"].map(|user| format!("alice: {user} true true -> guest false true"));
    assert!(told.contains(&host[1]), "{told:#?}");
    assert_eq!(told.last().map(String::as_str), Some("alice stopped"));
    // Neither the token from before nor the new one publishes.
    for again in [token("host", 0, true), token("guest", 1, false)] {
        let (_, offer) = Client::publisher(LOCALHOST, &[Codec::Vp8], plane.world.clone()).expect("a client");
        assert_eq!(plane.post("/whip", &again, offer).await.status, 403);
    }
    for (bad, message) in [
        ("rubbish".to_owned(), "TOKEN_MALFORMED"),
        (plane.token("bob", true, true), "another jti"),
        (plane.token_with("alice", |claims| claims.whip_url += "/other"), "another whip_url"),
    ] {
        let refused = ask(&mut alice, "x-stagedoor-EXCHANGE_TOKEN", json!({"token": bad})).await;
        assert_eq!(refused["type"], "x-stagedoor-TOKEN_REFUSED");
        let said = refused["payload"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(message), "{said}");
    }
    plane.stop().await;
}

/// Everybody's attributes are in every state, so that a client that reads none of them has much waiting.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_dropped_and_the_others_are_not() {
    let mut config = hasty();
    config.timeouts.ping = Duration::from_secs(1);
    config.timeouts.leave = Duration::from_secs(60);
    let plane = Plane::start(config);
    let address = serve(plane.handle.clone()).await;
    let fat = |name: &str, fill: &str| {
        plane.token_with(name, |claims| {
            claims.attributes = Some([("a".to_owned(), fill.repeat(1000))].into());
        })
    };
    for number in 0..60 {
        drop(Socket::open(address, TOPIC, &fat(&format!("p{number}"), "x")).await);
    }
    // What waits for it has to be too much before it has missed three pings, which would end it too, as one that is gone.
    let slow = Socket::open_small(address, TOPIC, &plane.token("slow", true, true)).await;
    let mut bob = Socket::open(address, TOPIC, &plane.token("bob", true, true)).await;
    // Each change is 60 KB; the system holds some hundred on the server's side, then the server waits.
    for round in 0.. {
        let fill = if round % 2 == 0 { "y" } else { "z" };
        drop(Socket::open(address, TOPIC, &fat("p0", fill)).await);
        while !bob.json().await["payload"].to_string().contains(&fill.repeat(1000)) {}
        if plane.handle.slow_sockets() > 0 {
            break;
        }
    }
    drop(slow);
    plane.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_well_somebody_is_seen_comes_to_the_figures() {
    let plane = Plane::start(config());
    let address = serve(plane.handle.clone()).await;
    let (_ann, _) = plane.publish("ann", &[Codec::Opus, Codec::H264]).await;
    let (_publishing, _) = plane.publish("viewer", &[Codec::Opus, Codec::H264]).await;
    let (_receiving, _) = plane.subscribe("viewer", "ann", &[Codec::Opus, Codec::H264]).await;
    let mut socket = Socket::open(address, TOPIC, &plane.token("viewer", true, true)).await;
    let report = |remote: &str, dropped: Value| {
        json!({
            "type": "x-stagedoor-REPORT_FRAMES",
            "payload": {"participantId": remote, "framesReceived": 200, "framesDropped": dropped},
        })
    };
    for bad in [report("bob", json!(0)), report("ann", json!("none")), report("ann", json!(-1))] {
        say(&mut socket, bad.clone()).await;
        assert_eq!(socket.answer().await["type"], "x-stagedoor-REPORT_REFUSED", "{bad}");
    }
    say(&mut socket, report("ann", json!(50))).await;
    // A good one has no answer; what is asked after it has been answered after it.
    say(&mut socket, json!({"type": "PING"})).await;
    assert_eq!(socket.answer().await["type"], "PONG");
    let stages = plane.handle.stages().await;
    assert_eq!(Mean::of([&stages[0].receiving.dropped].into_iter()), Some(0.25));
    assert_eq!(Mean::of([&stages[0].receivers["viewer"].dropped].into_iter()), Some(0.25));
    plane.stop().await;
}

async fn say(socket: &mut Socket, message: Value) {
    socket.0.send(Message::text(message.to_string())).await.expect("sent");
}
