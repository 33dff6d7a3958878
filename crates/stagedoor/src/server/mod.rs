//! The server: everything that `stagedoor serve` runs, put together.
//!
//! Reading order: [`Server::start`] opens the store and the listeners; [`listen`] accepts connections; [`route`]
//! decides which part answers a request; [`control`] is the way of an AWS API call.

mod body;
mod clock;
mod control;
mod keys;
mod ledger;
mod listen;
mod metrics;
mod operations;
mod route;
mod secrets;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serde::Serialize;
use stagedoor_gateway::Gateway;
use stagedoor_media::Media;
use stagedoor_state::Endpoints;
use stagedoor_state::ivs::Settings;
use stagedoor_state::ivs::settings::Carries;
use stagedoor_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use clock::SystemWorld;

use crate::config::{Config, StoreUrl};
use keys::KeyRing;
use ledger::StoreLedger;
use secrets::Secrets;

/// What requests are answered from. Shared by all connections.
pub struct Server {
    store: Store,
    keys: KeyRing,
    secrets: Secrets,
    endpoints: Endpoints,
    gateway: Gateway,
    media: stagedoor_media::Handle,
    ledger: Arc<StoreLedger>,
    allow_reset: bool,
    ivs: Settings,
    started: std::time::Instant,
}

/// Where the server listens, as the one JSON line says that it prints when it is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// Origin of the HTTP listener.
    pub http: String,
    pub media: SocketAddr,
    pub rtmp: SocketAddr,
    pub rtmps: SocketAddr,
}

/// A server that accepts connections until it is told to stop.
pub struct Running {
    pub addresses: Addresses,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Server {
    /// Opens the store, binds every listener and starts serving.
    pub async fn start(config: Config) -> Result<Running, Failure> {
        let store = open_store(&config)?;
        let secrets = secrets::load(&store)?;
        let http = bind(config.listen, "listen")?;
        let (rtmp, rtmps) =
            (bind(config.rtmp_listen, "rtmp-listen")?, bind(config.rtmps_listen, "rtmps-listen")?);
        let http_origin = config.public_url.clone().unwrap_or(format!("http://{}", http.local_addr()?));
        let endpoints = Endpoints {
            http: http_origin,
            rtmp: format!("rtmp://{}/app/", rtmp.local_addr()?),
            rtmps: format!("rtmps://{}/app/", rtmps.local_addr()?),
        };
        let gateway_config = stagedoor_gateway::Config {
            port: http.local_addr()?.port(),
            functions: config.functions,
            lambda_endpoint: config.lambda_endpoint,
            ..stagedoor_gateway::Config::new(clock::since_epoch)
        };
        let gateway = Gateway::new(store.clone(), gateway_config);
        let opened = StoreLedger::open(&store, secrets::TOKEN_KEY_ID, secrets.token_key.public_key())?;
        let media_config = stagedoor_media::Config {
            listen: config.media_listen,
            advertise: config.advertise.clone(),
            limits: stagedoor_media::config::Limits {
                publishers_per_stage: config.ivs_quotas.publishers_per_stage,
                participants_per_stage: config.ivs_quotas.participants_per_stage,
                ..Default::default()
            },
            ..Default::default()
        };
        let (media, media_handle) =
            Media::start(media_config, opened.ledger.clone(), opened.changes, Arc::new(SystemWorld))
                .map_err(|error| cannot_listen(config.media_listen, &error, "media-listen"))?;
        let addresses = Addresses {
            http: format!("http://{}", http.local_addr()?),
            media: media_handle.media_address(),
            rtmp: rtmp.local_addr()?,
            rtmps: rtmps.local_addr()?,
        };
        let server = Arc::new(Self {
            keys: KeyRing::new(config.keys),
            allow_reset: config.allow_reset,
            // The media plane neither mixes nor replicates yet.
            ivs: Settings { quotas: config.ivs_quotas, carries: Carries::default() },
            media: media_handle,
            ledger: opened.ledger,
            started: std::time::Instant::now(),
            store,
            secrets,
            endpoints,
            gateway,
        });
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(run_gateway(server.gateway.clone(), stopped.clone()));
        tasks.spawn(run_media(media, server.ledger.clone(), stopped.clone()));
        tasks.spawn(opened.follower.run(stopped.clone()));
        tasks.spawn(ledger::retention::run(server.store.clone(), stopped.clone()));
        for listener in [rtmp, rtmps] {
            tasks.spawn(listen::refuse_rtmp(tokio_listener(listener)?, stopped.clone()));
        }
        // The first request must find the stages that were there before.
        let head = server.store.head();
        tokio::join!(server.gateway.caught_up(head), server.ledger.caught_up(head));
        tasks.spawn(listen::serve(server, tokio_listener(http)?, stopped));
        Ok(Running { addresses, stop, tasks })
    }
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

/// Returns when the server is told to stop, or is gone.
async fn told(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Running {
    /// Finishes what is under way, then ends.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn open_store(config: &Config) -> Result<Store, Failure> {
    match config.store {
        StoreUrl::Memory => Ok(Store::in_memory()?),
        StoreUrl::Embedded => {
            let dir = &config.data_dir;
            std::fs::create_dir_all(dir)
                .map_err(|error| format!("cannot make the data directory {}: {error}", dir.display()))?;
            Ok(Store::open_embedded(dir.join("stagedoor.redb"))?)
        }
    }
}

/// Binds before anything is served, so that a port in use ends the start with the option to change.
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
