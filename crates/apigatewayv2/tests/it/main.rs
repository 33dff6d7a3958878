//! Every operation of the service: called by name with values, as the wire engine does, on a store in memory.
//! Clock and ids are fixed.

mod control;

mod api;
mod authorizer;
mod auto_deploy;
mod deployment;
mod domain_name;
mod integration;
mod integration_response;
mod list;
mod model;
mod openapi;
mod openapi_round_trip;
mod portal;
mod quick_create;
mod route;
mod route_response;
mod routing_rule;
mod stage;
mod tagging;
mod turning_pages;
mod vpc_link;
