//! Pages of a product about one method of a REST API's stage.

use serde_json::json;
use stagedoor_api::apigateway as rest;
use stagedoor_api::apigatewayv2::{
    CreateProductRestEndpointPageRequest, CreateProductRestEndpointPageResponse,
    DeleteProductRestEndpointPageRequest, DisplayContentOverrides, EndpointDisplayContent,
    EndpointDisplayContentResponse, GetProductRestEndpointPageRequest, GetProductRestEndpointPageResponse,
    IdentifierParts, ListProductRestEndpointPagesRequest, ListProductRestEndpointPagesResponse,
    ProductRestEndpointPageSummaryNoBody, ProtocolType, RestEndpointIdentifier, Status, TryItState,
    UpdateProductRestEndpointPageRequest, UpdateProductRestEndpointPageResponse,
};
use stagedoor_state::portal::EndpointPage;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::replace;
use crate::portal::{self, ID_LENGTH, view};
use crate::{endpoint, messages, portal_product};

/// `POST /v2/portalproducts/{portalProductId}/productrestendpointpages`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productrestendpointpages.html>
pub fn create_product_rest_endpoint_page(
    cx: &mut Cx<'_>,
    input: CreateProductRestEndpointPageRequest,
) -> Result<CreateProductRestEndpointPageResponse> {
    let product = input.portal_product_id;
    portal_product::existing(cx, &product)?;
    check_identifier(cx, &input.rest_endpoint_identifier)?;
    let id = cx.new_id(ID_LENGTH);
    let arn = portal::arn(cx, &format!("/portalproducts/{product}/productrestendpointpages/{id}"));
    let stored = EndpointPage {
        page: GetProductRestEndpointPageResponse {
            last_modified: Some(cx.now().whole_seconds()),
            product_rest_endpoint_page_arn: Some(arn),
            product_rest_endpoint_page_id: Some(id.clone()),
            rest_endpoint_identifier: Some(input.rest_endpoint_identifier),
            status: Some(Status::Available),
            try_it_state: Some(input.try_it_state.unwrap_or(TryItState::Enabled)),
            ..GetProductRestEndpointPageResponse::default()
        },
        overrides: overrides(input.display_content)?.unwrap_or_default(),
    };
    cx.put(&[&product, &id], &stored)?;
    Ok(view(answer(cx, stored)))
}

/// `GET /v2/portalproducts/{portalProductId}/productrestendpointpages/{productRestEndpointPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productrestendpointpages-productrestendpointpageid.html>
pub fn get_product_rest_endpoint_page(
    cx: &mut Cx<'_>,
    input: GetProductRestEndpointPageRequest,
) -> Result<GetProductRestEndpointPageResponse> {
    portal_product::owned(cx, &input.portal_product_id, input.resource_owner_account_id.as_deref())?;
    let stored = existing(cx, &input.portal_product_id, &input.product_rest_endpoint_page_id)?;
    let raw = input.include_raw_display_content.as_deref() == Some("true");
    let raw = raw.then(|| raw_content(&stored.overrides));
    Ok(GetProductRestEndpointPageResponse { raw_display_content: raw, ..answer(cx, stored) })
}

