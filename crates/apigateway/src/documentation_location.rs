//! What a part of the documentation is about: locations in an API, their defaults and their order. Pure.

use std::collections::BTreeSet;

use stagedoor_api::apigateway::{
    Authorizer, DocumentationPartLocation as Location, DocumentationPartType as Type, Method, Model, Resource,
};

/// The location with the members that its type has and that were not given: the root, any verb, any status.
pub fn completed(mut location: Location) -> Location {
    let kind = location.r#type;
    let (path, method, status) = members(kind);
    location.path = location.path.or(path.then(|| "/".to_owned()));
    // AWS was not seen to complete these on a part that names neither.
    location.method = location.method.filter(|_| method);
    location.status_code = location.status_code.filter(|_| status);
    location
}

/// Whether locations of that type have a path, a method, a status.
fn members(kind: Type) -> (bool, bool, bool) {
    match kind {
        Type::Api | Type::Authorizer | Type::Model => (false, false, false),
        Type::Resource => (true, false, false),
        Type::Response | Type::ResponseHeader | Type::ResponseBody => (true, true, true),
        Type::Method
        | Type::PathParameter
        | Type::QueryParameter
        | Type::RequestHeader
        | Type::RequestBody => (true, true, false),
    }
}

/// Sorts locations: by type, then from the root down. Differs for any two locations.
pub fn place(location: &Location) -> String {
    let Location { path, method, status_code, name, .. } = location;
    let rest = [path, method, status_code, name].map(|member| member.as_deref().unwrap_or_default());
    format!("{}\n{}", location.r#type.as_str(), rest.join("\n"))
}

/// Every location that an API has.
pub fn all(resources: &[Resource], models: &[Model], authorizers: &[Authorizer]) -> Vec<Location> {
    let mut all = vec![Location { r#type: Type::Api, ..Location::default() }];
    let named =
        |kind, name: &Option<String>| Location { r#type: kind, name: name.clone(), ..Location::default() };
    all.extend(authorizers.iter().map(|authorizer| named(Type::Authorizer, &authorizer.name)));
    all.extend(models.iter().map(|model| named(Type::Model, &model.name)));
    for resource in resources {
        let path = resource.path.as_ref();
        all.push(Location { r#type: Type::Resource, path: path.cloned(), ..Location::default() });
        for (verb, method) in resource.resource_methods.iter().flatten() {
            let here = Location { path: path.cloned(), method: Some(verb.clone()), ..Location::default() };
            of_method(&here, method, &mut all);
        }
    }
    all
}

fn of_method(here: &Location, method: &Method, all: &mut Vec<Location>) {
    let kind = |kind| Location { r#type: kind, ..here.clone() };
    all.push(kind(Type::Method));
    for parameter in method.request_parameters.iter().flatten().map(|(key, _)| key) {
        let place = parameter.strip_prefix("method.request.").and_then(|place| place.split_once('.'));
        let parameter = match place {
            Some(("path", name)) => Some((Type::PathParameter, name)),
            Some(("querystring", name)) => Some((Type::QueryParameter, name)),
            Some(("header", name)) => Some((Type::RequestHeader, name)),
            _ => None,
        };
        all.extend(parameter.map(|(of, name)| Location { name: Some(name.to_owned()), ..kind(of) }));
    }
    if method.request_models.as_ref().is_some_and(|models| !models.is_empty()) {
        all.push(kind(Type::RequestBody));
    }
    for (status, response) in method.method_responses.iter().flatten() {
        let kind = |of| Location { status_code: Some(status.clone()), ..kind(of) };
        all.push(kind(Type::Response));
        let headers: BTreeSet<_> =
            response.response_parameters.iter().flatten().map(|(key, _)| key).collect();
        for header in headers {
            let name = header.strip_prefix("method.response.header.").map(str::to_owned);
            all.push(Location { name, ..kind(Type::ResponseHeader) });
        }
        if response.response_models.as_ref().is_some_and(|models| !models.is_empty()) {
            all.push(kind(Type::ResponseBody));
        }
    }
}
