//! What this service tells its clients when it refuses, in AWS's words where they are known.
//!
//! Sources: error texts that AWS users quote in issues and logs. Where none is known the text is our own and as
//! close to its neighbours as possible.

use stagedoor_api::apigatewayv2::ProtocolType;
use stagedoor_wire::Fault;

fn bad_request(message: impl Into<String>) -> Fault {
    Fault::new("BadRequestException", 400, message)
}

fn not_found(message: impl Into<String>) -> Fault {
    Fault::new("NotFoundException", 404, message)
}

fn conflict(message: impl Into<String>) -> Fault {
    Fault::new("ConflictException", 409, message)
}

// === Lists ===

pub fn bad_token() -> Fault {
    bad_request("Invalid nextToken specified")
}

pub fn bad_max_results(most: usize) -> Fault {
    bad_request(format!("Invalid maxResults specified. Must be a number between 1 and {most}"))
}

// === Text members ===

/// A text longer than the model's name for its type says.
pub fn too_long(member: &str, most: usize) -> Fault {
    bad_request(format!("Invalid {member} specified, can be at most {most} characters"))
}

// === Apis ===

pub fn api_not_found(account: &str, api: &str) -> Fault {
    not_found(format!("Invalid API identifier specified {account}:{api}"))
}

pub fn api_name_invalid() -> Fault {
    bad_request("Invalid API name specified")
}

pub fn api_id_taken(id: &str) -> Fault {
    conflict(format!("An API with the identifier {id} already exists"))
}

pub fn chosen_id_invalid() -> Fault {
    bad_request("Invalid tag stagedoor:id specified. An identifier has 1 to 40 letters and digits")
}

pub fn websocket_without_selection() -> Fault {
    bad_request("RouteSelectionExpression is required for WEBSOCKET protocol")
}

pub fn http_selection_fixed() -> Fault {
    bad_request(r#"Route selection expression is currently limited to "${request.method} ${request.path}""#)
}

pub fn quick_create_http_only() -> Fault {
    bad_request("Quick create is only supported for HTTP APIs")
}

pub fn quick_create_without_target() -> Fault {
    bad_request("A target is required to create a route or to set credentials with quick create")
}

pub fn not_quick_created(api: &str) -> Fault {
    bad_request(format!("API {api} has no integration and route made by quick create"))
}

pub fn cors_http_only() -> Fault {
    bad_request("CORS configuration is only supported for HTTP APIs")
}

pub fn cors_credentials_with_wildcard() -> Fault {
    bad_request("allow-credentials is not supported if 'allow-origin' is *")
}

pub fn cors_origin_invalid(origin: &str) -> Fault {
    bad_request(format!(
        "Invalid format for origin {origin}. Origin should begin with a scheme such as https://"
    ))
}

pub fn cors_method_invalid(method: &str) -> Fault {
    bad_request(format!("Invalid CORS method specified: {method}"))
}

// === Integrations ===

pub fn integration_not_found(id: &str) -> Fault {
    not_found(format!("Invalid Integration identifier specified {id}"))
}

pub fn integration_type_not_for_http() -> Fault {
    bad_request(
        "Currently, an API with a protocol type of HTTP may only be associated with proxy integrations \
         (AWS_PROXY, HTTP_PROXY)",
    )
}

pub fn payload_format_required() -> Fault {
    bad_request("PayloadFormatVersion is a required parameter for integration")
}

pub fn payload_format_unsupported(version: &str) -> Fault {
    bad_request(format!("Unsupported PayloadFormatVersion: {version}"))
}

pub fn payload_format_not_for(version: &str, integration_type: &str) -> Fault {
    bad_request(format!(
        "PayloadFormatVersion {version} is not supported for integration of type {integration_type}"
    ))
}

/// AWS prints the type without its underscore here.
pub fn integration_method_required(integration_type: &str) -> Fault {
    let integration_type = integration_type.replace('_', "");
    bad_request(format!(
        "HttpMethod parameter method must be specified for integrationType {integration_type}"
    ))
}

pub fn integration_method_invalid() -> Fault {
    bad_request("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
}

pub fn integration_uri_invalid() -> Fault {
    bad_request("Invalid integration URI specified")
}

pub fn integration_uri_on_mock() -> Fault {
    bad_request("Integration URI is not supported for MOCK integrations")
}

pub fn timeout_out_of_range(most: i64) -> Fault {
    bad_request(format!("Timeout should be between 50 ms and {most} ms"))
}

pub fn vpc_link_uri_invalid() -> Fault {
    bad_request(
        "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN.",
    )
}

pub fn vpc_link_without_connection() -> Fault {
    bad_request("ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK")
}

pub fn subtype_unknown(subtype: &str) -> Fault {
    bad_request(format!("Operation: {subtype} is not supported."))
}

pub fn subtype_without_credentials(subtype: &str) -> Fault {
    bad_request(format!(
        "Role ARN must be specified for AWS integration configuration with Subtype: {subtype}"
    ))
}

pub fn subtype_parameters_missing(subtype: &str, required: &[&str]) -> Fault {
    let required = required.join(", ");
    bad_request(format!(
        "Operation: {subtype} requires enabling passthrough, or defining all of the following parameters: {required}"
    ))
}

pub fn request_parameter_invalid(key: &str) -> Fault {
    bad_request(format!("Invalid Request Actioned Parameter destination specified: {key}"))
}

pub fn response_parameter_invalid(key: &str) -> Fault {
    bad_request(format!("Invalid Response Actioned Parameter destination specified: {key}"))
}

/// The form that mappings of REST APIs have; that of the others is not known.
pub fn mapping_invalid(expression: &str) -> Fault {
    bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
         expression specified: {expression}]"
    ))
}

