//! Pages of lists as API Gateway (v1) cuts them: `position` in and out, `limit` items each.

use stagedoor_state::page::{self, Page};
use stagedoor_state::{Cx, Result};

use crate::messages;

/// Items on a page if the caller does not say.
const LIMIT_DEFAULT: usize = 25;
/// Items on a page at most.
const LIMIT_MAX: usize = 500;

/// What the caller asked for.
pub struct Wish<'a> {
    pub position: Option<&'a str>,
    pub limit: Option<i64>,
}

impl Wish<'_> {
    /// A limit out of range is no error in AWS's lists; the nearest that makes sense is used.
    fn limit(&self) -> usize {
        let given = self.limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        given.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX)
    }
}

/// Cuts the page out of `items`. `list` names the list, with its parents; `order` gives each item its place.
pub fn page<T>(
    cx: &Cx<'_>,
    list: &str,
    items: Vec<T>,
    order: impl Fn(&T) -> String,
    wish: &Wish<'_>,
) -> Result<Page<T>> {
    let list = format!("apigateway {} {} {list}", cx.account(), cx.region());
    page::page(cx.environment.page_key, &list, items, order, wish.position, wish.limit())
        .map_err(|_| messages::bad_position())
}
