//! VPC links: how integrations reach what has no public address. Nothing is built for one here; requests through
//! it go out like all others.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vpc-links.html>

use stagedoor_api::apigatewayv2::{
    CreateVpcLinkRequest, DeleteVpcLinkRequest, DeleteVpcLinkResponse, GetVpcLinkRequest, GetVpcLinksRequest,
    GetVpcLinksResponse, UpdateVpcLinkRequest, VpcLink, VpcLinkStatus, VpcLinkVersion,
};
use stagedoor_model::Timestamp;
use stagedoor_state::page::oldest_first;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::replace;
use crate::{limits, messages, tagging};

const ID_LENGTH: usize = 6;
/// Microseconds until a new link is ready; minutes in AWS.
const PENDING_MICROS: i64 = 2_000_000;
const SUBNETS_MAX: usize = 10;

/// `POST /v2/vpclinks`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/vpclinks.html#CreateVpcLink>
pub fn create_vpc_link(cx: &mut Cx<'_>, input: CreateVpcLinkRequest) -> Result<VpcLink> {
    tagging::check(input.tags.as_ref())?;
    let id = cx.new_id(ID_LENGTH);
    let link = VpcLink {
        // With microseconds, which decide when it is ready.
        created_date: Some(cx.now()),
        name: Some(input.name),
        security_group_ids: Some(input.security_group_ids.unwrap_or_default()),
        subnet_ids: Some(input.subnet_ids),
        tags: Some(input.tags.unwrap_or_default()),
        vpc_link_id: Some(id.clone()),
        vpc_link_version: Some(VpcLinkVersion::V2),
        ..VpcLink::default()
    };
    check(&link)?;
    cx.put(&[&id], &link)?;
    Ok(answer(cx.now(), link))
}

/// `GET /v2/vpclinks/{vpcLinkId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/vpclinks-vpclinkid.html#GetVpcLink>
pub fn get_vpc_link(cx: &mut Cx<'_>, input: GetVpcLinkRequest) -> Result<VpcLink> {
    let link = existing(cx, &input.vpc_link_id)?;
    Ok(answer(cx.now(), link))
}

/// `GET /v2/vpclinks`, oldest first.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/vpclinks.html#GetVpcLinks>
pub fn get_vpc_links(cx: &mut Cx<'_>, input: GetVpcLinksRequest) -> Result<GetVpcLinksResponse> {
    let links = cx.all::<VpcLink>(&[])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetVpcLinks"], &ask, links, |link| {
        let id = link.vpc_link_id.as_deref().unwrap_or_default();
        oldest_first(link.created_date.unwrap_or_default().as_micros(), id)
    })?;
    let items = page.items.into_iter().map(|link| answer(cx.now(), link)).collect();
    Ok(GetVpcLinksResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/vpclinks/{vpcLinkId}`: only the name can change.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/vpclinks-vpclinkid.html#UpdateVpcLink>
pub fn update_vpc_link(cx: &mut Cx<'_>, input: UpdateVpcLinkRequest) -> Result<VpcLink> {
    let mut link = existing(cx, &input.vpc_link_id)?;
    replace(&mut link.name, input.name);
    check(&link)?;
    cx.put(&[&input.vpc_link_id], &link)?;
    Ok(answer(cx.now(), link))
}

/// `DELETE /v2/vpclinks/{vpcLinkId}`; it is gone at once.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/vpclinks-vpclinkid.html#DeleteVpcLink>
pub fn delete_vpc_link(cx: &mut Cx<'_>, input: DeleteVpcLinkRequest) -> Result<DeleteVpcLinkResponse> {
    existing(cx, &input.vpc_link_id)?;
    cx.delete::<VpcLink>(&[&input.vpc_link_id])?;
    Ok(DeleteVpcLinkResponse {})
}

/// The link of that id.
pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<VpcLink> {
    cx.get(&[id])?.ok_or_else(|| messages::vpc_link_not_found(id))
}

/// A link as it is answered: its status follows from its age.
fn answer(now: Timestamp, mut link: VpcLink) -> VpcLink {
    let created = link.created_date.unwrap_or_default();
    let (status, message) = match now.as_micros() - created.as_micros() < PENDING_MICROS {
        true => (VpcLinkStatus::Pending, "VPC link is provisioning ENIs"),
        false => (VpcLinkStatus::Available, "VPC link is ready to route traffic"),
    };
    link.vpc_link_status = Some(status);
    link.vpc_link_status_message = Some(message.to_owned());
    link.created_date = Some(created.whole_seconds());
    link
}

fn check(link: &VpcLink) -> Result<()> {
    let name = link.name.as_deref().unwrap_or_default();
    if name.is_empty() || name.chars().count() > limits::NAME_MAX {
        return Err(messages::vpc_link_name_invalid());
    }
    let subnets = link.subnet_ids.as_deref().unwrap_or_default();
    match (1..=SUBNETS_MAX).contains(&subnets.len()) && subnets.iter().all(|id| id.starts_with("subnet-")) {
        true => Ok(()),
        false => Err(messages::vpc_link_subnets_invalid(SUBNETS_MAX)),
    }
}
