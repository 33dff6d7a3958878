//! The table of contents: every operation of the service and where it stands.

pub use crate::api::{create_api, delete_api, delete_cors_configuration, get_api, get_apis, update_api};
pub use crate::api_mapping::{
    create_api_mapping, delete_api_mapping, get_api_mapping, get_api_mappings, update_api_mapping,
};
pub use crate::authorizer::{
    create_authorizer, delete_authorizer, get_authorizer, get_authorizers, reset_authorizers_cache,
    update_authorizer,
};
pub use crate::deployment::{
    create_deployment, delete_deployment, get_deployment, get_deployments, update_deployment,
};
pub use crate::domain_name::{
    create_domain_name, delete_domain_name, get_domain_name, get_domain_names, update_domain_name,
};
pub use crate::integration::{
    create_integration, delete_integration, get_integration, get_integrations, update_integration,
};
pub use crate::integration_response::{
    create_integration_response, delete_integration_response, get_integration_response,
    get_integration_responses, update_integration_response,
};
pub use crate::model::{create_model, delete_model, get_model, get_model_template, get_models, update_model};
pub use crate::openapi::{export_api, import_api, reimport_api};
pub use crate::portal::{
    create_portal, delete_portal, disable_portal, get_portal, list_portals, preview_portal, publish_portal,
    update_portal,
};
pub use crate::portal_product::{
    create_portal_product, delete_portal_product, delete_portal_product_sharing_policy, get_portal_product,
    get_portal_product_sharing_policy, list_portal_products, put_portal_product_sharing_policy,
    update_portal_product,
};
pub use crate::product_page::{
    create_product_page, delete_product_page, get_product_page, list_product_pages, update_product_page,
};
pub use crate::product_rest_endpoint_page::{
    create_product_rest_endpoint_page, delete_product_rest_endpoint_page, get_product_rest_endpoint_page,
    list_product_rest_endpoint_pages, update_product_rest_endpoint_page,
};
pub use crate::route::{
    create_route, delete_route, delete_route_request_parameter, get_route, get_routes, update_route,
};
pub use crate::route_response::{
    create_route_response, delete_route_response, get_route_response, get_route_responses,
    update_route_response,
};
pub use crate::routing_rule::{
    create_routing_rule, delete_routing_rule, get_routing_rule, list_routing_rules, put_routing_rule,
};
pub use crate::stage::{
    create_stage, delete_access_log_settings, delete_route_settings, delete_stage, get_stage, get_stages,
    update_stage,
};
pub use crate::tagging::{get_tags, tag_resource, untag_resource};
pub use crate::vpc_link::{create_vpc_link, delete_vpc_link, get_vpc_link, get_vpc_links, update_vpc_link};
