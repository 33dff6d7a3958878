//! Every operation of the service: called by name with values, as the wire engine does, on a store in memory.
//! Clock and ids are fixed. Texts and shapes are those that AWS was recorded answering, unless a test says otherwise.

mod control;

mod account;
mod api_key;
mod authorizer;
mod base_path_mapping;
mod canary;
mod deployment;
mod documentation;
mod domain_name;
mod domain_name_access_association;
mod gateway_response;
mod integration;
mod integration_response;
mod listing;
mod method;
mod method_response;
mod method_setting;
mod model;
mod openapi;
mod patch;
mod quota;
mod refused;
mod request_validator;
mod resource;
mod rest_api;
mod stage;
mod tags;
mod turning_pages;
mod usage_plan;
