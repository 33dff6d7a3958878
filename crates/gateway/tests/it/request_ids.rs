//! Headers that every answer of a REST API has, and the id that a client may give its request (rest-data C5).

use http::Method;

use crate::build::{Integrated as _, mock, rest_api, stage_of_rest};
use crate::logs::{Directory, access, world};

const BASE: &str = "/_aws/execute-api/abc/dev";
const OWN: &str = "0F0f0f0f-1111-2222-3333-444455556666";

#[tokio::test]
async fn clients_may_name_their_requests_by_a_uuid() {
    let directory = Directory::new("request-ids");
    let world = world(&directory, |_| {}).await;
    let mocked = mock("{statusCode: 200}").answering("200", "").with_header("X-Told", "context.requestId");
    let api = rest_api("abc").method("GET /", mocked);
    let log = access("$context.requestId $context.extendedRequestId");
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = log)).await;
    let mut expected = Vec::new();
    for (sent, logged) in [
        (OWN, Some(OWN)),
        ("nonsense", Some("UUID_REPLACED_INVALID_REQUEST_ID")),
        ("0f0f0f0f-1111-2222-3333-44445555666g", Some("UUID_REPLACED_INVALID_REQUEST_ID")),
        ("0f0f0f0f11112222-3333-4444-55556666-", Some("UUID_REPLACED_INVALID_REQUEST_ID")),
        ("", None),
    ] {
        let headers = [("x-amzn-requestid", sent)];
        let headers = if sent.is_empty() { &[][..] } else { &headers };
        let seen = world.send(Method::GET, BASE, headers, "").await;
        let id = seen.header("x-amzn-requestid").to_owned();
        assert_eq!(seen.header("x-told"), id);
        assert_eq!(id == sent, sent == OWN, "{id}");
        assert_eq!(id.len(), 36);
        expected.push(format!("{} {}", logged.unwrap_or(&id), seen.header("x-amz-apigw-id")));
    }
    assert_eq!(directory.lines(&world, "access").await, expected);
    let refused = world.send(Method::GET, &format!("{BASE}/x"), &[("x-amzn-requestid", OWN)], "").await;
    assert_eq!((refused.status.as_u16(), refused.header("x-amzn-requestid")), (403, OWN));
}

#[tokio::test]
async fn connections_that_stay_say_so() {
    let world = crate::world::World::start().await;
    world.store(rest_api("abc").method("GET /", mock("{statusCode: 200}")).deployed_to("dev")).await;
    for path in [BASE, "/_aws/execute-api/abc/none"] {
        assert_eq!(world.get(path).await.header("connection"), "keep-alive");
        let last = world.send(Method::GET, path, &[("connection", "close")], "").await;
        assert_eq!(last.header("connection"), "close");
    }
}