pub fn header_reserved(name: &str) -> Fault {
    bad_request(format!("Operations on header {name} are restricted"))
}

pub fn response_status_invalid(status: &str) -> Fault {
    bad_request(format!("Invalid status code specified in response parameters: {status}"))
}

pub fn integration_in_use(routes: &[String]) -> Fault {
    let routes = routes.join(", ");
    conflict(format!(
        "Cannot delete Integration because it is referenced by the following Routes with Ids: [{routes}]"
    ))
}

/// The two blanks are AWS's.
pub fn too_many(what: &str) -> Fault {
    let message = format!(
        "Maximum number of {what} for this API has been reached.  Please contact AWS if you need additional {what}."
    );
    Fault::new("TooManyRequestsException", 429, message)
}

pub fn integration_responses_websocket_only() -> Fault {
    bad_request("IntegrationResponses are currently not supported for this API protocol type.")
}

pub fn integration_response_not_found(id: &str) -> Fault {
    not_found(format!("Invalid IntegrationResponse identifier specified {id}"))
}

pub fn integration_response_key_invalid(key: &str) -> Fault {
    bad_request(format!(
        "Invalid integration response key specified: {key}. Must be $default or a regular expression between slashes"
    ))
}

pub fn integration_response_key_taken(key: &str) -> Fault {
    conflict(format!("IntegrationResponse with key {key} already exists for this Integration"))
}

// === Routes ===

pub fn route_not_found(id: &str) -> Fault {
    not_found(format!("Invalid Route identifier specified {id}"))
}

pub fn route_key_required() -> Fault {
    bad_request("Route key is required")
}

pub fn route_key_malformed(protocol: ProtocolType) -> Fault {
    let format = match protocol {
        ProtocolType::Http => r#""<HTTP METHOD> /<RESOURCE PATH>" or "$default""#,
        ProtocolType::Websocket => {
            r#""$connect", "$disconnect", "$default" or a custom key that does not begin with "$""#
        }
    };
    bad_request(format!(
        "The provided route key is not formatted properly for {protocol} protocol. Format should be {format}"
    ))
}

pub fn route_key_taken(key: &str) -> Fault {
    conflict(format!("Route with key {key} already exists for this API"))
}

pub fn route_key_ambiguous(given: &str, existing: &str) -> Fault {
    conflict(format!(
        "The provided route key \"{given}\" has a conflicting variable on the same hierarchical level as \
         \"{existing}\""
    ))
}

pub fn target_malformed() -> Fault {
    bad_request(
        "Unexpected or malformed target in route. Correct format should be integrations/<integration_id>.",
    )
}

pub fn api_key_not_for_http() -> Fault {
    bad_request("ApiKeyRequired is not currently supported for HTTP APIs.")
}

pub fn not_for_http_routes(member: &str) -> Fault {
    bad_request(format!("{member} is not currently supported for HTTP APIs."))
}

pub fn request_parameters_connect_only() -> Fault {
    bad_request("Currently, request parameters are restricted to the $connect route only")
}

pub fn authorizer_invalid() -> Fault {
    bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
         requires a valid authorizer.",
    )
}

pub fn jwt_authorizer_invalid() -> Fault {
    bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.",
    )
}

pub fn scopes_not_allowed() -> Fault {
    bad_request(
        "Invalid Route authorization type specified. Authorization Scopes are only valid for \
         COGNITO_USER_POOLS and JWT authorization types",
    )
}

