//! Pages of lists, as this service counts them.

use stagedoor_state::page::{self, Page};
use stagedoor_state::{Cx, Result};

use crate::messages;

/// Items on a page of most lists when the request does not say.
pub(crate) const DEFAULT: usize = 50;

/// What a list request asks for.
pub(crate) struct Request {
    pub(crate) token: Option<String>,
    pub(crate) max_results: Option<i64>,
}

/// Cuts a page out of a list. `list` names it: operation, parents and filter, so that a token is good for the
/// same question only.
///
/// # Errors
/// ValidationException if the token is of another list, or none of ours.
pub(crate) fn page<T>(
    cx: &Cx<'_>,
    list: &[&str],
    request: &Request,
    items: Vec<T>,
    order: impl Fn(&T) -> String,
) -> Result<Page<T>> {
    let list = format!("{}/{}/{}", cx.account(), cx.region(), list.join("/"));
    let token = request.token.as_deref().filter(|token| !token.is_empty());
    let limit = request.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(DEFAULT);
    page::page(cx.environment.page_key, &list, items, order, token, limit)
        .map_err(|_| messages::invalid_next_token())
}
