//! Runs a method on a request that no client sent, for `TestInvokeMethod`: through the same pipeline, from the method
//! on, with an execution log.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Request, header};
use stagedoor_state::ports::{MethodTest, MethodTested};
use stagedoor_state::rest::Snapshot;

use super::call::Call;
use super::pipeline;
use super::plan::{Api, Deployed};
use crate::authorize::Caller;
use crate::body;
use crate::execution_log::ExecutionLog;
use crate::fault::GatewayFault;
use crate::plans::Owner;
use crate::plans::api::Deployed as _;
use crate::routes::Search;
use crate::shared::Shared;
use crate::steps::{execution, finish};
use crate::visit::Visit;
use crate::{headers, spelling};

/// `$context.stage`, `$context.domainName` and the API key of tests.
const STAGE: &str = "test-invoke-stage";
pub(super) const DOMAIN_NAME: &str = "testPrefix.testDomainName";
const API_KEY: &str = "test-invoke-api-key";
const API_KEY_ID: &str = "test-invoke-api-key-id";

pub(crate) async fn run(shared: &Shared, mut test: MethodTest) -> MethodTested {
    let resource_path = only_the_method(&mut test.api, &test.resource_id, &test.verb);
    let owner = Owner {
        account: test.account.clone(),
        region: test.region.clone(),
        api: test.api.api.id.clone().unwrap_or_default(),
    };
    let mut api = Api::new(owner, Arc::default());
    let stage = stagedoor_api::apigateway::Stage {
        stage_name: Some(STAGE.to_owned()),
        variables: Some(std::mem::take(&mut test.stage_variables)),
        ..Default::default()
    };
    api.add_test_stage(&stage, Deployed::compile(&test.api));
    let names = test.headers.iter().map(|(name, _)| name.clone()).collect();
    let (path, head) = made_up(&test, &resource_path);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut visit = Visit::begin(shared.ids.next(), (shared.config.now)(), peer.into(), &head);
    visit.is_test = true;
    visit.host = Some(HeaderValue::from_static(DOMAIN_NAME));
    visit.log = ExecutionLog::new(shared.config.now, names).into();
    let mut tested = match call(shared, &api, &head, &visit, (&path, &resource_path)) {
        Some(call) => execute(&call, test.body).await,
        None => refused(&GatewayFault::NoRoute).await,
    };
    tested.latency_millis = i64::try_from(visit.began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let id = visit.id.uuid_text();
    tested.log = visit.log.into_inner().map(|log| log.into_test_log(&id)).unwrap_or_default();
    tested
}

/// Leaves of an API only the method, open to everyone; returns its resource's path.
fn only_the_method(api: &mut Snapshot, resource_id: &str, verb: &str) -> String {
    api.api.policy = None;
    api.resources.retain(|resource| resource.id.as_deref() == Some(resource_id));
    for resource in &mut api.resources {
        let methods = resource.resource_methods.get_or_insert_default();
        let own = methods.contains_key(verb);
        methods.retain(|name, _| if own { name == verb } else { name == "ANY" });
        for method in methods.values_mut() {
            method.authorization_type = None;
            method.api_key_required = None;
        }
    }
    api.resources.first().and_then(|resource| resource.path.clone()).unwrap_or_else(|| "/".to_owned())
}

/// The path as it is given, else the resource's own, and the request's head. A name or value that HTTP cannot carry is
/// left out.
fn made_up(test: &MethodTest, resource_path: &str) -> (String, Parts) {
    head_of(&test.verb, &test.path_and_query, &test.headers, resource_path)
}

/// The same of any made-up request.
pub(super) fn head_of(
    verb: &str,
    path_and_query: &str,
    sent: &[(String, String)],
    resource_path: &str,
) -> (String, Parts) {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let path = if path.is_empty() { resource_path.to_owned() } else { path.to_owned() };
    let mut request = Request::new(());
    *request.method_mut() = Verb::from_bytes(verb.as_bytes()).unwrap_or_default();
    let query: String = query.chars().filter(|letter| letter.is_ascii_graphic()).collect();
    if let Ok(uri) = format!("/?{query}").parse() {
        *request.uri_mut() = uri;
    }
    for (name, value) in sent {
        if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), headers::value(value)) {
            request.headers_mut().append(name, value);
        }
    }
    (path, request.into_parts().0)
}

