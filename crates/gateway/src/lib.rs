//! The data plane of API Gateway: serves the stages of REST APIs and HTTP APIs over HTTP.
//!
//! Reading order: [`Gateway`] is all that the binary sees; [`address`] says which API a request means; `plans` turns
//! stored documents into immutable plans; `rest/pipeline.rs` and `http_api/pipeline.rs` are the way of a request, one
//! file in `steps` or `integrations` per step; `authorize` decides who
//! may pass; `events` is what functions are told and `lambda` where they run; [`fault`]
//! is every way to end early.
//!
//! Invariants: a request never reads the store and takes no lock that a change of a plan holds; nothing here writes
//! documents.

mod aws;
mod config;
mod connections;
mod gateway;
mod invoke;
mod managed;
mod shared;

pub mod address;
pub mod body;
pub mod fault;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod metrics;

mod per_thread;
mod plans;

mod http_api;
mod rest;

mod answer_names;
mod arriving;
mod authorize;

mod client_cert;
mod domains;
mod events;
mod integrations;
mod lambda;
mod steps;

mod backends;
mod cache;
mod clients;
mod coding;
mod digits;
mod execution_log;
mod forwarded;
mod front;
mod headers;
mod heads;
mod ids;
mod json_schema;
mod lenient;
mod links;
mod logs;
mod mapping;
mod media_types;
mod observe;
mod room;
mod routes;
mod sending;
mod spelling;
mod template;
mod throttle;
mod uri;
mod visit;

pub use address::Address;
pub use answer_names::USUAL as USUAL_NAMES;
pub use authorize::{AccessKey, Denial};
pub use aws::{ANY_SERVICE, ServiceEndpoint};
pub use body::{Body, BodyError, gathered};
pub use client_cert::ClientCert;
pub use config::Config;
pub use connections::{Connection, ConnectionKey, Connections, Outbox, Outgoing, SendError};
pub use domains::DomainTls;
pub use fault::GatewayFault;
pub use forwarded::{Listener, TlsSession};
pub use front::Client;
pub use gateway::{Gateway, UsedDay};
pub use heads::{Heads, Peer};
pub use invoke::{Invocation, InvocationKind, InvokeError, Invoked};
pub use lambda::event_stream::CONTENT_TYPE as INVOKE_EVENT_STREAM;
pub use lambda::{Asynchronous, Function, LambdaEndpoint, WaitingEvents};
pub use logs::{LOG_FILE_BYTES_MAX, LOG_FILES_KEPT, LogFigures, LogSink, LogTarget};
pub use managed::Managed;
pub use metrics::{FiguresOf, Histogram, StageFigures};
pub use room::Share as BodyShare;
