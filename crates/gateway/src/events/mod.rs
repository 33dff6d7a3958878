//! What a function is told of a request: the events of proxy integrations, one file per format.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

pub(crate) mod authorizer;
pub(crate) mod http_v1;
pub(crate) mod http_v2;
pub(crate) mod rest;

mod body;
mod identity;
mod lists;