pub fn authorization_connect_only() -> Fault {
    bad_request("Currently, authorization is restricted to the $connect route only")
}

pub fn request_parameter_not_found(key: &str) -> Fault {
    not_found(format!("Invalid request parameter key specified {key}"))
}

pub fn route_responses_websocket_only() -> Fault {
    bad_request("RouteResponses are currently not supported for this API protocol type.")
}

pub fn route_response_not_found(id: &str) -> Fault {
    not_found(format!("Invalid RouteResponse identifier specified {id}"))
}

pub fn route_response_key_not_default() -> Fault {
    bad_request("Currently, only $default is supported as a RouteResponseKey.")
}

pub fn route_response_key_taken(key: &str) -> Fault {
    conflict(format!("RouteResponse with key {key} already exists for this Route"))
}

// === Authorizers ===

pub fn authorizer_not_found() -> Fault {
    not_found("Invalid Authorizer identifier specified")
}

pub fn authorizer_name_invalid() -> Fault {
    bad_request("Invalid authorizer name specified")
}

pub fn authorizer_name_taken(name: &str) -> Fault {
    bad_request(format!("Authorizer name must be unique. Authorizer {name} already exists in this API."))
}

pub fn authorizer_in_use(name: &str, route_key: &str) -> Fault {
    conflict(format!("Cannot delete authorizer '{name}', is referenced in route: {route_key}"))
}

pub fn authorizer_uri_invalid(uri: &str) -> Fault {
    bad_request(format!("Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN."))
}

pub fn authorizer_format_required() -> Fault {
    bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
}

pub fn authorizer_format_unsupported(version: &str) -> Fault {
    bad_request(format!("Unsupported AuthorizerPayloadFormatVersion: {version}"))
}

pub fn simple_responses_need_format_2() -> Fault {
    bad_request("EnableSimpleResponses is only supported for AuthorizerPayloadFormatVersion 2.0")
}

pub fn authorizer_ttl_invalid(most: i64) -> Fault {
    bad_request(format!("Invalid AuthorizerResultTtlInSeconds specified. Must be between 0 and {most}"))
}

pub fn caching_needs_identity_source() -> Fault {
    bad_request("Identity sources are required for an authorizer with caching enabled")
}

pub fn identity_source_invalid(source: &str) -> Fault {
    bad_request(format!("Invalid mapping expression specified: {source}"))
}

pub fn jwt_http_only() -> Fault {
    bad_request("JWT authorizers are only supported for HTTP APIs")
}

pub fn not_for_jwt(member: &str) -> Fault {
    bad_request(format!("{member} is not supported for JWT authorizers"))
}

pub fn jwt_configuration_not_for_request() -> Fault {
    bad_request("JwtConfiguration is not supported for REQUEST authorizers")
}

pub fn jwt_identity_source() -> Fault {
    bad_request("A JWT authorizer requires exactly one identity source, a header or a query parameter")
}

pub fn jwt_audience_invalid(most: usize) -> Fault {
    bad_request(format!("JwtConfiguration requires between 1 and {most} audiences"))
}

pub fn jwt_issuer_required() -> Fault {
    bad_request("JwtConfiguration requires an issuer")
}

pub fn jwt_issuer_invalid(issuer: &str) -> Fault {
    bad_request(format!(
        "Caught exception when connecting to {issuer}/.well-known/openid-configuration for issuer {issuer}. \
         Please try again later. Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint \
         ended with '/.well-known/openid-configuration'"
    ))
}

// === Models ===

pub fn model_not_found(id: &str) -> Fault {
    not_found(format!("Invalid Model identifier specified {id}"))
}

pub fn model_name_invalid(name: &str) -> Fault {
    bad_request(format!("Model name must be alphanumeric: {name}"))
}

pub fn model_name_taken() -> Fault {
    conflict("Model name already exists for this API")
}

pub fn model_schema_invalid() -> Fault {
    bad_request("Invalid model schema specified. A schema must be a JSON object")
}

pub fn model_schema_too_long(most: usize) -> Fault {
    bad_request(format!("Invalid model schema specified, can be at most {most} bytes"))
}

// === Deployments and stages ===

/// Also what a stage that deploys by itself shows, after [`DEPLOYMENT_FAILED`].
pub const NO_ROUTES: &str = "Unable to deploy API because no routes exist in this API";

/// Begins a stage's `lastDeploymentStatusMessage` when it could not be deployed.
pub const DEPLOYMENT_FAILED: &str = "Deployment attempt failed: ";

/// A stage's `lastDeploymentStatusMessage` when all is well.
pub fn deployed(deployment: &str) -> String {
    format!("Successfully deployed stage with deployment ID '{deployment}'")
}

