//! AWS's words: every error that the control plane of API Gateway (v1) answers, one function each. Those about what
//! belongs to no API stand in `access`, those about custom domain names in `domain`.
//!
//! The texts are what the service really answered where a recording or a report of it exists. Where none does, a
//! comment says so and the text follows its neighbours. Errors of the framework (`ValidationException`,
//! `SerializationException`) are not here but in `wire`.

use std::fmt::Display;

use stagedoor_api::apigateway::{DocumentationPartLocation, Op};
use stagedoor_state::Fault;

mod access;
mod domain;

pub use access::*;
pub use domain::*;

pub fn bad_request(message: impl Into<String>) -> Fault {
    Fault::new("BadRequestException", 400, message)
}

pub fn not_found(message: impl Into<String>) -> Fault {
    Fault::new("NotFoundException", 404, message)
}

pub fn conflict(message: impl Into<String>) -> Fault {
    Fault::new("ConflictException", 409, message)
}

/// The two blanks are AWS's. Recorded for the resources of an API; other quotas follow it.
pub fn quota_exceeded(what: &str, of: &str) -> Fault {
    let text = format!(
        "Maximum number of {what} for this {of} has been reached.  Please contact AWS if you need additional {what}."
    );
    Fault::new("LimitExceededException", 429, text)
}

// === Unknown things ===

/// The account belongs to the text.
pub fn no_api(account: &str, api: &str) -> Fault {
    not_found(format!("Invalid API identifier specified {account}:{api}"))
}

/// Also the answer to an unknown API where the path goes on to a resource.
pub fn no_resource() -> Fault {
    not_found("Invalid Resource identifier specified")
}

pub fn no_method() -> Fault {
    not_found("Invalid Method identifier specified")
}

pub fn no_integration() -> Fault {
    not_found("Invalid Integration identifier specified")
}

pub fn no_response() -> Fault {
    not_found("Invalid Response status code specified")
}

pub fn no_stage() -> Fault {
    not_found("Invalid Stage identifier specified")
}

pub fn no_deployment() -> Fault {
    not_found("Invalid Deployment identifier specified")
}

/// A stage or a canary names a deployment that is not there; unlike [`no_deployment`] this is a 400.
pub fn deployment_does_not_exist() -> Fault {
    bad_request("Deployment id does not exist")
}

pub fn no_parameter_name() -> Fault {
    not_found("Invalid parameter name specified")
}

pub fn no_content_type() -> Fault {
    not_found("Content-Type specified was not found")
}

/// No record of AWS's words for this exists.
pub fn bad_position() -> Fault {
    bad_request("Invalid position parameter specified")
}

// === APIs ===

pub fn description_empty() -> Fault {
    bad_request("Description cannot be an empty string")
}

pub fn bad_compression_size() -> Fault {
    bad_request("Invalid minimum compression size, must be between 0 and 10485760")
}

pub fn no_endpoint_type() -> Fault {
    bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
}

pub fn several_endpoint_types() -> Fault {
    bad_request("Cannot create an api with multiple Endpoint Types.")
}

pub fn bad_endpoint_type() -> Fault {
    bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
}

pub fn bad_ip_address_type() -> Fault {
    bad_request("ipAddressType must be either ipv4 or dualstack.")
}

pub fn private_is_dualstack() -> Fault {
    bad_request("Only dualstack ipAddressType is supported for Private APIs.")
}

pub fn vpc_endpoints_are_private() -> Fault {
    bad_request("VPCEndpoints can only be specified with PRIVATE apis.")
}

pub fn bad_policy() -> Fault {
    bad_request(
        "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
    )
}

/// `longest` in characters.
pub fn policy_too_long(longest: usize) -> Fault {
    bad_request(format!("Resource policy length must not exceed {longest} characters."))
}

/// A value that is none of an enumeration's, in a patch. No record of AWS's words exists; they follow those for
/// endpoint types.
pub fn bad_option(what: &str, options: &str) -> Fault {
    bad_request(format!("Invalid {what} specified. Valid options are {options}"))
}

