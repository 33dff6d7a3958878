//! An HTTP or WebSocket API: authorizers, models, integrations, routes, deployments, stages.
//!
//! Parts are matched by their names; integrations, which have none, by what they say. Nothing that still says the
//! same is touched, so stages that deploy by themselves do not lose routes meanwhile.

use std::collections::BTreeMap;

use stagedoor_model::value::Key;
use stagedoor_model::{Value, apigatewayv2};

use super::Pull;
use super::document::{self, fitting, map_member, same, set, text, without};
use super::report::Did;
use super::rest::tagged;
use super::side::Side;
use crate::failure::Result;

const V2: &str = "apigatewayv2";

/// A kind of part that has a name.
struct Part {
    what: &'static str,
    name: &'static str,
    id: &'static str,
    list: &'static str,
    create: &'static str,
    update: &'static str,
    delete: &'static str,
}

const AUTHORIZERS: Part = Part {
    what: "authorizer",
    name: "Name",
    id: "AuthorizerId",
    list: "GetAuthorizers",
    create: "CreateAuthorizer",
    update: "UpdateAuthorizer",
    delete: "DeleteAuthorizer",
};
const MODELS: Part = Part {
    what: "model",
    name: "Name",
    id: "ModelId",
    list: "GetModels",
    create: "CreateModel",
    update: "UpdateModel",
    delete: "DeleteModel",
};

impl Pull {
    pub(super) async fn api(&mut self, id: &str) -> Result<()> {
        let Some(source) = self.from.find(V2, "GetApi", &[("ApiId", id)]).await? else {
            self.report.add(Did::NotCopied, format!("API {id}"), "the source has no such API");
            return Ok(());
        };
        if let Err(failure) = self.api_parts(id, &source).await {
            self.report.failed(format!("API {id}"), &failure);
        }
        Ok(())
    }

    async fn api_parts(&mut self, id: &str, source: &Value) -> Result<()> {
        let what = format!("API {id}");
        let target = match self.to.find(V2, "GetApi", &[("ApiId", id)]).await? {
            Some(target) => target,
            None => {
                let mut input = fitting(&apigatewayv2::SERVICE, "CreateApi", source);
                set(&mut input, "Tags", tagged(source.get("Tags"), id));
                let made = self.to.call(V2, "CreateApi", input).await?;
                if text(&made, "ApiId") != id {
                    let given = text(&made, "ApiId").to_owned();
                    self.to.ask(V2, "DeleteApi", &[("ApiId", given.as_str())]).await?;
                    self.report.add(
                        Did::NotCopied,
                        what,
                        "the target gives ids of its own: it is no Stagedoor",
                    );
                    return Ok(());
                }
                self.report.add(Did::Created, what.clone(), text(source, "Name"));
                made
            }
        };
        let wanted = Value::Map(fitting(&apigatewayv2::SERVICE, "UpdateApi", source));
        let there = Value::Map(fitting(&apigatewayv2::SERVICE, "UpdateApi", &target));
        if !same(&without(&wanted, &["ApiId"]), &without(&there, &["ApiId"])) {
            let Value::Map(input) = wanted else { return Ok(()) };
            self.to.call(V2, "UpdateApi", input).await?;
            self.report.add(Did::Updated, what.clone(), "");
        }
        let authorizers = self.named_parts(id, &AUTHORIZERS).await?;
        let models = self.named_parts(id, &MODELS).await?;
        let (integrations, stale) = self.integrations(id).await?;
        let mut ids = integrations;
        ids.extend(authorizers.ids.clone());
        let mut changed = self.routes(id, &ids).await?;
        changed |= authorizers.changed || models.changed || !stale.is_empty();
        for integration in &stale {
            self.to.find(V2, "DeleteIntegration", &[("ApiId", id), ("IntegrationId", integration)]).await?;
        }
        for (part, stale) in [(&AUTHORIZERS, &authorizers.stale), (&MODELS, &models.stale)] {
            for name in stale {
                self.to.find(V2, part.delete, &[("ApiId", id), (part.id, name)]).await?;
                changed = true;
            }
        }
        let did = if changed { Did::Updated } else { Did::Unchanged };
        let why = if changed { "routes, integrations and authorizers have ids of their own" } else { "" };
        self.report.add(did, format!("{what}, definition"), why);
        self.http_stages(id, changed).await?;
        let arn = format!("arn:aws:apigateway:{}::/apis/{id}", self.to.region());
        self.tags(V2, "ResourceArn", &arn, source.get("Tags"), target.get("Tags")).await
    }

