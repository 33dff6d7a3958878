//! Whole requests in process: a real backend, a real server around the gateway, documents put into a store in memory.

mod backend;
mod build;
mod issuer;
mod world;

mod addresses;
mod api_keys;
mod authorize_iam;
mod authorize_lambda;
mod authorize_tokens;
mod caching;
mod canary;
mod domains;
mod following;
mod functions;
mod gateway_responses;
mod http_api;
mod http_mapping;
mod lambda_endpoint;
mod lambda_events;
mod lambda_faults;
mod lambda_integration;
mod lambda_proxy;
mod lambda_streaming;
mod limits;
mod request_validators;
mod rest_binary;
mod rest_http;
mod rest_mock;
mod rest_proxy;
mod rest_services;
mod rest_templates;
mod test_authorizer;
mod test_invoke;
mod throttling;
