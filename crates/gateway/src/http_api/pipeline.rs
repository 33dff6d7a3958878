//! The way of a request through a stage of an HTTP API. Each step returns what the next one needs; every end, also a
//! fault, leaves through [`finish`].

use std::borrow::Cow;

use http::Response;
use http::request::Parts;

use super::call::{self, Call};
use super::mapped;
use super::plan::{Api, Deployed, Integration, PayloadFormat};
use crate::Address;
use crate::authorize::{self, Caller};
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::forwarded;
use crate::heads::Peer;
use crate::integrations::function;
use crate::observe;
use crate::shared::Shared;
use crate::steps::stage::Located;
use crate::steps::{
    cors, finish, function_answer, function_request, limits, proxy_response, route, stage, throttle,
};
use crate::visit::Visit;

/// Answers a request.
pub(crate) async fn serve(
    shared: &Shared,
    api: &Api,
    address: &Address,
    (mut head, body): (Parts, Body),
    peer: Peer,
) -> Response<Body> {
    forwarded::name_host(&mut head);
    let visit = Visit::begin(shared.ids.next(), (shared.config.now)(), peer, &head);
    match stage::of_http(api, address, &head.uri) {
        Ok(located) => {
            let full_path = call::full_path(address, &head, &located);
            let _watch = observe::begin(shared, &visit, &located.stage.observing, &full_path);
            let outcome = run(shared, api, &located, full_path, &head, body, &visit).await;
            finish::http(&visit, Some(&located.stage.counters), outcome)
        }
        Err(fault) => finish::http(&visit, None, Err(fault)),
    }
}

async fn run(
    shared: &Shared,
    api: &Api,
    located: &Located<'_, Deployed>,
    full_path: Cow<'_, str>,
    head: &Parts,
    mut body: Body,
    visit: &Visit,
) -> Result<Response<Body>, GatewayFault> {
    limits::check(head, visit, &shared.config)?;
    let routed = route::of_http(located, head);
    if let Some(answer) = cors::preflight(&located.stage.deployed, head, &routed) {
        return Ok(answer);
    }
    let routed = routed?;
    let mut call =
        Call { shared, api, located, routed: &routed, full_path, head, visit, caller: Caller::default() };
    let admitted = authorize::http::check(&call, &mut body).await;
    let admitted = admitted.map(|caller| call.caller = caller);
    observe::at_route(&call);
    admitted?;
    throttle::of_http(shared, visit, &api.place, located.stage, routed.route)?;
    let response = match &routed.route.integration {
        Integration::HttpProxy(outgoing) => mapped::proxied(outgoing, &call, body).await?,
        Integration::Service(service) => mapped::service(service, &call, body).await?,
        Integration::AwsProxy(proxy) => {
            let (told, body) = mapped::told(&proxy.parameters, &call, body).await?;
            let call = match &told {
                Some((head, path)) => Call { head, full_path: call::told_path(&call, path), ..call },
                None => call,
            };
            let event = function_request::of_http(proxy, &call, body).await?;
            let returned = function_request::invoke_http(&proxy.function, &call, event).await?;
            let payload = function::succeeded(returned)?;
            let response = proxy_response::of_function(match proxy.format {
                PayloadFormat::V1 => function_answer::of_http_v1(&payload)?,
                PayloadFormat::V2 => function_answer::of_http_v2(&payload)?,
            });
            mapped::answered(&proxy.responses, &call, response).await?
        }
        Integration::Refused(fault) => return Err(fault.clone()),
    };
    Ok(cors::actual(&located.stage.deployed, head, response))
}
