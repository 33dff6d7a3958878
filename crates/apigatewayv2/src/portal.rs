//! Developer portals: web sites that show products to the people who call their APIs.
//!
//! This server stores portals and hosts none. Publishing one is accepted, as AWS accepts it, and fails with a
//! reason that `GetPortal` shows.

use stagedoor_api::apigatewayv2::{
    Authorization, CreatePortalRequest, CreatePortalResponse, DeletePortalRequest, DisablePortalRequest,
    EndpointConfigurationRequest, EndpointConfigurationResponse, GetPortalRequest, GetPortalResponse,
    ListPortalsRequest, ListPortalsResponse, Preview, PreviewPortalRequest, PreviewPortalResponse,
    PreviewStatus, PublishPortalRequest, PublishPortalResponse, PublishStatus, StatusException,
    UpdatePortalRequest, UpdatePortalResponse,
};
use stagedoor_model::Shape;
use stagedoor_state::arn::Arn;
use stagedoor_state::{Cx, Result, domain};

use crate::list::{self, Ask};
use crate::merge::{present, replace, replace_text};
use crate::{messages, tagging};

/// Length of the ids of portals, products and pages.
pub const ID_LENGTH: usize = 10;

/// A portal as it is stored.
pub type Portal = GetPortalResponse;

/// `POST /v2/portals`. A new portal is not published.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals.html>
pub fn create_portal(cx: &mut Cx<'_>, input: CreatePortalRequest) -> Result<CreatePortalResponse> {
    tagging::check(input.tags.as_ref())?;
    check_authorization(&input.authorization)?;
    let products = input.included_portal_product_arns.unwrap_or_default();
    check_products(&products)?;
    let id = cx.new_id(ID_LENGTH);
    let portal = Portal {
        authorization: Some(input.authorization),
        endpoint_configuration: Some(endpoint(cx, &id, input.endpoint_configuration)?),
        included_portal_product_arns: Some(products),
        last_modified: Some(cx.now().whole_seconds()),
        portal_arn: Some(arn(cx, &format!("/portals/{id}"))),
        portal_content: Some(input.portal_content),
        portal_id: Some(id.clone()),
        publish_status: Some(PublishStatus::Disabled),
        rum_app_monitor_name: present(input.rum_app_monitor_name),
        tags: Some(input.tags.unwrap_or_default()),
        ..Portal::default()
    };
    cx.put(&[&id], &portal)?;
    Ok(view(portal))
}

/// `GET /v2/portals/{portalId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid.html>
pub fn get_portal(cx: &mut Cx<'_>, input: GetPortalRequest) -> Result<GetPortalResponse> {
    existing(cx, &input.portal_id)
}

