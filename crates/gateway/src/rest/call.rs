//! A request at its method: everything that the steps after routing read.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, Method as Verb};

use super::plan::{Api, Method, Stage};
use crate::authorize::Caller;
use crate::forwarded::Way;
use crate::mapping::{BodyView, View};
use crate::shared::Shared;
use crate::visit::Visit;

pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) api: &'a Api,
    pub(crate) stage: &'a Stage,
    pub(crate) method: &'a Method,
    /// The client's verb.
    pub(crate) verb: Verb,
    /// The path's variables, as they were sent.
    pub(crate) variables: Vec<(&'a str, &'a str)>,
    /// What follows the stage's name in the path, as it was sent; begins with a slash.
    pub(crate) path: &'a str,
    /// The path from the stage's name on, as it was sent.
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

    /// A variable of `$context`; `None` if there is none of that name.
    pub(crate) fn context(&self, name: &str) -> Option<String> {
        let owner = &self.api.owner;
        Some(match name {
            "accountId" => owner.account.clone(),
            "apiId" => owner.api.clone(),
            "deploymentId" => self.stage.deployment.clone(),
            "endpointType" => return self.stage.deployed.endpoint_type.clone(),
            "httpMethod" => self.verb.to_string(),
            "isCanaryRequest" => self.stage.is_canary?.to_string(),
            "path" => self.full_path.to_string(),
            "resourceId" => self.method.resource_id.clone(),
            "resourcePath" => self.method.resource_path.clone(),
            "stage" => self.stage.name.clone(),
            "operationName" => return self.method.operation_name.clone(),
            _ => {
                let known = self.visit.context(name).or_else(|| self.caller.context(name));
                return known.map(Cow::into_owned);
            }
        })
    }

    /// What mappings of the request read.
    pub(crate) fn request_view<'v>(&'v self, context: &'v dyn Fn(&str) -> Option<String>) -> View<'v> {
        let way = Way::of(self.visit, &self.shared.config);
        View { way, ..self.view(&self.head.headers, context) }
    }

    /// What mappings of an answer read, which has these headers.
    pub(crate) fn view<'v>(
        &'v self,
        headers: &'v HeaderMap,
        context: &'v dyn Fn(&str) -> Option<String>,
    ) -> View<'v> {
        View {
            path: &self.variables,
            query: self.query(),
            headers,
            way: None,
            stage_variables: &self.stage.variables,
            context,
            body: BodyView::default(),
        }
    }
}
