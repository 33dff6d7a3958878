//! The tree of an API's resources: what may stand where, and which path that gives. Pure.

use stagedoor_api::apigateway::Resource;
use stagedoor_state::Result;

use crate::messages;

/// All resources of one API.
#[derive(Clone, Default)]
pub struct PathTree {
    resources: Vec<Resource>,
}

impl PathTree {
    pub fn new(resources: Vec<Resource>) -> Self {
        Self { resources }
    }

    /// Adds a resource to where [`Self::place`] let it stand.
    pub fn insert(&mut self, resource: Resource) {
        self.resources.push(resource);
    }

    pub fn get(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id.as_deref() == Some(id))
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
        for sibling in self.children(parent_id).filter(|sibling| sibling.id.as_deref() != Some(id)) {
            let taken = sibling.path_part.as_deref().unwrap_or_default();
            if taken == path_part {
                return Err(messages::same_name(path_part));
            }
            if is_variable(taken) && is_variable(path_part) {
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
            let Some(place) = self.resources.iter().position(|resource| resource.id.as_ref() == Some(&id))
            else {
                continue;
            };
            if changed.is_empty() {
                self.resources[place] = resource.clone();
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
        self.resources.iter().filter(move |resource| resource.parent_id.as_deref() == Some(id))
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