/// `GET /v2/portals`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals.html>
pub fn list_portals(cx: &mut Cx<'_>, input: ListPortalsRequest) -> Result<ListPortalsResponse> {
    let portals = cx.all::<Portal>(&[])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["ListPortals"], &ask, portals, |portal| {
        portal.portal_id.clone().unwrap_or_default()
    })?;
    let items = page.items.into_iter().map(view).collect();
    Ok(ListPortalsResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/portals/{portalId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid.html>
pub fn update_portal(cx: &mut Cx<'_>, input: UpdatePortalRequest) -> Result<UpdatePortalResponse> {
    let mut portal = existing(cx, &input.portal_id)?;
    if let Some(authorization) = input.authorization {
        check_authorization(&authorization)?;
        portal.authorization = Some(authorization);
    }
    if let Some(given) = input.endpoint_configuration {
        portal.endpoint_configuration = Some(endpoint(cx, &input.portal_id, given)?);
    }
    check_products(input.included_portal_product_arns.as_deref().unwrap_or_default())?;
    replace(&mut portal.included_portal_product_arns, input.included_portal_product_arns);
    replace(&mut portal.portal_content, input.portal_content);
    replace_text(&mut portal.rum_app_monitor_name, input.rum_app_monitor_name);
    portal.last_modified = Some(cx.now().whole_seconds());
    cx.put(&[&input.portal_id], &portal)?;
    Ok(view(portal))
}

/// `DELETE /v2/portals/{portalId}`; no error if there is none.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid.html>
pub fn delete_portal(cx: &mut Cx<'_>, input: DeletePortalRequest) -> Result<()> {
    cx.delete::<Portal>(&[&input.portal_id])
}

/// `POST /v2/portals/{portalId}/publish`: accepted, and then failed, since nothing here hosts portals.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid-publish.html>
pub fn publish_portal(cx: &mut Cx<'_>, input: PublishPortalRequest) -> Result<PublishPortalResponse> {
    let mut portal = existing(cx, &input.portal_id)?;
    portal.publish_status = Some(PublishStatus::PublishFailed);
    portal.status_exception = Some(not_hosted());
    cx.put(&[&input.portal_id], &portal)?;
    Ok(PublishPortalResponse {})
}

/// `DELETE /v2/portals/{portalId}/publish`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid-publish.html>
pub fn disable_portal(cx: &mut Cx<'_>, input: DisablePortalRequest) -> Result<()> {
    let mut portal = existing(cx, &input.portal_id)?;
    portal.publish_status = Some(PublishStatus::Disabled);
    portal.status_exception = None;
    cx.put(&[&input.portal_id], &portal)
}

/// `POST /v2/portals/{portalId}/preview`: accepted, and then failed, since nothing here hosts portals.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portals-portalid-preview.html>
pub fn preview_portal(cx: &mut Cx<'_>, input: PreviewPortalRequest) -> Result<PreviewPortalResponse> {
    let mut portal = existing(cx, &input.portal_id)?;
    portal.preview = Some(Preview {
        preview_status: Some(PreviewStatus::PreviewFailed),
        preview_url: None,
        status_exception: Some(not_hosted()),
    });
    cx.put(&[&input.portal_id], &portal)?;
    Ok(PreviewPortalResponse {})
}

/// The portal of that id.
pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<Portal> {
    cx.get(&[id])?.ok_or_else(messages::portal_not_found)
}

/// The ARN of something that portals show. It names the account, since accounts share products.
pub fn arn(cx: &Cx<'_>, path: &str) -> String {
    format!("arn:aws:apigateway:{}:{}:{path}", cx.region(), cx.account())
}

/// The same content in another shape, which has some of the same members.
pub fn view<A: Shape, B: Shape>(content: A) -> B {
    B::from_value(content.into_value()).expect("members of one name have one type")
}

fn not_hosted() -> StatusException {
    StatusException {
        exception: Some("PortalHostingUnavailable".to_owned()),
        message: Some("This server stores portals but does not host their web sites".to_owned()),
    }
}

fn endpoint(
    cx: &Cx<'_>,
    id: &str,
    given: EndpointConfigurationRequest,
) -> Result<EndpointConfigurationResponse> {
    let own = match (given.acm_managed, given.none) {
        (Some(own), None) => Some(own),
        (None, Some(_)) => None,
        _ => return Err(messages::portal_endpoint_invalid()),
    };
    let (certificate_arn, domain_name) = own.map(|own| (own.certificate_arn, own.domain_name)).unzip();
    Ok(EndpointConfigurationResponse {
        certificate_arn,
        domain_name,
        portal_default_domain_name: Some(format!("p-{id}.apigw-portal.{}.on.aws", cx.region())),
        portal_domain_hosted_zone_id: Some(domain::EDGE_HOSTED_ZONE.to_owned()),
    })
}

fn check_authorization(given: &Authorization) -> Result<()> {
    match given.cognito_config.is_some() != given.none.is_some() {
        true => Ok(()),
        false => Err(messages::portal_authorization_invalid()),
    }
}

/// Products of other accounts can be included too, so only the form is checked.
fn check_products(arns: &[String]) -> Result<()> {
    let is_product = |arn: &String| {
        Arn::parse(arn)
            .is_some_and(|arn| arn.service == "apigateway" && arn.id_of("/portalproducts").is_some())
    };
    match arns.iter().find(|arn| !is_product(arn)) {
        Some(arn) => Err(messages::portal_product_arn_invalid(arn)),
        None => Ok(()),
    }
}
