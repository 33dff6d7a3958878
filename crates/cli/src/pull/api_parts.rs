//! The working copy of a REST API: models, validators, authorizers, responses, documentation, resources.
//!
//! Both sides are read into one document without ids; when they differ, the target is emptied and built anew. What
//! is deployed there does not notice.

use std::collections::BTreeMap;

use stagedoor_model::{Value, apigateway};

use super::Pull;
use super::document::{self, Entries, fitting, map_member, same, set, text, without};
use super::report::Did;
use super::side::Side;
use crate::failure::Result;

const V1: &str = "apigateway";

/// A kind of part with a list of its own: what it is called, its id, and the operations.
struct Part {
    what: &'static str,
    id: &'static str,
    /// The member of inputs that takes the id.
    takes: &'static str,
    list: &'static str,
    create: &'static str,
    delete: &'static str,
}

const PARTS: [Part; 4] = [
    Part {
        what: "model",
        id: "name",
        takes: "modelName",
        list: "GetModels",
        create: "CreateModel",
        delete: "DeleteModel",
    },
    Part {
        what: "request validator",
        id: "id",
        takes: "requestValidatorId",
        list: "GetRequestValidators",
        create: "CreateRequestValidator",
        delete: "DeleteRequestValidator",
    },
    Part {
        what: "authorizer",
        id: "id",
        takes: "authorizerId",
        list: "GetAuthorizers",
        create: "CreateAuthorizer",
        delete: "DeleteAuthorizer",
    },
    Part {
        what: "documentation part",
        id: "id",
        takes: "documentationPartId",
        list: "GetDocumentationParts",
        create: "CreateDocumentationPart",
        delete: "DeleteDocumentationPart",
    },
];

/// Everything that was read of one side.
struct Definition {
    parts: [Vec<Value>; PARTS.len()],
    gateway_responses: Vec<Value>,
    resources: Vec<Value>,
}

impl Definition {
    async fn read(side: &Side, api: &str) -> Result<Self> {
        let mut parts: [Vec<Value>; PARTS.len()] = Default::default();
        for (read, part) in parts.iter_mut().zip(&PARTS) {
            *read = side.list_of(V1, part.list, &[("restApiId", api)]).await?;
        }
        let responses = side.list_of(V1, "GetGatewayResponses", &[("restApiId", api)]).await?;
        let embed = Value::List(vec![Value::String("methods".to_owned())]);
        let input = vec![("restApiId", Value::String(api.to_owned())), ("embed", embed)];
        let mut resources = side.list(V1, "GetResources", input).await?;
        resources.sort_by(|one, other| text(one, "path").cmp(text(other, "path")));
        let changed = |response: &Value| response.get("defaultResponse") != Some(&Value::Bool(true));
        Ok(Self { parts, gateway_responses: responses.into_iter().filter(changed).collect(), resources })
    }

    /// Names of what has ids, by id.
    fn names(&self, ids: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let parts = self.parts.iter().flatten().filter(|part| part.get("id").is_some());
        let mut names: BTreeMap<String, String> =
            parts.map(|part| (text(part, "id").to_owned(), text(part, "name").to_owned())).collect();
        names.extend(
            self.resources.iter().map(|part| (text(part, "id").to_owned(), text(part, "path").to_owned())),
        );
        names.extend(ids.iter().map(|(id, mapped)| (id.clone(), mapped.clone())));
        names
    }

    /// The same without ids; references are names.
    fn comparable(&self, ids: &BTreeMap<String, String>) -> Value {
        let names = self.names(ids);
        let mut sections: Entries = Vec::new();
        for (part, read) in PARTS.iter().zip(&self.parts) {
            sections.push((part.what.into(), sorted(read.iter().map(|value| without(value, &["id"])))));
        }
        sections.push(("responses".into(), sorted(self.gateway_responses.iter().cloned())));
        let resources = self.resources.iter().map(|resource| {
            let methods = named(resource.get("resourceMethods").cloned().unwrap_or_default(), &names);
            (text(resource, "path").to_owned().into(), Value::List(vec![methods]))
        });
        sections.push(("resources".into(), Value::Map(resources.collect())));
        Value::Map(sections)
    }
}

fn sorted(values: impl Iterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.map(|value| document::normal(&value)).collect();
    values.sort_by_key(document::plain);
    Value::List(values)
}

/// The tree with ids, where members hold ids, replaced.
fn named(value: Value, names: &BTreeMap<String, String>) -> Value {
    const HOLDERS: [&str; 4] = ["authorizerId", "requestValidatorId", "cacheNamespace", "connectionId"];
    match value {
        Value::Map(mut entries) => {
            for (key, value) in &mut entries {
                let old = std::mem::take(value);
                *value = match &old {
                    Value::String(id) if HOLDERS.contains(&key.as_ref()) => {
                        Value::String(names.get(id).unwrap_or(id).clone())
                    }
                    _ => named(old, names),
                };
            }
            Value::Map(entries)
        }
        other => other,
    }
}

impl Pull {
    /// Makes the target's working copy say what the source's says.
    pub(super) async fn definition(&mut self, api: &str) -> Result<()> {
        let what = format!("REST API {api}, definition");
        let source = Definition::read(&self.from, api).await?;
        let target = Definition::read(&self.to, api).await?;
        if same(&source.comparable(&self.ids), &target.comparable(&BTreeMap::new())) {
            self.report.add(Did::Unchanged, what, "");
            return Ok(());
        }
        self.empty(api, &target).await?;
        let mut ids = self.ids.clone();
        self.parts(api, &source, &mut ids).await;
        for response in &source.gateway_responses {
            let mut input = fitting(&apigateway::SERVICE, "PutGatewayResponse", response);
            set(&mut input, "restApiId", api);
            self.tried(
                format!("gateway response {}", text(response, "responseType")),
                "PutGatewayResponse",
                input,
            )
            .await;
        }
        self.resources(api, &source, &mut ids).await?;
        self.report.add(Did::Updated, what, "resources, authorizers and validators have ids of their own");
        Ok(())
    }

