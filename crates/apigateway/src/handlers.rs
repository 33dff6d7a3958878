//! The table of contents: every operation of the service and where it stands.

pub use crate::deployment::{
    create_deployment, delete_deployment, get_deployment, get_deployments, update_deployment,
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
pub use crate::resource::{create_resource, delete_resource, get_resource, get_resources, update_resource};
pub use crate::rest_api::{create_rest_api, delete_rest_api, get_rest_api, get_rest_apis, update_rest_api};
pub use crate::stage::{create_stage, delete_stage, get_stage, get_stages, update_stage};
pub use crate::tags::{get_tags, tag_resource, untag_resource};
