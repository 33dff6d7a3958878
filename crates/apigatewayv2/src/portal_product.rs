//! Products that portals show: sets of pages about APIs, and the policies that share them with other accounts.
//!
//! Every account here sees its own products only: a policy is stored and answered, and shares nothing.

use serde_json::{Map, Value as Json};
use stagedoor_api::apigatewayv2::{
    CreatePortalProductRequest, DeletePortalProductRequest, DeletePortalProductSharingPolicyRequest,
    GetPortalProductRequest, GetPortalProductResponse, GetPortalProductSharingPolicyRequest,
    GetPortalProductSharingPolicyResponse, GetProductPageResponse, ListPortalProductsRequest,
    ListPortalProductsResponse, PutPortalProductSharingPolicyRequest, PutPortalProductSharingPolicyResponse,
    UpdatePortalProductRequest,
};
use stagedoor_state::portal::{EndpointPage, SharingPolicy};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::replace;
use crate::portal::{self, ID_LENGTH, view};
use crate::{messages, tagging};

/// A product as it is stored.
pub type Product = GetPortalProductResponse;

/// What `resourceOwner` says for products of the caller.
const OWN: &str = "SELF";

/// `POST /v2/portalproducts`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts.html>
pub fn create_portal_product(cx: &mut Cx<'_>, input: CreatePortalProductRequest) -> Result<Product> {
    tagging::check(input.tags.as_ref())?;
    let id = cx.new_id(ID_LENGTH);
    let product = Product {
        description: Some(input.description.unwrap_or_default()),
        display_name: Some(input.display_name),
        display_order: None,
        last_modified: Some(cx.now().whole_seconds()),
        portal_product_arn: Some(portal::arn(cx, &format!("/portalproducts/{id}"))),
        portal_product_id: Some(id.clone()),
        tags: Some(input.tags.unwrap_or_default()),
    };
    cx.put(&[&id], &product)?;
    Ok(product)
}

/// `GET /v2/portalproducts/{portalProductId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid.html>
pub fn get_portal_product(cx: &mut Cx<'_>, input: GetPortalProductRequest) -> Result<Product> {
    owned(cx, &input.portal_product_id, input.resource_owner_account_id.as_deref())
}

/// `GET /v2/portalproducts`, by id. Nobody shares products here, so those of other accounts are none.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts.html>
pub fn list_portal_products(
    cx: &mut Cx<'_>,
    input: ListPortalProductsRequest,
) -> Result<ListPortalProductsResponse> {
    let own = input.resource_owner.as_deref().is_none_or(|owner| owner.eq_ignore_ascii_case(OWN));
    let products = if own { cx.all::<Product>(&[])? } else { Vec::new() };
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["ListPortalProducts"], &ask, products, |product| {
        product.portal_product_id.clone().unwrap_or_default()
    })?;
    let items = page.items.into_iter().map(view).collect();
    Ok(ListPortalProductsResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/portalproducts/{portalProductId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid.html>
pub fn update_portal_product(cx: &mut Cx<'_>, input: UpdatePortalProductRequest) -> Result<Product> {
    let mut product = existing(cx, &input.portal_product_id)?;
    replace(&mut product.description, input.description);
    replace(&mut product.display_name, input.display_name);
    replace(&mut product.display_order, input.display_order);
    product.last_modified = Some(cx.now().whole_seconds());
    cx.put(&[&input.portal_product_id], &product)?;
    Ok(product)
}

/// `DELETE /v2/portalproducts/{portalProductId}`, with its pages and its policy.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid.html>
pub fn delete_portal_product(cx: &mut Cx<'_>, input: DeletePortalProductRequest) -> Result<()> {
    existing(cx, &input.portal_product_id)?;
    let product = &[input.portal_product_id.as_str()];
    cx.delete_all::<GetProductPageResponse>(product)?;
    cx.delete_all::<EndpointPage>(product)?;
    cx.delete::<SharingPolicy>(product)?;
    cx.delete::<Product>(product)
}

/// `PUT /v2/portalproducts/{portalProductId}/sharingpolicy`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-sharingpolicy.html>
pub fn put_portal_product_sharing_policy(
    cx: &mut Cx<'_>,
    input: PutPortalProductSharingPolicyRequest,
) -> Result<PutPortalProductSharingPolicyResponse> {
    existing(cx, &input.portal_product_id)?;
    let policy = serde_json::from_str::<Map<String, Json>>(&input.policy_document);
    if !policy.is_ok_and(|policy| policy.contains_key("Statement")) {
        return Err(messages::sharing_policy_invalid());
    }
    cx.put(&[&input.portal_product_id], &SharingPolicy { document: input.policy_document })?;
    Ok(PutPortalProductSharingPolicyResponse {})
}

/// `GET /v2/portalproducts/{portalProductId}/sharingpolicy`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-sharingpolicy.html>
pub fn get_portal_product_sharing_policy(
    cx: &mut Cx<'_>,
    input: GetPortalProductSharingPolicyRequest,
) -> Result<GetPortalProductSharingPolicyResponse> {
    existing(cx, &input.portal_product_id)?;
    let policy = policy(cx, &input.portal_product_id)?;
    Ok(GetPortalProductSharingPolicyResponse {
        policy_document: Some(policy.document),
        portal_product_id: Some(input.portal_product_id),
    })
}

/// `DELETE /v2/portalproducts/{portalProductId}/sharingpolicy`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-sharingpolicy.html>
pub fn delete_portal_product_sharing_policy(
    cx: &mut Cx<'_>,
    input: DeletePortalProductSharingPolicyRequest,
) -> Result<()> {
    existing(cx, &input.portal_product_id)?;
    policy(cx, &input.portal_product_id)?;
    cx.delete::<SharingPolicy>(&[&input.portal_product_id])
}

/// The product of that id.
pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<Product> {
    cx.get(&[id])?.ok_or_else(messages::portal_product_not_found)
}

/// The product of that id, if it belongs to the account that the caller says it belongs to.
pub fn owned(cx: &mut Cx<'_>, id: &str, owner: Option<&str>) -> Result<Product> {
    match owner.is_none_or(|owner| owner == cx.account()) {
        true => existing(cx, id),
        false => Err(messages::portal_product_not_found()),
    }
}

fn policy(cx: &mut Cx<'_>, product: &str) -> Result<SharingPolicy> {
    cx.get(&[product])?.ok_or_else(messages::sharing_policy_not_found)
}
