//! Stagedoor's own client of the AWS APIs: it knows what the models say, and nothing of the server.

pub mod client;

pub use client::{Client, ClientError};
