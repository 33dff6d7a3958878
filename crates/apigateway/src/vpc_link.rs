//! VPC links (v1): `CreateVpcLink`, `GetVpcLink`, `GetVpcLinks`, `UpdateVpcLink`, `DeleteVpcLink`.
//!
//! A link is ready as soon as it is made; only the answer that makes it says `PENDING`, as AWS's does.

use stagedoor_api::apigateway::{
    CreateVpcLinkRequest, DeleteVpcLinkRequest, GetVpcLinkRequest, GetVpcLinksRequest, Op, Resource,
    UpdateVpcLinkRequest, VpcLink, VpcLinkStatus, VpcLinks,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::{Cx, Result};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, quota, tags};

/// Characters of a link's id.
const ID_LENGTH: usize = 6;
const READY: &str = "Your vpc link is ready for use";

/// `POST /vpclinks`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateVpcLink.html>
pub fn create_vpc_link(cx: &mut Cx<'_>, input: CreateVpcLinkRequest) -> Result<VpcLink> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    if let Some(arn) = input.target_arns.iter().find(|arn| Arn::parse(arn).is_none()) {
        return Err(messages::malformed_arn(arn));
    }
    quota::check::<VpcLink>(cx, &[], quota::VPC_LINKS)?;
    let id = cx.new_id(ID_LENGTH);
    let link = VpcLink {
        id: Some(id.clone()),
        name: Some(input.name),
        description: input.description.filter(|description| !description.is_empty()),
        target_arns: Some(input.target_arns),
        status: Some(VpcLinkStatus::Available),
        status_message: Some(READY.to_owned()),
        tags: input.tags.filter(|tags| !tags.is_empty()),
    };
    check(&link)?;
    cx.put(&[&id], &link)?;
    Ok(VpcLink { status: Some(VpcLinkStatus::Pending), status_message: None, ..link })
}

/// `GET /vpclinks/{vpclink_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetVpcLink.html>
pub fn get_vpc_link(cx: &mut Cx<'_>, input: GetVpcLinkRequest) -> Result<VpcLink> {
    existing(cx, &input.vpc_link_id).map(answered)
}

/// `GET /vpclinks`, by id; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetVpcLinks.html>
pub fn get_vpc_links(cx: &mut Cx<'_>, input: GetVpcLinksRequest) -> Result<VpcLinks> {
    let links = cx.all::<VpcLink>(&[])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let page = listing::page(cx, "vpclinks", links, |link| link.id.clone().unwrap_or_default(), &wish)?;
    Ok(VpcLinks { items: Some(page.items), position: page.next })
}

/// `PATCH /vpclinks/{vpclink_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateVpcLink.html>
pub fn update_vpc_link(cx: &mut Cx<'_>, input: UpdateVpcLinkRequest) -> Result<VpcLink> {
    let old = existing(cx, &input.vpc_link_id)?;
    let link = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    check(&link)?;
    cx.put(&[&input.vpc_link_id], &link)?;
    Ok(answered(link))
}

/// `DELETE /vpclinks/{vpclink_id}`, unless an integration goes through it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteVpcLink.html>
pub fn delete_vpc_link(cx: &mut Cx<'_>, input: DeleteVpcLinkRequest) -> Result<()> {
    let id = input.vpc_link_id.as_str();
    existing(cx, id)?;
    for (ids, resource) in cx.list::<Resource>(&[])? {
        for (verb, method) in resource.resource_methods.iter().flatten() {
            let integration = method.method_integration.as_ref();
            let link = integration.and_then(|integration| integration.connection_id.as_deref());
            if let ([api, resource], true) = (ids.as_slice(), link == Some(id)) {
                return Err(messages::vpc_link_in_use(id, verb, resource, api));
            }
        }
    }
    cx.delete::<VpcLink>(&[id])
}

pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<VpcLink> {
    cx.get(&[id])?.ok_or_else(messages::no_vpc_link)
}

/// Get and update answers show tags even where there are none; creating and listing do not.
fn answered(link: VpcLink) -> VpcLink {
    VpcLink { tags: Some(link.tags.unwrap_or_default()), ..link }
}

fn check(link: &VpcLink) -> Result<()> {
    match link.name.as_deref().unwrap_or_default().is_empty() {
        true => Err(messages::vpc_link_name_empty()),
        false => Ok(()),
    }
}

// === Patches ===

const PATCHES: Table<VpcLink> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<VpcLink>] = &[
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/description", ops: &[Op::Replace], apply: patch_description },
];

fn patch_name(link: &mut VpcLink, change: &Change<'_>) -> Result<()> {
    link.name = change.text();
    Ok(())
}

fn patch_description(link: &mut VpcLink, change: &Change<'_>) -> Result<()> {
    link.description = change.text();
    Ok(())
}
