//! Lists that change while somebody turns their pages: whatever is there from the first page to the last is shown once,
//! and nothing is shown twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::ControlPlane;

/// How a service names the parts of pages.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The member of an answer with the page's items, and the one that says where the next page begins.
    pub items: &'static str,
    pub next: &'static str,
    /// The members of a request: where to begin, and how many items at most.
    pub token: &'static str,
    pub limit: &'static str,
    /// Whether the limit is sent as a text.
    pub limit_is_text: bool,
}

/// Things of a kind that are there at once: as many as the smallest quota allows.
const THERE_MAX: usize = 10;

/// A kind of things that can be created, listed and deleted.
pub struct Shelf {
    pub list: &'static str,
    pub create: &'static str,
    pub delete: &'static str,
    /// The member that names a thing in answers, and the one that names it when it is deleted.
    pub id: (&'static str, &'static str),
    /// What every call says.
    pub common: Json,
    /// What creating the n-th thing says besides.
    pub nth: Box<dyn Fn(usize) -> Json>,
}

impl Shelf {
    /// A shelf with the operations that list, create and delete.
    pub fn new(
        [list, create, delete]: [&'static str; 3],
        id: (&'static str, &'static str),
        common: Json,
        nth: impl Fn(usize) -> Json + 'static,
    ) -> Self {
        Self { list, create, delete, id, common, nth: Box::new(nth) }
    }
}

/// What happens between two pages.
#[derive(Clone, Copy, Debug)]
pub enum Meanwhile {
    /// Something is created, so many microseconds after what was before.
    Put(i64),
    /// One of the things that are there, counted round and round, is deleted.
    Take(usize),
}

/// The things of one kind that are there; creating counts on, so that no name comes twice.
struct Things<'a> {
    control: &'a ControlPlane,
    shelf: &'a Shelf,
    words: Words,
    there: Vec<String>,
    made: usize,
}

/// Fills a shelf, then turns all its pages while it changes.
///
/// # Errors
/// What was shown too often or not at all.
pub fn turn(
    control: &ControlPlane,
    shelf: &Shelf,
    words: Words,
    before: &[Meanwhile],
    limit: usize,
    between: &[Vec<Meanwhile>],
) -> Result<(), String> {
    let mut things = Things { control, shelf, words, there: Vec::new(), made: 0 };
    things.apply(before);
    let mut stayed = things.there.clone();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut next, mut between) = (Json::Null, between.iter());
    loop {
        let (ids, following) = things.page(limit, &next);
        if ids.len() > limit {
            return Err(format!("{} shows {} items, not {limit}", shelf.list, ids.len()));
        }
        ids.into_iter().for_each(|id| *seen.entry(id).or_default() += 1);
        if following.is_null() {
            break;
        }
        things.apply(between.next().map(Vec::as_slice).unwrap_or_default());
        stayed.retain(|id| things.there.contains(id));
        next = following;
    }
    if let Some((id, _)) = seen.iter().find(|(_, times)| **times > 1) {
        return Err(format!("{} shows {id} again", shelf.list));
    }
    match stayed.iter().find(|id| !seen.contains_key(*id)) {
        Some(id) => Err(format!("{} does not show {id}", shelf.list)),
        None => Ok(()),
    }
}

impl Things<'_> {
    fn apply(&mut self, events: &[Meanwhile]) {
        for event in events {
            match event {
                Meanwhile::Put(micros) if self.there.len() < THERE_MAX => {
                    self.control.wait_micros(*micros);
                    let nth = (self.shelf.nth)(self.made);
                    self.made += 1;
                    let made = self.control.ok(self.shelf.create, self.said(nth));
                    self.there.push(name(&made, self.shelf.id.0));
                }
                Meanwhile::Take(which) if !self.there.is_empty() => {
                    let gone = self.there.swap_remove(which % self.there.len());
                    self.control.ok(self.shelf.delete, self.said(json!({self.shelf.id.1: gone})));
                }
                Meanwhile::Put(_) | Meanwhile::Take(_) => {}
            }
        }
    }

    /// One page's ids and where the next begins.
    fn page(&self, limit: usize, next: &Json) -> (Vec<String>, Json) {
        let Words { items, next: following, token, limit: size, limit_is_text } = self.words;
        let limit = if limit_is_text { json!(limit.to_string()) } else { json!(limit) };
        let mut page = self.control.ok(self.shelf.list, self.said(json!({size: limit, token: next})));
        let next = page[following].take();
        let shown = page[items].as_array().map(Vec::as_slice).unwrap_or_default();
        (shown.iter().map(|item| name(item, self.shelf.id.0)).collect(), next)
    }

    fn said(&self, besides: Json) -> Json {
        let members = |json: &Json| json.as_object().cloned().unwrap_or_default();
        let all: Map<String, Json> =
            members(&self.shelf.common).into_iter().chain(members(&besides)).collect();
        Json::Object(all)
    }
}

fn name(thing: &Json, member: &str) -> String {
    thing[member].as_str().unwrap_or_else(|| panic!("{thing} has no {member}")).to_owned()
}
