//! The handle that the binary holds: where a request goes, and the task that keeps plans current.

use std::pin::pin;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use memchr::memmem::Finder;
use stagedoor_state::lambda::{WaitingEvent, WaitingKey};
use stagedoor_state::ports::{AuthorizerTest, AuthorizerTested, MethodTest, MethodTested, Stages};
use stagedoor_state::rest::usage::Day;
use stagedoor_store::{Revision, Store};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::arriving;
use crate::body::{self, Body};
use crate::front::{self, Client};
use crate::plans::follow::Following;
use crate::plans::place::Places;
use crate::plans::seen::View;
use crate::plans::{Plan, Plans};
use crate::shared::Shared;
use crate::visit::BasePath;
use crate::{
    Address, BodyShare, Config, Connections, DomainTls, Invocation, InvokeError, Invoked, LogFigures,
    Managed, Peer, StageFigures, domains, http_api, invoke, managed, rest,
};

/// How many requests an API key made of a usage plan on one day: the day's total, not what was added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedDay {
    pub account: String,
    pub region: String,
    pub plan: String,
    /// Id of the key.
    pub key: String,
    pub day: Day,
    pub requests: i64,
}

/// Part of the path of every call of the management API.
static CONNECTIONS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("connections/"));

/// What control planes ask. Their operations run on blocking threads of the runtime that serves requests.
impl Stages for Gateway {
    fn test_method(&self, test: MethodTest) -> stagedoor_state::Result<MethodTested> {
        Ok(Handle::current().block_on(self.test_method(test)))
    }

    fn test_authorizer(&self, test: AuthorizerTest) -> stagedoor_state::Result<AuthorizerTested> {
        Ok(Handle::current().block_on(rest::test_authorizer::run(&self.shared, test)))
    }
}

/// The data plane. Clones are handles to the same one.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
    shared: Arc<Shared>,
    view: Arc<View>,
}

struct Inner {
    store: Store,
    plans: ArcSwap<Plans>,
    places: Arc<Places>,
    /// The revision that the plans include.
    progress: watch::Sender<Revision>,
    connections: Connections,
}

impl Gateway {
    /// A gateway that knows no API until [`Self::run`] has read the store.
    pub fn new(store: Store, config: Config) -> Self {
        let inner = Inner {
            store,
            plans: ArcSwap::from_pointee(Plans::default()),
            places: Arc::default(),
            progress: watch::Sender::new(Revision::ZERO),
            connections: Connections::default(),
        };
        let view = Arc::new(View::new(&inner.plans));
        Self { inner: Arc::new(inner), shared: Arc::new(Shared::new(config)), view }
    }

    /// A handle for a thread with a runtime of its own: the connections to backends that requests through it use are
    /// used by no other.
    pub fn for_thread(&self) -> Self {
        let view = Arc::new(View::new(&self.inner.plans));
        Self { inner: Arc::clone(&self.inner), shared: Arc::new(self.shared.for_thread()), view }
    }