/// The call of the method. A path that is not the resource's gives its variables no value (recorded).
fn call<'a>(
    shared: &'a Shared,
    api: &'a Api,
    head: &'a Parts,
    visit: &'a Visit,
    (path, resource_path): (&'a str, &'a str),
) -> Option<Call<'a>> {
    let stage = api.stages.get(STAGE)?;
    let routes = &stage.deployed.routes;
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let (method, variables) = match routes.find(Search::LevelByLevel, &head.method, trimmed) {
        Some(found) => (found.route, found.variables),
        None => {
            let own = resource_path.strip_suffix('/').unwrap_or(resource_path);
            (routes.find(Search::LevelByLevel, &head.method, own)?.route, Vec::new())
        }
    };
    Some(Call {
        shared,
        api,
        stage,
        method,
        verb: head.method.clone(),
        variables,
        path,
        full_path: Cow::Borrowed(path),
        head,
        visit,
        caller: tester(&api.owner.account),
    })
}

/// Who asks, in a test.
fn tester(account: &str) -> Caller {
    let mut caller = Caller::default();
    caller.identity.account_id = Some(account.to_owned());
    caller.identity.caller = Some(account.to_owned());
    caller.identity.user = Some(account.to_owned());
    caller.identity.user_arn = Some(format!("arn:aws:iam::{account}:root"));
    caller.identity.api_key = Some(API_KEY.to_owned());
    caller.identity.api_key_id = Some(API_KEY_ID.to_owned());
    caller
}

async fn execute(call: &Call<'_>, sent: String) -> MethodTested {
    let sent = if sent.is_empty() { body::empty() } else { body::full(sent) };
    // The log tells the fault, whatever the API answers to it.
    let executed = pipeline::execute(call, sent).await;
    let fault = executed.as_ref().err().cloned();
    let outcome = match executed.or_else(|fault| finish::customised(call, fault)) {
        Ok(response) => {
            let (mut head, body) = response.into_parts();
            let json = HeaderValue::from_static("application/json");
            head.headers.entry(header::CONTENT_TYPE).or_insert(json);
            let broken = |_| GatewayFault::IntegrationFailure("its answer is too long or broke off");
            body::whole(body).await.map(|bytes| (head, bytes)).map_err(broken)
        }
        Err(fault) => Err(fault),
    };
    let tested = match &outcome {
        Ok((head, bytes)) => MethodTested {
            status: head.status.as_u16(),
            headers: told(&head.headers),
            body: String::from_utf8_lossy(bytes).into_owned(),
            log: String::new(),
            latency_millis: 0,
        },
        Err(fault) => refused(fault).await,
    };
    match fault {
        Some(fault) => execution::end(call, &Err(fault), tested.status),
        None => execution::end(call, &outcome, tested.status),
    }
    tested
}

/// A fault as it is told, without the body's type (recorded).
async fn refused(fault: &GatewayFault) -> MethodTested {
    let (mut head, body) = fault.rest_response().into_parts();
    let bytes = body::whole(body).await.unwrap_or_default();
    head.headers.remove(header::CONTENT_TYPE);
    MethodTested {
        status: head.status.as_u16(),
        headers: told(&head.headers),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        log: String::new(),
        latency_millis: 0,
    }
}

fn told(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let values = |name: &HeaderName| headers.get_all(name).iter().map(text).collect();
    headers.keys().map(|name| (spelling::answered(name), values(name))).collect()
}
