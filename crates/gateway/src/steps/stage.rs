//! Which stage a request is for, and the path that remains for its routes.

use std::borrow::Cow;

use http::Uri;

use crate::address::decoded;
use crate::fault::GatewayFault;
use crate::ids::RequestId;
use crate::plans::api::{Api, Deployed, Stage};
use crate::{Address, http_api, rest};

/// The stage that serves requests which name none, of HTTP APIs.
const DEFAULT_STAGE: &str = "$default";

/// A stage, and what follows its name in the path; begins with a slash.
pub(crate) struct Located<'a, D: Deployed> {
    pub(crate) stage: &'a Stage<D>,
    pub(crate) path: &'a str,
}

impl<D: Deployed> Located<'_, D> {
    /// The same path, at the stage or at its canary.
    pub(crate) fn for_request(self, id: RequestId) -> Self {
        Self { stage: self.stage.for_request(id), ..self }
    }
}

/// REST APIs: the first segment that is not empty, or what the form of the address fixes. Empty segments between the
/// stage and the path do not count either (recorded).
pub(crate) fn of_rest<'a>(
    api: &'a rest::plan::Api,
    address: &Address,
    uri: &'a Uri,
) -> Result<Located<'a, rest::plan::Deployed>, GatewayFault> {
    let path = address.path(uri);
    let (name, path) = match &address.stage {
        Some(name) => (Cow::Borrowed(name.as_str()), path),
        None => first_segment(path.trim_start_matches('/')),
    };
    let stage = api.stages.get(&*name).ok_or(GatewayFault::NoStage)?;
    if stage.deployed.address_disabled && address.mapped.is_none() {
        return Err(GatewayFault::NoStage);
    }
    Ok(Located { stage, path: one_leading_slash(path) })
}

/// HTTP APIs: the first segment if it names a stage, else `$default`.
pub(crate) fn of_http<'a>(
    api: &'a http_api::plan::Api,
    address: &Address,
    uri: &'a Uri,
) -> Result<Located<'a, http_api::plan::Deployed>, GatewayFault> {
    let path = address.path(uri);
    let located = match &address.stage {
        Some(name) => api.stages.get(name).map(|stage| Located { stage, path: or_root(path) }),
        None => named(api, path)
            .or_else(|| api.stages.get(DEFAULT_STAGE).map(|stage| Located { stage, path: or_root(path) })),
    };
    let located = located.ok_or(GatewayFault::NoStage)?;
    if located.stage.deployed.address_disabled && address.mapped.is_none() {
        Err(GatewayFault::NoStage)
    } else {
        Ok(located)
    }
}

fn named<'a, D: Deployed>(api: &'a Api<D>, path: &'a str) -> Option<Located<'a, D>> {
    let (name, path) = first_segment(path.strip_prefix('/').unwrap_or(path));
    api.stages.get(&*name).map(|stage| Located { stage, path: or_root(path) })
}

/// The first segment, decoded, and what follows it, from the slash on.
fn first_segment(path: &str) -> (Cow<'_, str>, &str) {
    let (name, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    (if name.contains('%') { decoded(name).into() } else { name.into() }, rest)
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn one_leading_slash(path: &str) -> &str {
    let extra = path.bytes().take_while(|&byte| byte == b'/').count().saturating_sub(1);
    or_root(&path[extra..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_slashes() {
        let first = |path| {
            let (name, rest) = first_segment(path);
            format!("{name}|{}|{}", or_root(rest), one_leading_slash(rest))
        };
        assert_eq!(first("dev/pets/1"), "dev|/pets/1|/pets/1");
        assert_eq!(first("dev//pets"), "dev|//pets|/pets");
        assert_eq!(first("dev"), "dev|/|/");
        assert_eq!(first("dev/"), "dev|/|/");
        assert_eq!(first("%24default/x"), "$default|/x|/x");
        assert_eq!(first(""), "|/|/");
    }
}
