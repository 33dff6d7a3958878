//! The tree of an API's resources: what may stand where, and which path that gives. Pure.

use std::collections::{BTreeMap, HashMap};

use stagedoor_api::apigateway::Resource;
use stagedoor_state::Result;

use crate::messages;

/// All resources of one API.
#[derive(Clone, Default)]
pub struct PathTree {
    resources: Vec<Resource>,
    /// Where in `resources` each id is.
    by_id: HashMap<String, usize>,
    /// Where the children of each id are, by path part.
    by_parent: HashMap<String, BTreeMap<String, usize>>,
}

impl PathTree {
    pub fn new(resources: Vec<Resource>) -> Self {
        let mut tree = Self::default();
        resources.into_iter().for_each(|resource| tree.insert(resource));
        tree
    }

    /// Adds a resource to where [`Self::place`] let it stand.
    pub fn insert(&mut self, resource: Resource) {
        let at = self.resources.len();
        self.by_id.insert(resource.id.clone().unwrap_or_default(), at);
        self.resources.push(resource);
        self.link(at);
    }

    pub fn get(&self, id: &str) -> Option<&Resource> {
        self.by_id.get(id).map(|at| &self.resources[*at])
    }

    /// The path of the resource `id`, new or moved, as child `path_part` of `parent`; an error if it may not stand
    /// there.
    pub fn place(&self, id: &str, parent: &Resource, path_part: &str) -> Result<String> {
        if !is_path_part(path_part) {
            return Err(messages::bad_path_part());
        }
        if let Some(greedy) = parent.path_part.as_deref().filter(|part| is_greedy(part)) {
            return Err(messages::child_of_greedy(greedy));
        }
        if is_greedy(path_part) && self.children(id).next().is_some() {
            return Err(messages::child_of_greedy(path_part));
        }
        let parent_id = parent.id.as_deref().unwrap_or_default();
        if self.is_within(parent_id, id) {
            return Err(messages::cyclical());
        }
        let other = |at: &usize| self.resources[*at].id.as_deref() != Some(id);
        if let Some(siblings) = self.by_parent.get(parent_id) {
            if siblings.get(path_part).is_some_and(other) {
                return Err(messages::same_name(path_part));
            }
            // Variables alone begin with a brace, and no letter of a path part comes after it.
            let mut variables = siblings.range("{".to_owned()..);
            let taken = variables.find(|(_, at)| other(at)).map(|(taken, _)| taken);
            if let Some(taken) = taken.filter(|_| is_variable(path_part)) {
                return Err(messages::second_variable(taken));
            }
        }
        Ok(join(parent.path.as_deref().unwrap_or_default(), path_part))
    }

    /// Puts `resource` in the place of the one of its id. Returns all that this changes: it and those below it,
    /// with their new paths.
    pub fn replace(&mut self, resource: Resource) -> Vec<Resource> {
        let ids = self.subtree(resource.id.as_deref().unwrap_or_default());
        let mut changed: Vec<Resource> = Vec::new();
        for id in ids {
            let Some(place) = self.by_id.get(&id).copied() else { continue };
            if changed.is_empty() {
                self.unlink(place);
                self.resources[place] = resource.clone();
                self.link(place);
            } else {
                let child = &self.resources[place];
                let parent = child.parent_id.as_deref().and_then(|parent| self.get(parent));
                let parent_path = parent.and_then(|parent| parent.path.as_deref()).unwrap_or_default();
                let path = join(parent_path, child.path_part.as_deref().unwrap_or_default());
                self.resources[place].path = Some(path);
            }
            changed.push(self.resources[place].clone());
        }
        changed
    }

    /// The ids of a resource and of all below it, parents before their children.
    pub fn subtree(&self, id: &str) -> Vec<String> {
        let mut ids = vec![id.to_owned()];
        let mut next = 0;
        while let Some(parent) = ids.get(next) {
            let children: Vec<_> = self.children(parent).filter_map(|child| child.id.clone()).collect();
            ids.extend(children);
            next += 1;
        }
        ids
    }

    fn children(&self, id: &str) -> impl Iterator<Item = &Resource> {
        self.by_parent.get(id).into_iter().flat_map(BTreeMap::values).map(|at| &self.resources[*at])
    }

    fn link(&mut self, at: usize) {
        let Resource { parent_id: Some(parent), path_part, .. } = &self.resources[at] else { return };
        let siblings = self.by_parent.entry(parent.clone()).or_default();
        siblings.insert(path_part.clone().unwrap_or_default(), at);
    }

    fn unlink(&mut self, at: usize) {
        let Resource { parent_id: Some(parent), path_part, .. } = &self.resources[at] else { return };
        if let Some(siblings) = self.by_parent.get_mut(parent) {
            siblings.remove(path_part.as_deref().unwrap_or_default());
        }
    }

    /// Whether `id` is `ancestor` or stands below it.
    fn is_within(&self, id: &str, ancestor: &str) -> bool {
        let mut at = Some(id);
        while let Some(id) = at {
            if id == ancestor {
                return true;
            }
            at = self.get(id).and_then(|resource| resource.parent_id.as_deref());
        }
        false
    }
}

fn join(parent: &str, path_part: &str) -> String {
    format!("{}/{path_part}", parent.trim_end_matches('/'))
}

fn is_variable(path_part: &str) -> bool {
    path_part.starts_with('{')
}

fn is_greedy(path_part: &str) -> bool {
    is_variable(path_part) && path_part.ends_with("+}")
}

/// A literal, `{name}` or `{name+}`.
fn is_path_part(path_part: &str) -> bool {
    let braced = path_part.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let name = braced.map_or(path_part, |inner| inner.strip_suffix('+').unwrap_or(inner));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-,:".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parts() {
        for good in ["pets", "a.b_c-d", "a:b,c", "{id}", "{proxy+}", "{a.b-c}"] {
            assert!(is_path_part(good), "{good}");
        }
        for bad in ["", "a/b", "{}", "{+}", "{id", "id}", "a{b}", "{a}b", "a b", "{a}{b}", "ä", "a+"] {
            assert!(!is_path_part(bad), "{bad}");
        }
    }
}
