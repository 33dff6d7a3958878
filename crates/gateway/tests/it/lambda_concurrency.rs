//! Functions whose concurrency is used up: rest-data C12, http-data D7. AWS's Lambda answers 429, API Gateway turns that
//! into 500 of REST APIs and 503 of HTTP APIs.

use std::time::Duration;

use http::Method;

use crate::build::{aws_proxy, http_api, rest_api};
use crate::functions::function;
use crate::world::World;

async fn world() -> World {
    let mut pets = function("pets", "well");
    (pets.processes, pets.concurrency, pets.timeout) = (1, 1, Duration::from_secs(2));
    let others = function("others", "well");
    let world = World::start_with(|config| config.functions = vec![pets, others]).await;
    let rest =
        rest_api("abc").method("ANY /pets", aws_proxy("pets")).method("ANY /others", aws_proxy("others"));
    world.store(rest.deployed_to("dev")).await;
    world.store(http_api("def").function("ANY /pets", "pets", "2.0").deployed_to("$default")).await;
    world
}

async fn post(world: &World, path: &str, body: &str) -> crate::world::Seen {
    world.send(Method::POST, &format!("/_aws/execute-api/{path}"), &[], body).await
}

#[tokio::test]
async fn what_exceeds_the_concurrency_is_refused_at_once() {
    let world = world().await;
    let free = post(&world, "abc/dev/pets", "pid").await;
    assert_eq!(free.status, 200);
    let hanging = post(&world, "abc/dev/pets", "hang");
    let meanwhile = async {
        // Until the other has its share.
        while post(&world, "abc/dev/pets", "pid").await.status == 200 {}
        post(&world, "abc/dev/pets", "pid").await.is(500, r#"{"message": "Internal server error"}"#);
        post(&world, "def/pets", "pid").await.is(503, r#"{"message":"Service Unavailable"}"#);
        assert_eq!(post(&world, "abc/dev/others", "pid").await.status, 200);
    };
    let (hung, ()) = tokio::join!(hanging, meanwhile);
    hung.is(502, r#"{"message": "Internal server error"}"#);
    assert_eq!(post(&world, "def/pets", "pid").await.status, 200);
}

#[tokio::test]
async fn one_after_the_other_is_not_too_many() {
    let world = world().await;
    for _ in 0..200 {
        assert_eq!(post(&world, "def/pets", "pid").await.status, 200);
    }
}
