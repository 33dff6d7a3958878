//! The server: everything that `stagedoor serve` runs, put together.
//!
//! Reading order: [`Server::start`] opens the store and the listeners; [`listen`] accepts connections; [`route`]
//! decides which part answers a request; [`control`] is the way of an AWS API call.

mod answer_names;
mod body;
mod broken_off;
mod clock;
mod console;
mod control;
mod functions;
mod held;
mod keys;
mod lanes;
mod ledger;
mod listen;
mod management;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod memory;
mod metrics;
mod notices;
mod operations;
mod patience;
mod route;
mod rtmps;
mod secrets;
mod stage_metrics;
mod tls;
mod untaken;
mod usage;
mod waiting_events;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use stagedoor_gateway::Gateway;
use stagedoor_media::Media;
use stagedoor_media::ledger::Change;
use stagedoor_state::Endpoints;
use stagedoor_state::ivs::Settings;
use stagedoor_state::ivs::settings::Carries;
use stagedoor_store::Store;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use clock::SystemWorld;

use crate::config::{Config, StoreUrl};
use keys::KeyRing;
use lanes::Lanes;
use ledger::StoreLedger;
use secrets::Secrets;
use tls::Tls;
use waiting_events::StoredEvents;

/// What requests are answered from. Shared by all connections.
pub struct Server {
    store: Store,
    keys: KeyRing,
    secrets: Secrets,
    endpoints: Endpoints,
    gateway: Gateway,
    waiting_events: Arc<StoredEvents>,
    media: stagedoor_media::Handle,
    ledger: Arc<StoreLedger>,
    allow_reset: bool,
    ivs: Settings,
    rest_quotas: stagedoor_state::rest::quotas::Quotas,
    /// How long a client may leave the server waiting.
    client_timeout: Duration,
    started: std::time::Instant,
    /// Where everything runs but the requests to stages.
    runtime: Handle,
}

/// Where the server listens, as the one JSON line says that it prints when it is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// Origin of the HTTP listener.
    pub http: String,
    /// Origin of the TLS listener, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    pub media: SocketAddr,
    pub rtmp: SocketAddr,
    pub rtmps: SocketAddr,
}

