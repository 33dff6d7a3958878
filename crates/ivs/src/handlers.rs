//! The table of contents: every operation of the service and where it stands.

pub use crate::participant::{disconnect_participant, get_participant, list_participants};
pub use crate::participant_event::list_participant_events;
pub use crate::participant_token::create_participant_token;
pub use crate::stage::{create_stage, delete_stage, get_stage, list_stages, update_stage};
pub use crate::stage_session::{get_stage_session, list_stage_sessions};
pub use crate::tag::{list_tags_for_resource, tag_resource, untag_resource};
