//! The handle that the binary holds: where a request goes, and the task that keeps plans current.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use stagedoor_store::{Revision, Store};
use tokio::sync::watch;

use crate::body::Body;
use crate::plans::{Plan, Plans, follow};
use crate::shared::Shared;
use crate::{Address, Config, StageFigures, http_api, rest};

/// The data plane. Clones are handles to the same one.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    store: Store,
    plans: ArcSwap<Plans>,
    /// The revision that the plans include.
    progress: watch::Sender<Revision>,
    shared: Shared,
}

impl Gateway {
    /// A gateway that knows no API until [`Self::run`] has read the store.
    pub fn new(store: Store, config: Config) -> Self {
        Self(Arc::new(Inner {
            store,
            plans: ArcSwap::from_pointee(Plans::default()),
            progress: watch::Sender::new(Revision::ZERO),
            shared: Shared::new(config),
        }))
    }

    /// Reads the stages of the store, then follows its changes until `shutdown` is ready or the store is closed. Then
    /// lets invocations of functions finish, within seconds, and ends the functions' processes.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let Inner { store, plans, progress, shared } = &*self.0;
        tokio::select! {
            () = follow::follow(store, plans, progress) => {}
            () = shutdown => {}
        }
        // Nobody needs to wait for a follower that has stopped.
        progress.send_replace(Revision::new(u64::MAX));
        shared.lambda.close().await;
    }

    /// Waits until requests are served as of this revision of the store, or [`Self::run`] has ended.
    pub async fn caught_up(&self, revision: Revision) {
        let mut progress = self.0.progress.subscribe();
        progress.wait_for(|reached| *reached >= revision).await.expect("the sender is as old as this handle");
    }

    /// The API that a request addresses; `None` if it is not for the data plane.
    pub fn address<B>(&self, request: &Request<B>) -> Option<Address> {
        Address::of_request(request)
    }

    /// Answers a request that addresses an API.
    pub async fn serve(
        &self,
        address: Address,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let Inner { plans, shared, .. } = &*self.0;
        let plan = plans.load().find(&address.api, address.region.as_deref());
        match plan {
            Some(Plan::Http(api)) => http_api::pipeline::serve(shared, &api, &address, request, peer).await,
            Some(Plan::Rest(api)) => rest::pipeline::serve(shared, Some(&api), &address, request, peer).await,
            None => rest::pipeline::serve(shared, None, &address, request, peer).await,
        }
    }

    /// What each stage has served since it was first seen.
    pub fn metrics(&self) -> Vec<StageFigures> {
        self.0.plans.load().figures()
    }
}