/// The id that a tag chose is taken. Ours: AWS has no chosen ids.
pub fn chosen_id_taken(id: &str) -> Fault {
    conflict(format!("An API with the id {id} already exists"))
}

// === Models and validators ===

pub fn no_model(name: &str) -> Fault {
    not_found(format!("Invalid model name specified: {name}"))
}

pub fn model_exists() -> Fault {
    conflict("Model name already exists for this REST API")
}

pub fn model_name_empty() -> Fault {
    bad_request("Model name must be non-empty")
}

pub fn bad_model_name(name: &str) -> Fault {
    bad_request(format!("Model name must be alphanumeric: {name}"))
}

/// No record of AWS's words for this exists; they follow those for API keys.
pub fn name_too_long(what: &str, most: usize) -> Fault {
    bad_request(format!("Invalid {what}, can be at most {most} characters."))
}

pub fn model_schema_empty() -> Fault {
    bad_request("Model schema must have at least 1 property or array items defined")
}

/// The frame is AWS's; no record of its words for a text that is no schema exists.
pub fn bad_model_schema() -> Fault {
    bad_request(
        "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
    )
}

/// `user` is `method request: {path}/{verb}`. Only that form is recorded; those of responses and models follow it.
pub fn model_in_use(name: &str, user: &str) -> Fault {
    conflict(format!("Cannot delete model '{name}', is referenced in {user}"))
}

pub fn no_validator() -> Fault {
    not_found("Invalid Request Validator identifier specified")
}

/// Only creating a validator says it like this.
pub fn no_api_for_validator() -> Fault {
    bad_request("Invalid REST API identifier specified")
}

pub fn validator_name_blank() -> Fault {
    bad_request("Request Validator name cannot be blank")
}

/// No record of AWS's words for this exists; they follow those for authorizers.
pub fn validator_in_use(id: &str, verb: &str, path: &str) -> Fault {
    conflict(format!("Cannot delete request validator '{id}', is referenced in method: {verb}/{path}"))
}

// === Gateway responses ===

pub fn no_gateway_response() -> Fault {
    not_found("Gateway response type not defined on api")
}

pub fn no_value(member: &str) -> Fault {
    bad_request(format!("Invalid null or empty value in {member}"))
}

// === Authorizers ===

pub fn no_authorizer() -> Fault {
    not_found("Invalid Authorizer identifier specified")
}

/// Creating an authorizer answers this where the API is unknown.
pub fn concurrent_modification() -> Fault {
    conflict("Unable to complete operation due to concurrent modification. Please try again later.")
}

pub fn authorizer_exists(name: &str) -> Fault {
    conflict(format!("Authorizer name must be unique. Authorizer {name} already exists in this RestApi."))
}

/// No record of AWS's words for this exists; they follow those for models.
pub fn authorizer_name_empty() -> Fault {
    bad_request("Authorizer name must be non-empty")
}

/// No record of AWS's words for this exists.
pub fn bad_authorizer_ttl() -> Fault {
    bad_request("Invalid authorizerResultTtlInSeconds, must be between 0 and 3600")
}

pub fn bad_authorizer_uri(uri: &str) -> Fault {
    bad_request(format!(
        "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda \
         function invocation."
    ))
}

/// No record of AWS's words for this exists.
pub fn identity_source_needed() -> Fault {
    bad_request("Identity source must be specified for authorizers of type REQUEST that cache their results")
}

/// No record of AWS's words for this exists.
pub fn bad_provider_arns() -> Fault {
    bad_request("Invalid provider ARNs specified: authorizers of type COGNITO_USER_POOLS need user pool ARNs")
}

/// The verb and the path, which begins with a slash of its own, are joined by another.
pub fn authorizer_in_use(name: &str, verb: &str, path: &str) -> Fault {
    conflict(format!("Cannot delete authorizer '{name}', is referenced in method: {verb}/{path}"))
}

