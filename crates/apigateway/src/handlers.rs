//! The table of contents: every operation of the service and where it stands.

pub use crate::account::{get_account, update_account};
pub use crate::api_key::{
    create_api_key, delete_api_key, get_api_key, get_api_keys, import_api_keys, update_api_key,
};
pub use crate::authorizer::{
    create_authorizer, delete_authorizer, get_authorizer, get_authorizers, update_authorizer,
};
pub use crate::base_path_mapping::{
    create_base_path_mapping, delete_base_path_mapping, get_base_path_mapping, get_base_path_mappings,
    update_base_path_mapping,
};
pub use crate::client_certificate::{
    delete_client_certificate, generate_client_certificate, get_client_certificate, get_client_certificates,
    update_client_certificate,
};
pub use crate::deployment::{
    create_deployment, delete_deployment, get_deployment, get_deployments, update_deployment,
};
pub use crate::documentation_part::{
    create_documentation_part, delete_documentation_part, get_documentation_part, get_documentation_parts,
    import_documentation_parts, update_documentation_part,
};
pub use crate::documentation_version::{
    create_documentation_version, delete_documentation_version, get_documentation_version,
    get_documentation_versions, update_documentation_version,
};
pub use crate::domain_name::{
    create_domain_name, delete_domain_name, get_domain_name, get_domain_names, update_domain_name,
};
pub use crate::domain_name_access_association::{
    create_domain_name_access_association, delete_domain_name_access_association,
    get_domain_name_access_associations, reject_domain_name_access_association,
};
pub use crate::gateway_response::{
    delete_gateway_response, get_gateway_response, get_gateway_responses, put_gateway_response,
    update_gateway_response,
};
pub use crate::integration::{delete_integration, get_integration, put_integration, update_integration};
pub use crate::integration_response::{
    delete_integration_response, get_integration_response, put_integration_response,
    update_integration_response,
};
pub use crate::method::{delete_method, get_method, put_method, update_method};
pub use crate::method_response::{
    delete_method_response, get_method_response, put_method_response, update_method_response,
};
pub use crate::model::{create_model, delete_model, get_model, get_model_template, get_models, update_model};
pub use crate::openapi::{get_export, import_rest_api, put_rest_api};
pub use crate::request_validator::{
    create_request_validator, delete_request_validator, get_request_validator, get_request_validators,
    update_request_validator,
};
pub use crate::resource::{create_resource, delete_resource, get_resource, get_resources, update_resource};
pub use crate::rest_api::{create_rest_api, delete_rest_api, get_rest_api, get_rest_apis, update_rest_api};
pub use crate::sdk::get_sdk;
pub use crate::sdk_type::{get_sdk_type, get_sdk_types};
pub use crate::stage::{create_stage, delete_stage, get_stage, get_stages, update_stage};
pub use crate::stage_cache::{flush_stage_authorizers_cache, flush_stage_cache};
pub use crate::tags::{get_tags, tag_resource, untag_resource};
pub use crate::test_invoke::{test_invoke_authorizer, test_invoke_method};
pub use crate::usage::{get_usage, update_usage};
pub use crate::usage_plan::{
    create_usage_plan, delete_usage_plan, get_usage_plan, get_usage_plans, update_usage_plan,
};
pub use crate::usage_plan_key::{
    create_usage_plan_key, delete_usage_plan_key, get_usage_plan_key, get_usage_plan_keys,
};
pub use crate::vpc_link::{create_vpc_link, delete_vpc_link, get_vpc_link, get_vpc_links, update_vpc_link};