pub fn no_routes() -> Fault {
    bad_request(NO_ROUTES)
}

pub fn deployment_not_found(id: &str) -> Fault {
    not_found(format!("Invalid Deployment identifier specified {id}"))
}

pub fn deployment_id_unknown() -> Fault {
    bad_request("Deployment id does not exist")
}

pub fn deployment_in_use() -> Fault {
    bad_request("Active stages pointing to this deployment must be moved or deleted")
}

pub fn stage_deploys_itself() -> Fault {
    bad_request("Deployment ID cannot be set on a stage with auto deploy enabled")
}

pub fn stage_not_found() -> Fault {
    not_found("Invalid stage identifier specified")
}

pub fn stage_exists() -> Fault {
    conflict("Stage already exists")
}

pub fn stage_name_invalid() -> Fault {
    bad_request("Stage name only allows a-zA-Z0-9_-")
}

pub fn default_stage_http_only() -> Fault {
    bad_request("The $default stage is only supported for HTTP APIs")
}

pub fn logging_not_for_http() -> Fault {
    bad_request("Execution logs are not supported on protocolType HTTP")
}

pub fn route_settings_unknown(key: &str) -> Fault {
    not_found(format!("Unable to find Route by key {key} within the provided RouteSettings"))
}

pub fn throttling_invalid() -> Fault {
    bad_request("Throttling limits must not be negative")
}

pub fn access_log_format_without_id() -> Fault {
    bad_request("Access Log format must include either $context.requestId or $context.extendedRequestId")
}

pub fn stage_variable_invalid(key: &str) -> Fault {
    bad_request(format!(
        "Invalid stage variable specified: {key}. Names have letters, digits and underscores, values also any of \
         -._~:/?#&=,"
    ))
}

pub fn stage_variables_too_many(most: usize) -> Fault {
    bad_request(format!("A stage can have at most {most} stage variables"))
}

// === Definitions ===

pub fn definition_invalid() -> Fault {
    bad_request("Invalid OpenAPI input.")
}

pub fn definition_version_invalid() -> Fault {
    bad_request("Invalid OpenAPI input. Only OpenAPI 3.0 definitions are supported for HTTP APIs")
}

pub fn definitions_http_only() -> Fault {
    bad_request("Importing and exporting definitions is only supported for HTTP APIs")
}

pub fn base_path_mode_invalid(mode: &str) -> Fault {
    bad_request(format!("Invalid basepath specified: {mode}. Must be one of [ignore, prepend, split]"))
}

/// What an import says that was told to fail on warnings.
pub fn import_warnings(warnings: &[String]) -> Fault {
    let lines: String = warnings.iter().map(|warning| format!("\n\t{warning}")).collect();
    bad_request(format!("Warnings found during import:{lines}"))
}

pub fn export_version_invalid(version: &str) -> Fault {
    bad_request(format!("Invalid exportVersion specified. Must be {version}"))
}

pub fn authorizer_type_invalid(kind: &str) -> Fault {
    bad_request(format!("Invalid authorizer type specified: {kind}. Must be one of [REQUEST, JWT]"))
}

// === Domain names, API mappings, routing rules ===

pub fn domain_not_found() -> Fault {
    not_found("Invalid domain name identifier specified")
}

pub fn domain_exists() -> Fault {
    bad_request("The domain name you provided already exists.")
}

pub fn domain_name_invalid(name: &str) -> Fault {
    bad_request(format!("Invalid domain name specified: {name}"))
}

pub fn one_domain_configuration() -> Fault {
    bad_request("Invalid input. Expected one domain name configuration")
}

pub fn domain_not_regional() -> Fault {
    bad_request(
        "Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE domain names, please \
         use the API Gateway V1 API. Also note that only REST APIs can be attached to EDGE domain names.",
    )
}

pub fn domain_certificate_invalid() -> Fault {
    bad_request("Invalid certificate ARN specified")
}

pub fn truststore_invalid() -> Fault {
    bad_request("Invalid truststoreUri specified. It must be the address of an object in S3")
}

pub fn api_mapping_not_found() -> Fault {
    not_found("Invalid API mapping identifier specified")
}

/// In requests whose path names another resource, AWS answers 400 for an API that is not there.
pub fn mapped_api_not_found(account: &str, api: &str) -> Fault {
    bad_request(format!("Invalid API identifier specified {account}:{api}"))
}

/// As [`mapped_api_not_found`], for its stage.
pub fn mapped_stage_not_found() -> Fault {
    bad_request("Invalid stage identifier specified")
}

