//! Functions that do what they should not. Nobody else notices, and nothing of them is left.

use std::time::Duration;

use http::Method;

use crate::build::{aws_proxy, http_api, rest_api};
use crate::functions::function;
use crate::world::{Seen, World};

const REST_FAILED: &str = r#"{"message": "Internal server error"}"#;
const HTTP_FAILED: &str = r#"{"message":"Internal Server Error"}"#;

/// The function `bad` starts like this and may take this long; `good` is good.
async fn world(start: &str, timeout: Duration) -> World {
    let mut bad = function("bad", start);
    bad.timeout = timeout;
    let world = World::start_with(|config| config.functions = vec![bad, function("good", "well")]).await;
    let rest = rest_api("abc").method("ANY /bad", aws_proxy("bad")).method("ANY /good", aws_proxy("good"));
    world.store(rest.deployed_to("dev")).await;
    let http = http_api("def").function("ANY /bad", "bad", "2.0");
    world.store(http.deployed_to("$default")).await;
    world
}

const LONG: Duration = Duration::from_secs(20);

async fn bad(world: &World, body: &str) -> Seen {
    world.send(Method::POST, "/_aws/execute-api/abc/dev/bad", &[], body).await
}

async fn good(world: &World) {
    world
        .send(Method::POST, "/_aws/execute-api/abc/dev/good", &[], r#"{"body": "fine"}"#)
        .await
        .is(200, "fine");
}

#[tokio::test]
async fn failures_are_aws_errors() {
    let world = world("well", LONG).await;
    for instruction in ["exit", "fail", "fail without words", "garbage", "huge", "\"text\""] {
        bad(&world, instruction).await.is(502, REST_FAILED);
        let by_http = world.send(Method::POST, "/_aws/execute-api/def/bad", &[], instruction).await;
        match instruction {
            // Format 2.0 takes anything for an answer.
            "\"text\"" => by_http.is(200, "text"),
            "garbage" => by_http.is(200, "{garbage"),
            _ => by_http.is(500, HTTP_FAILED),
        }
        good(&world).await;
    }
    // The function is there again.
    bad(&world, r#"{"body": "back"}"#).await.is(200, "back");
}

#[tokio::test]
async fn a_result_that_is_too_long_does_not_cost_the_process() {
    let mut one = function("bad", "well");
    one.processes = 1;
    let world = World::start_with(|config| config.functions = vec![one]).await;
    world.store(rest_api("abc").method("ANY /bad", aws_proxy("bad")).deployed_to("dev")).await;
    let before = bad(&world, "pid").await.body;
    bad(&world, "huge").await.is(502, REST_FAILED);
    bad(&world, "pid").await.is(200, &before);
}

#[tokio::test]
async fn an_event_that_is_too_long_is_refused() {
    let world = world("well", LONG).await;
    let refused = bad(&world, &"x".repeat(6 * 1024 * 1024)).await;
    refused.is(413, r#"{"message":"Request Too Long"}"#);
}

#[tokio::test]
async fn functions_that_cannot_start_fail_their_callers() {
    for start in ["not", "with an error"] {
        let world = world(start, LONG).await;
        for _ in 0..3 {
            bad(&world, "event").await.is(502, REST_FAILED);
        }
        good(&world).await;
    }
}

#[tokio::test]
async fn a_command_that_is_none_fails_its_callers() {
    let mut missing = function("bad", "well");
    missing.command = vec!["/nonexistent/program".to_owned()];
    let world = World::start_with(|config| config.functions = vec![missing]).await;
    world.store(rest_api("abc").method("ANY /bad", aws_proxy("bad")).deployed_to("dev")).await;
    bad(&world, "event").await.is(502, REST_FAILED);
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_in_time() {
    let world = world("well", Duration::from_millis(300)).await;
    let pid = bad(&world, "pid").await.body;
    bad(&world, "hang").await.is(502, REST_FAILED);
    until_gone(&pid).await;
    let next = bad(&world, "pid").await;
    assert_eq!(next.status, 200);
    assert_ne!(next.body, pid);
}

#[tokio::test]
async fn the_integration_may_be_less_patient() {
    let world = World::start_with(|config| config.functions = vec![function("bad", "well")]).await;
    let mut integration = aws_proxy("bad");
    integration.timeout_in_millis = Some(50);
    world.store(rest_api("abc").method("ANY /bad", integration).deployed_to("dev")).await;
    bad(&world, "hang").await.is(504, r#"{"message": "Endpoint request timed out"}"#);
}

#[tokio::test]
async fn a_flood_of_output_is_read() {
    let world = world("well", LONG).await;
    bad(&world, "print").await.is(200, "printed");
}

#[tokio::test]
async fn invocations_run_at_once_up_to_the_bound() {
    let world = world("well", LONG).await;
    let all = (0..20).map(|_| bad(&world, "pid"));
    let mut pids = Vec::new();
    for answer in join_all(all).await {
        assert_eq!(answer.status, 200);
        pids.push(answer.body);
    }
    pids.sort();
    pids.dedup();
    assert!((1..=2).contains(&pids.len()), "{pids:?}");
}

#[tokio::test]
async fn nothing_is_left_when_the_gateway_ends() {
    let mut world = world("well", LONG).await;
    let (process, child) = (bad(&world, "pid").await.body, bad(&world, "child").await.body);
    world.stop().await;
    for pid in [process, child] {
        until_gone(&pid).await;
    }
    bad(&world, "pid").await.is(500, REST_FAILED);
}

#[tokio::test]
async fn a_gateway_ends_while_functions_hang() {
    let mut world = world("never", LONG).await;
    let waiting = tokio::time::timeout(Duration::from_millis(200), bad(&world, "event"));
    assert!(waiting.await.is_err(), "its function never asks for an event");
    world.stop().await;
}

async fn join_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

/// Waits until there is no process of this id, or only what is left of one that nobody has waited for.
pub(crate) async fn until_gone(pid: &str) {
    let status = format!("/proc/{pid}/stat");
    let gone = async {
        while std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the process ends");
}
