//! One way to cut lists into pages.
//!
//! A token names the last item of the page before, not a position, so items that come and go meanwhile neither
//! repeat others nor hide them. It is signed: a token that was tampered with, or that belongs to another list,
//! is refused.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of a token's signature.
const MAC_BYTES: usize = 16;

/// The secret that signs tokens.
pub struct PageKey(pub [u8; 32]);

/// A page of a list, and the token of the next one if there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// The token is not one that this list gave out.
#[derive(Debug, PartialEq, Eq)]
pub struct BadToken;

/// Cuts a page out of `items`, which need not be sorted: `order` gives each its place, unique within the list.
///
/// `list` names the list (operation and parents) so that tokens of one are no good for another.
pub fn page<T>(
    key: &PageKey,
    list: &str,
    mut items: Vec<T>,
    order: impl Fn(&T) -> String,
    token: Option<&str>,
    limit: usize,
) -> Result<Page<T>, BadToken> {
    items.sort_by_cached_key(&order);
    if let Some(token) = token {
        let last = open(key, list, token)?;
        items.retain(|item| order(item) > last);
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| seal(key, list, &order(last)));
    Ok(Page { items, next })
}

/// A place that sorts newest first; `id` breaks ties.
pub fn newest_first(created_micros: i64, id: &str) -> String {
    format!("{:016x}{id}", i64::MAX - created_micros)
}

/// A place that sorts oldest first; `id` breaks ties.
pub fn oldest_first(created_micros: i64, id: &str) -> String {
    format!("{created_micros:016x}{id}")
}

fn seal(key: &PageKey, list: &str, place: &str) -> String {
    let mut bytes = mac(key, list, place).to_vec();
    bytes.extend_from_slice(place.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(key: &PageKey, list: &str, token: &str) -> Result<String, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    let (given, place) = bytes.split_at_checked(MAC_BYTES).ok_or(BadToken)?;
    let place = std::str::from_utf8(place).map_err(|_| BadToken)?;
    let expected = mac(key, list, place);
    constant_time::verify_slices_are_equal(&expected, given).map_err(|_| BadToken)?;
    Ok(place.to_owned())
}

fn mac(key: &PageKey, list: &str, place: &str) -> [u8; MAC_BYTES] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
    let tag = hmac::sign(&key, signed(list, place).as_bytes());
    tag.as_ref()[..MAC_BYTES].try_into().expect("SHA-256 has 32 bytes")
}

fn signed(list: &str, place: &str) -> String {
    format!("{}:{list}{place}", list.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(items: &[&'static str], token: Option<&str>) -> Result<Page<&'static str>, BadToken> {
        page(&PageKey([7; 32]), "GetStages/a", items.to_vec(), |item| (*item).to_owned(), token, 2)
    }

    #[test]
    fn pages_visit_everything_once_while_items_come_and_go() {
        let first = cut(&["d", "a", "c", "b"], None).expect("no token");
        assert_eq!(first.items, ["a", "b"]);
        let second = cut(&["a", "aa", "c", "d"], first.next.as_deref()).expect("its own token");
        assert_eq!((second.items, second.next), (vec!["c", "d"], None));
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let token = cut(&["a", "b", "c"], None).expect("no token").next.expect("a second page");
        let mut changed = token.clone().into_bytes();
        changed[0] = if changed[0] == b'A' { b'B' } else { b'A' };
        for bad in ["", "x", "!!", std::str::from_utf8(&changed).expect("still base64")] {
            assert_eq!(cut(&["a"], Some(bad)), Err(BadToken), "{bad}");
        }
        let other =
            page(&PageKey([7; 32]), "GetStages/b", vec!["z"], |item| (*item).to_owned(), Some(&token), 2);
        assert_eq!(other, Err(BadToken));
    }
}
