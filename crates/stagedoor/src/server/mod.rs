//! The server: everything that `stagedoor serve` runs, put together.
//!
//! Reading order: [`Server::start`] opens the store and the listeners; [`listen`] accepts connections; [`route`]
//! decides which part answers a request; [`control`] is the way of an AWS API call.

mod body;
mod clock;
mod control;
mod keys;
mod listen;
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
use stagedoor_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use clock::SystemWorld;

use crate::config::{Config, StoreUrl};
use keys::KeyRing;
use secrets::Secrets;

/// What requests are answered from. Shared by all connections.
pub struct Server {
    store: Store,
    keys: KeyRing,
    secrets: Secrets,
    endpoints: Endpoints,
    gateway: Gateway,
    media: stagedoor_media::Handle,
    allow_reset: bool,
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
        let (rtmp, rtmps) = (bind(config.rtmp_listen, "rtmp-listen")?, bind(config.rtmps_listen, "rtmps-listen")?);
        let http_origin = config.public_url.clone().unwrap_or(format!("http://{}", http.local_addr()?));
        let endpoints = Endpoints {
            http: http_origin,
            rtmp: format!("rtmp://{}/app/", rtmp.local_addr()?),
            rtmps: format!("rtmps://{}/app/", rtmps.local_addr()?),
        };
        let gateway = Gateway::new(store.clone(), stagedoor_gateway::Config::default())?;
        let media = start_media(&config, &store, &secrets)?;
        let addresses = Addresses {
            http: format!("http://{}", http.local_addr()?),
            media: media.local_addr(),
            rtmp: rtmp.local_addr()?,
            rtmps: rtmps.local_addr()?,
        };
        let server = Arc::new(Self {
            keys: KeyRing::new(config.keys),
            allow_reset: config.allow_reset,
            media: media.handle(),
            started: std::time::Instant::now(),
            store,
            secrets,
            endpoints,
            gateway,
        });
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(server.gateway.clone().run(stopped.clone()));
        tasks.spawn(media.run(stopped.clone()));
        for listener in [rtmp, rtmps] {
            tasks.spawn(listen::refuse_rtmp(tokio_listener(listener)?, stopped.clone()));
        }
        tasks.spawn(listen::serve(server, tokio_listener(http)?, stopped));
        Ok(Running { addresses, stop, tasks })
    }
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

fn start_media(config: &Config, store: &Store, secrets: &Secrets) -> Result<Media, Failure> {
    let media_config = stagedoor_media::Config {
        listen: config.media_listen,
        advertise: config.advertise.clone(),
        ..stagedoor_media::Config::default()
    };
    let token_keys = stagedoor_media::TokenKeys {
        server_key_id: secrets::TOKEN_KEY_ID.to_owned(),
        server_key: secrets.token_key.public_key(),
    };
    Ok(Media::start(media_config, store.clone(), token_keys)?)
}

/// Binds before anything is served, so that a port in use ends the start with the option to change.
fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        format!("cannot listen on {address}: {error} (choose another address with --{option}; port 0 finds a free one)")
            .into()
    })
}

fn tokio_listener(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}
