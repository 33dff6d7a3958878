//! Tags: the rules that all services share.

use std::collections::BTreeMap;

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Most tags on one resource.
pub const TAGS_MAX: usize = 50;

/// A tag with this key chooses the id of the resource that is being created, for reproducible set-ups.
pub const ID_TAG: &str = "stagedoor:id";

/// Keys that start like this are AWS's own; clients may not set them.
pub const RESERVED_PREFIX: &str = "aws:";

/// The id chosen by [`ID_TAG`], if it is one that the service's own ids could look like.
pub fn chosen_id(tags: Option<&Tags>) -> Option<&str> {
    let id = tags?.get(ID_TAG)?;
    let well_formed = (1..=40).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    well_formed.then_some(id.as_str())
}
