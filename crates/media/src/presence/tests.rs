//! People coming and going, in simulated time.

use std::time::Duration;

use jiff::Timestamp;
use stagedoor_sfu::Codec;

use super::*;
use crate::shard::End;

const ARN: &str = "arn:aws:ivs:us-east-1:000000000000:stage/one";

/// Presence with a clock that the test moves.
struct Stageplay {
    presence: Presence,
    start: Instant,
    elapsed: Duration,
    keys: u64,
}

impl Stageplay {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant can be had no other way; only distances from it count"
    )]
    fn new() -> Stageplay {
        let limits = Limits {
            publishers_per_stage: 2,
            participants_per_stage: 4,
            sockets_per_participant: 2,
            publishers_per_region: 3,
            subscriptions_per_region: 2,
            ..Limits::default()
        };
        let presence = Presence::new(Timeouts::default(), limits);
        Stageplay { presence, start: Instant::now(), elapsed: Duration::ZERO, keys: 0 }
    }

    fn moment(&self) -> Moment {
        let wall = Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(self.elapsed).expect("short");
        Moment { now: self.start + self.elapsed, wall }
    }

    fn pass(&mut self, seconds: u64) -> Vec<PeerKey> {
        self.elapsed += Duration::from_secs(seconds);
        self.presence.tick(self.moment())
    }

    fn visitor(&self, name: &str) -> Visitor {
        Visitor {
            stage_arn: ARN.into(),
            stage_id: "one".into(),
            participant_id: name.into(),
            user_id: String::new(),
            attributes: BTreeMap::new(),
            issued: 0,
            protocol: Protocol::Whip,
            client: Client::default(),
            ingest_configuration_arn: None,
            stands_for: None,
            active_session: None,
            new_session: format!("st-{}", self.elapsed.as_secs()),
        }
    }

    fn enter(&mut self, name: &str) -> Result<(), QuotaExceeded> {
        self.presence.enter(&self.visitor(name), self.moment())
    }

    fn attach(&mut self, name: &str, purpose: Purpose) -> Result<(PeerKey, Vec<PeerKey>), QuotaExceeded> {
        self.enter(name)?;
        self.keys += 1;
        let key = PeerKey(self.keys);
        let connection = Connection {
            resource: key.0.to_string(),
            etag: String::new(),
            peer_ufrag: String::new(),
            fragment_head: String::new(),
            purpose,
        };
        let closed = self.presence.attach(&self.visitor(name), key, connection)?;
        Ok((key, closed))
    }

    fn publish(&mut self, name: &str) -> Result<(PeerKey, Vec<PeerKey>), QuotaExceeded> {
        self.attach(
            name,
            Purpose::Publish { tracks: vec![TrackSpec::single(Codec::Opus), TrackSpec::single(Codec::Vp8)] },
        )
    }

    fn subscribe(&mut self, name: &str, remote: &str) -> (PeerKey, Vec<PeerKey>) {
        self.attach(name, Purpose::Subscribe { remote: remote.into() }).expect("no quota for that")
    }

    /// What was noted since the last call, in short, with the session.
    fn told(&mut self) -> Vec<String> {
        let names = |what: What| match what {
            What::Joined(joining) => format!("{} joined", joining.participant_id),
            What::Left { participant_id } => format!("{participant_id} left"),
            What::PublishStarted { participant_id, .. } => format!("{participant_id} publishes"),
            What::PublishStopped { participant_id } => format!("{participant_id} stopped"),
            What::SubscribeStarted { participant_id, remote } => {
                format!("{participant_id} receives {remote}")
            }
            What::SubscribeStopped { participant_id, remote } => format!("{participant_id} lost {remote}"),
            What::Failed { participant_id, attempt: Attempt::Join, .. } => {
                format!("{participant_id} was not let in")
            }
            What::Failed { participant_id, .. } => format!("{participant_id} failed"),
            What::TokenExchanged { participant_id, exchange } => {
                format!(
                    "{participant_id} exchanged {} for {}",
                    exchange.previous.user_id, exchange.new.user_id
                )
            }
            What::SessionEnded => "ended".to_owned(),
        };
        let notes = self.presence.take_notes().into_iter();
        notes.map(|note| format!("{} {}", note.session_id, names(note.what))).collect()
    }
}

