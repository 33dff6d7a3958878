//! Tags of APIs and stages, and what a tag may be.
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html>

use stagedoor_api::apigatewayv2::{
    Api, GetTagsRequest, GetTagsResponse, Stage, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::tags::{self, Tags};
use stagedoor_state::{Cx, Result};

use crate::{api, messages, stage};

/// Characters of a tag's key.
const KEY_MAX: usize = 128;
/// Characters of a tag's value.
const VALUE_MAX: usize = 256;

/// `POST /v2/tags/{resource-arn}`: adds tags and replaces those of the same key.
pub fn tag_resource(cx: &mut Cx<'_>, input: TagResourceRequest) -> Result<TagResourceResponse> {
    let given = input.tags.unwrap_or_default();
    check(Some(&given))?;
    change(cx, &input.resource_arn, |tags| tags.extend(given))?;
    Ok(TagResourceResponse {})
}

/// `DELETE /v2/tags/{resource-arn}`: removes tags; those that are not there are no error.
pub fn untag_resource(cx: &mut Cx<'_>, input: UntagResourceRequest) -> Result<()> {
    change(cx, &input.resource_arn, |tags| tags.retain(|key, _| !input.tag_keys.contains(key)))
}

/// `GET /v2/tags/{resource-arn}`
pub fn get_tags(cx: &mut Cx<'_>, input: GetTagsRequest) -> Result<GetTagsResponse> {
    let tags = match Tagged::parse(cx, &input.resource_arn)? {
        Tagged::Api(id) => api::existing(cx, &id)?.tags,
        Tagged::Stage(id, name) => {
            api::existing(cx, &id)?;
            stage::existing(cx, &id, &name)?.tags
        }
    };
    Ok(GetTagsResponse { tags: Some(tags.unwrap_or_default()) })
}

/// Refuses tags that AWS would refuse.
pub fn check(tags: Option<&Tags>) -> Result<()> {
    let Some(tags) = tags else { return Ok(()) };
    for (key, value) in tags {
        if key.starts_with(tags::RESERVED_PREFIX) {
            return Err(messages::tag_key_reserved());
        }
        if key.is_empty() || key.chars().count() > KEY_MAX || value.chars().count() > VALUE_MAX {
            return Err(messages::tag_invalid());
        }
    }
    match tags.len() > tags::TAGS_MAX {
        true => Err(messages::tags_too_many(tags::TAGS_MAX)),
        false => Ok(()),
    }
}

/// The id that the client chose for what it creates, if it chose one.
pub fn chosen_id(tags: Option<&Tags>) -> Result<Option<&str>> {
    match tags.and_then(|tags| tags.get(tags::ID_TAG)) {
        None => Ok(None),
        Some(_) => tags::chosen_id(tags).map(Some).ok_or_else(messages::chosen_id_invalid),
    }
}

/// What an ARN names.
enum Tagged {
    /// An API, by its id.
    Api(String),
    /// A stage, by its API's id and its name.
    Stage(String, String),
}

impl Tagged {
    fn parse(cx: &Cx<'_>, arn: &str) -> Result<Self> {
        let arn = Arn::parse(arn).ok_or_else(messages::tag_arn_invalid)?;
        if arn.service != "apigateway" || arn.region != cx.region() {
            return Err(messages::tag_arn_invalid());
        }
        let path: Vec<&str> = arn.resource.split('/').collect();
        match path[..] {
            ["", "apis", id] => Ok(Self::Api(id.to_owned())),
            // `$default` may arrive escaped, as it would stand in a URL.
            ["", "apis", id, "stages", name] => Ok(Self::Stage(id.to_owned(), name.replace("%24", "$"))),
            _ => Err(messages::tag_arn_invalid()),
        }
    }
}

fn change(cx: &mut Cx<'_>, arn: &str, change: impl FnOnce(&mut Tags)) -> Result<()> {
    match Tagged::parse(cx, arn)? {
        Tagged::Api(id) => {
            let mut api = api::existing(cx, &id)?;
            change(api.tags.get_or_insert_default());
            check(api.tags.as_ref())?;
            cx.put::<Api>(&[&id], &api)
        }
        Tagged::Stage(id, name) => {
            api::existing(cx, &id)?;
            let mut stage = stage::existing(cx, &id, &name)?;
            change(stage.tags.get_or_insert_default());
            check(stage.tags.as_ref())?;
            cx.put::<Stage>(&[&id, &name], &stage)
        }
    }
}
