//! The way of a request through a stage of a REST API. Each step returns what the next one needs; every end, also a
//! fault, leaves through [`finish`].

use std::borrow::Cow;

use http::request::Parts;
use http::{Response, header};

use super::call::Call;
use super::plan::{Api, Deployed, Integration, Outgoing};
use crate::Address;
use crate::authorize::{self, Caller};
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::forwarded;
use crate::heads::Peer;
use crate::integrations::{function, http_proxy, mock, service, streamed_function};
use crate::observe;
use crate::shared::Shared;
use crate::steps::cache::LookUp;
use crate::steps::stage::Located;
use crate::steps::{
    cache, client, content_coding, execution, finish, function_answer, function_request, integration_request,
    integration_response, limits, method_response, route, stage, throttle, validate,
};
use crate::uri;
use crate::visit::Visit;

/// Answers a request. `api` is `None` when nobody has an API of that id.
pub(crate) async fn serve(
    shared: &Shared,
    api: Option<&Api>,
    address: &Address,
    (mut head, body): (Parts, Body),
    peer: Peer,
) -> Response<Body> {
    forwarded::name_host(&mut head);
    uri::split_at_semicolons(&mut head.uri);
    let mut visit = Visit::begin(shared.ids.next(), (shared.config.now)(), peer, &head);
    visit.take_id(&head.headers);
    let located =
        api.ok_or(GatewayFault::NoStage).and_then(|api| Ok((api, stage::of_rest(api, address, &head.uri)?)));
    match located {
        Ok((api, located)) => {
            let located = located.for_request(visit.id);
            let full_path = full_path(address, &head, &located);
            let _watch = observe::begin(shared, &visit, &located.stage.observing, &full_path);
            let outcome = run(shared, api, &located, full_path, &head, body, &visit).await;
            let path = || self::full_path(address, &head, &located).into_owned();
            let outcome = outcome
                .or_else(|fault| finish::customised_before_routing(&located, &head, &visit, &path, fault));
            finish::rest(&visit, Some(&located.stage.counters), outcome)
        }
        Err(fault) => finish::rest(&visit, None, Err(fault)),
    }
}

