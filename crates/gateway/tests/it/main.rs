//! Whole requests in process: a real backend, a real server around the gateway, documents put into a store in memory.

mod backend;
mod build;
mod world;

mod addresses;
mod following;
mod http_api;
mod limits;
mod rest_http;
mod rest_mock;
mod rest_proxy;
