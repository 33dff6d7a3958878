//! Custom domain names in front of stages: rest-data C1, http-control B6.

use ::http::Method;
use serde_json::Value;
use stagedoor_api::{apigateway as rest, apigatewayv2 as http};
use stagedoor_state::domain::Mapping;

use crate::backend::Backend;
use crate::build::{aws_proxy, http_api, http_proxy, rest_api};
use crate::functions::function;
use crate::world::{Entry, World, entry, gone};

const DOMAIN: &str = "api.example.com";

fn domain(change: impl FnOnce(&mut rest::DomainName)) -> Entry {
    let mut document = rest::DomainName { domain_name: Some(DOMAIN.to_owned()), ..Default::default() };
    change(&mut document);
    entry(&[DOMAIN], &document)
}

fn mapping(path: &str, api: &str, stage: Option<&str>) -> Entry {
    let id = format!("m-{path}").replace('/', "-");
    let (api_id, stage) = (api.to_owned(), stage.map(str::to_owned));
    entry(&[DOMAIN, &id], &Mapping { id: id.clone(), api_id, stage, path: path.to_owned() })
}

fn rule(
    priority: i64,
    header: Option<(&str, &str)>,
    base_path: Option<&str>,
    api: &str,
    strips: bool,
) -> Entry {
    let mut conditions = Vec::new();
    if let Some(path) = base_path {
        let match_base_paths = Some(http::RoutingRuleMatchBasePaths { any_of: vec![path.to_owned()] });
        conditions.push(http::RoutingRuleCondition { match_base_paths, ..Default::default() });
    }
    if let Some((header, glob)) = header {
        let value =
            http::RoutingRuleMatchHeaderValue { header: header.to_owned(), value_glob: glob.to_owned() };
        let match_headers = Some(http::RoutingRuleMatchHeaders { any_of: vec![value] });
        conditions.push(http::RoutingRuleCondition { match_headers, ..Default::default() });
    }
    let invoke_api = http::RoutingRuleActionInvokeApi {
        api_id: api.to_owned(),
        stage: "prod".to_owned(),
        strip_base_path: Some(strips),
    };
    let document = http::RoutingRule {
        actions: Some(vec![http::RoutingRuleAction { invoke_api }]),
        conditions: Some(conditions),
        priority: Some(priority),
        ..Default::default()
    };
    entry(&[DOMAIN, &format!("r{priority}")], &document)
}

async fn world() -> (World, Backend) {
    let world = World::start_with(|config| config.functions = vec![function("pets", "well")]).await;
    let backend = Backend::start().await;
    let pets = rest_api("pets")
        .method("GET /x/{id}", http_proxy(&backend.url("/pets")))
        .method("GET /orders/x", http_proxy(&backend.url("/whole")))
        .method("POST /told", aws_proxy("pets"))
        .change(|api| api.disable_execute_api_endpoint = Some(true));
    world.store(pets.deployed_to("prod")).await;
    let web = http_api("web").route("$default", &backend.url("")).function("POST /told", "pets", "2.0");
    world.store(web.deployed_to("$default")).await;
    (world, backend)
}