    /// Reads the stages of the store, then follows its changes until `shutdown` is ready or the store is closed. Then
    /// lets invocations of functions finish, within seconds, and ends the functions' processes.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let Inner { store, plans, places, progress, .. } = &*self.inner;
        let shared = &self.shared;
        let following = Following { store, plans, places, progress, now: shared.config.now };
        tokio::select! {
            () = following.follow() => {}
            () = shutdown => {}
        }
        // Nobody needs to wait for a follower that has stopped.
        progress.send_replace(Revision::new(u64::MAX));
        shared.lambda.close().await;
    }

    /// Waits until requests are served as of this revision of the store, or [`Self::run`] has ended.
    pub async fn caught_up(&self, revision: Revision) {
        let mut progress = self.inner.progress.subscribe();
        progress.wait_for(|reached| *reached >= revision).await.expect("the sender is as old as this handle");
    }

    /// The API that a request addresses; `None` if it is not for the data plane.
    pub fn address<B>(&self, request: &Request<B>) -> Option<Address> {
        // A custom domain's every path is its APIs'.
        self.inner.plans.load().domains.address(request).or_else(|| Address::of_request(request))
    }

    /// What a custom domain demands of connections to it; `None` if there is no such domain.
    pub fn domain_tls(&self, host: &str) -> Option<DomainTls> {
        self.inner.plans.load().domains.find(host).map(|domain| domain.tls.clone())
    }

    /// The call of the management API that a request to this address is, if it is one.
    pub fn managed<B>(&self, address: &Address, request: &Request<B>) -> Option<Managed> {
        // Requests to other addresses cost no look at the plans here.
        CONNECTIONS.find(request.uri().path().as_bytes())?;
        let plans = self.inner.plans.load();
        managed::of(plans.find(&address.api, address.region.as_deref()), address, request.uri())
    }

    /// The clients that are connected to WebSocket stages.
    pub fn connections(&self) -> &Connections {
        &self.inner.connections
    }

    /// Room for the body of a request that is served elsewhere; all requests share it.
    pub fn body_share(&self) -> BodyShare {
        self.shared.room.share()
    }

    /// Answers a request that addresses an API.
    pub async fn serve(
        &self,
        address: Address,
        request: Request<Incoming>,
        peer: impl Into<Peer>,
    ) -> Response<Body> {
        let Shared { config, room, .. } = &*self.shared;
        if request.body().is_end_stream() {
            return self.serve_any(address, request.map(|_| body::empty()), peer.into()).await;
        }
        // Steps keep what they have read, mostly until they answer.
        let share = Arc::new(room.share());
        let request = request.map(|body| arriving::body(body, config, Arc::clone(&share)));
        let response = self.serve_any(address, request, peer.into()).await;
        drop(share);
        response
    }

    /// As [`Self::serve`]; the body is limited already.
    pub(crate) async fn serve_any(
        &self,
        address: Address,
        mut request: Request<Body>,
        peer: Peer,
    ) -> Response<Body> {
        let Self { inner, shared, view } = self;
        if let Some(mapped) = &address.mapped {
            if let Some(answer) = domains::answered(mapped, &request) {
                return answer;
            }
            request.extensions_mut().insert(BasePath(mapped.base_path.as_str().into()));
        }
        let plans = view.look(&inner.plans);
        let plan = plans.find(&address.api, address.region.as_deref());
        let asked = request.into_parts();
        match plan {
            // Pinned where they are made: a future that is awaited itself is copied once, at its full size.
            Some(Plan::Http(api)) => {
                pin!(http_api::pipeline::serve(shared, api, &address, asked, peer)).await
            }
            Some(Plan::Rest(api)) => {
                pin!(rest::pipeline::serve(shared, Some(api), &address, asked, peer)).await
            }
            None => pin!(rest::pipeline::serve(shared, None, &address, asked, peer)).await,
        }
    }

    /// Serves the requests to APIs on a connection, as long as they are usual ones of HTTP/1.1. At the first other
    /// request it gives the connection back, with what was read of it and is not served; `None` once the connection has
    /// ended, as it does between two requests when `stopped` says so.
    pub async fn converse<S>(
        &self,
        stream: S,
        client: Client,
        stopped: watch::Receiver<bool>,
    ) -> Option<(S, Bytes)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        front::converse(self, stream, client, stopped).await
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What API keys used of their plans and [`Self::wrote_usage`] was not told of.
    pub fn unwritten_usage(&self) -> Vec<UsedDay> {
        let mut used = Vec::new();
        for ((account, region), place) in self.inner.places.all() {
            for (client, member) in place.clients.load().memberships() {
                used.extend(member.usage.unwritten().into_iter().map(|(day, requests)| UsedDay {
                    account: account.clone(),
                    region: region.clone(),
                    plan: member.plan.id.clone(),
                    key: client.id.clone(),
                    day,
                    requests,
                }));
            }
        }
        used
    }

    /// That what keys used is in the store.
    pub fn wrote_usage(&self, used: &[UsedDay]) {
        for UsedDay { account, region, plan, key, day, requests } in used {
            let place = self.inner.places.of(account, region);
            let clients = place.clients.load();
            let mut members = clients.by_id(key).into_iter().flat_map(|client| &client.memberships);
            if let Some(member) = members.find(|member| member.plan.id == *plan) {
                member.usage.wrote(*day, *requests);
            }
        }
    }

    /// Runs a method on a made-up request.
    pub(crate) async fn test_method(&self, test: MethodTest) -> MethodTested {
        rest::test_invoke::run(&self.shared, test).await
    }

    /// Invokes a function without an API in front of it; for an event waits only until it is accepted.
    ///
    /// # Errors
    /// If it is not invoked. A function's own failure is a result.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Invoked, InvokeError> {
        invoke::invoke(&self.shared, invocation).await
    }

    /// Goes on with asynchronous invocations that [`crate::WaitingEvents`] kept when the last gateway ended.
    pub fn resume_events(&self, events: Vec<(WaitingKey, WaitingEvent)>) {
        self.shared.lambda.resume(events);
    }

    /// The same of a function whose result comes as it is written: an event stream.
    ///
    /// # Errors
    /// As of [`Self::invoke`]. What fails later is told in the stream.
    pub async fn invoke_streamed(&self, invocation: Invocation) -> Result<Body, InvokeError> {
        invoke::stream(&self.shared, invocation).await
    }

    /// Waits until what has been logged so far is written, for some seconds at most.
    pub async fn flush_logs(&self) {
        self.shared.logs.flush().await;
    }

    /// What became of the lines of logs and of spans.
    pub fn log_figures(&self) -> LogFigures {
        self.shared.logs.figures()
    }

    /// What each stage has served since it was first seen.
    pub fn metrics(&self) -> Vec<StageFigures> {
        self.inner.plans.load().figures()
    }
}