/// `GET /v2/portalproducts/{portalProductId}/productrestendpointpages`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productrestendpointpages.html>
pub fn list_product_rest_endpoint_pages(
    cx: &mut Cx<'_>,
    input: ListProductRestEndpointPagesRequest,
) -> Result<ListProductRestEndpointPagesResponse> {
    portal_product::owned(cx, &input.portal_product_id, input.resource_owner_account_id.as_deref())?;
    let pages = cx.all::<EndpointPage>(&[&input.portal_product_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let list = &["ListProductRestEndpointPages", &input.portal_product_id];
    let page = list::cut(cx, list, &ask, pages, |stored| {
        stored.page.product_rest_endpoint_page_id.clone().unwrap_or_default()
    })?;
    let items = page.items.into_iter().map(|stored| summary(answer(cx, stored))).collect();
    Ok(ListProductRestEndpointPagesResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/portalproducts/{portalProductId}/productrestendpointpages/{productRestEndpointPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productrestendpointpages-productrestendpointpageid.html>
pub fn update_product_rest_endpoint_page(
    cx: &mut Cx<'_>,
    input: UpdateProductRestEndpointPageRequest,
) -> Result<UpdateProductRestEndpointPageResponse> {
    portal_product::existing(cx, &input.portal_product_id)?;
    let mut stored = existing(cx, &input.portal_product_id, &input.product_rest_endpoint_page_id)?;
    if let Some(given) = overrides(input.display_content)? {
        stored.overrides = given;
    }
    replace(&mut stored.page.try_it_state, input.try_it_state);
    stored.page.last_modified = Some(cx.now().whole_seconds());
    cx.put(&[&input.portal_product_id, &input.product_rest_endpoint_page_id], &stored)?;
    Ok(view(answer(cx, stored)))
}

/// `DELETE /v2/portalproducts/{portalProductId}/productrestendpointpages/{productRestEndpointPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productrestendpointpages-productrestendpointpageid.html>
pub fn delete_product_rest_endpoint_page(
    cx: &mut Cx<'_>,
    input: DeleteProductRestEndpointPageRequest,
) -> Result<()> {
    portal_product::existing(cx, &input.portal_product_id)?;
    existing(cx, &input.portal_product_id, &input.product_rest_endpoint_page_id)?;
    cx.delete::<EndpointPage>(&[&input.portal_product_id, &input.product_rest_endpoint_page_id])
}

fn existing(cx: &mut Cx<'_>, product: &str, id: &str) -> Result<EndpointPage> {
    cx.get(&[product, id])?.ok_or_else(messages::product_rest_endpoint_page_not_found)
}

/// Refuses a page about an API or a stage that is not there.
fn check_identifier(cx: &mut Cx<'_>, identifier: &RestEndpointIdentifier) -> Result<()> {
    let parts =
        identifier.identifier_parts.as_ref().ok_or_else(messages::rest_endpoint_identifier_required)?;
    if !cx.exists::<rest::RestApi>(&[&parts.rest_api_id])? {
        return Err(messages::mapped_api_not_found(cx.account(), &parts.rest_api_id));
    }
    match cx.exists::<rest::Stage>(&[&parts.rest_api_id, &parts.stage])? {
        true => Ok(()),
        false => Err(messages::mapped_stage_not_found()),
    }
}

/// What a client wants shown; `None` if it said nothing.
fn overrides(given: Option<EndpointDisplayContent>) -> Result<Option<DisplayContentOverrides>> {
    let Some(given) = given else { return Ok(None) };
    match (given.overrides, given.none) {
        (Some(overrides), None) => Ok(Some(overrides)),
        (None, Some(_)) => Ok(Some(DisplayContentOverrides::default())),
        _ => Err(messages::endpoint_display_content_invalid()),
    }
}

/// A page as it is answered: with what is shown, which follows from the API where it is not overridden.
fn answer(cx: &Cx<'_>, stored: EndpointPage) -> GetProductRestEndpointPageResponse {
    let EndpointPage { mut page, overrides } = stored;
    let identifier = page.rest_endpoint_identifier.clone().unwrap_or_default();
    let parts = identifier.identifier_parts.unwrap_or_default();
    page.display_content = Some(EndpointDisplayContentResponse {
        body: overrides.body,
        endpoint: overrides.endpoint.or_else(|| Some(address(cx, &parts))),
        operation_name: overrides.operation_name.or_else(|| Some(format!("{} {}", parts.method, parts.path))),
    });
    page
}

/// Where the method is called.
fn address(cx: &Cx<'_>, parts: &IdentifierParts) -> String {
    let origin = &cx.environment.endpoints.http;
    let api = endpoint::of(origin, cx.region(), ProtocolType::Http, &parts.rest_api_id);
    format!("{api}/{}{}", parts.stage, parts.path)
}

/// The overrides alone, as a JSON text.
fn raw_content(overrides: &DisplayContentOverrides) -> String {
    let members = [
        ("body", &overrides.body),
        ("endpoint", &overrides.endpoint),
        ("operationName", &overrides.operation_name),
    ];
    let given = members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
    serde_json::Value::Object(given.collect()).to_string()
}

fn summary(page: GetProductRestEndpointPageResponse) -> ProductRestEndpointPageSummaryNoBody {
    let shown = page.display_content.clone().unwrap_or_default();
    ProductRestEndpointPageSummaryNoBody {
        endpoint: shown.endpoint,
        operation_name: shown.operation_name,
        ..view(page)
    }
}
