//! A whole media plane with an in-memory ledger, and people with tokens who use it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use stagedoor_auth::es384::{KeyPair, PublicKey};
use stagedoor_auth::participant_token::{Capabilities, Claims, TokenError, issue};
use stagedoor_media::client::Client;
use stagedoor_media::config::{Limits, Timeouts};
use stagedoor_media::ledger::{Admission, Attempt, Change, Grant, Ingest, IngestRefusal, Ledger, Note, What};
use stagedoor_media::metrics::Counters;
use stagedoor_media::world::World;
use stagedoor_media::{Config, Handle, Media};
use stagedoor_sfu::Codec;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::support::{LOCALHOST, PATIENCE, connect, world};

pub const STAGE: &str = "arn:aws:ivs:us-east-1:000000000000:stage/AbCdEf123456";
pub const TOPIC: &str = "AbCdEf123456";
const KID: &str = "arn:aws:ivs:us-east-1:000000000000:public-key/server";

/// Remembers in memory, and knows one stage.
pub struct MemoryLedger {
    key: PublicKey,
    notes: Mutex<Vec<Note>>,
    revoked: Mutex<HashSet<String>>,
    ingests: Mutex<BTreeMap<String, Ingest>>,
}

impl Ledger for MemoryLedger {
    fn public_key(&self, kid: &str) -> Option<PublicKey> {
        (kid == KID).then(|| self.key.clone())
    }

    fn admit(&self, claims: &Claims) -> Result<Admission, TokenError> {
        if claims.resource != STAGE {
            return Err(TokenError::StageDeleted);
        }
        if self.revoked.lock().expect("no panic").contains(&claims.jti) {
            return Err(TokenError::ParticipantDisconnected);
        }
        Ok(Admission::default())
    }

    fn ingest(&self, stream_key: &str) -> Result<Ingest, IngestRefusal> {
        let ingests = self.ingests.lock().expect("no panic");
        ingests.get(stream_key).cloned().ok_or(IngestRefusal::WrongKey { of: None })
    }

    fn record(&self, note: Note) {
        self.notes.lock().expect("no panic").push(note);
    }
}

/// A running media plane. It stops with [`Plane::stop`].
pub struct Plane {
    pub handle: Handle,
    pub ledger: Arc<MemoryLedger>,
    pub world: Arc<dyn World>,
    pub changes: mpsc::Sender<Change>,
    key: KeyPair,
    shutdown: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

/// Timeouts that a test can wait for, where it waits for them; long ones elsewhere.
/// Three media threads, so that connections that meet are mostly on different ones.
pub fn config() -> Config {
    Config { listen: (LOCALHOST, 0).into(), shards: 3, ..Config::default() }
}

pub fn hasty() -> Config {
    let short = Duration::from_millis(300);
    let timeouts =
        Timeouts { consent: Duration::from_millis(700), leave: short, session: short, ..Timeouts::default() };
    Config { timeouts, ..config() }
}

pub fn limited(publishers_per_stage: usize) -> Config {
    Config { limits: Limits { publishers_per_stage, ..Limits::default() }, ..config() }
}

impl Plane {
    pub fn start(config: Config) -> Plane {
        Plane::with_key(config, KeyPair::generate())
    }

    /// Stops the server and starts another one with the same keys and an empty memory.
    pub async fn restart(self, config: Config) -> Plane {
        drop(self.shutdown);
        self.running.await.expect("no panic").expect("no socket error");
        Plane::with_key(config, self.key)
    }

    fn with_key(config: Config, key: KeyPair) -> Plane {
        let ledger = Arc::new(MemoryLedger {
            key: key.public_key(),
            notes: Mutex::default(),
            revoked: Mutex::default(),
            ingests: Mutex::default(),
        });
        let (changes, receiver) = mpsc::channel(16);
        let world = world();
        let (media, handle) = Media::start(config, ledger.clone(), receiver, world.clone()).expect("starts");
        let (shutdown, stopped) = oneshot::channel();
        let running = tokio::spawn(media.run(async move { drop(stopped.await) }));
        Plane { handle, ledger, world, changes, key, shutdown, running }
    }

    pub async fn stop(self) -> Vec<String> {
        drop(self.shutdown);
        self.running.await.expect("no panic").expect("no socket error");
        self.ledger.told()
    }

    /// A token for the stage.
    pub fn token(&self, participant: &str, allow_publish: bool, allow_subscribe: bool) -> String {
        self.token_with(participant, |claims| {
            claims.capabilities = Capabilities { allow_publish, allow_subscribe };
        })
    }

    pub fn token_with(&self, participant: &str, change: impl FnOnce(&mut Claims)) -> String {
        let now = self.world.wall().as_second();
        let mut claims = Claims {
            exp: now + 3600,
            iat: now,
            jti: participant.into(),
            resource: STAGE.into(),
            topic: TOPIC.into(),
            events_url: "ws://127.0.0.1/events".into(),
            whip_url: "http://127.0.0.1/whip".into(),
            capabilities: Capabilities { allow_publish: true, allow_subscribe: true },
            version: "1.0".into(),
            user_id: Some(format!("user of {participant}")),
            attributes: Some(BTreeMap::from([("color".to_owned(), "red".to_owned())])),
        };
        change(&mut claims);
        issue(&claims, &self.key, KID).expect("good claims")
    }