    /// Makes the named parts of the target those of the source.
    async fn named_parts(&mut self, api: &str, part: &Part) -> Result<Matched> {
        let source = self.from.list_of(V2, part.list, &[("ApiId", api)]).await?;
        let target = self.to.list_of(V2, part.list, &[("ApiId", api)]).await?;
        let mut matched = Matched::default();
        for wanted in &source {
            let name = text(wanted, part.name);
            let there = target.iter().find(|there| text(there, part.name) == name);
            let mut input = fitting(&apigatewayv2::SERVICE, part.create, wanted);
            set(&mut input, "ApiId", api);
            let id = match there {
                Some(there) if same(&without(wanted, &[part.id]), &without(there, &[part.id])) => {
                    text(there, part.id)
                }
                Some(there) => {
                    set(&mut input, part.id, text(there, part.id));
                    self.to.call(V2, part.update, input).await?;
                    matched.changed = true;
                    text(there, part.id)
                }
                None => {
                    matched.changed = true;
                    match self.to.call(V2, part.create, input).await {
                        Ok(made) => {
                            matched
                                .ids
                                .insert(text(wanted, part.id).to_owned(), text(&made, part.id).to_owned());
                        }
                        Err(failure) => {
                            self.report.failed(format!("API {api}, {} {name}", part.what), &failure)
                        }
                    }
                    continue;
                }
            };
            matched.ids.insert(text(wanted, part.id).to_owned(), id.to_owned());
        }
        let stale = target
            .iter()
            .filter(|there| !source.iter().any(|known| text(known, part.name) == text(there, part.name)));
        matched.stale = stale.map(|there| text(there, part.id).to_owned()).collect();
        Ok(matched)
    }

    /// Source id → target id, and the target's integrations that the source does not have.
    async fn integrations(&mut self, api: &str) -> Result<(BTreeMap<String, String>, Vec<String>)> {
        let source = with_responses(&self.from, api).await?;
        let mut target = with_responses(&self.to, api).await?;
        let mut ids = BTreeMap::new();
        for (integration, responses) in source {
            let id = text(&integration, "IntegrationId").to_owned();
            let mut wanted = fitting(&apigatewayv2::SERVICE, "CreateIntegration", &integration);
            map_member(&mut wanted, "ConnectionId", |link| self.mapped(link));
            let says =
                |there: &Value| Value::Map(fitting(&apigatewayv2::SERVICE, "CreateIntegration", there));
            let same_one = target.iter().position(|(there, known)| {
                same(&says(there), &Value::Map(wanted.clone()))
                    && same_responses(&responses, known, "IntegrationResponseId")
            });
            if let Some(at) = same_one {
                let (there, _) = target.swap_remove(at);
                ids.insert(id, text(&there, "IntegrationId").to_owned());
                continue;
            }
            set(&mut wanted, "ApiId", api);
            let made = match self.to.call(V2, "CreateIntegration", wanted).await {
                Ok(made) => text(&made, "IntegrationId").to_owned(),
                Err(failure) => {
                    self.report.failed(format!("API {api}, integration {id}"), &failure);
                    continue;
                }
            };
            for response in &responses {
                let mut input = fitting(&apigatewayv2::SERVICE, "CreateIntegrationResponse", response);
                set(&mut input, "ApiId", api);
                set(&mut input, "IntegrationId", &made);
                self.to.call(V2, "CreateIntegrationResponse", input).await?;
            }
            ids.insert(id, made);
        }
        let stale = target.iter().map(|(there, _)| text(there, "IntegrationId").to_owned()).collect();
        Ok((ids, stale))
    }

    /// Whether anything changed.
    async fn routes(&mut self, api: &str, ids: &BTreeMap<String, String>) -> Result<bool> {
        let source = self.from.list_of(V2, "GetRoutes", &[("ApiId", api)]).await?;
        let target = self.to.list_of(V2, "GetRoutes", &[("ApiId", api)]).await?;
        let mut changed = false;
        let mapped = |id: &str| ids.get(id).cloned().unwrap_or_else(|| id.to_owned());
        for route in &source {
            let key = text(route, "RouteKey");
            let mut wanted = fitting(&apigatewayv2::SERVICE, "CreateRoute", route);
            map_member(&mut wanted, "AuthorizerId", mapped);
            map_member(&mut wanted, "Target", |target| match target.strip_prefix("integrations/") {
                Some(id) => format!("integrations/{}", mapped(id)),
                None => target.to_owned(),
            });
            let place = [("ApiId", api), ("RouteId", text(route, "RouteId"))];
            let responses = self.responses(true, &place).await?;
            if let Some(there) = target.iter().find(|there| text(there, "RouteKey") == key) {
                let place = [("ApiId", api), ("RouteId", text(there, "RouteId"))];
                let known = self.responses(false, &place).await?;
                let says = Value::Map(fitting(&apigatewayv2::SERVICE, "CreateRoute", there));
                if same(&says, &Value::Map(wanted.clone()))
                    && same_responses(&responses, &known, "RouteResponseId")
                {
                    continue;
                }
                self.to.find(V2, "DeleteRoute", &place).await?;
            }
            changed = true;
            set(&mut wanted, "ApiId", api);
            let made = match self.to.call(V2, "CreateRoute", wanted).await {
                Ok(made) => text(&made, "RouteId").to_owned(),
                Err(failure) => {
                    self.report.failed(format!("API {api}, route {key}"), &failure);
                    continue;
                }
            };
            for response in &responses {
                let mut input = fitting(&apigatewayv2::SERVICE, "CreateRouteResponse", response);
                set(&mut input, "ApiId", api);
                set(&mut input, "RouteId", &made);
                self.to.call(V2, "CreateRouteResponse", input).await?;
            }
        }
        for there in &target {
            if !source.iter().any(|route| text(route, "RouteKey") == text(there, "RouteKey")) {
                self.to
                    .find(V2, "DeleteRoute", &[("ApiId", api), ("RouteId", text(there, "RouteId"))])
                    .await?;
                changed = true;
            }
        }
        Ok(changed)
    }