#[test]
fn who_only_knocks_is_gone_after_the_grace_and_the_session_after_its_own() {
    let mut play = Stageplay::new();
    play.enter("ada").expect("there is room");
    play.pass(9);
    assert_eq!(play.told(), ["st-0 ada joined"]);
    play.pass(1);
    assert_eq!(play.told(), ["st-0 ada left"]);
    play.pass(179);
    // Back in time: the same session.
    play.enter("ada").expect("there is room");
    play.pass(10);
    assert_eq!(play.told(), ["st-0 ada joined", "st-0 ada left"]);
    play.pass(180);
    assert_eq!(play.told(), ["st-0 ended"]);
    play.enter("ada").expect("there is room");
    assert_eq!(play.told(), ["st-379 ada joined"]);
}

#[test]
fn sockets_and_connections_keep_a_participant() {
    let mut play = Stageplay::new();
    play.enter("ada").expect("there is room");
    let feed = play.presence.open_socket(&play.visitor("ada")).expect("there is room");
    assert!(feed.state.borrow().contains(r#""id":"ada""#));
    play.pass(100);
    let (key, _) = play.publish("ada").expect("there is room");
    play.presence.connected(key, play.moment());
    play.presence.close_socket(ARN, "ada", play.moment().now);
    play.pass(100);
    play.presence.ended(key, End::Left, play.moment());
    play.pass(9);
    assert_eq!(play.told(), ["st-0 ada joined", "st-0 ada publishes", "st-0 ada stopped"]);
    play.pass(1);
    assert_eq!(play.told(), ["st-0 ada left"]);
}

#[test]
fn who_fell_silent_leaves_without_further_grace() {
    let mut play = Stageplay::new();
    let (key, _) = play.publish("ada").expect("there is room");
    play.presence.connected(key, play.moment());
    play.presence.ended(key, End::Silent, play.moment());
    play.pass(0);
    assert_eq!(play.told(), ["st-0 ada joined", "st-0 ada publishes", "st-0 ada stopped", "st-0 ada left"]);
}

#[test]
fn who_leaves_takes_the_subscriptions_to_it_along() {
    let mut play = Stageplay::new();
    let (published, _) = play.publish("ada").expect("there is room");
    let (received, _) = play.subscribe("bob", "ada");
    play.presence.connected(published, play.moment());
    play.presence.connected(received, play.moment());
    play.presence.ended(published, End::Left, play.moment());
    assert_eq!(play.pass(9), []);
    assert_eq!(play.pass(1), [received]);
    play.presence.ended(received, End::Removed, play.moment());
    assert_eq!(play.told()[4..], ["st-0 ada stopped", "st-0 ada left", "st-0 bob lost ada"]);
}

#[test]
fn the_newest_connection_takes_over_when_it_is_connected() {
    let mut play = Stageplay::new();
    let (first, closed) = play.publish("ada").expect("there is room");
    assert_eq!(closed, []);
    // The second attempt replaces the first, which never connected.
    let (second, closed) = play.publish("ada").expect("there is room");
    assert_eq!(closed, [first]);
    play.presence.ended(first, End::Removed, play.moment());
    play.presence.connected(second, play.moment());
    // The third leaves the second alone until it is connected itself.
    let (third, closed) = play.publish("ada").expect("there is room");
    assert_eq!(closed, []);
    assert_eq!(play.told(), ["st-0 ada joined", "st-0 ada publishes"]);
    assert_eq!(play.presence.connected(third, play.moment()), [second]);
    play.presence.ended(second, End::Removed, play.moment());
    assert_eq!(play.told(), ["st-0 ada stopped", "st-0 ada publishes"]);
    assert_eq!(
        play.presence.remote(ARN, "ada"),
        Remote::Publishing { video: Some(TrackSpec::single(Codec::Vp8)) }
    );
    // Subscriptions to different publishers do not touch each other.
    let (_, closed) = play.subscribe("ada", "bob");
    assert_eq!(closed, []);
    let (_, closed) = play.subscribe("ada", "carol");
    assert_eq!(closed, []);
}

#[test]
fn quotas() {
    let mut play = Stageplay::new();
    play.publish("ada").expect("the first publisher");
    play.publish("bob").expect("the second publisher");
    assert_eq!(play.publish("carol").err(), Some(QuotaExceeded));
    play.publish("ada").expect("again, not another one");
    play.enter("dan").expect("the fourth participant");
    assert_eq!(play.enter("eve").err(), Some(QuotaExceeded));
    play.presence.open_socket(&play.visitor("dan")).expect("the first socket");
    play.presence.open_socket(&play.visitor("dan")).expect("the second socket");
    assert!(play.presence.open_socket(&play.visitor("dan")).is_err());
    let told = play.told();
    assert_eq!(told[..4], ["st-0 ada joined", "st-0 bob joined", "st-0 carol joined", "st-0 dan joined"]);
    assert_eq!(told[4..], ["st-0 eve was not let in"]);
}

#[test]
fn a_deleted_stage_is_forgotten_without_a_note() {
    let mut play = Stageplay::new();
    let (key, _) = play.publish("ada").expect("there is room");
    play.presence.connected(key, play.moment());
    let feed = play.presence.open_socket(&play.visitor("ada")).expect("there is room");
    play.told();
    assert_eq!(play.presence.delete_stage(ARN), [key]);
    assert_eq!(*feed.farewell.borrow(), Some(Farewell::StageDeleted));
    // What the media thread still reports of it finds nothing.
    assert_eq!(play.presence.connected(key, play.moment()), [key]);
    play.presence.ended(key, End::Removed, play.moment());
    play.pass(1000);
    assert_eq!(play.told(), Vec::<String>::new());
    assert!(play.presence.connections.is_empty() && play.presence.resources.is_empty());
}

#[test]
fn mistakes_are_noted_of_those_who_are_there() {
    let mut play = Stageplay::new();
    let fail = |play: &mut Stageplay, name: &str| {
        let (visitor, moment) = (play.visitor(name), play.moment());
        play.presence.failed(&visitor, Attempt::Publish, ErrorCode::InvalidInput, moment);
    };
    fail(&mut play, "ada");
    play.enter("bob").expect("there is room");
    fail(&mut play, "ada");
    fail(&mut play, "bob");
    assert_eq!(play.told(), ["st-0 bob joined", "st-0 bob failed"]);
}

fn grant(user_id: &str, issued: i64, allow_publish: bool, allow_subscribe: bool) -> Grant {
    Grant {
        capabilities: Capabilities { allow_publish, allow_subscribe },
        user_id: user_id.to_owned(),
        attributes: BTreeMap::new(),
        issued,
        expires: issued + 3600,
    }
}

#[test]
fn an_exchanged_token_counts_at_once_and_against_older_ones() {
    let mut play = Stageplay::new();
    let (publication, _) = play.publish("ada").expect("there is room");
    play.presence.connected(publication, play.moment());
    let (subscription, _) = play.subscribe("ada", "bob");
    play.presence.connected(subscription, play.moment());
    play.told();
    let ada = play.visitor("ada");
    let (all, no_more) = (grant("first", 5, true, true), grant("second", 9, false, true));
    let closed = play.presence.exchange(&ada, all.clone(), no_more.clone(), play.moment());
    assert_eq!(closed, Some(vec![publication]), "only what it may no longer do");
    assert_eq!(play.told(), ["st-0 ada exchanged first for second", "st-0 ada stopped"]);
    play.presence.ended(publication, End::Removed, play.moment());
    assert_eq!(play.told(), Vec::<String>::new(), "once");
    // An older token, which may still publish by itself, changes nothing.
    let older = Visitor { issued: 5, user_id: "first".to_owned(), ..ada.clone() };
    play.presence.enter(&older, play.moment()).expect("it is here");
    assert_eq!(play.presence.capabilities(&older, all.capabilities), no_more.capabilities);
    // The next exchange is from the one that counts, and a token issued later needs none.
    let third = grant("third", 12, true, true);
    assert_eq!(play.presence.exchange(&ada, all.clone(), third, play.moment()), Some(Vec::new()));
    assert_eq!(play.told(), ["st-0 ada exchanged second for third"]);
    let newer = Visitor { issued: 13, ..ada.clone() };
    play.presence.enter(&newer, play.moment()).expect("it is here");
    let none = Capabilities { allow_publish: false, allow_subscribe: false };
    assert_eq!(play.presence.capabilities(&newer, none), none);
    let absent = play.visitor("carol");
    assert_eq!(play.presence.exchange(&absent, all, no_more, play.moment()), None);
}

#[test]
fn a_region_has_only_so_many_connections() {
    let mut play = Stageplay::new();
    let (first, _) = play.publish("ada").expect("there is room");
    play.publish("bob").expect("there is room");
    let elsewhere = |play: &Stageplay, region: &str, name: &str| Visitor {
        stage_arn: format!("arn:aws:ivs:{region}:000000000000:stage/two").into(),
        ..play.visitor(name)
    };
    let attach = |play: &mut Stageplay, visitor: &Visitor, purpose: Purpose| {
        play.presence.enter(visitor, play.moment()).expect("there is room");
        play.keys += 1;
        let connection = Connection {
            resource: play.keys.to_string(),
            etag: String::new(),
            peer_ufrag: String::new(),
            fragment_head: String::new(),
            purpose,
        };
        play.presence.attach(visitor, PeerKey(play.keys), connection).is_ok()
    };
    let publication = || Purpose::Publish { tracks: vec![TrackSpec::single(Codec::H264)] };
    let (third, fourth) = (elsewhere(&play, "us-east-1", "cid"), elsewhere(&play, "us-east-1", "dan"));
    assert!(attach(&mut play, &third, publication()));
    assert!(!attach(&mut play, &fourth, publication()));
    assert!(attach(&mut play, &third, publication()), "in the place of its own");
    let far = elsewhere(&play, "eu-west-1", "dan");
    assert!(attach(&mut play, &far, publication()), "another region");
    // Of `cid`'s two connections both count until the older one has ended.
    play.presence.ended(first, End::Left, play.moment());
    assert!(!attach(&mut play, &fourth, publication()));
    play.presence.delete_stage(&third.stage_arn);
    assert!(attach(&mut play, &fourth, publication()));
    let receive = |remote: &str| Purpose::Subscribe { remote: remote.into() };
    assert!(attach(&mut play, &fourth, receive("a")) && attach(&mut play, &fourth, receive("b")));
    assert!(!attach(&mut play, &fourth, receive("c")));
}

/// Tokens may be issued long before they are used, in any order.
#[test]
fn a_token_that_was_given_up_does_not_count_again_for_being_younger() {
    let mut play = Stageplay::new();
    play.enter("ada").expect("there is room");
    let young = Visitor { issued: 20, ..play.visitor("ada") };
    play.presence.enter(&young, play.moment()).expect("it is here");
    let (all, watch) = (grant("first", 20, true, true), grant("second", 10, false, true));
    let exchanged = play.presence.exchange(&young, all.clone(), watch.clone(), play.moment());
    assert_eq!(exchanged, Some(Vec::new()));
    let old = Visitor { issued: 10, ..young.clone() };
    for visitor in [&young, &old] {
        play.presence.enter(visitor, play.moment()).expect("it is here");
        let own = if visitor.issued == 20 { all.capabilities } else { watch.capabilities };
        assert_eq!(play.presence.capabilities(visitor, own), watch.capabilities, "{}", visitor.issued);
    }
    // Back to what it was, by a third that is older still: both before it count for nothing.
    let third = grant("third", 5, true, true);
    assert_eq!(play.presence.exchange(&old, watch.clone(), third, play.moment()), Some(Vec::new()));
    assert_eq!(play.presence.capabilities(&old, watch.capabilities), all.capabilities);
    assert_eq!(play.presence.capabilities(&young, watch.capabilities), all.capabilities);
}

#[test]
fn a_connection_that_fails_before_it_is_one_is_an_error() {
    let mut play = Stageplay::new();
    let (publication, _) = play.publish("ada").expect("there is room");
    play.told();
    play.presence.ended(publication, End::Failed, play.moment());
    assert_eq!(play.told(), ["st-0 ada failed"]);
    let (publication, _) = play.publish("ada").expect("there is room");
    play.presence.connected(publication, play.moment());
    play.presence.ended(publication, End::Failed, play.moment());
    assert_eq!(play.told(), ["st-0 ada publishes", "st-0 ada stopped"]);
}

#[test]
fn whoever_publishes_may_say_that_it_is_muted() {
    let mut play = Stageplay::new();
    play.enter("ada").expect("there is room");
    assert_eq!(play.presence.set_muted(ARN, "ada", Some(true), None), None, "it does not publish");
    let (publication, _) = play.publish("ada").expect("there is room");
    let set = |play: &mut Stageplay, audio, video| play.presence.set_muted(ARN, "ada", audio, video);
    assert_eq!(set(&mut play, Some(true), None), Some(Muted { audio: true, video: false }));
    assert_eq!(set(&mut play, None, Some(true)), Some(Muted { audio: true, video: true }));
    play.presence.ended(publication, End::Left, play.moment());
    play.publish("ada").expect("there is room");
    assert_eq!(set(&mut play, None, None), Some(Muted::default()), "a new publication begins unmuted");
}

#[test]
fn two_encoders_are_seen_as_one() {
    let mut play = Stageplay::new();
    let encoder = |play: &Stageplay, name: &str| Visitor {
        stands_for: Some("studio".into()),
        user_id: "studio".to_owned(),
        ..play.visitor(name)
    };
    let publish = |play: &mut Stageplay, name: &str| {
        let visitor = encoder(play, name);
        play.presence.enter(&visitor, play.moment()).expect("there is room");
        play.keys += 1;
        let key = PeerKey(play.keys);
        let purpose = Purpose::Publish { tracks: vec![TrackSpec::single(Codec::H264)] };
        let connection = Connection {
            resource: key.0.to_string(),
            etag: String::new(),
            peer_ufrag: String::new(),
            fragment_head: String::new(),
            purpose,
        };
        let name = play.presence.name_of_publication(ARN, &visitor.participant_id);
        play.presence.attach(&visitor, key, connection).expect("there is room");
        play.presence.connected(key, play.moment());
        (key, name.to_string())
    };
    let renamed = |play: &mut Stageplay| {
        let mut renames = Vec::new();
        play.presence.send_renames(|Rename { key, name }| {
            renames.push((*key, name.to_string()));
            true
        });
        renames
    };
    let (one, name_of_one) = publish(&mut play, "one");
    let (two, name_of_two) = publish(&mut play, "two");
    assert_eq!((name_of_one.as_str(), name_of_two.as_str()), ("studio", "two"));
    // They take one place of two.
    play.publish("ada").expect("there is room");
    assert!(play.publish("bob").is_err());
    assert!(matches!(play.presence.remote(ARN, "studio"), Remote::Publishing { .. }));
    assert_eq!(play.presence.remote(ARN, "one"), Remote::Unknown);
    assert!(play.presence.publishes(&play.visitor("studio")), "its own key is in use");
    assert!(renamed(&mut play).is_empty());
    play.presence.ended(two, End::Left, play.moment());
    assert!(renamed(&mut play).is_empty(), "it was not in front");
    let (two, _) = publish(&mut play, "two");
    play.presence.ended(one, End::Silent, play.moment());
    assert_eq!(renamed(&mut play), [(two, "studio".to_owned())]);
    let (watching, _) = play.subscribe("ada", "studio");
    assert!(play.pass(10).is_empty(), "one of them is left");
    play.presence.ended(two, End::Left, play.moment());
    assert!(renamed(&mut play).is_empty());
    assert_eq!(play.presence.remote(ARN, "studio"), Remote::NotPublishing);
    assert_eq!(play.pass(10), [watching], "nobody is left to watch");
}