// === Definitions ===

/// The text of a definition is none.
pub fn bad_definition() -> Fault {
    bad_request("Invalid OpenAPI input.")
}

/// No record of AWS's words for this exists; they are those of the parser that it uses.
pub fn definition_without_title() -> Fault {
    import_errors(&["Parse issue: attribute info.title is missing".to_owned()])
}

/// The frame is AWS's, as its users report it.
pub fn import_errors(errors: &[String]) -> Fault {
    bad_request(format!("Errors found during import:\n\t{}", errors.join("\n\t")))
}

/// The frame is AWS's, as its users report it.
pub fn import_warnings(warnings: &[String]) -> Fault {
    bad_request(format!("Warnings found during import:\n\t{}", warnings.join("\n\t")))
}

/// No record of AWS's words for this exists; they follow those for API keys.
pub fn bad_export_type() -> Fault {
    bad_option("export type", "oas30,swagger")
}

/// Ours: AWS builds all types that it lists.
pub fn sdk_type_not_built(kind: &str) -> Fault {
    bad_request(format!("SDKs of type {kind} are not built here. Valid options are javascript"))
}

// === Documentation ===

pub fn no_documentation_part() -> Fault {
    not_found("Invalid Documentation part identifier specified")
}

/// The frame is AWS's, as reported by users of CloudFormation; of locations only those of an API were seen.
pub fn documentation_part_exists(location: &DocumentationPartLocation) -> Fault {
    let DocumentationPartLocation { path, method, status_code, name, .. } = location;
    let mut about = format!("type '{}'", location.r#type.as_str());
    for (member, value) in [("path", path), ("method", method), ("statusCode", status_code), ("name", name)] {
        if let Some(value) = value {
            about += &format!(", {member} '{value}'");
        }
    }
    conflict(format!("Documentation part already exists for the specified location: {about}."))
}

/// No record of AWS's words for this exists.
pub fn bad_documentation_properties() -> Fault {
    bad_request("Documentation part properties must be a JSON object")
}

/// What is to be imported can be read neither as JSON nor as YAML.
pub fn no_importer() -> Fault {
    bad_request("Unable to build importer with provided input.")
}

/// No record of AWS's words for this exists; they follow those for parts.
pub fn no_documentation_version() -> Fault {
    not_found("Invalid Documentation version specified")
}

/// No record of AWS's words for this exists.
pub fn documentation_version_exists() -> Fault {
    conflict("Documentation version already exists for this REST API")
}

/// No record of AWS's words for this exists.
pub fn documentation_version_empty() -> Fault {
    bad_request("Documentation version must be non-empty")
}

// === Resources ===

pub fn bad_path_part() -> Fault {
    bad_request(
        "Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning and the end and an \
         optional plus sign before the closing brace.",
    )
}

pub fn child_of_greedy(parent: &str) -> Fault {
    bad_request(format!("Cannot create a child of a resource with a greedy path variable: {parent}"))
}

pub fn second_variable(sibling: &str) -> Fault {
    bad_request(format!(
        "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed"
    ))
}

pub fn same_name(path_part: &str) -> Fault {
    conflict(format!("Another resource with the same parent already has this name: {path_part}"))
}

pub fn cyclical() -> Fault {
    bad_request("Resources cannot be cyclical.")
}

/// `member` is `pathPart` or `parentId`.
pub fn root_stays(member: &str) -> Fault {
    bad_request(format!("Root resource cannot update its {member}."))
}

/// No record of AWS's words for this exists.
pub fn root_deleted() -> Fault {
    bad_request("Root resource cannot be deleted.")
}

// === Methods and their responses ===

pub fn bad_verb() -> Fault {
    bad_option("HttpMethod", "GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
}

pub fn method_exists() -> Fault {
    conflict("Method already exists for this resource")
}

pub fn response_exists() -> Fault {
    conflict("Response already exists for this resource")
}

pub fn authorizer_needed() -> Fault {
    bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires \
         a valid authorizer.",
    )
}

/// A 400 in a method; on the validator itself the same words are a 404.
pub fn bad_validator() -> Fault {
    bad_request("Invalid Request Validator identifier specified")
}

pub fn bad_model(name: &str) -> Fault {
    bad_request(format!("Invalid model identifier specified: {name}"))
}

pub fn parameter_names_not_unique() -> Fault {
    bad_request("Parameter names must be unique across querystring, header and path")
}

/// One entry per mapping that is wrong; see [`crate::mapping`].
pub fn bad_mappings(errors: &[String]) -> Fault {
    let errors = errors.join(", ");
    bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]"
    ))
}