    async fn responses(&self, of_source: bool, place: &[(&str, &str)]) -> Result<Vec<Value>> {
        let side = if of_source { &self.from } else { &self.to };
        side.list_of(V2, "GetRouteResponses", place).await
    }

    async fn http_stages(&mut self, api: &str, changed: bool) -> Result<()> {
        let stages = self.from.list_of(V2, "GetStages", &[("ApiId", api)]).await?;
        let mut deployment: Option<String> = None;
        for stage in &stages {
            let name = text(stage, "StageName");
            let what = format!("API {api}, stage {name}");
            let known = self.to.find(V2, "GetStage", &[("ApiId", api), ("StageName", name)]).await?;
            let automatic = stage.get("AutoDeploy") == Some(&Value::Bool(true));
            let mut input = fitting(&apigatewayv2::SERVICE, "CreateStage", stage);
            input.retain(|(member, _)| {
                !matches!(member.as_ref(), "DeploymentId" | "ClientCertificateId" | "Tags")
            });
            let says = |there: &Value| {
                without(&Value::Map(fitting(&apigatewayv2::SERVICE, "UpdateStage", there)), &["DeploymentId"])
            };
            let settled = known.as_ref().is_some_and(|known| same(&says(known), &Value::Map(input.clone())));
            let has_deployment = !text(stage, "DeploymentId").is_empty();
            if !automatic && has_deployment && (changed || !settled) {
                let id = match &deployment {
                    Some(id) => id.clone(),
                    None => {
                        let made = self.to.ask(V2, "CreateDeployment", &[("ApiId", api)]).await?;
                        self.report.add(
                            Did::Note,
                            what.clone(),
                            "deployed from the definition as it is now; what HTTP and WebSocket APIs have deployed cannot be read",
                        );
                        deployment.insert(text(&made, "DeploymentId").to_owned()).clone()
                    }
                };
                set(&mut input, "DeploymentId", id);
            }
            set(&mut input, "ApiId", api);
            let (did, done) = match &known {
                Some(_) if settled && (automatic || !changed) => (Did::Unchanged, Ok(Value::Null)),
                Some(_) => (Did::Updated, self.to.call(V2, "UpdateStage", input).await),
                None => {
                    input.extend(stage.get("Tags").map(|tags| (Key::from("Tags"), tags.clone())));
                    (Did::Created, self.to.call(V2, "CreateStage", input).await)
                }
            };
            match done {
                Ok(_) => self.report.add(did, what, ""),
                Err(failure) => self.report.failed(what, &failure),
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Matched {
    /// Source id → target id.
    ids: BTreeMap<String, String>,
    /// Ids at the target that the source does not have.
    stale: Vec<String>,
    changed: bool,
}

async fn with_responses(side: &Side, api: &str) -> Result<Vec<(Value, Vec<Value>)>> {
    let mut all = Vec::new();
    for integration in side.list_of(V2, "GetIntegrations", &[("ApiId", api)]).await? {
        let place = [("ApiId", api), ("IntegrationId", text(&integration, "IntegrationId"))];
        let responses = side.list_of(V2, "GetIntegrationResponses", &place).await?;
        all.push((integration, responses));
    }
    Ok(all)
}

fn same_responses(one: &[Value], other: &[Value], id: &str) -> bool {
    let sorted = |responses: &[Value]| {
        let mut responses: Vec<Value> =
            responses.iter().map(|response| document::normal(&without(response, &[id]))).collect();
        responses.sort_by_key(document::plain);
        responses
    };
    sorted(one) == sorted(other)
}
