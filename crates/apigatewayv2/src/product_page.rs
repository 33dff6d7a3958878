//! Pages of a product that are written by hand.

use stagedoor_api::apigatewayv2::{
    CreateProductPageRequest, DeleteProductPageRequest, GetProductPageRequest, GetProductPageResponse,
    ListProductPagesRequest, ListProductPagesResponse, ProductPageSummaryNoBody, UpdateProductPageRequest,
};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::replace;
use crate::portal::{self, ID_LENGTH};
use crate::{messages, portal_product};

/// A page as it is stored.
type Page = GetProductPageResponse;

/// `POST /v2/portalproducts/{portalProductId}/productpages`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productpages.html>
pub fn create_product_page(cx: &mut Cx<'_>, input: CreateProductPageRequest) -> Result<Page> {
    let product = input.portal_product_id;
    portal_product::existing(cx, &product)?;
    let id = cx.new_id(ID_LENGTH);
    let page = Page {
        display_content: Some(input.display_content),
        last_modified: Some(cx.now().whole_seconds()),
        product_page_arn: Some(portal::arn(cx, &format!("/portalproducts/{product}/productpages/{id}"))),
        product_page_id: Some(id.clone()),
    };
    cx.put(&[&product, &id], &page)?;
    Ok(page)
}

/// `GET /v2/portalproducts/{portalProductId}/productpages/{productPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productpages-productpageid.html>
pub fn get_product_page(cx: &mut Cx<'_>, input: GetProductPageRequest) -> Result<Page> {
    portal_product::owned(cx, &input.portal_product_id, input.resource_owner_account_id.as_deref())?;
    existing(cx, &input.portal_product_id, &input.product_page_id)
}

/// `GET /v2/portalproducts/{portalProductId}/productpages`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productpages.html>
pub fn list_product_pages(
    cx: &mut Cx<'_>,
    input: ListProductPagesRequest,
) -> Result<ListProductPagesResponse> {
    portal_product::owned(cx, &input.portal_product_id, input.resource_owner_account_id.as_deref())?;
    let pages = cx.all::<Page>(&[&input.portal_product_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let list = &["ListProductPages", &input.portal_product_id];
    let page = list::cut(cx, list, &ask, pages, |page| page.product_page_id.clone().unwrap_or_default())?;
    let items = page.items.into_iter().map(summary).collect();
    Ok(ListProductPagesResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/portalproducts/{portalProductId}/productpages/{productPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productpages-productpageid.html>
pub fn update_product_page(cx: &mut Cx<'_>, input: UpdateProductPageRequest) -> Result<Page> {
    portal_product::existing(cx, &input.portal_product_id)?;
    let mut page = existing(cx, &input.portal_product_id, &input.product_page_id)?;
    replace(&mut page.display_content, input.display_content);
    page.last_modified = Some(cx.now().whole_seconds());
    cx.put(&[&input.portal_product_id, &input.product_page_id], &page)?;
    Ok(page)
}

/// `DELETE /v2/portalproducts/{portalProductId}/productpages/{productPageId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/portalproducts-portalproductid-productpages-productpageid.html>
pub fn delete_product_page(cx: &mut Cx<'_>, input: DeleteProductPageRequest) -> Result<()> {
    portal_product::existing(cx, &input.portal_product_id)?;
    existing(cx, &input.portal_product_id, &input.product_page_id)?;
    cx.delete::<Page>(&[&input.portal_product_id, &input.product_page_id])
}

fn existing(cx: &mut Cx<'_>, product: &str, id: &str) -> Result<Page> {
    cx.get(&[product, id])?.ok_or_else(messages::product_page_not_found)
}

fn summary(page: Page) -> ProductPageSummaryNoBody {
    ProductPageSummaryNoBody {
        last_modified: page.last_modified,
        page_title: page.display_content.map(|content| content.title),
        product_page_arn: page.product_page_arn,
        product_page_id: page.product_page_id,
    }
}
