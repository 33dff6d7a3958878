//! Each thing that can happen to a participant, and what is stored of it then.

use stagedoor_api::ivs_realtime::EventErrorCode;
use stagedoor_store::Store;

use super::*;
use crate::Fault;
use crate::ivs::notice::Notice;
use crate::ivs::retention::{forget_before, forget_sessions};
use crate::ivs::stage;

const SESSION: &str = "st-AAAAAAAAAAAAA";
const LATER_SESSION: &str = "st-BBBBBBBBBBBBB";

/// A store with the stage `s`, and a clock that moves by a second at each transaction.
struct World {
    store: Store,
    seconds: i64,
    tells: bool,
}

impl World {
    fn new() -> Self {
        let mut world =
            Self { store: Store::in_memory().expect("memory suffices"), seconds: 1_700_000_000, tells: true };
        world.run(|documents, now| {
            let stage = Stage {
                arn: "arn:aws:ivs:eu-west-1:1:stage/s".to_owned(),
                name: String::new(),
                tags: BTreeMap::new(),
                recording: api::AutoParticipantRecordingConfiguration::default(),
                created_micros: now.as_micros(),
            };
            documents.put(&["s"], &stage)
        });
        world
    }

    fn run<T>(&mut self, mut f: impl FnMut(&mut Documents<'_>, Timestamp) -> Result<T>) -> T {
        self.seconds += 1;
        let (now, tells) = (Timestamp::from_seconds(self.seconds), self.tells);
        let done = self.store.transact(|transaction| -> std::result::Result<T, TestError> {
            Ok(f(&mut Documents::new(transaction, "1", "eu-west-1").telling(tells), now)?)
        });
        done.unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn join(&mut self, id: &str, new_session_id: &str) -> Admission {
        self.run(|documents, now| join(documents, "s", new_session_id, joining(id), now))
    }

    fn participant(&mut self, who: Present<'_>) -> api::Participant {
        self.run(|documents, _| documents.get(&who.ids())).expect("it has joined")
    }

    /// A participant's events as `NAME code remote`, oldest first.
    fn events(&mut self, who: Present<'_>) -> Vec<String> {
        let events = self.run(|documents, _| event::of(documents, who));
        let shown = |event: api::Event| {
            assert_eq!(event.participant_id.as_deref(), Some(who.participant_id));
            let words = [
                event.name.map(|name| name.to_string()),
                event.error_code.map(|code| code.to_string()),
                event.remote_participant_id,
            ];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        events.into_iter().map(|(_, event)| shown(event)).collect()
    }

    fn active(&mut self) -> Option<String> {
        self.run(|documents, _| session::active_id(documents, "s"))
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "printed when a test fails")]
enum TestError {
    Fault(Fault),
    Store(stagedoor_store::Error),
}

impl From<Fault> for TestError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<stagedoor_store::Error> for TestError {
    fn from(error: stagedoor_store::Error) -> Self {
        Self::Store(error)
    }
}

fn joining(id: &str) -> Joining {
    Joining { participant_id: id.to_owned(), user_id: "ann".to_owned(), ..Joining::default() }
}

fn joined(session_id: &str) -> Admission {
    Admission::Joined { session_id: session_id.to_owned() }
}

fn who(id: &str) -> Present<'_> {
    Present { stage_id: "s", session_id: SESSION, participant_id: id }
}

#[test]
fn the_first_to_join_opens_the_session_and_others_share_it() {
    let mut world = World::new();
    assert_eq!(world.active(), None);
    assert_eq!(world.join("a", SESSION), joined(SESSION));
    assert_eq!(world.join("b", LATER_SESSION), joined(SESSION));
    assert_eq!(world.active().as_deref(), Some(SESSION));
    let session: Option<api::StageSession> = world.run(|documents, _| documents.get(&["s", SESSION]));
    let session = session.expect("it is open");
    assert_eq!((session.session_id.as_deref(), session.end_time), (Some(SESSION), None));
    assert!(session.start_time.is_some());
}

#[test]
fn a_participant_is_stored_with_every_member_that_the_api_shows() {
    let mut world = World::new();
    let client = Client { browser_name: "Chrome<script>".to_owned(), ..Client::default() };
    let first = Joining { client, protocol: ParticipantProtocol::Whip, ..joining("a") };
    world.run(|documents, now| join(documents, "s", SESSION, first.clone(), now));
    let stored = world.participant(who("a"));
    let expected = api::Participant {
        participant_id: Some("a".to_owned()),
        user_id: Some("ann".to_owned()),
        attributes: Some(BTreeMap::new()),
        state: Some(ParticipantState::Connected),
        first_join_time: stored.first_join_time,
        published: Some(false),
        protocol: Some(ParticipantProtocol::Whip),
        browser_name: Some("Chromescript".to_owned()),
        browser_version: Some(String::new()),
        os_name: Some(String::new()),
        os_version: Some(String::new()),
        sdk_version: Some(String::new()),
        isp_name: Some(String::new()),
        recording_state: Some(api::ParticipantRecordingState::Disabled),
        recording_s3_bucket_name: Some(String::new()),
        recording_s3_prefix: Some(String::new()),
        replication_type: Some(api::ReplicationType::None),
        ..api::Participant::default()
    };
    assert_eq!(stored, expected);
}

#[test]
fn whoever_comes_back_keeps_what_is_known() {
    let mut world = World::new();
    world.join("a", SESSION);
    let first = world.participant(who("a"));
    world.run(|documents, now| publish_started(documents, who("a"), ParticipantProtocol::Whip, now));
    world.run(|documents, now| publish_stopped(documents, who("a"), now));
    world.run(|documents, now| leave(documents, who("a"), now));
    assert_eq!(world.participant(who("a")).state, Some(ParticipantState::Disconnected));
    world.run(|documents, now| leave(documents, who("a"), now));
    world.join("a", LATER_SESSION);
    world.join("a", LATER_SESSION);
    let back = world.participant(who("a"));
    assert_eq!(back.first_join_time, first.first_join_time);
    assert_eq!((back.published, back.protocol), (Some(true), Some(ParticipantProtocol::Whip)));
    assert_eq!(world.events(who("a")), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT", "JOINED"]);
}

#[test]
fn a_deleted_stage_and_a_revoked_participant_admit_nobody() {
    let mut world = World::new();
    let revocation = Revocation { reason: "spam".to_owned(), revoked_micros: 1 };
    world.run(|documents, _| documents.put(&["s", "a"], &revocation));
    assert_eq!(world.join("a", SESSION), Admission::Revoked);
    assert_eq!(world.active(), None, "a refused participant opens no session");
    world.join("b", SESSION);
    world.run(|documents, now| stage::delete(documents, "s", now));
    assert_eq!(world.join("b", SESSION), Admission::StageGone);
}

#[test]
fn nothing_is_recorded_of_a_stage_that_is_gone() {
    let mut world = World::new();
    world.join("a", SESSION);
    world.run(|documents, now| publish_started(documents, who("a"), ParticipantProtocol::Whip, now));
    world.run(|documents, now| stage::delete(documents, "s", now));
    assert_eq!(world.active(), None);
    let before = world.participant(who("a"));
    let a = who("a");
    world.run(|documents, now| publish_started(documents, a, ParticipantProtocol::Whip, now));
    world.run(|documents, now| publish_stopped(documents, a, now));
    world.run(|documents, now| subscribe_started(documents, a, "b", now));
    world.run(|documents, now| subscribe_stopped(documents, a, "b", now));
    world.run(|documents, now| {
        error(documents, a, EventName::PublishError, EventErrorCode::InvalidInput, None, now)
    });
    world.run(|documents, now| leave(documents, a, now));
    // What happened before stays, and how it ended.
    assert_eq!(world.events(a), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]);
    assert_eq!(world.participant(a), before);
    assert_eq!(before.state, Some(ParticipantState::Disconnected));
    world.run(|documents, _| forget_sessions(documents, "s"));
    let participants = world.run(|documents, _| documents.count::<api::Participant>(&["s"]));
    assert_eq!((participants, world.events(a).len()), (0, 0));
}

#[test]
fn receiving_names_the_publisher_and_errors_their_code() {
    let mut world = World::new();
    world.join("a", SESSION);
    world.run(|documents, now| subscribe_started(documents, who("a"), "b", now));
    world.run(|documents, now| subscribe_stopped(documents, who("a"), "b", now));
    let (name, code) = (EventName::SubscribeError, EventErrorCode::PublisherNotFound);
    world.run(|documents, now| error(documents, who("a"), name, code, Some("c"), now));
    let expected =
        ["JOINED", "SUBSCRIBE_STARTED b", "SUBSCRIBE_STOPPED b", "SUBSCRIBE_ERROR PUBLISHER_NOT_FOUND c"];
    assert_eq!(world.events(who("a")), expected);
    let (name, code) = (EventName::JoinError, EventErrorCode::QuotaExceeded);
    world.run(|documents, now| error(documents, who("stranger"), name, code, None, now));
    assert_eq!(world.events(who("stranger")), ["JOIN_ERROR QUOTA_EXCEEDED"]);
}

#[test]
fn events_of_one_moment_keep_their_order() {
    let mut world = World::new();
    world.join("a", SESSION);
    world.run(|documents, now| {
        (0..20).try_for_each(|n| subscribe_started(documents, who("a"), &n.to_string(), now))
    });
    let events = world.events(who("a"));
    let expected: Vec<String> = (0..20).map(|n| format!("SUBSCRIBE_STARTED {n}")).collect();
    assert_eq!(events[1..], expected);
}

#[test]
fn a_session_ends_when_nobody_is_left_and_the_next_is_a_new_one() {
    let mut world = World::new();
    world.join("a", SESSION);
    world.join("b", SESSION);
    world.run(|documents, now| leave(documents, who("a"), now));
    assert_eq!(world.run(|documents, now| session::end_session(documents, "s", now)), None);
    world.run(|documents, now| leave(documents, who("b"), now));
    let ended = world.run(|documents, now| session::end_session(documents, "s", now));
    assert_eq!(ended.as_deref(), Some(SESSION));
    assert_eq!(
        (world.active(), world.run(|documents, now| session::end_session(documents, "s", now))),
        (None, None)
    );
    let session: Option<api::StageSession> = world.run(|documents, _| documents.get(&["s", SESSION]));
    assert!(session.is_some_and(|session| session.end_time > session.start_time));
    assert_eq!(world.join("a", LATER_SESSION), joined(LATER_SESSION));
}

#[test]
fn a_killed_server_leaves_nobody_connected() {
    let mut world = World::new();
    for id in ["a", "b", "c"] {
        world.join(id, SESSION);
    }
    world.run(|documents, now| publish_started(documents, who("a"), ParticipantProtocol::Whip, now));
    world.run(|documents, now| subscribe_started(documents, who("b"), "a", now));
    world.run(|documents, now| subscribe_started(documents, who("b"), "z", now));
    world.run(|documents, now| subscribe_stopped(documents, who("b"), "z", now));
    world.run(|documents, now| leave(documents, who("c"), now));
    let restarted = Timestamp::from_seconds(world.seconds + 60);
    let open = world.store.transact(|transaction| -> std::result::Result<_, TestError> {
        Ok(disconnect_everyone(transaction, true, restarted)?)
    });
    let open = open.expect("nothing else writes");
    let stage = Key { account: "1".to_owned(), region: "eu-west-1".to_owned(), ids: vec!["s".to_owned()] };
    assert_eq!(open, [stage]);
    assert_eq!(world.events(who("a")), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]);
    let b = [
        "JOINED",
        "SUBSCRIBE_STARTED a",
        "SUBSCRIBE_STARTED z",
        "SUBSCRIBE_STOPPED z",
        "SUBSCRIBE_STOPPED a",
        "LEFT",
    ];
    assert_eq!(world.events(who("b")), b);
    assert_eq!(world.events(who("c")), ["JOINED", "LEFT"]);
    assert_eq!(world.participant(who("a")).state, Some(ParticipantState::Disconnected));
    let ended = world.run(|documents, now| session::end_session(documents, "s", now));
    assert_eq!(ended.as_deref(), Some(SESSION));
}

#[test]
fn old_sessions_are_forgotten_and_open_ones_are_not() {
    let mut world = World::new();
    world.join("a", SESSION);
    world.run(|documents, now| leave(documents, who("a"), now));
    world.run(|documents, now| session::end_session(documents, "s", now));
    world.join("a", LATER_SESSION);
    let later = Timestamp::from_seconds(world.seconds + 60);
    world.run(|documents, _| forget_before(documents, "s", later));
    let sessions = world.run(|documents, _| documents.all::<api::StageSession>(&["s"]));
    let ids: Vec<_> = sessions.iter().filter_map(|session| session.session_id.as_deref()).collect();
    assert_eq!(ids, [LATER_SESSION]);
    assert!(world.events(who("a")).is_empty());
    assert_eq!(world.events(Present { session_id: LATER_SESSION, ..who("a") }), ["JOINED"]);
}

fn notices(world: &mut World) -> Vec<String> {
    let found = world.run(|documents, _| documents.all::<Notice>(&["s"]));
    found.iter().map(|notice| notice.detail["event_name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_exchanged_token_changes_the_participant() {
    let mut world = World::new();
    world.join("a", SESSION);
    let token = |user: &str| api::ExchangedParticipantToken {
        user_id: Some(user.to_owned()),
        attributes: Some(BTreeMap::from([("of".to_owned(), user.to_owned())])),
        capabilities: Some(vec![api::ParticipantTokenCapability::Subscribe]),
        expiration_time: Some(Timestamp::from_seconds(1)),
    };
    let (ann, bob) = (token("ann"), token("bob"));
    world.run(|documents, now| token_exchanged(documents, who("a"), &ann, &bob, now));
    let participant = world.participant(who("a"));
    assert_eq!((&participant.user_id, &participant.attributes), (&bob.user_id, &bob.attributes));
    let events = world.run(|documents, _| event::of(documents, who("a")));
    let last = events.last().map(|(_, event)| event.clone()).expect("two events");
    assert_eq!(last.name, Some(EventName::TokenExchanged));
    assert_eq!((last.previous_token, last.new_token), (Some(ann.clone()), Some(bob.clone())));
    assert_eq!(notices(&mut world), ["Token Exchanged"]);
    world.run(|documents, now| token_exchanged(documents, who("stranger"), &ann, &bob, now));
    assert!(world.events(who("stranger")).is_empty());
}

#[test]
fn nothing_is_told_to_nobody() {
    let mut world = World::new();
    world.tells = false;
    world.join("a", SESSION);
    world.run(|documents, now| publish_started(documents, who("a"), ParticipantProtocol::Whip, now));
    assert_eq!(notices(&mut world), Vec::<String>::new());
    world.tells = true;
    world.run(|documents, now| publish_stopped(documents, who("a"), now));
    assert_eq!(notices(&mut world), ["Participant Unpublished"]);
}
