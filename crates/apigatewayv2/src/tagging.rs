//! Tags of everything that has an ARN, and what a tag may be.
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html>

use stagedoor_api::apigatewayv2::{
    GetTagsRequest, GetTagsResponse, TagResourceRequest, TagResourceResponse, UntagResourceRequest,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::tags::{self, Tags};
use stagedoor_state::{Cx, Result};

use crate::{api, domain_name, messages, portal, portal_product, stage, vpc_link};

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
    let mut found = Tags::new();
    change(cx, &input.resource_arn, |tags| found.clone_from(tags))?;
    Ok(GetTagsResponse { tags: Some(found) })
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
    /// A custom domain name, by its key.
    Domain(String),
    /// A VPC link, by its id.
    VpcLink(String),
    /// A portal, by its id.
    Portal(String),
    /// A product of portals, by its id.
    PortalProduct(String),
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
            ["", "domainnames", key] => Ok(Self::Domain(key.to_owned())),
            ["", "vpclinks", id] => Ok(Self::VpcLink(id.to_owned())),
            ["", "portals", id] => Ok(Self::Portal(id.to_owned())),
            ["", "portalproducts", id] => Ok(Self::PortalProduct(id.to_owned())),
            _ => Err(messages::tag_arn_invalid()),
        }
    }
}

/// Reads the tags of what the ARN names, lets `change` change them, and stores them if it did.
fn change(cx: &mut Cx<'_>, arn: &str, change: impl FnOnce(&mut Tags)) -> Result<()> {
    match Tagged::parse(cx, arn)? {
        Tagged::Api(id) => {
            let mut api = api::existing(cx, &id)?;
            if edit(&mut api.tags, change)? {
                cx.put(&[&id], &api)?;
            }
        }
        Tagged::Stage(id, name) => {
            api::existing(cx, &id)?;
            let mut stage = stage::existing(cx, &id, &name)?;
            if edit(&mut stage.tags, change)? {
                cx.put(&[&id, &name], &stage)?;
            }
        }
        Tagged::Domain(key) => {
            let mut domain = domain_name::keyed(cx, &key)?;
            if edit(&mut domain.tags, change)? {
                cx.put(&[&key], &domain)?;
            }
        }
        Tagged::VpcLink(id) => {
            let mut link = vpc_link::existing(cx, &id)?;
            if edit(&mut link.tags, change)? {
                cx.put(&[&id], &link)?;
            }
        }
        Tagged::Portal(id) => {
            let mut portal = portal::existing(cx, &id)?;
            if edit(&mut portal.tags, change)? {
                cx.put(&[&id], &portal)?;
            }
        }
        Tagged::PortalProduct(id) => {
            let mut product = portal_product::existing(cx, &id)?;
            if edit(&mut product.tags, change)? {
                cx.put(&[&id], &product)?;
            }
        }
    }
    Ok(())
}

/// Whether the tags are other ones afterwards.
fn edit(tags: &mut Option<Tags>, change: impl FnOnce(&mut Tags)) -> Result<bool> {
    let before = tags.clone();
    change(tags.get_or_insert_default());
    check(tags.as_ref())?;
    Ok(*tags != before)
}
