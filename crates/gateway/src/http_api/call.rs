//! A request at its route: everything that the steps after routing read.

use std::borrow::Cow;

use http::request::Parts;

use super::plan::{Api, Deployed, Route};
use crate::Address;
use crate::authorize::Caller;
use crate::shared::Shared;
use crate::steps::route::Routed;
use crate::steps::stage::Located;
use crate::visit::Visit;

pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) api: &'a Api,
    pub(crate) located: &'a Located<'a, Deployed>,
    pub(crate) routed: &'a Routed<'a, Route>,
    /// The path with the stage's name, unless that is `$default`; as it was sent.
    pub(crate) full_path: Cow<'a, str>,
    pub(crate) head: &'a Parts,
    pub(crate) visit: &'a Visit,
    pub(crate) caller: Caller,
}

impl Call<'_> {
    /// The client's query, as it was sent.
    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// A variable of `$context`; `None` if there is none of that name. Requests have only one id.
    pub(crate) fn context(&self, name: &str) -> Option<String> {
        let owner = &self.api.owner;
        Some(match name {
            "accountId" => owner.account.clone(),
            "apiId" => owner.api.clone(),
            "path" => self.full_path.to_string(),
            "requestId" => self.visit.id.extended_text(),
            "routeKey" => self.routed.route.key.clone(),
            "stage" => self.located.stage.name.clone(),
            _ => {
                let known = self.visit.context(name).or_else(|| self.caller.context(name));
                return known.map(Cow::into_owned);
            }
        })
    }
}

/// The path of a request to a stage, see [`Call::full_path`].
pub(crate) fn full_path<'a>(
    address: &Address,
    head: &'a Parts,
    located: &Located<'_, Deployed>,
) -> Cow<'a, str> {
    if let Some(path) = address.domain_path(&head.uri) {
        return path.into();
    }
    let path = address.path(&head.uri);
    match &address.stage {
        Some(_) if located.stage.name != "$default" => format!("/{}{path}", located.stage.name).into(),
        _ if path.is_empty() => "/".into(),
        _ => path.into(),
    }
}

/// The path that a function is told when a mapping overwrites it, else the request's own.
pub(crate) fn told_path<'a>(call: &Call<'a>, overwritten: &'a Option<String>) -> Cow<'a, str> {
    overwritten.as_ref().map_or_else(|| call.full_path.clone(), |path| path.into())
}
