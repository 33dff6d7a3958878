//! Invocations that nobody waits for: accepted, tried again, given up to a destination; and the end of what functions
//! print.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use stagedoor_gateway::{Asynchronous, Function};

use crate::build::{Integrated as _, aws, rest_api};
use crate::functions::function;
use crate::world::{Seen, World};

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stagedoor-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a new directory");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path of visible characters").to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn world(functions: Vec<Function>) -> World {
    let world = World::start_with(|config| config.functions = functions).await;
    let event = aws("pets").answering("200", "").mapping("header.X-Amz-Invocation-Type", "'Event'");
    let told = aws("pets")
        .mapping("header.X-Amz-Log-Type", "'Tail'")
        .answering("200", "")
        .with_header("X-Tail", "integration.response.header.X-Amz-Log-Result");
    let api = rest_api("abc")
        .method("ANY /event", event)
        .method("ANY /told", told)
        .method("ANY /waiting", aws("pets").answering("200", ""));
    world.store(api.deployed_to("dev")).await;
    world
}

/// A function with a destination; both waits are short.
fn trying_again(waits: &[u64]) -> Vec<Function> {
    let asynchronous = Asynchronous {
        retry_waits: waits.iter().copied().map(Duration::from_millis).collect(),
        on_failure: Some("destination".to_owned()),
        ..Asynchronous::default()
    };
    vec![Function { asynchronous, ..function("pets", "well") }, function("destination", "well")]
}

async fn post(world: &World, path: &str, event: &Value) -> Seen {
    world.send(Method::POST, &format!("/_aws/execute-api/abc/dev/{path}"), &[], &event.to_string()).await
}

/// What a file holds once it is there.
async fn written(path: &str) -> String {
    let there = async {
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if !text.is_empty() => return text,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), there).await.expect("the file is written")
}

#[tokio::test]
async fn an_event_that_fails_is_tried_again_and_then_given_up() {
    let directory = Directory::new("tried-again");
    let world = world(trying_again(&[10, 20])).await;
    let (notes, record) = (directory.file("notes"), directory.file("record"));
    let event = json!({"do": "note", "notes": notes, "record": record});
    post(&world, "event", &event).await.is(200, "");
    let told: Value = serde_json::from_str(&written(&record).await).expect("a record");
    let context = &told["requestContext"];
    assert_eq!(
        (&context["condition"], &context["approximateInvokeCount"]),
        (&json!("RetriesExhausted"), &json!(3))
    );
    assert_eq!((&told["requestPayload"], &told["version"]), (&event, &json!("1.0")));
    assert_eq!(told["responsePayload"], json!({"errorMessage": "not yet", "errorType": "Oops"}));
    let noted = written(&notes).await;
    let ids: Vec<&str> = noted.lines().collect();
    let id = context["requestId"].as_str().expect("an id");
    assert_eq!(ids, [id; 3], "every attempt has the same id");
}

#[tokio::test]
async fn an_event_that_is_too_old_is_given_up() {
    let directory = Directory::new("too-old");
    let mut functions = trying_again(&[3_600_000]);
    functions[0].asynchronous.age_max = Duration::from_secs(60);
    let world = world(functions).await;
    let (notes, record) = (directory.file("notes"), directory.file("record"));
    post(&world, "event", &json!({"do": "note", "notes": notes, "record": record})).await.is(200, "");
    let told: Value = serde_json::from_str(&written(&record).await).expect("a record");
    assert_eq!(told["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 1);
}

#[tokio::test]
async fn a_gateway_ends_while_events_wait_for_another_attempt() {
    let directory = Directory::new("ends");
    let mut world = world(trying_again(&[3_600_000])).await;
    let notes = directory.file("notes");
    post(&world, "event", &json!({"do": "note", "notes": notes})).await.is(200, "");
    written(&notes).await;
    tokio::time::timeout(Duration::from_secs(5), world.stop()).await.expect("the wait is cut short");
}

#[tokio::test]
async fn events_wait_for_room_where_callers_are_refused() {
    let directory = Directory::new("room");
    let mut pets = function("pets", "well");
    (pets.processes, pets.concurrency) = (1, 1);
    (pets.timeout, pets.asynchronous.retry_waits) = (Duration::from_millis(500), Vec::new());
    let world = world(vec![pets]).await;
    post(&world, "event", &json!({"do": "hang"})).await.is(200, "");
    let notes = directory.file("notes");
    post(&world, "event", &json!({"do": "note", "notes": notes})).await.is(200, "");
    post(&world, "waiting", &json!({"do": "say"})).await.is(500, r#"{"message": "Internal server error"}"#);
    assert!(Path::new(&notes).metadata().is_err(), "the first hangs still");
    assert_eq!(written(&notes).await.lines().count(), 1);
}

#[tokio::test]
async fn the_end_of_what_a_function_prints_comes_with_its_result() {
    let world = world(vec![function("pets", "well")]).await;
    for _ in 0..3 {
        let event = json!({"do": "say"});
        let answer = post(&world, "told", &event).await;
        answer.is(200, &event.to_string());
        let tail = STANDARD.decode(answer.header("x-tail")).expect("base64");
        let tail = String::from_utf8(tail).expect("text");
        let mut lines = tail.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("START RequestId: ")), "{tail}");
        assert!(tail.contains("\nout loud\n") && tail.contains("and aside\n"), "{tail}");
        assert!(lines.next_back().is_some_and(|line| line.starts_with("REPORT RequestId: ")), "{tail}");
    }
    let crashed = post(&world, "told", &json!({"do": "exit"})).await;
    assert_eq!((crashed.status.as_u16(), &crashed.json()["errorType"]), (200, &json!("Runtime.ExitError")));
    assert!(!crashed.header("x-tail").is_empty());
}
