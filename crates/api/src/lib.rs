//! Typed inputs and outputs of every operation, one module per service, generated from `models/*.json`.

pub mod apigateway;
pub mod apigatewaymanagementapi;
pub mod apigatewayv2;
pub mod ivs_realtime;