/// A server that accepts connections until it is told to stop.
pub struct Running {
    pub addresses: Addresses,
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Until the end: functions and logs have tasks there too.
    lanes: Arc<Lanes>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Server {
    /// Opens the store, binds every listener and starts serving.
    pub async fn start(config: Config) -> Result<Running, Failure> {
        let store = open_store(&config)?;
        let secrets = secrets::load(&store)?;
        let listeners = Listeners::bind(&config)?;
        let rtmps_tls = rtmps::tls(&config)?;
        let tells = !config.event_targets.is_empty();
        let opened = StoreLedger::open(&store, secrets::TOKEN_KEY_ID, secrets.token_key.public_key(), tells)?;
        let (media, media_handle) = start_media(&config, opened.ledger.clone(), opened.changes)?;
        let addresses = listeners.addresses(media_handle.media_address())?;
        let tls = match config.tls.clone() {
            Some(tls) => Some(Tls::new(tls, &config.data_dir, config.public_url.as_deref())?),
            None => None,
        };
        let waiting = waiting_events::waiting(&store)?;
        let waiting_events = Arc::new(StoredEvents::start(store.clone()));
        let port = listeners.http.local_addr()?.port();
        let gateway_config = gateway_config(&config, port, waiting_events.clone());
        let server = Arc::new(Self {
            endpoints: listeners.endpoints(&config)?,
            gateway: Gateway::new(store.clone(), gateway_config),
            waiting_events,
            keys: KeyRing::new(config.keys),
            allow_reset: config.allow_reset,
            // The media plane neither mixes nor replicates yet.
            ivs: Settings { quotas: config.ivs_quotas, carries: Carries::default(), event_targets: tells },
            rest_quotas: config.rest_quotas,
            client_timeout: config.client_timeout,
            media: media_handle,
            ledger: opened.ledger,
            started: std::time::Instant::now(),
            runtime: Handle::current(),
            store,
            secrets,
        });
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(run_gateway(server.gateway.clone(), stopped.clone()));
        tasks.spawn(run_media(media, server.ledger.clone(), stopped.clone()));
        tasks.spawn(opened.follower.run(stopped.clone()));
        if let Some(tls) = &tls {
            tasks.spawn(Arc::clone(tls).follow_files(stopped.clone()));
        }
        let noticed = server.ledger.noticed();
        tasks.spawn(notices::run(server.store.clone(), config.event_targets, noticed, stopped.clone()));
        tasks.spawn(ledger::retention::run(server.store.clone(), stopped.clone()));
        for (listener, tls) in [(listeners.rtmp, None), (listeners.rtmps, Some(rtmps_tls))] {
            let serving = server.media.clone().serve_rtmp(tokio_listener(listener)?, tls);
            tasks.spawn(until_told(serving, stopped.clone()));
        }
        // The first request must find the stages that were there before.
        let head = server.store.head();
        tokio::join!(server.gateway.caught_up(head), server.ledger.caught_up(head));
        server.gateway.resume_events(waiting);
        tasks.spawn(usage::run(server.store.clone(), server.gateway.clone(), stopped.clone()));
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        tasks.spawn(memory::run(stopped.clone()));
        let lanes = Arc::new(Lanes::start(&server.gateway)?);
        if let Some((listener, tls)) = listeners.https.zip(tls) {
            let listener = tokio_listener(listener)?;
            tasks.spawn(listen::serve(server.clone(), lanes.clone(), listener, Some(tls), stopped.clone()));
        }
        let listener = tokio_listener(listeners.http)?;
        tasks.spawn(listen::serve(server.clone(), lanes.clone(), listener, None, stopped));
        Ok(Running { addresses, server, stop, tasks, lanes })
    }
}

/// The TCP listeners, bound before anything is served: a port in use ends the start.
struct Listeners {
    http: TcpListener,
    https: Option<TcpListener>,
    rtmp: TcpListener,
    rtmps: TcpListener,
}

impl Listeners {
    fn bind(config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            http: bind(config.listen, "listen")?,
            https: config.tls.as_ref().map(|tls| bind(tls.listen, "tls-listen")).transpose()?,
            rtmp: bind(config.rtmp_listen, "rtmp-listen")?,
            rtmps: bind(config.rtmps_listen, "rtmps-listen")?,
        })
    }

    fn addresses(&self, media: SocketAddr) -> Result<Addresses, Failure> {
        let http = format!("http://{}", self.http.local_addr()?);
        let https = self.https.as_ref().map(|https| https.local_addr()).transpose()?;
        let https = https.map(|address| format!("https://{address}"));
        Ok(Addresses { http, https, media, rtmp: self.rtmp.local_addr()?, rtmps: self.rtmps.local_addr()? })
    }

    fn endpoints(&self, config: &Config) -> Result<Endpoints, Failure> {
        let reached = |listener: &TcpListener| Ok::<_, Failure>(reachable(listener.local_addr()?, config));
        let own = format!("http://{}", reached(&self.http)?);
        Ok(Endpoints {
            http: config.public_url.clone().unwrap_or(own),
            rtmp: format!("rtmp://{}/app/", reached(&self.rtmp)?),
            rtmps: format!("rtmps://{}/app/", reached(&self.rtmps)?),
        })
    }
}

