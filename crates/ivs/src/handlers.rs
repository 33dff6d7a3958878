//! The table of contents: every operation of the service and where it stands.

pub use crate::composition::{get_composition, list_compositions, start_composition, stop_composition};
pub use crate::connection_token::revoke_connection_token;
pub use crate::encoder_configuration::{
    create_encoder_configuration, delete_encoder_configuration, get_encoder_configuration,
    list_encoder_configurations,
};
pub use crate::ingest_configuration::{
    create_ingest_configuration, delete_ingest_configuration, get_ingest_configuration,
    list_ingest_configurations, update_ingest_configuration,
};
pub use crate::participant::{disconnect_participant, get_participant, list_participants};
pub use crate::participant_event::list_participant_events;
pub use crate::participant_token::create_participant_token;
pub use crate::public_key::{delete_public_key, get_public_key, import_public_key, list_public_keys};
pub use crate::replication::{
    list_participant_replicas, start_participant_replication, stop_participant_replication,
};
pub use crate::stage::{create_stage, delete_stage, get_stage, list_stages, update_stage};
pub use crate::stage_session::{get_stage_session, list_stage_sessions};
pub use crate::storage_configuration::{
    create_storage_configuration, delete_storage_configuration, get_storage_configuration,
    list_storage_configurations,
};
pub use crate::tag::{list_tags_for_resource, tag_resource, untag_resource};
