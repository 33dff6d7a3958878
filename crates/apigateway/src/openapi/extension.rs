//! Names of the members that API Gateway adds to OpenAPI.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>

pub const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
pub const API_KEY_SOURCE: &str = "x-amazon-apigateway-api-key-source";
pub const AUTH: &str = "x-amazon-apigateway-auth";
pub const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";
pub const AUTH_TYPE: &str = "x-amazon-apigateway-authtype";
pub const BINARY_MEDIA_TYPES: &str = "x-amazon-apigateway-binary-media-types";
pub const DOCUMENTATION: &str = "x-amazon-apigateway-documentation";
pub const ENDPOINT_ACCESS_MODE: &str = "x-amazon-apigateway-endpoint-access-mode";
pub const ENDPOINT_CONFIGURATION: &str = "x-amazon-apigateway-endpoint-configuration";
pub const GATEWAY_RESPONSES: &str = "x-amazon-apigateway-gateway-responses";
pub const INTEGRATION: &str = "x-amazon-apigateway-integration";
pub const MINIMUM_COMPRESSION_SIZE: &str = "x-amazon-apigateway-minimum-compression-size";
pub const POLICY: &str = "x-amazon-apigateway-policy";
pub const REQUEST_VALIDATOR: &str = "x-amazon-apigateway-request-validator";
pub const REQUEST_VALIDATORS: &str = "x-amazon-apigateway-request-validators";
pub const SECURITY_POLICY: &str = "x-amazon-apigateway-security-policy";
pub const TAG_VALUE: &str = "x-amazon-apigateway-tag-value";

/// What `x-amazon-apigateway-authtype` says where the caller signs.
pub const SIGNED: &str = "awsSigv4";
/// The header that carries an API key, which is how a scheme is known to be one of API keys.
pub const API_KEY_HEADER: &str = "x-api-key";
/// What messages call the verb of [`ANY_METHOD`].
pub const ANY: &str = "ANY";

/// What a path calls its operation for a verb.
pub fn member(verb: &str) -> String {
    if verb == ANY { ANY_METHOD.to_owned() } else { verb.to_ascii_lowercase() }
}
