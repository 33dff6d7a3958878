//! The way of a request through a stage of an HTTP API. Each step returns what the next one needs; every end, also a
//! fault, leaves through [`finish`].

use std::net::SocketAddr;

use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;

use super::plan::{Api, Deployed, Integration};
use crate::Address;
use crate::backends::Trust;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::shared::Shared;
use crate::steps::stage::Located;
use crate::steps::{cors, finish, limits, proxy_request, proxy_response, route, stage};
use crate::visit::Visit;

/// Answers a request.
pub(crate) async fn serve(
    shared: &Shared,
    api: &Api,
    address: &Address,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let visit = Visit::begin(shared.ids.next(), (shared.config.now)(), peer, &head);
    match stage::of_http(api, address, &head.uri) {
        Ok(located) => {
            let outcome = run(shared, &located, &head, body, &visit).await;
            finish::http(&visit, Some(&located.stage.counters), outcome)
        }
        Err(fault) => finish::http(&visit, None, Err(fault)),
    }
}

async fn run(
    shared: &Shared,
    located: &Located<'_, Deployed>,
    head: &Parts,
    body: Incoming,
    visit: &Visit,
) -> Result<Response<Body>, GatewayFault> {
    limits::check(head, &shared.config)?;
    let routed = route::of_http(located, head);
    if let Some(answer) = cors::preflight(&located.stage.deployed, head, &routed) {
        return Ok(answer);
    }
    let routed = routed?;
    let response = match &routed.route.integration {
        Integration::HttpProxy(outgoing) => {
            let request = proxy_request::make(shared, located, &routed, outgoing, head, body, visit)?;
            let answer = http_proxy::send(shared, visit, request, Trust::System, outgoing.timeout).await?;
            proxy_response::make(answer, &routed.verb, &shared.config)?
        }
        Integration::Refused(fault) => return Err(fault.clone()),
    };
    Ok(cors::actual(&located.stage.deployed, head, response))
}
