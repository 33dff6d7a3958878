//! Tags of what has an ARN: `TagResource`, `UntagResource`, `GetTags`.
//!
//! Tags live in the documents of what they belong to; this file finds the document that an ARN names.

use stagedoor_api::apigateway::{
    ApiKey, DomainName, DomainNameAccessAssociation, GetTagsRequest, RestApi, Stage, TagResourceRequest,
    Tags as TagsAnswer, UntagResourceRequest, UsagePlan, VpcLink,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::rest::ClientCertificate;
use stagedoor_state::tags::{RESERVED_PREFIX, TAGS_MAX, Tags};
use stagedoor_state::{Cx, Result};

use crate::{
    api_key, client_certificate, domain_name, domain_name_access_association, messages, rest_api, stage,
    usage_plan, vpc_link,
};

/// `PUT /tags/{resource_arn}`: adds tags, over those of the same keys.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_TagResource.html>
pub fn tag_resource(cx: &mut Cx<'_>, input: TagResourceRequest) -> Result<()> {
    let tagged = Tagged::find(cx, &input.resource_arn)?;
    let mut tags = tagged.tags();
    tags.extend(input.tags);
    check(&tags)?;
    tagged.put(cx, tags)
}

/// `DELETE /tags/{resource_arn}`: removes tags by their keys; keys that it does not have are no error.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UntagResource.html>
pub fn untag_resource(cx: &mut Cx<'_>, input: UntagResourceRequest) -> Result<()> {
    let tagged = Tagged::find(cx, &input.resource_arn)?;
    let mut tags = tagged.tags();
    tags.retain(|key, _| !input.tag_keys.contains(key));
    tagged.put(cx, tags)
}

/// `GET /tags/{resource_arn}`: all tags; like AWS, `limit` and `position` change nothing.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetTags.html>
pub fn get_tags(cx: &mut Cx<'_>, input: GetTagsRequest) -> Result<TagsAnswer> {
    Ok(TagsAnswer { tags: Some(Tagged::find(cx, &input.resource_arn)?.tags()) })
}

/// Refuses AWS's own keys and too many tags.
pub fn check(tags: &Tags) -> Result<()> {
    if let Some(key) = tags.keys().find(|key| key.to_lowercase().starts_with(RESERVED_PREFIX)) {
        return Err(messages::reserved_tag(key));
    }
    if tags.len() > TAGS_MAX {
        return Err(messages::too_many_tags(TAGS_MAX));
    }
    Ok(())
}

/// Tags with others over them.
pub fn merged(old: Option<Tags>, new: Option<Tags>) -> Option<Tags> {
    let mut tags = old.unwrap_or_default();
    tags.extend(new.unwrap_or_default());
    Some(tags).filter(|tags| !tags.is_empty())
}

/// Something that has tags.
enum Tagged {
    Api(RestApi),
    /// A stage and the id of its API.
    Stage(String, Stage),
    Key(ApiKey),
    Plan(UsagePlan),
    Certificate(ClientCertificate),
    Link(VpcLink),
    /// A custom domain name and what it is stored under.
    Domain(String, DomainName),
    Association(DomainNameAccessAssociation),
}

impl Tagged {
    /// What the ARN names; its forms are in AWS's "Amazon API Gateway ARN reference".
    fn find(cx: &mut Cx<'_>, text: &str) -> Result<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "apigateway" && arn.region == cx.region());
        let path = arn.and_then(|arn| arn.resource.strip_prefix('/')).ok_or_else(messages::bad_arn)?;
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["restapis", api] => Ok(Self::Api(rest_api::existing(cx, api)?)),
            ["restapis", api, "stages", name] => {
                Ok(Self::Stage((*api).to_owned(), stage::existing(cx, api, name)?))
            }
            ["apikeys", id] => Ok(Self::Key(api_key::existing(cx, id)?)),
            ["usageplans", id] => Ok(Self::Plan(usage_plan::existing(cx, id)?)),
            ["clientcertificates", id] => Ok(Self::Certificate(client_certificate::existing(cx, id)?)),
            ["vpclinks", id] => Ok(Self::Link(vpc_link::existing(cx, id)?)),
            ["domainnames", key] => Ok(Self::Domain((*key).to_owned(), domain_name::keyed(cx, key)?)),
            ["domainnameaccessassociations", ..] => {
                Ok(Self::Association(domain_name_access_association::existing(cx, text)?))
            }
            _ => Err(messages::bad_arn()),
        }
    }

    fn tags(&self) -> Tags {
        match self {
            Self::Api(api) => &api.tags,
            Self::Stage(_, stage) => &stage.tags,
            Self::Key(key) => &key.tags,
            Self::Plan(plan) => &plan.tags,
            Self::Certificate(stored) => &stored.certificate.tags,
            Self::Link(link) => &link.tags,
            Self::Domain(_, domain) => &domain.tags,
            Self::Association(association) => &association.tags,
        }
        .clone()
        .unwrap_or_default()
    }

    fn put(self, cx: &mut Cx<'_>, tags: Tags) -> Result<()> {
        let tags = Some(tags).filter(|tags| !tags.is_empty());
        match self {
            Self::Api(mut api) => {
                api.tags = tags;
                cx.put(&[api.id.as_deref().unwrap_or_default()], &api)
            }
            Self::Stage(api, mut stage) => {
                stage.tags = tags;
                cx.put(&[&api, stage.stage_name.as_deref().unwrap_or_default()], &stage)
            }
            Self::Key(mut key) => {
                key.tags = tags;
                cx.put(&[key.id.as_deref().unwrap_or_default()], &key)
            }
            Self::Plan(mut plan) => {
                plan.tags = tags;
                cx.put(&[plan.id.as_deref().unwrap_or_default()], &plan)
            }
            Self::Certificate(mut stored) => {
                stored.certificate.tags = tags;
                let id = stored.certificate.client_certificate_id.clone().unwrap_or_default();
                cx.put(&[&id], &stored)
            }
            Self::Link(mut link) => {
                link.tags = tags;
                cx.put(&[link.id.as_deref().unwrap_or_default()], &link)
            }
            Self::Domain(key, mut domain) => {
                domain.tags = tags;
                cx.put(&[&key], &domain)
            }
            Self::Association(mut association) => {
                association.tags = tags;
                domain_name_access_association::put(cx, &association)
            }
        }
    }
}
