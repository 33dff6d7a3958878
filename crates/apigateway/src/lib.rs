//! The control plane of API Gateway's REST APIs (v1): one function per operation, in the file of its noun.
//!
//! Control planes change documents and never meet a data plane. The table of contents is `handlers.rs`.

mod dispatch;
mod handlers;

mod endpoint;
mod policy;
mod rest_api;

mod path_tree;
mod resource;

mod integration;
mod integration_response;
mod integration_uri;
mod mapping;
mod method;
mod method_response;

mod authorizer;
mod gateway_response;
mod model;
mod request_validator;
mod schema;

mod openapi;

mod documentation_location;
mod documentation_part;
mod documentation_version;

mod deployment;
mod method_setting;
mod stage;
mod stage_cache;
mod stage_patch;

mod api_key;
mod api_key_file;
mod usage;
mod usage_plan;
mod usage_plan_key;
mod usage_plan_patch;

mod base_path_mapping;
mod domain_name;
mod domain_name_access_association;
mod domain_name_patch;
mod domain_rules;

mod test_invoke;

mod account;
mod client_certificate;
mod sdk;
mod sdk_type;
mod vpc_link;
mod x509;

mod tags;

mod listing;
mod messages;
mod patch;
mod quota;

pub use dispatch::dispatch;
