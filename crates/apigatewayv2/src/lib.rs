//! The control plane of API Gateway v2: HTTP and WebSocket APIs.
//!
//! Reading order: `handlers` lists the operations; each stands in the file of its noun, from `api` to
//! `tagging`. `deploy` freezes an API into what its stages serve. The files after it hold rules that are pure:
//! what may be stored, not how. `messages` holds AWS's wording.
//!
//! Invariant: whatever changes an API, its integrations or its routes ends with `deploy::after_change`, in the
//! same transaction. Serving requests is the gateway's, which reads the snapshots.

mod dispatch;
mod handlers;

mod api;
mod api_mapping;
mod authorizer;
mod deployment;
mod domain_name;
mod integration;
mod integration_response;
mod model;
mod openapi;
mod portal;
mod portal_product;
mod product_page;
mod product_rest_endpoint_page;
mod quick_create;
mod route;
mod route_response;
mod routing_rule;
mod stage;
mod tagging;
mod vpc_link;

mod deploy;

mod authorizer_rules;
mod cors;
mod domain_rules;
mod endpoint;
mod integration_rules;
mod integration_subtype;
mod limits;
mod list;
mod merge;
mod messages;
mod parameter_mapping;
mod route_key;
mod route_settings;

pub use dispatch::dispatch;
