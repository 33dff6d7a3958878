//! Every way in which a function can fail has its answer and its line in the access log, while others are served.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::build::{aws_proxy, rest_api, stage_of_rest};
use crate::functions::function;
use crate::lambda_faults::until_gone;
use crate::logs::{Directory, access, world};
use crate::world::{Seen, World};

const FAILED: &str = r#"{"message": "Internal server error"}"#;

/// The function `bad` has a second for each invocation.
async fn functions(directory: &Directory) -> World {
    let mut bad = function("bad", "well");
    bad.timeout = Duration::from_secs(1);
    let world = world(directory, |config| config.functions = vec![bad, function("good", "well")]).await;
    let api = rest_api("abc").method("POST /bad", aws_proxy("bad")).method("POST /good", aws_proxy("good"));
    let format = "$context.path $context.status $context.error.responseType $context.integration.status \
                  $context.integration.integrationStatus";
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = access(format))).await;
    world
}

async fn post(world: &World, function: &str, body: &str) -> Seen {
    world.send(Method::POST, &format!("/_aws/execute-api/abc/dev/{function}"), &[], body).await
}

#[tokio::test]
async fn failures_are_answered_and_logged_while_others_are_served() {
    let directory = Directory::new("functions");
    let world = functions(&directory).await;
    for instruction in
        ["exit", "hang", "half", "half and next", "flood", "zombies", "huge", "garbage", "fail"]
    {
        let before = directory.lines(&world, "access").await.len();
        let others = async {
            for _ in 0..5 {
                post(&world, "good", r#"{"body": "fine"}"#).await.is(200, "fine");
            }
        };
        let (answer, ()) = tokio::join!(post(&world, "bad", instruction), others);
        answer.is(502, FAILED);
        let lines = async {
            loop {
                let lines = directory.lines(&world, "access").await.split_off(before);
                if lines.len() == 6 {
                    return lines;
                }
                tokio::task::yield_now().await;
            }
        };
        let lines =
            tokio::time::timeout(Duration::from_secs(20), lines).await.expect("a line for each request");
        let failed: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| line.contains("/bad")).collect();
        assert_eq!(failed, ["/dev/bad 502 INTEGRATION_FAILURE - 200"], "{instruction}");
    }
    // The function is there again.
    post(&world, "bad", r#"{"body": "back"}"#).await.is(200, "back");
}

#[tokio::test]
async fn children_end_with_the_process_that_leaves_them() {
    let directory = Directory::new("orphans");
    let world = functions(&directory).await;
    let file = directory.path().join("pid");
    // The custom instruction of an event that is no proxy's.
    let event = json!({"body": "orphan", "pid": file}).to_string();
    let invocation = stagedoor_gateway::Invocation {
        access_key: "AKID".to_owned(),
        account: "1".to_owned(),
        region: "eu-west-1".to_owned(),
        function: "bad".to_owned(),
        qualifier: None,
        kind: stagedoor_gateway::InvocationKind::RequestResponse,
        payload: event.into(),
        tail: false,
        trace: String::new(),
        client_context: None,
    };
    let invoked = world.gateway.invoke(invocation).await.expect("it is invoked");
    assert!(invoked.failed && String::from_utf8_lossy(&invoked.payload).contains("Runtime.ExitError"));
    until_gone(&std::fs::read_to_string(file).expect("the child's id")).await;
}
