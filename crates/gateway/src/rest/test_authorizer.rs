//! Asks an authorizer about a request that no client sent, for `TestInvokeAuthorizer`: the same code as of stages, without
//! policies and without what was said before.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;
use serde_json::Value;
use stagedoor_api::apigateway as api;
use stagedoor_state::ports::{AuthorizerTest, AuthorizerTested};
use stagedoor_state::rest::Snapshot;

use super::call::Call;
use super::plan::{Api, Deployed};
use super::test_invoke;
use crate::authorize::{self, Caller, Denial, Tried};
use crate::execution_log::ExecutionLog;
use crate::fault::GatewayFault;
use crate::plans::Owner;
use crate::plans::api::Deployed as _;
use crate::routes::Search;
use crate::shared::Shared;
use crate::visit::Visit;

/// The stage in the ARN of the method, and its verb.
const STAGE: &str = "ESTestInvoke-stage";
const VERB: &str = "GET";
const RESOURCE_ID: &str = "test-invoke-resource-id";

pub(crate) async fn run(shared: &Shared, mut test: AuthorizerTest) -> AuthorizerTested {
    let owner = Owner {
        account: test.account.clone(),
        region: test.region.clone(),
        api: test.api.api.id.clone().unwrap_or_default(),
    };
    let mut api = Api::new(owner, Arc::default());
    let stage = api::Stage {
        stage_name: Some(STAGE.to_owned()),
        variables: Some(std::mem::take(&mut test.stage_variables)),
        ..Default::default()
    };
    only_the_authorizer(&mut test.api, &test.authorizer_id);
    api.add_test_stage(&stage, Deployed::compile(&test.api));
    let names = test.headers.iter().map(|(name, _)| name.clone()).collect();
    let (path, head) = test_invoke::head_of(VERB, &test.path_and_query, &test.headers, "/");
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut visit = Visit::begin(shared.ids.next(), (shared.config.now)(), peer.into(), &head);
    visit.is_test = true;
    visit.host = Some(HeaderValue::from_static(test_invoke::DOMAIN_NAME));
    visit.test_context = test.additional_context;
    visit.log = ExecutionLog::new(shared.config.now, names).into();
    let outcome = match call(shared, &api, &head, &visit, &path) {
        Some(call) => authorize::try_out(&call).await,
        None => Err(GatewayFault::NoRoute),
    };
    let mut tested = tested(&visit, outcome);
    tested.latency_millis = i64::try_from(visit.began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let id = visit.id.uuid_text();
    tested.log = visit.log.into_inner().map(|log| log.into_test_log(&id)).unwrap_or_default();
    tested
}

/// Leaves of an API one method for every path, which the authorizer guards.
fn only_the_authorizer(snapshot: &mut Snapshot, authorizer_id: &str) {
    let method = api::Method {
        authorization_type: Some("CUSTOM".to_owned()),
        authorizer_id: Some(authorizer_id.to_owned()),
        ..Default::default()
    };
    snapshot.api.policy = None;
    let resources = ["/", "/{proxy+}"].map(|path| api::Resource {
        id: Some(RESOURCE_ID.to_owned()),
        path: Some(path.to_owned()),
        resource_methods: Some(BTreeMap::from([("ANY".to_owned(), method.clone())])),
        ..Default::default()
    });
    snapshot.resources = resources.into();
    snapshot.authorizers.retain(|authorizer| authorizer.id.as_deref() == Some(authorizer_id));
}

fn call<'a>(
    shared: &'a Shared,
    api: &'a Api,
    head: &'a Parts,
    visit: &'a Visit,
    path: &'a str,
) -> Option<Call<'a>> {
    let stage = api.stages.get(STAGE)?;
    let found = stage.deployed.routes.find(Search::LevelByLevel, &head.method, path.trim_end_matches('/'))?;
    Some(Call {
        shared,
        api,
        stage,
        method: found.route,
        verb: head.method.clone(),
        variables: found.variables,
        path,
        full_path: Cow::Borrowed(path),
        head,
        visit,
        caller: Caller::default(),
    })
}

fn tested(visit: &Visit, outcome: Result<Tried, GatewayFault>) -> AuthorizerTested {
    match outcome {
        Ok(Tried::Lambda(payload)) => of_function(&payload),
        Ok(Tried::Token(token)) => {
            let claims = token.claims.iter().map(|(name, value)| (name.clone(), authorize::text(value)));
            AuthorizerTested { claims: Some(claims.collect()), ..Default::default() }
        }
        Err(fault) => {
            let line = fault.execution_log(&visit.request_id_text());
            line.into_iter().for_each(|line| visit.note(|_| line));
            if let GatewayFault::Denied(Denial::Authorizer(_)) = fault {
                visit.note(|_| "AuthorizerConfigurationException".to_owned());
            }
            AuthorizerTested { client_status: fault.rest_response().status().as_u16(), ..Default::default() }
        }
    }
}

/// What the function decided, unread: it has been found whole.
fn of_function(payload: &Bytes) -> AuthorizerTested {
    let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
    AuthorizerTested {
        principal_id: answer["principalId"].as_str().map(str::to_owned),
        policy: Some(answer["policyDocument"].to_string()),
        ..Default::default()
    }
}