    /// Gives a stream key to a participant, as an ingest configuration would.
    pub fn ingest(&self, stream_key: &str, participant: &str, insecure: bool) {
        let ingest = Ingest {
            configuration_arn: format!(
                "arn:aws:ivs:us-east-1:000000000000:ingest-configuration/{participant}"
            ),
            stage_arn: STAGE.into(),
            stage_id: TOPIC.into(),
            participant_id: participant.into(),
            insecure,
            ..Ingest::default()
        };
        self.ledger.ingests.lock().expect("no panic").insert(stream_key.into(), ingest);
    }

    /// The same for one of two encoders with the same content, in whose place others see `shown`.
    pub fn ingest_for(&self, stream_key: &str, participant: &str, shown: &str) {
        self.ingest(stream_key, participant, true);
        let mut ingests = self.ledger.ingests.lock().expect("no panic");
        ingests.get_mut(stream_key).expect("just put there").stands_for = Some(shown.into());
    }

    /// Sends a request with an SDP body.
    pub async fn post(&self, path: &str, token: &str, offer: impl Into<Bytes>) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/sdp")
            .body(Full::new(offer.into()));
        self.send(request.expect("a good request")).await
    }

    pub async fn method(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).body(Full::new(Bytes::new()));
        self.send(request.expect("a good request")).await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        Answer::of(self.handle.serve(request).await).await
    }

    /// Publishes these codecs; returns the client, connected, and the session's URL.
    pub async fn publish(&self, participant: &str, codecs: &[Codec]) -> (Client, String) {
        let (client, offer) = Client::publisher(LOCALHOST, codecs, self.world.clone()).expect("a client");
        let answer = self.post("/whip", &self.token(participant, true, true), offer).await;
        self.join(client, answer).await
    }

    /// Receives `remote` as `participant`.
    pub async fn subscribe(&self, participant: &str, remote: &str, codecs: &[Codec]) -> (Client, String) {
        let (client, offer) = Client::subscriber(LOCALHOST, codecs, self.world.clone()).expect("a client");
        let path = format!("/whip/subscribe/{remote}");
        let answer = self.post(&path, &self.token(participant, true, true), offer).await;
        self.join(client, answer).await
    }

    pub async fn join(&self, mut client: Client, answer: Answer) -> (Client, String) {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        client.accept(&answer.body).expect("a good answer");
        let world = self.world.clone();
        let connected = tokio::task::spawn_blocking(move || {
            connect(&mut client, &world);
            client
        });
        (connected.await.expect("connects"), answer.header("location").to_owned())
    }

    /// Waits until the ledger has been told this many things, and returns them.
    pub async fn told(&self, count: usize) -> Vec<String> {
        self.eventually(|| {
            let told = self.ledger.told();
            (told.len() >= count).then_some(told)
        })
        .await
        .unwrap_or_else(|| panic!("not {count}: {:#?}", self.ledger.told()))
    }

    pub async fn counted(&self, condition: impl Fn(&Counters) -> bool) -> Counters {
        let counters = self.eventually(|| Some(self.handle.counters()).filter(&condition)).await;
        counters.unwrap_or_else(|| panic!("{:#?}", self.handle.counters()))
    }

    async fn eventually<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = self.world.now() + PATIENCE;
        while self.world.now() < deadline {
            if let Some(found) = look() {
                return Some(found);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    pub async fn disconnect(&self, participant: &str) {
        self.ledger.revoked.lock().expect("no panic").insert(participant.into());
        let change =
            Change::ParticipantDisconnected { stage_arn: STAGE.into(), participant_id: participant.into() };
        self.changes.send(change).await.expect("running");
    }
}

impl MemoryLedger {
    /// What was noted, in short.
    pub fn told(&self) -> Vec<String> {
        self.notes.lock().expect("no panic").iter().map(|note| short(&note.what)).collect()
    }

    pub fn notes(&self) -> Vec<Note> {
        self.notes.lock().expect("no panic").clone()
    }
}

fn short(what: &What) -> String {
    match what {
        What::Joined(joining) => format!("{} joined", joining.participant_id),
        What::Left { participant_id } => format!("{participant_id} left"),
        What::PublishStarted { participant_id, .. } => format!("{participant_id} publishes"),
        What::PublishStopped { participant_id } => format!("{participant_id} stopped"),
        What::SubscribeStarted { participant_id, remote } => format!("{participant_id} receives {remote}"),
        What::SubscribeStopped { participant_id, remote } => format!("{participant_id} lost {remote}"),
        What::Failed { participant_id, attempt: Attempt::Join, code } => {
            format!("{participant_id} cannot join: {code:?}")
        }
        What::Failed { participant_id, attempt: Attempt::Publish, code } => {
            format!("{participant_id} cannot publish: {code:?}")
        }
        What::Failed { participant_id, attempt: Attempt::Subscribe { remote }, code } => {
            format!("{participant_id} cannot receive {remote}: {code:?}")
        }
        What::TokenExchanged { participant_id, exchange } => {
            let allowed = |grant: &Grant| {
                let Capabilities { allow_publish, allow_subscribe } = grant.capabilities;
                format!("{} {allow_publish} {allow_subscribe}", grant.user_id)
            };
            format!("{participant_id}: {} -> {}", allowed(&exchange.previous), allowed(&exchange.new))
        }
        What::SessionEnded => "session ended".into(),
    }
}

/// An HTTP answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
    headers: http::HeaderMap,
}

impl Answer {
    pub async fn of(response: Response<Full<Bytes>>) -> Answer {
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("whole").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status: head.status, body, headers: head.headers }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    /// The message of an error.
    pub fn message(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.body);
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        body["message"].as_str().expect("a message").to_owned()
    }
}