pub fn bad_content_types(errors: &[String]) -> Fault {
    bad_request(format!("Validation Result: warnings : [], errors : [{}]", errors.join(", ")))
}

// === Integrations ===

pub fn integration_verb_needed() -> Fault {
    bad_request("Enumeration value for HttpMethod must be non-empty")
}

pub fn bad_endpoint() -> Fault {
    bad_request("Invalid HTTP endpoint specified for URI")
}

pub fn bad_arn() -> Fault {
    bad_request("Invalid ARN specified in the request")
}

pub fn arn_without_action() -> Fault {
    bad_request("AWS ARN for integration must contain path or action")
}

pub fn proxy_is_for_lambda() -> Fault {
    bad_request(
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
    )
}

pub fn role_needed() -> Fault {
    bad_request("Role ARN must be specified for AWS integrations")
}

pub fn foreign_role() -> Fault {
    Fault::new("AccessDeniedException", 403, "Cross-account pass role is not allowed.")
}

pub fn bad_timeout() -> Fault {
    bad_request("Timeout should be between 50 ms and 29000 ms")
}

pub fn bad_cache_key(parameter: &str) -> Fault {
    bad_request(format!("Invalid cache key parameter specified: {parameter}"))
}

/// No record of AWS's words for this exists.
pub fn connection_id_needed() -> Fault {
    bad_request("ConnectionId must be specified for a connectionType of VPC_LINK")
}

pub fn streaming_is_not_buffered() -> Fault {
    bad_request(
        "Invalid ResponseTransferMode. Cannot use ResponseTransferMode BUFFERED for Lambda functions invoked by \
         InvokeWithResponseStream for AWS_PROXY integrations.",
    )
}

// === Deployments ===

pub fn no_methods() -> Fault {
    bad_request("The REST API doesn't contain any methods")
}

pub fn method_without_integration() -> Fault {
    bad_request("No integration defined for method")
}

pub fn deployment_in_use() -> Fault {
    bad_request("Active stages pointing to this deployment must be moved or deleted")
}

/// The missing blank after the full stop is AWS's.
pub fn canary_without_stage(stage_name: Option<&str>) -> Fault {
    let given = stage_name.unwrap_or("null");
    bad_request(format!(
        "Invalid deployment content specified.Non null and non empty stageName must be provided for canary \
         deployment. Provided value is {given}"
    ))
}

pub fn canary_of_unknown_stage(stage_name: &str) -> Fault {
    bad_request(format!(
        "Invalid deployment content specified.Stage {stage_name} must already be created before making a canary \
         release deployment"
    ))
}

// === Stages ===

pub fn stage_exists() -> Fault {
    conflict("Stage already exists")
}

/// Hyphens are allowed since 2019; the text was never changed.
pub fn bad_stage_name() -> Fault {
    bad_request("Stage name only allows a-zA-Z0-9_")
}

pub fn bad_variable_name(name: &str) -> Fault {
    bad_request(format!("Invalid stage variable name: {name}.  Please use names with only word characters."))
}

/// The quotes are AWS's, also the one that is missing.
pub fn bad_variable_value(value: &str) -> Fault {
    bad_request(format!(
        "Invalid stage variable value: {value}.  Please use values with alphanumeric characters and the symbols \
         ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
    ))
}

