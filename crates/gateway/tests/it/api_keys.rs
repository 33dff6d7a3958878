//! API keys, usage plans and quotas (rest-data C8).

use stagedoor_api::apigateway as api;
use stagedoor_gateway::UsedDay;
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::{Day, KeyUsage};

use crate::build::{Integrated as _, function_uri, mock, rest_api, stage_of_rest};
use crate::functions::function;
use crate::world::{Entry, REGION, Seen, World, entry, gone};

const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
/// The tests' clock stands here.
const TODAY: &str = "2023-11-14";

fn api() -> Vec<Entry> {
    let method = || api::Method {
        api_key_required: Some(true),
        method_integration: Some(
            mock("{statusCode: 200}")
                .answering("200", "")
                .with_header("X-Key", "context.identity.apiKey")
                .with_header("X-Key-Id", "context.identity.apiKeyId"),
        ),
        ..Default::default()
    };
    let open = mock("{statusCode: 200}").answering("200", "").with_header("X-Key", "context.identity.apiKey");
    let api = rest_api("abc").method_with("GET /", method()).method_with("GET /pets/{id}", method());
    stage_of_rest(&api.method("GET /open", open), |_| {})
}

pub(crate) fn key(id: &str, enabled: bool) -> Entry {
    let key = api::ApiKey {
        id: Some(id.to_owned()),
        value: Some(format!("value-of-{id}")),
        enabled: Some(enabled),
        ..Default::default()
    };
    entry(&[id], &key)
}

pub(crate) fn plan(change: impl FnOnce(&mut api::UsagePlan)) -> Entry {
    let listed =
        api::ApiStage { api_id: Some("abc".to_owned()), stage: Some("dev".to_owned()), throttle: None };
    let mut plan =
        api::UsagePlan { id: Some("plan".to_owned()), api_stages: Some(vec![listed]), ..Default::default() };
    change(&mut plan);
    entry(&["plan"], &plan)
}

pub(crate) fn member(key: &str) -> Entry {
    entry(&["plan", key], &PlanKey { added_micros: 0 })
}

pub(crate) fn quota(limit: i64) -> Option<api::QuotaSettings> {
    Some(api::QuotaSettings { limit: Some(limit), offset: Some(0), period: Some(api::QuotaPeriodType::Day) })
}

async fn ask(world: &World, path: &str, key: &str) -> Seen {
    let path = format!("/_aws/execute-api/abc/dev{path}");
    world.send(http::Method::GET, &path, &[("x-api-key", key)], "").await
}

async fn statuses(world: &World, path: &str, key: &str, tries: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..tries {
        statuses.push(ask(world, path, key).await.status.as_u16());
    }
    statuses
}

fn today() -> Day {
    Day::parse(TODAY).expect("a day")
}

#[tokio::test]
async fn only_a_known_enabled_key_of_a_plan_with_the_stage_passes() {
    let world = World::start().await;
    world.store(api()).await;
    world.store(vec![key("k1", true), key("off", false), key("alone", true), plan(|_| {})]).await;
    world.store(vec![member("k1"), member("off")]).await;
    let passed = ask(&world, "", "value-of-k1").await;
    passed.is(200, "");
    assert_eq!((passed.header("x-key"), passed.header("x-key-id")), ("value-of-k1", "k1"));
    for wrong in ["", "k1", "value-of-off", "value-of-alone", "value-of-nobody"] {
        let refused = ask(&world, "", wrong).await;
        refused.is(403, FORBIDDEN);
        assert_eq!(refused.header("x-amzn-errortype"), "ForbiddenException", "{wrong}");
    }
    world.get("/_aws/execute-api/abc/dev").await.is(403, FORBIDDEN);
    assert_eq!(ask(&world, "/open", "value-of-k1").await.header("x-key"), "", "no key is required there");

    world.store(vec![plan(|plan| plan.api_stages = None)]).await;
    ask(&world, "", "value-of-k1").await.is(403, FORBIDDEN);
    world.store(vec![plan(|_| {}), key("off", true)]).await;
    assert_eq!(statuses(&world, "", "value-of-off", 1).await, [200]);
    world.store(vec![gone::<PlanKey>(&["plan", "k1"])]).await;
    ask(&world, "", "value-of-k1").await.is(403, FORBIDDEN);
    world.store(vec![gone::<api::ApiKey>(&["off"])]).await;
    ask(&world, "", "value-of-off").await.is(403, FORBIDDEN);
}