pub fn api_mapping_key_taken() -> Fault {
    conflict("ApiMapping key already exists for this domain name")
}

pub fn api_mapping_key_invalid() -> Fault {
    bad_request("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/")
}

pub fn api_mapping_key_starts_with_slash() -> Fault {
    bad_request("API mapping key should not start with a '/' or have consecutive '/'s.")
}

pub fn api_mapping_key_ends_with_slash() -> Fault {
    bad_request("API mapping key should not end with a '/'.")
}

pub fn multi_level_needs_tls_1_2() -> Fault {
    bad_request(
        "API mapping keys with more than one level need a domain name with the TLS 1.2 security policy",
    )
}

pub fn multi_level_too_many(most: usize) -> Fault {
    bad_request(format!("A domain name can have at most {most} API mapping keys with more than one level"))
}

pub fn websocket_shares_no_domain() -> Fault {
    bad_request("A WebSocket API cannot share a domain name with REST or HTTP APIs")
}

pub fn api_is_mapped(api: &str) -> Fault {
    bad_request(format!(
        "Deleting API {api} failed. Please remove all API mappings for the API from your custom domain names."
    ))
}

pub fn routing_rule_not_found() -> Fault {
    not_found("Invalid routing rule identifier specified")
}

pub fn routing_priority_invalid(most: i64) -> Fault {
    bad_request(format!("Invalid priority specified. Must be a number between 1 and {most}"))
}

pub fn routing_priority_taken(priority: i64) -> Fault {
    conflict(format!("A routing rule with priority {priority} already exists for this domain name"))
}

pub fn one_routing_action() -> Fault {
    bad_request("Invalid input. Expected one routing rule action")
}

pub fn routing_rules_rest_only() -> Fault {
    bad_request("Routing rules are only supported for REST APIs")
}

pub fn routing_conditions_invalid() -> Fault {
    bad_request(
        "Invalid conditions specified. A condition has either matchHeaders or matchBasePaths with at least one \
         entry; a rule has at most two of the first and one of the second",
    )
}

pub fn routing_header_invalid(header: &str) -> Fault {
    bad_request(format!("Invalid header condition specified: {header}"))
}

// === Portals and their products ===

pub fn portal_not_found() -> Fault {
    not_found("Invalid portal identifier specified")
}

pub fn portal_endpoint_invalid() -> Fault {
    bad_request("Invalid endpointConfiguration specified. Expected one of [acmManaged, none]")
}

pub fn portal_authorization_invalid() -> Fault {
    bad_request("Invalid authorization specified. Expected one of [cognitoConfig, none]")
}

pub fn portal_product_arn_invalid(arn: &str) -> Fault {
    bad_request(format!("Invalid portal product ARN specified: {arn}"))
}

pub fn portal_product_not_found() -> Fault {
    not_found("Invalid portal product identifier specified")
}

pub fn sharing_policy_invalid() -> Fault {
    bad_request("Invalid policy document specified")
}

pub fn sharing_policy_not_found() -> Fault {
    not_found("The portal product has no sharing policy")
}

pub fn product_page_not_found() -> Fault {
    not_found("Invalid product page identifier specified")
}

pub fn product_rest_endpoint_page_not_found() -> Fault {
    not_found("Invalid product REST endpoint page identifier specified")
}

pub fn rest_endpoint_identifier_required() -> Fault {
    bad_request("Invalid restEndpointIdentifier specified. Expected identifierParts")
}

pub fn endpoint_display_content_invalid() -> Fault {
    bad_request("Invalid displayContent specified. Expected one of [none, overrides]")
}

// === VPC links ===

pub fn vpc_link_not_found(id: &str) -> Fault {
    not_found(format!("Invalid VpcLink identifier specified {id}"))
}

pub fn vpc_link_name_invalid() -> Fault {
    bad_request("Invalid VPC link name specified")
}

pub fn vpc_link_subnets_invalid(most: usize) -> Fault {
    bad_request(format!("A VPC link requires between 1 and {most} subnet identifiers"))
}

// === Tags ===

pub fn tag_arn_invalid() -> Fault {
    bad_request("Invalid resource ARN specified in the request")
}

pub fn tag_key_reserved() -> Fault {
    bad_request("Invalid tag key specified. Keys that begin with aws: are reserved for system use")
}

pub fn tag_invalid() -> Fault {
    bad_request("Invalid tag specified. A key has 1 to 128 characters, a value at most 256")
}

pub fn tags_too_many(most: usize) -> Fault {
    bad_request(format!("A resource can have at most {most} tags"))
}