#[tokio::test]
async fn requests_find_their_api_by_host_and_base_path() {
    let (world, _backend) = world().await;
    world.get_from(DOMAIN, "/x/1").await.is(200, "not for the data plane");
    world
        .store(vec![
            domain(|_| {}),
            mapping("orders", "pets", Some("prod")),
            mapping("orders/web", "web", Some("$default")),
            mapping("free", "pets", None),
        ])
        .await;
    let forbidden = r#"{"message":"Forbidden"}"#;
    assert_eq!(world.get_from(DOMAIN, "/orders/x/1").await.uri(), "/pets");
    assert_eq!(world.get_from("API.example.com:8443", "/orders/x/1").await.uri(), "/pets");
    assert_eq!(world.get_from(DOMAIN, "/orders/web/any/path?q=1").await.uri(), "/any/path?q=1");
    assert_eq!(world.get_from(DOMAIN, "/free/prod/x/1").await.uri(), "/pets");
    world.get_from(DOMAIN, "/free/dev/x/1").await.is(403, forbidden);
    world.get_from(DOMAIN, "/other").await.is(403, forbidden);
    world.get_from(DOMAIN, "/ping").await.is(200, "healthy");
    world.get_from(DOMAIN, "/_aws/execute-api/web/x").await.is(403, forbidden);
    // The default address is switched off, which domains do not mind.
    world.get("/_aws/execute-api/pets/prod/x/1").await.is(403, forbidden);

    world.store(vec![gone::<Mapping>(&[DOMAIN, "m-orders"])]).await;
    world.get_from(DOMAIN, "/orders/x/1").await.is(403, forbidden);
    world.store(vec![gone::<rest::DomainName>(&[DOMAIN])]).await;
    world.get_from(DOMAIN, "/free/prod/x/1").await.is(200, "not for the data plane");
}

#[tokio::test]
async fn functions_are_told_the_base_path() {
    let (world, _backend) = world().await;
    world
        .store(vec![
            domain(|_| {}),
            mapping("orders", "pets", Some("prod")),
            mapping("web", "web", Some("$default")),
        ])
        .await;
    let told = async |path: &str| -> Value {
        let seen = world.send(Method::POST, path, &[("host", DOMAIN)], "event").await;
        seen.json()
    };
    let event = told("/orders/told").await;
    assert_eq!(event["path"], "/orders/told", "{event}");
    assert_eq!(event["requestContext"]["path"], "/orders/told");
    assert_eq!(event["resource"], "/told");
    assert_eq!(event["requestContext"]["domainName"], DOMAIN);
    assert_eq!(event["requestContext"]["stage"], "prod");
    let event = told("/web/told").await;
    assert_eq!(event["rawPath"], "/web/told", "{event}");
    assert_eq!(event["requestContext"]["domainPrefix"], "api");
}

#[tokio::test]
async fn routing_rules_come_first_or_alone() {
    let (world, _backend) = world().await;
    let rules = [
        rule(2, None, Some("orders"), "pets", true),
        rule(1, Some(("x-whole", "y*")), Some("orders"), "pets", false),
    ];
    let mode = |mode| move |domain: &mut rest::DomainName| domain.routing_mode = Some(mode);
    world.store(rules.into_iter().chain([mapping("", "web", Some("$default"))]).collect()).await;

    world.store(vec![domain(mode(rest::RoutingMode::RoutingRuleThenBasePathMapping))]).await;
    assert_eq!(world.get_from(DOMAIN, "/orders/x/1").await.uri(), "/pets");
    let whole = [("host", DOMAIN), ("x-whole", "yes")];
    assert_eq!(world.send(Method::GET, "/orders/x", &whole, "").await.uri(), "/whole");
    assert_eq!(world.get_from(DOMAIN, "/other").await.uri(), "/other");

    world.store(vec![domain(mode(rest::RoutingMode::RoutingRuleOnly))]).await;
    world.get_from(DOMAIN, "/other").await.is(403, r#"{"message":"Forbidden"}"#);

    world.store(vec![domain(mode(rest::RoutingMode::BasePathMappingOnly))]).await;
    assert_eq!(world.get_from(DOMAIN, "/orders/x/1").await.uri(), "/orders/x/1");
}

#[tokio::test]
async fn a_domain_with_mutual_tls_takes_nobody_without_a_certificate() {
    let (world, _backend) = world().await;
    let guarded = domain(|domain| {
        domain.mutual_tls_authentication = Some(rest::MutualTlsAuthentication {
            truststore_uri: Some("s3://trust/ca.pem".to_owned()),
            ..Default::default()
        });
    });
    world.store(vec![guarded, mapping("", "web", Some("$default"))]).await;
    world.get_from(DOMAIN, "/any").await.is(403, r#"{"message":"Forbidden"}"#);
    world.get_from(DOMAIN, "/ping").await.is(403, r#"{"message":"Forbidden"}"#);
}
