//! The table of contents: every operation of the service and where it stands.

pub use crate::api::{create_api, delete_api, delete_cors_configuration, get_api, get_apis, update_api};
pub use crate::deployment::{
    create_deployment, delete_deployment, get_deployment, get_deployments, update_deployment,
};
pub use crate::integration::{
    create_integration, delete_integration, get_integration, get_integrations, update_integration,
};
pub use crate::integration_response::{
    create_integration_response, delete_integration_response, get_integration_response,
    get_integration_responses, update_integration_response,
};
pub use crate::route::{
    create_route, delete_route, delete_route_request_parameter, get_route, get_routes, update_route,
};
pub use crate::route_response::{
    create_route_response, delete_route_response, get_route_response, get_route_responses,
    update_route_response,
};
pub use crate::stage::{
    create_stage, delete_access_log_settings, delete_route_settings, delete_stage, get_stage, get_stages,
    update_stage,
};
pub use crate::tagging::{get_tags, tag_resource, untag_resource};
