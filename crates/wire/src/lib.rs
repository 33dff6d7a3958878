//! The REST-JSON protocol of the AWS services: one engine over the model's tables, for server and client.
//!
//! Reading order: [`serve`] is a call's way in; [`route`], [`decode`] and [`check`] are its steps; [`encode`] is
//! the way out; [`dialect`] is where the services differ; [`client`] is the other direction.
//!
//! Invariants: no I/O, no clock, no randomness; nothing in here knows a single operation by name.

pub mod check;
pub mod client;
pub mod decode;
pub mod dialect;
pub mod encode;
mod fault;
pub mod route;
pub mod serve;

pub use fault::Fault;
