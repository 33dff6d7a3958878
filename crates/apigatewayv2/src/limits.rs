//! AWS's default quotas that protect the server, and the lengths that the model only names.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>

use stagedoor_state::Result;

use crate::messages;

/// Integrations of one API.
pub const INTEGRATIONS_MAX: usize = 300;
/// Authorizers of one API.
pub const AUTHORIZERS_MAX: usize = 10;
/// Audiences of one JWT authorizer.
pub const AUDIENCES_MAX: usize = 50;
/// API mappings with more than one path segment, of one domain.
pub const MULTI_LEVEL_MAPPINGS_MAX: usize = 200;
/// Routes of one API.
pub const ROUTES_MAX: usize = 300;
/// Variables of one stage.
pub const STAGE_VARIABLES_MAX: usize = 100;
/// Characters in the name of a stage variable.
pub const STAGE_VARIABLE_NAME_MAX: usize = 64;
/// Characters in the value of a stage variable.
pub const STAGE_VARIABLE_VALUE_MAX: usize = 512;
/// Characters of a description.
pub const DESCRIPTION_MAX: usize = 1024;
/// Characters of names, versions and selection keys.
pub const NAME_MAX: usize = 128;

/// Refuses a text of more characters than `most`.
pub fn at_most(member: &str, text: Option<&str>, most: usize) -> Result<()> {
    match text {
        Some(text) if text.chars().count() > most => Err(messages::too_long(member, most)),
        _ => Ok(()),
    }
}