#[tokio::test]
async fn each_key_has_the_throttles_of_its_plan() {
    let world = World::start().await;
    world.store(api()).await;
    let throttle = |burst| api::ThrottleSettings { rate_limit: Some(0.001), burst_limit: Some(burst) };
    let throttled = plan(|plan| {
        plan.throttle = Some(throttle(3));
        let stages = plan.api_stages.iter_mut().flatten();
        stages.for_each(|stage| stage.throttle = Some([("/pets/{id}/GET".to_owned(), throttle(1))].into()));
    });
    world.store(vec![key("k1", true), key("k2", true), member("k1"), member("k2"), throttled]).await;
    assert_eq!(statuses(&world, "/pets/1", "value-of-k1", 2).await, [200, 429], "the method's");
    assert_eq!(statuses(&world, "", "value-of-k1", 3).await, [200, 200, 429], "the plan's");
    assert_eq!(statuses(&world, "", "value-of-k2", 1).await, [200], "not the other key's");
    ask(&world, "", "value-of-k1").await.is(429, r#"{"message":"Too Many Requests"}"#);
    // A change of the plan does not fill buckets.
    world.store(vec![plan(|plan| plan.throttle = Some(throttle(2)))]).await;
    assert_eq!(statuses(&world, "", "value-of-k1", 1).await, [429]);
}

/// C8: a throttle of the method's own comes before that of `ANY`, and that before `*/*`.
#[tokio::test]
async fn the_closest_throttle_of_a_plan_counts() {
    let world = World::start().await;
    let method = || api::Method {
        api_key_required: Some(true),
        method_integration: Some(mock("{statusCode: 200}").answering("200", "")),
        ..Default::default()
    };
    let api = rest_api("abc").method_with("ANY /any", method()).method_with("ANY /", method());
    world.store(api.deployed_to("dev")).await;
    let throttle = |burst| api::ThrottleSettings { rate_limit: Some(0.001), burst_limit: Some(burst) };
    let throttles = [("*/*", 1), ("/any/ANY", 2), ("/any/GET", 3)];
    let throttles = throttles.map(|(key, burst)| (key.to_owned(), throttle(burst)));
    let throttled = plan(|plan| {
        let stages = plan.api_stages.iter_mut().flatten();
        stages.for_each(|stage| stage.throttle = Some(throttles.clone().into()));
    });
    world.store(vec![key("k1", true), member("k1"), throttled]).await;
    assert_eq!(statuses(&world, "/any", "value-of-k1", 4).await, [200, 200, 200, 429]);
    let headers = [("x-api-key", "value-of-k1")];
    let mut posted = Vec::new();
    for verb in [http::Method::POST, http::Method::PUT, http::Method::POST] {
        let seen = world.send(verb, "/_aws/execute-api/abc/dev/any", &headers, "").await;
        posted.push(seen.status.as_u16());
    }
    assert_eq!(posted, [200, 200, 429], "one bucket for what ANY stands for");
    assert_eq!(statuses(&world, "", "value-of-k1", 2).await, [200, 429]);
}

/// C8: with `apiKeySource` AUTHORIZER the key is the authorizer's to name.
#[tokio::test]
async fn authorizers_name_the_key() {
    let world = World::start_with(|config| config.functions = vec![function("guard", "well")]).await;
    let method = api::Method {
        api_key_required: Some(true),
        authorization_type: Some("CUSTOM".to_owned()),
        authorizer_id: Some("token".to_owned()),
        method_integration: Some(
            mock("{statusCode: 200}").answering("200", "").with_header("X-Key", "context.identity.apiKeyId"),
        ),
        ..Default::default()
    };
    let authorizer = api::Authorizer {
        id: Some("token".to_owned()),
        r#type: Some(api::AuthorizerType::Token),
        authorizer_uri: Some(function_uri("guard")),
        identity_source: Some("method.request.header.X-Api-Key".to_owned()),
        ..Default::default()
    };
    let api = rest_api("abc").method_with("GET /", method).authorizer(authorizer);
    let api = api.change(|api| api.api_key_source = Some(api::ApiKeySourceType::Authorizer));
    world.store(api.deployed_to("dev")).await;
    let named = |value: &str| {
        let key = api::ApiKey {
            id: Some("named".to_owned()),
            value: Some(value.to_owned()),
            enabled: Some(true),
            ..Default::default()
        };
        entry(&["named"], &key)
    };
    world.store(vec![named("key"), member("named"), plan(|plan| plan.quota = quota(2))]).await;
    for _ in 0..2 {
        let passed = ask(&world, "", "all").await;
        passed.is(200, "");
        assert_eq!(passed.header("x-key"), "named");
    }
    ask(&world, "", "all").await.is(429, r#"{"message":"Limit Exceeded"}"#);
    world.store(vec![named("another")]).await;
    ask(&world, "", "all").await.is(403, FORBIDDEN);
}

#[tokio::test]
async fn a_quota_ends_and_is_granted_anew() {
    let world = World::start().await;
    world.store(api()).await;
    world.store(vec![key("k1", true), member("k1"), plan(|plan| plan.quota = quota(2))]).await;
    assert_eq!(statuses(&world, "", "value-of-k1", 3).await, [200, 200, 429]);
    let refused = ask(&world, "", "value-of-k1").await;
    refused.is(429, r#"{"message":"Limit Exceeded"}"#);
    assert_eq!(refused.header("x-amzn-errortype"), "LimitExceededException");

    let used = world.gateway.unwritten_usage();
    let [UsedDay { region, plan: id, key, day, requests, .. }] = used.as_slice() else {
        panic!("one key: {used:?}")
    };
    assert_eq!((region.as_str(), id.as_str(), key.as_str()), (REGION, "plan", "k1"));
    assert_eq!((*day, *requests), (today(), 4), "also what was refused");
    world.gateway.wrote_usage(&used);
    assert_eq!(world.gateway.unwritten_usage(), []);

    let quota = quota(2).expect("a quota");
    let mut stored = KeyUsage::default();
    stored.requests.insert(today(), 4);
    stored.set_remaining(&quota, Day::from_number(0), today(), 1);
    world.store(vec![entry(&["plan", "k1"], &stored)]).await;
    assert_eq!(statuses(&world, "", "value-of-k1", 2).await, [200, 429]);
    world.store(vec![plan(|plan| plan.quota = None)]).await;
    assert_eq!(statuses(&world, "", "value-of-k1", 2).await, [200, 200]);
}

#[tokio::test]
async fn counters_go_on_from_what_is_stored() {
    let world = World::start().await;
    let mut stored = KeyUsage::default();
    stored.requests.insert(today(), 3);
    world.store(api()).await;
    world
        .store(vec![
            key("k1", true),
            member("k1"),
            entry(&["plan", "k1"], &stored),
            plan(|plan| plan.quota = quota(4)),
        ])
        .await;
    assert_eq!(statuses(&world, "", "value-of-k1", 2).await, [200, 429]);
}

#[tokio::test]
async fn authorizers_may_say_the_key_and_headers_then_do_not() {
    let world = World::start().await;
    let method = api::Method {
        api_key_required: Some(true),
        method_integration: Some(mock("{statusCode: 200}").answering("200", "")),
        ..Default::default()
    };
    let api = rest_api("abc")
        .method_with("GET /", method)
        .change(|api| api.api_key_source = Some(api::ApiKeySourceType::Authorizer));
    world.store(api.deployed_to("dev")).await;
    world.store(vec![key("k1", true), member("k1"), plan(|_| {})]).await;
    ask(&world, "", "value-of-k1").await.is(403, FORBIDDEN);
}
