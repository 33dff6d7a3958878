//! What Stagedoor remembers, and how an operation reaches it.
//!
//! Reading order: [`document`] says how a typed document becomes a key and bytes; [`cx`] is what every
//! operation gets; [`page`] makes lists; [`ports`] is what an operation may ask a data plane; [`ids`] and [`arn`] make names; [`definition`] and [`model_template`]
//! are rules that two services share. The modules [`rest`], [`http`], [`domain`], [`lambda`], [`portal`] and [`ivs`] say
//! what is stored for each service. Control planes write documents, data planes follow them.

pub mod arn;
pub mod cx;
pub mod definition;
pub mod document;
pub mod execute_api;
pub mod ids;
pub mod model_template;
pub mod page;
pub mod ports;
pub mod tags;
pub mod transact;

pub mod domain;
pub mod http;
pub mod ivs;
pub mod lambda;
pub mod portal;
pub mod rest;

pub use cx::{Cx, Endpoints, Environment, row};
pub use document::{Documents, Key, Kind, decode, encode};
pub use stagedoor_wire::Fault;

/// What an operation returns.
pub type Result<T> = std::result::Result<T, Fault>;