pub fn access_log_empty() -> Fault {
    bad_request("Access Log value must not be empty")
}

pub fn bad_access_log_path() -> Fault {
    bad_request(
        "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, \
         /accessLogSettings/format]",
    )
}

/// `destination` is the ARN without its first five parts.
pub fn bad_access_log_destination(destination: &str) -> Fault {
    bad_request(format!(
        "Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '{destination}'"
    ))
}

pub fn no_canary() -> Fault {
    bad_request("Promotion not available. Canary does not exist.")
}

/// The trailing blank is AWS's. `path` keeps its escapes and loses its first slash.
pub fn no_method_setting(path: &str) -> Fault {
    let path = path.strip_prefix('/').unwrap_or(path);
    bad_request(format!(
        "Cannot remove method setting {path} because there is no method setting for this method "
    ))
}

pub fn bad_stage_operation(op: Op, path: &str) -> Fault {
    bad_request(format!("Invalid {op} operation with path: {path}"))
}

pub fn bad_copy(path: &str, from: Option<&str>) -> Fault {
    let from = from.unwrap_or("null");
    bad_request(format!(
        "Invalid copy operation with path: {path} and from {from}. Valid copy:path are [/deploymentId, /variables] and \
         valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"
    ))
}

/// One long literal of AWS's, with its missing commas and its `loglevel`.
pub fn bad_stage_path(path: &str) -> Fault {
    bad_request(format!(
        "Invalid method setting path: {path}. Must be one of: [/deploymentId, /description, /cacheClusterEnabled, \
         /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, \
         /accessLogSettings/format, /{{resourcePath}}/{{httpMethod}}/metrics/enabled, \
         /{{resourcePath}}/{{httpMethod}}/logging/dataTrace, /{{resourcePath}}/{{httpMethod}}/logging/loglevel, \
         /{{resourcePath}}/{{httpMethod}}/throttling/burstLimit\
         /{{resourcePath}}/{{httpMethod}}/throttling/rateLimit\
         /{{resourcePath}}/{{httpMethod}}/caching/ttlInSeconds, /{{resourcePath}}/{{httpMethod}}/caching/enabled, \
         /{{resourcePath}}/{{httpMethod}}/caching/dataEncrypted, \
         /{{resourcePath}}/{{httpMethod}}/caching/requireAuthorizationForCacheControl, \
         /{{resourcePath}}/{{httpMethod}}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
         /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit \
         /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, \
         /*/*/caching/requireAuthorizationForCacheControl, \
         /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{{variable_name}}, /tracingEnabled]"
    ))
}

/// A path that begins like a method setting's and has another end, `setting`. Reported from the field in 2018
/// (github.com/aws/aws-sdk-java/issues/1823).
pub fn bad_method_setting(setting: &str) -> Fault {
    bad_request(format!(
        "Invalid method setting path: {setting}. Must be one of: [.../metrics/enabled, .../logging/dataTrace, \
         .../logging/loglevel,.../throttling/burstLimit, .../throttling/rateLimit, .../caching/ttlInSeconds, \
         .../caching/enabled, .../caching/dataEncrypted, .../caching/requireAuthorizationForCacheControl, \
         .../caching/unauthorizedCacheControlHeaderStrategy]"
    ))
}

/// A setting whose value is not of its type or range. No record of AWS's words for this exists.
pub fn bad_setting(path: &str, value: Option<&str>) -> Fault {
    let value = value.unwrap_or("null");
    bad_request(format!("Invalid value specified for {path}: {value}"))
}

// === Tags ===

/// No record of AWS's words for this exists; those of the tagging API are used.
pub fn reserved_tag(key: &str) -> Fault {
    bad_request(format!("Tag keys starting with 'aws:' are reserved for system use: {key}"))
}

/// No record of AWS's words for this exists.
pub fn too_many_tags(most: impl Display) -> Fault {
    bad_request(format!("A resource can have at most {most} tags"))
}