/// The path from the stage's name on, as it was sent, but for slashes too many in front of the stage.
fn full_path<'a>(address: &Address, head: &'a Parts, located: &Located<'_, Deployed>) -> Cow<'a, str> {
    if let Some(path) = address.domain_path(&head.uri) {
        return path.into();
    }
    let path = address.path(&head.uri);
    match &address.stage {
        Some(_) => format!("/{}{path}", located.stage.name).into(),
        None => {
            let slashes = path.len() - path.trim_start_matches('/').len();
            path[slashes.saturating_sub(1)..].into()
        }
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
    limits::check_query(&head.uri)?;
    content_coding::check(&head.headers)?;
    let routed = route::of_rest(located, head)?;
    let mut call = Call {
        shared,
        api,
        stage: located.stage,
        method: routed.route,
        verb: routed.verb,
        variables: routed.variables,
        path: located.path,
        full_path,
        head,
        visit,
        caller: Caller::default(),
    };
    observe::begin_method(&call);
    let admitted = admit(&mut call, &mut body).await;
    observe::at_method(&call);
    let outcome = match admitted {
        Ok(()) => execute(&call, body).await,
        Err(fault) => Err(fault),
    };
    outcome.or_else(|fault| finish::customised(&call, fault))
}

/// Who asks, and whether they may, now.
async fn admit(call: &mut Call<'_>, body: &mut Body) -> Result<(), GatewayFault> {
    authorize::rest::check(call, body).await?;
    client::admit(call)?;
    throttle::of_rest(call)?;
    client::tell_admitted(call);
    Ok(())
}

/// The way from the method on: what is left when it is known who asks and that they may. Tests of methods begin here.
pub(crate) async fn execute(call: &Call<'_>, body: Body) -> Result<Response<Body>, GatewayFault> {
    let body = content_coding::decode(&call.head.headers, body, &call.shared.config).await?;
    let body = execution::begin(call, body).await?;
    let body = validate::request(call, body).await?;
    let response = match cache::look_up(call)? {
        LookUp::Hit(response) => response,
        LookUp::Miss(miss) => miss.answered(integrate(call, body).await?),
    };
    content_coding::encode(&call.head.headers, call.stage.deployed.compression_bytes_min, response).await
}

/// The way to the integration and back.
async fn integrate(call: &Call<'_>, body: Body) -> Result<Response<Body>, GatewayFault> {
    let Call { shared, head, visit, .. } = call;
    match &call.method.integration {
        Integration::Mock(mock) => {
            let (answer, overrides) = mock::answer(mock, call, body).await?;
            let told = answer.status.to_string();
            let mapped = integration_response::map(&mock.responses, answer, &told, call, overrides).await?;
            Ok(method_response::of_mapping(mapped))
        }
        Integration::HttpProxy(outgoing) => {
            let request = integration_request::proxied(outgoing, call, body).await?;
            let request = execution::request(call, request).await?;
            let answer =
                http_proxy::send(shared, visit, request, &[], outgoing.trust, outgoing.timeout).await?;
            execution::answer_head(call, answer.head.status.as_u16(), &answer.head.headers);
            let response = method_response::of_proxy(answer, call, outgoing)?;
            execution::passed(call, response).await
        }
        Integration::Http(http) => {
            let (request, overrides) = integration_request::built(http, call, body).await?;
            let request = execution::request(call, request).await?;
            let answer =
                http_proxy::send(shared, visit, request, &[], http.outgoing.trust, http.outgoing.timeout)
                    .await?;
            let answer = http_proxy::collected(answer, &shared.config).await?;
            execution::answer(call, &answer);
            let told = answer.status.to_string();
            let mapped = integration_response::map(&http.responses, answer, &told, call, overrides).await?;
            Ok(method_response::with_trace(method_response::of_mapping(mapped), call))
        }
        Integration::AwsProxy(proxy) => {
            let event = function_request::proxied(proxy, call, body).await?;
            execution::event(call, &proxy.function, &event);
            if proxy.streams {
                return streamed_function::answer(proxy, call, event.payload).await;
            }
            let returned = function_request::invoke(&proxy.function, call, event).await?;
            execution::returned(call, &returned);
            let accepts_binary = call.stage.deployed.binary.contain(&head.headers, header::ACCEPT);
            let answer = function_answer::of_rest(&function::succeeded(returned)?, accepts_binary)?;
            Ok(method_response::of_function(answer, call))
        }
        Integration::Lambda(lambda) => {
            let (event, overrides) = function_request::built(lambda, call, body).await?;
            execution::event(call, &lambda.function, &event);
            let returned = function_request::invoke(&lambda.function, call, event).await?;
            execution::returned(call, &returned);
            let (answer, told) = function_request::collected(returned);
            let mapped = integration_response::map(&lambda.responses, answer, &told, call, overrides).await?;
            Ok(method_response::with_function_trace(method_response::of_mapping(mapped), call))
        }
        Integration::Service(service) => {
            let (request, overrides) = service::request(service, call, body).await?;
            let request = execution::request(call, request).await?;
            let Outgoing { trust, timeout, .. } = service.http.outgoing;
            let answer = http_proxy::send(shared, visit, request, &[], trust, timeout).await?;
            let answer = http_proxy::collected(answer, &shared.config).await?;
            execution::answer(call, &answer);
            let told = answer.status.to_string();
            let mapped =
                integration_response::map(&service.http.responses, answer, &told, call, overrides).await?;
            Ok(method_response::with_trace(method_response::of_mapping(mapped), call))
        }
        Integration::Refused(fault) => Err(fault.clone()),
    }
}
