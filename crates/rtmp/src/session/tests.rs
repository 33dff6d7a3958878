//! A session against an encoder, and against nonsense.

use super::*;
use crate::client::{Client, Progress};
use proptest::prelude::*;

/// Carries bytes both ways until neither side has any, `cut` at a time; what the session saw.
fn exchange(client: &mut Client, session: &mut Session, cut: usize) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let (up, down) = (client.take_output(), session.take_output());
        if up.is_empty() && down.is_empty() {
            return events;
        }
        for piece in up.chunks(cut) {
            session.receive(piece).expect("a good encoder");
            while let Some(event) = session.poll() {
                events.push(event);
            }
        }
        down.chunks(cut).for_each(|piece| client.receive(piece).expect("a good server"));
    }
}

fn session() -> Session {
    Session::new("app", &[1; RANDOM_BYTES])
}

/// A session that has accepted the client.
fn live() -> (Client, Session) {
    let (mut client, mut session) = (Client::new("app", "key"), session());
    exchange(&mut client, &mut session, 1000);
    session.accept();
    exchange(&mut client, &mut session, 1000);
    assert_eq!(*client.progress(), Progress::Publishing);
    (client, session)
}

#[test]
fn an_encoder_publishes_and_ends() {
    for cut in [1, 7, 5000] {
        let (mut client, mut session) = (Client::new("app", "rt_key?x=1"), session());
        let asked = Event::Publish { key: "rt_key".into() };
        assert_eq!(exchange(&mut client, &mut session, cut), [asked]);
        client.video(5, b"early");
        assert_eq!(exchange(&mut client, &mut session, cut), []);
        session.accept();
        exchange(&mut client, &mut session, cut);
        assert_eq!(*client.progress(), Progress::Publishing);
        client.video(10, b"picture");
        client.audio(11, &[7; 70_000]);
        client.end();
        let expected = [
            Event::Video { time: 10, tag: Bytes::from_static(b"picture") },
            Event::Audio { time: 11, tag: vec![7; 70_000].into() },
            Event::Ended,
        ];
        assert_eq!(exchange(&mut client, &mut session, cut), expected);
    }
}

#[test]
fn refusals() {
    let (mut client, mut server) = (Client::new("live", "key"), session());
    assert_eq!(exchange(&mut client, &mut server, 1000), [Event::Ended]);
    assert_eq!(*client.progress(), Progress::Refused("NetConnection.Connect.InvalidApp".into()));

    let (mut client, mut server) = (Client::new("/app/", "key"), session());
    exchange(&mut client, &mut server, 1000);
    server.refuse("NetStream.Publish.BadName", "no");
    exchange(&mut client, &mut server, 1000);
    assert_eq!(*client.progress(), Progress::Refused("NetStream.Publish.BadName".into()));

    let (mut client, mut server) = live();
    client.command("play", &[Value::Null, "key".into()]);
    assert_eq!(exchange(&mut client, &mut server, 1000), [Event::Ended]);
    assert_eq!(*client.progress(), Progress::Refused("NetStream.Play.Failed".into()));
}

#[test]
fn a_second_publish_is_refused() {
    let (mut client, mut session) = live();
    client.command("publish", &[Value::Null, "other".into(), "live".into()]);
    assert_eq!(exchange(&mut client, &mut session, 1000), []);
    assert_eq!(*client.progress(), Progress::Refused("NetStream.Publish.BadName".into()));
    client.video(1, b"goes on");
    assert_eq!(exchange(&mut client, &mut session, 1000).len(), 1);
}

/// Messages that a session sends in answer to `message`.
fn answers(message: Message) -> Vec<Message> {
    let (_, mut session) = live();
    let mut bytes = Vec::new();
    let mut writer = ChunkWriter::default();
    // The client has set this size before.
    writer.write(&Message::number(kind::SET_CHUNK_SIZE, 60_000), &mut bytes);
    writer.write(&message, &mut bytes);
    session.receive(&bytes).expect("good");
    let mut reader = ChunkReader::default();
    let mut size = Vec::new();
    ChunkWriter::default().write(&Message::number(kind::SET_CHUNK_SIZE, CHUNK_BYTES), &mut size);
    reader.push(&size);
    reader.push(&session.take_output());
    std::iter::from_fn(|| reader.next_message().expect("good")).skip(1).collect()
}

#[test]
fn answers_to_what_encoders_ask() {
    let ping = Message::user_control(user::PING, 77);
    assert_eq!(answers(ping), [Message::user_control(user::PONG, 77)]);
    let unknown = answers(Message::command(0, "getWeather", 8.0, &[Value::Null]));
    let said = amf0::read_all(&unknown[0].payload).expect("good");
    assert_eq!((said[0].string(), said[1].number()), (Some("_error"), Some(8.0)));
    let check = answers(Message::command(0, "_checkbw", 8.0, &[Value::Null]));
    assert_eq!(amf0::read_all(&check[1].payload).expect("good")[0].string(), Some("onBWDone"));
    let mut wrapped = vec![0];
    wrapped.extend(amf0::write_all(&["createStream".into(), Value::Number(4.0), Value::Null]));
    let created = answers(Message::control(kind::COMMAND_AMF3, wrapped));
    assert_eq!(amf0::read_all(&created[0].payload).expect("good")[3].number(), Some(1.0));
    assert_eq!(answers(Message::command(0, "releaseStream", 2.0, &[])).len(), 1);
    assert_eq!(answers(Message::command(0, "_result", 2.0, &[])), []);
}

#[test]
fn what_was_received_is_acknowledged() {
    let (mut client, mut session) = live();
    client.video(0, &vec![1; 3_000_000]);
    session.receive(&client.take_output()).expect("good");
    let mut reader = ChunkReader::default();
    reader.push(&session.take_output());
    let message = reader.next_message().expect("good").expect("a message");
    assert_eq!(message.kind, kind::ACKNOWLEDGEMENT);
    assert!(message.first_number().is_some_and(|bytes| bytes > 3_000_000));
}

#[test]
fn nothing_is_done_before_connect() {
    let mut session = session();
    let mut bytes = vec![3; 1 + 2 * 1536];
    ChunkWriter::default().write(&Message::command(0, "publish", 1.0, &[]), &mut bytes);
    assert_eq!(session.receive(&bytes), Err(Error::Malformed("a command before connect")));
}

proptest! {
    #[test]
    fn never_panics(
        pieces in proptest::collection::vec((0u8..24, proptest::collection::vec(any::<u8>(), 0..80)), 0..20),
    ) {
        let (_, mut session) = live();
        let mut writer = ChunkWriter::default();
        for (kind, payload) in pieces {
            let mut bytes = Vec::new();
            writer.write(&Message { kind, time: 0, stream: 1, payload: payload.into() }, &mut bytes);
            if session.receive(&bytes).is_err() {
                break;
            }
        }
    }
}
