//! Tags of every resource that has an ARN.

use stagedoor_api::ivs_realtime::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::ivs::{
    Composition, EncoderConfiguration, IngestConfiguration, PublicKey, Stage, StorageConfiguration,
};
use stagedoor_state::tags::{RESERVED_PREFIX, TAGS_MAX, Tags};
use stagedoor_state::{Cx, Result};

use crate::messages;
use crate::resource::{self, Resource};

/// `GET /tags/{resourceArn}`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListTagsForResource.html>
pub fn list_tags_for_resource(
    cx: &mut Cx<'_>,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse> {
    let mut found = Tags::new();
    change(cx, &input.resource_arn, &mut |tags| {
        found.clone_from(tags);
        Ok(())
    })?;
    Ok(ListTagsForResourceResponse { tags: Some(found) })
}

/// `POST /tags/{resourceArn}`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_TagResource.html>
pub fn tag_resource(cx: &mut Cx<'_>, input: TagResourceRequest) -> Result<TagResourceResponse> {
    let added = checked(Some(input.tags))?;
    change(cx, &input.resource_arn, &mut |tags| {
        tags.extend(added.clone());
        if tags.len() > TAGS_MAX { Err(messages::too_many_tags()) } else { Ok(()) }
    })?;
    Ok(TagResourceResponse::default())
}

/// `DELETE /tags/{resourceArn}`: tags that are not there count as removed.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_UntagResource.html>
pub fn untag_resource(cx: &mut Cx<'_>, input: UntagResourceRequest) -> Result<UntagResourceResponse> {
    change(cx, &input.resource_arn, &mut |tags| {
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    })?;
    Ok(UntagResourceResponse::default())
}

/// The tags that a request gives a resource.
///
/// # Errors
/// ValidationException if a key is one that only AWS may use. How many there may be the model says.
pub(crate) fn checked(tags: Option<Tags>) -> Result<Tags> {
    let tags = tags.unwrap_or_default();
    if tags.keys().any(|key| is_reserved(key)) { Err(messages::reserved_tag_key()) } else { Ok(tags) }
}

/// AWS reserves the prefix in any mixture of upper and lower case.
fn is_reserved(key: &str) -> bool {
    key.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

type Change<'a> = &'a mut dyn FnMut(&mut Tags) -> Result<()>;

/// Changes the tags of the resource that an ARN names, whatever its type.
fn change(cx: &mut Cx<'_>, arn: &str, change: Change<'_>) -> Result<()> {
    let resource = Arn::parse(arn).map_or("", |arn| arn.resource);
    let resource_type = resource.split_once('/').map_or("", |(resource_type, _)| resource_type);
    match resource_type {
        Stage::TYPE => change_of::<Stage>(cx, arn, change),
        StorageConfiguration::TYPE => change_of::<StorageConfiguration>(cx, arn, change),
        EncoderConfiguration::TYPE => change_of::<EncoderConfiguration>(cx, arn, change),
        IngestConfiguration::TYPE => change_of::<IngestConfiguration>(cx, arn, change),
        Composition::TYPE => change_of::<Composition>(cx, arn, change),
        PublicKey::TYPE => change_of::<PublicKey>(cx, arn, change),
        _ => Err(messages::not_found(arn)),
    }
}

fn change_of<T: Resource>(cx: &mut Cx<'_>, arn: &str, change: Change<'_>) -> Result<()> {
    let (id, mut resource) = resource::existing::<T>(cx, arn)?;
    let before = resource.tags().clone();
    change(resource.tags())?;
    if *resource.tags() != before {
        cx.put(&[&id], &resource)?;
    }
    Ok(())
}
