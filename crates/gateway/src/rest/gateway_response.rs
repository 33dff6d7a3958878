//! Customised gateway responses: what a deployment says instead of the defaults of [`crate::fault`].
//!
//! Their templates are no Velocity: only `$context.…`, `$stageVariables.…` and `$method.request.…` are replaced.

use std::collections::BTreeMap;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use stagedoor_api::apigateway as api;

use crate::answer_names::Spelt;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::headers;
use crate::mapping::{Source, View};
use crate::template;

const REQUEST: &str = "method.request.";
const PREFIX: &str = "gatewayresponse.header.";

/// Those of a deployment, by type.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponses(BTreeMap<String, Custom>);

#[derive(Debug)]
struct Custom {
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, Source)>,
    spelt: Spelt,
    templates: BTreeMap<String, String>,
}

impl GatewayResponses {
    pub(crate) fn of(stored: &[api::GatewayResponse]) -> Self {
        let customs = stored.iter().filter_map(|stored| {
            let name = stored.response_type.as_ref()?.as_str().to_owned();
            let status = stored.status_code.as_deref().and_then(|status| status.parse().ok());
            let headers = stored.response_parameters.iter().flatten().filter_map(|(target, source)| {
                let name = HeaderName::from_bytes(target.strip_prefix(PREFIX)?.as_bytes()).ok()?;
                // The spelling of definitions, as well as that of operations.
                let source = source.replacen("method.input.params.", "method.request.", 1);
                Some((name, Source::of_request(&source).ok()?))
            });
            let targets = stored.response_parameters.iter().flatten();
            let spelt = Spelt::of(targets.filter_map(|(target, _)| target.strip_prefix(PREFIX)));
            let templates = stored.response_templates.clone().unwrap_or_default();
            Some((name, Custom { status, headers: headers.collect(), spelt, templates }))
        });
        Self(customs.collect())
    }

    /// The customised answer to a fault; `None` where the default holds.
    pub(crate) fn answer(
        &self,
        fault: &GatewayFault,
        view: &View<'_>,
        head: &Parts,
    ) -> Option<Response<Body>> {
        let custom = self.custom(fault)?;
        let mut response = fault.rest_response();
        if let Some(status) = custom.status {
            *response.status_mut() = status;
        }
        if let Some((media_type, text)) = template_for(&custom.templates, &head.headers) {
            *response.body_mut() = body::full(substituted(text, view));
            if let Ok(media_type) = HeaderValue::from_str(media_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            }
        }
        for (name, source) in &custom.headers {
            let values = source.values(view);
            if !values.is_empty() && !headers::is_unmappable(name) {
                headers::set(response.headers_mut(), name.clone(), &values.join(","));
            }
        }
        custom.spelt.clone().put_on(response.extensions_mut());
        Some(response)
    }

    /// By the fault's own type, else the one for all of its class.
    fn custom(&self, fault: &GatewayFault) -> Option<&Custom> {
        let own = fault.response_type()?;
        let class = if fault.is_the_clients() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        self.0.get(own).or_else(|| self.0.get(class))
    }
}

/// By the first type that the client accepts, else `application/json`, else any.
fn template_for<'t>(
    templates: &'t BTreeMap<String, String>,
    sent: &HeaderMap,
) -> Option<(&'t String, &'t String)> {
    let accepted = template::media_type(sent, &header::ACCEPT);
    templates
        .get_key_value(accepted)
        .or_else(|| templates.get_key_value("application/json"))
        .or_else(|| templates.iter().next())
}

/// The template's text with its variables; those without a value are empty.
fn substituted(template: &str, view: &View<'_>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let variable = ["context.", "stageVariables.", REQUEST].into_iter().find_map(|of| {
            let name = after.strip_prefix(of)?;
            let end = name.find(|letter: char| !is_of_name(letter)).unwrap_or(name.len());
            let name = name[..end].trim_end_matches('.');
            (!name.is_empty()).then_some((of, name))
        });
        match variable {
            Some((of, name)) => {
                let value = match of {
                    "context." => (view.context)(name),
                    REQUEST => parameter(&format!("{of}{name}"), view),
                    _ => view.stage_variables.get(name).cloned(),
                };
                text.push_str(&value.unwrap_or_default());
                rest = &after[of.len() + name.len()..];
            }
            None => {
                text.push('$');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// A parameter of the request by its expression.
fn parameter(expression: &str, view: &View<'_>) -> Option<String> {
    Some(Source::of_request(expression).ok()?.values(view).join(","))
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::BodyView;

    #[test]
    fn variables_are_put_in() {
        let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static("http://o"))]);
        let view = View {
            path: &[("id", "7")],
            query: "q=1&q=2",
            headers: &headers,
            way: None,
            stage_variables: &BTreeMap::from([("colour".to_owned(), "green".to_owned())]),
            context: &|name| (name == "error.messageString").then(|| "\"no\"".to_owned()),
            body: BodyView::default(),
        };
        for (template, expected) in [
            ("{\"m\":$context.error.messageString}", "{\"m\":\"no\"}"),
            ("$stageVariables.colour.", "green."),
            ("$context.none|$stageVariables.none|$method.request.header.none|", "|||"),
            (
                "$method.request.header.Origin $method.request.querystring.q $method.request.path.id",
                "http://o 2 7",
            ),
            (
                "$input.body $ $context. $$context.error.messageString #set($a=1)",
                "$input.body $ $context. $\"no\" #set($a=1)",
            ),
        ] {
            assert_eq!(substituted(template, &view), expected, "{template}");
        }
    }
}