/// Where clients reach a listener: nobody can connect to the wildcard address, so the first advertised one, or
/// else this machine's own, stands in for it.
fn reachable(listener: SocketAddr, config: &Config) -> SocketAddr {
    if !listener.ip().is_unspecified() {
        return listener;
    }
    let own =
        if listener.is_ipv6() { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    SocketAddr::new(config.advertise.first().copied().unwrap_or(own), listener.port())
}

fn gateway_config(
    config: &Config,
    port: u16,
    waiting_events: Arc<StoredEvents>,
) -> stagedoor_gateway::Config {
    stagedoor_gateway::Config {
        port,
        functions: config.functions.clone(),
        waiting_events: Some(waiting_events),
        account_throttle: config.account_throttle,
        lambda_endpoint: config.lambda_endpoint.clone(),
        access_keys: config.access_keys.clone(),
        service_endpoints: config.service_endpoints.clone(),
        aws_key: config.aws_key.clone(),
        vpc_links: config.vpc_links.clone(),
        log_sinks: config.log_sinks.clone(),
        log_directory: Some(config.data_dir.join("logs")),
        otlp_endpoint: config.otlp_endpoint.clone(),
        client_timeout: config.client_timeout,
        request_bodies_bytes_max: config.request_bodies_bytes_max,
        ..stagedoor_gateway::Config::new(clock::since_epoch)
    }
}

fn start_media(
    config: &Config,
    ledger: Arc<StoreLedger>,
    changes: mpsc::Receiver<Change>,
) -> Result<(Media, stagedoor_media::Handle), Failure> {
    let limits = stagedoor_media::config::Limits {
        publishers_per_stage: config.ivs_quotas.publishers_per_stage,
        participants_per_stage: config.ivs_quotas.participants_per_stage,
        publishers_per_region: config.ivs_quotas.concurrent_publishers,
        subscriptions_per_region: config.ivs_quotas.concurrent_subscriptions,
        ..Default::default()
    };
    let media_config = stagedoor_media::Config {
        listen: config.media_listen,
        shards: config.media_shards,
        advertise: config.advertise.clone(),
        ice_servers: config.ice_servers.clone(),
        node: config.node.clone(),
        limits,
        ..Default::default()
    };
    Media::start(media_config, ledger, changes, Arc::new(SystemWorld))
        .map_err(|error| cannot_listen(config.media_listen, &error, "media-listen"))
}

async fn run_gateway(gateway: Gateway, stopped: watch::Receiver<bool>) {
    gateway.run(told(stopped)).await;
}

/// Runs the media plane; when it has ended, writes down what it said last.
async fn run_media(media: Media, ledger: Arc<StoreLedger>, stopped: watch::Receiver<bool>) {
    if let Err(error) = media.run(told(stopped)).await {
        tracing::error!(%error, "the media plane failed");
    }
    let _ = tokio::task::spawn_blocking(move || ledger.close()).await;
}

/// Does work that has no end until the server is told to stop.
async fn until_told(work: impl Future<Output = ()>, stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = work => {}
        () = told(stopped) => {}
    }
}

/// Returns when the server is told to stop, or is gone.
async fn told(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Running {
    /// Finishes what is under way, then ends.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        // Requests that are cut off now are logged too.
        drop(self.lanes);
        self.server.gateway.flush_logs().await;
        usage::flush(&self.server.store, &self.server.gateway).await;
        let server = Arc::clone(&self.server);
        let _ = tokio::task::spawn_blocking(move || server.waiting_events.close()).await;
    }
}

fn open_store(config: &Config) -> Result<Store, Failure> {
    match config.store {
        StoreUrl::Memory => Ok(Store::in_memory()?),
        StoreUrl::Embedded => {
            let dir = &config.data_dir;
            std::fs::create_dir_all(dir)
                .map_err(|error| format!("cannot make the data directory {}: {error}", dir.display()))?;
            let file = dir.join("stagedoor.redb");
            Store::open_embedded(&file).map_err(|error| match error {
                stagedoor_store::Error::Corrupt { .. } => {
                    let file = file.display();
                    format!(
                        "cannot open {file}: {error} (restore it from a copy, or move it away to begin anew)"
                    )
                    .into()
                }
                error => error.into(),
            })
        }
    }
}

/// An error names the option to change.
fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| cannot_listen(address, &error, option))
}

fn cannot_listen(address: SocketAddr, error: &io::Error, option: &str) -> Failure {
    format!("cannot listen on {address}: {error} (choose another address with --{option}; port 0 finds a free one)")
        .into()
}

fn tokio_listener(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}