    /// Deletes what the target's working copy has, but the root resource.
    async fn empty(&mut self, api: &str, target: &Definition) -> Result<()> {
        for resource in &target.resources {
            let id = text(resource, "id");
            if text(resource, "path") == "/" {
                let Some(Value::Map(methods)) = resource.get("resourceMethods") else { continue };
                for (verb, _) in methods {
                    let input = [("restApiId", api), ("resourceId", id), ("httpMethod", verb.as_ref())];
                    self.to.find(V1, "DeleteMethod", &input).await?;
                }
            } else if text(resource, "path").matches('/').count() == 1 {
                self.to.find(V1, "DeleteResource", &[("restApiId", api), ("resourceId", id)]).await?;
            }
        }
        for response in &target.gateway_responses {
            let input = [("restApiId", api), ("responseType", text(response, "responseType"))];
            self.to.find(V1, "DeleteGatewayResponse", &input).await?;
        }
        // Models may refer to those before them.
        for (part, read) in PARTS.iter().zip(&target.parts).rev() {
            for value in read.iter().rev() {
                self.to
                    .find(V1, part.delete, &[("restApiId", api), (part.takes, text(value, part.id))])
                    .await?;
            }
        }
        Ok(())
    }

    async fn parts(&mut self, api: &str, source: &Definition, ids: &mut BTreeMap<String, String>) {
        for (part, read) in PARTS.iter().zip(&source.parts) {
            for value in read {
                let mut input = fitting(&apigateway::SERVICE, part.create, value);
                set(&mut input, "restApiId", api);
                let what = format!("REST API {api}, {} {}", part.what, text(value, "name"));
                if let Some(made) = self.tried(what, part.create, input).await {
                    ids.insert(text(value, "id").to_owned(), text(&made, "id").to_owned());
                }
            }
        }
    }

    /// Resources come sorted by path, so a parent stands before its children.
    async fn resources(
        &mut self,
        api: &str,
        source: &Definition,
        ids: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let there = self.to.ask(V1, "GetRestApi", &[("restApiId", api)]).await?;
        for resource in &source.resources {
            let (id, path) = (text(resource, "id"), text(resource, "path"));
            let here = if path == "/" {
                Some(text(&there, "rootResourceId").to_owned())
            } else {
                let parent = ids.get(text(resource, "parentId")).cloned().unwrap_or_default();
                let mut input: Entries = Vec::new();
                set(&mut input, "restApiId", api);
                set(&mut input, "parentId", parent);
                set(&mut input, "pathPart", text(resource, "pathPart"));
                let made =
                    self.tried(format!("REST API {api}, resource {path}"), "CreateResource", input).await;
                made.map(|made| text(&made, "id").to_owned())
            };
            let Some(here) = here else { continue };
            ids.insert(id.to_owned(), here.clone());
            let Some(Value::Map(methods)) = resource.get("resourceMethods") else { continue };
            for (verb, method) in methods {
                self.method([api, &here, verb.as_ref()], path, method, ids).await;
            }
        }
        Ok(())
    }

    async fn method(&mut self, place: [&str; 3], path: &str, method: &Value, ids: &BTreeMap<String, String>) {
        let mapped = |id: &str| ids.get(id).cloned().unwrap_or_else(|| id.to_owned());
        let what = format!("REST API {}, {} {path}", place[0], place[2]);
        let at = |operation: &'static str, value: &Value| {
            let mut input = fitting(&apigateway::SERVICE, operation, value);
            for (name, word) in ["restApiId", "resourceId", "httpMethod"].into_iter().zip(place) {
                set(&mut input, name, word);
            }
            input
        };
        let mut input = at("PutMethod", method);
        map_member(&mut input, "authorizerId", mapped);
        map_member(&mut input, "requestValidatorId", mapped);
        if self.tried(what.clone(), "PutMethod", input).await.is_none() {
            return;
        }
        for response in values(method.get("methodResponses")) {
            self.tried(what.clone(), "PutMethodResponse", at("PutMethodResponse", response)).await;
        }
        let Some(integration) = method.get("methodIntegration").filter(|integration| !integration.is_null())
        else {
            return;
        };
        let mut input = at("PutIntegration", integration);
        if let Some(verb) = integration.get("httpMethod").filter(|verb| !verb.is_null()) {
            set(&mut input, "integrationHttpMethod", verb.clone());
        }
        map_member(&mut input, "cacheNamespace", mapped);
        map_member(&mut input, "connectionId", mapped);
        if self.tried(what.clone(), "PutIntegration", input).await.is_none() {
            return;
        }
        for response in values(integration.get("integrationResponses")) {
            self.tried(what.clone(), "PutIntegrationResponse", at("PutIntegrationResponse", response)).await;
        }
    }

    /// Calls the target; a failure is told and gives nothing.
    pub(super) async fn tried(
        &mut self,
        what: String,
        operation: &'static str,
        input: Entries,
    ) -> Option<Value> {
        match self.to.call(V1, operation, input).await {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.report.failed(what, &failure);
                None
            }
        }
    }
}

fn values(map: Option<&Value>) -> impl Iterator<Item = &Value> {
    let entries = match map {
        Some(Value::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(_, value)| value)
}
