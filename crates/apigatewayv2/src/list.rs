//! Pages of this service's lists: `maxResults` and `nextToken`, which all of them share.

use stagedoor_state::page::{BadToken, Page, page};
use stagedoor_state::{Cx, Result};

use crate::messages;

/// Items on a page unless `maxResults` says otherwise. AWS documents no figure for this service; v1's is 25.
const PAGE_ITEMS: usize = 25;
/// Most items on a page, as in v1.
const PAGE_ITEMS_MAX: usize = 500;

/// What a client asked of a list.
#[derive(Debug, Default)]
pub struct Ask {
    pub max_results: Option<String>,
    pub next_token: Option<String>,
}

impl Ask {
    pub fn new(max_results: Option<String>, next_token: Option<String>) -> Self {
        Self { max_results, next_token }
    }
}

/// Cuts the page that was asked for; `order` gives each item its place, unique within the list.
///
/// `list` names the list and its parents, so that a token of one is no good for another.
pub fn cut<T>(
    cx: &Cx<'_>,
    list: &[&str],
    ask: &Ask,
    items: Vec<T>,
    order: impl Fn(&T) -> String,
) -> Result<Page<T>> {
    let limit = limit(ask.max_results.as_deref())?;
    let list = [&[cx.account(), cx.region()], list].concat().join("/");
    let token = ask.next_token.as_deref().filter(|token| !token.is_empty());
    page(cx.environment.page_key, &list, items, order, token, limit).map_err(|BadToken| messages::bad_token())
}

/// The model calls the number a string, so nobody has checked it before.
fn limit(max_results: Option<&str>) -> Result<usize> {
    let Some(text) = max_results else { return Ok(PAGE_ITEMS) };
    let number = text.parse().ok().filter(|number| (1..=PAGE_ITEMS_MAX).contains(number));
    number.ok_or_else(|| messages::bad_max_results(PAGE_ITEMS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes() {
        for (given, expected) in [(None, Some(25)), (Some("1"), Some(1)), (Some("500"), Some(500))] {
            assert_eq!(limit(given).ok(), expected, "{given:?}");
        }
        for bad in ["", "0", "501", "-1", "many", "99999999999999999999"] {
            assert_eq!(limit(Some(bad)), Err(messages::bad_max_results(500)), "{bad}");
        }
    }
}
