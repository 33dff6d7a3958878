//! Every operation of the service: called by name with values, as the wire engine does, on a store in memory.
//! Clock and ids are fixed.

mod control;

mod api;
mod auto_deploy;
mod deployment;
mod integration;
mod integration_response;
mod list;
mod quick_create;
mod route;
mod route_response;
mod stage;
mod tagging;
