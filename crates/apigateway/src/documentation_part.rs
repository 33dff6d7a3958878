//! Parts of an API's documentation: `CreateDocumentationPart`, `GetDocumentationPart`, `GetDocumentationParts`,
//! `ImportDocumentationParts`, `UpdateDocumentationPart`, `DeleteDocumentationPart`.
//!
//! What a part may be about stands in [`crate::documentation_location`].

use serde_json::{Map, Value};
use stagedoor_api::apigateway::{
    CreateDocumentationPartRequest, DeleteDocumentationPartRequest, DocumentationPart, DocumentationPartIds,
    DocumentationPartLocation, DocumentationPartType, DocumentationParts, GetDocumentationPartRequest,
    GetDocumentationPartsRequest, ImportDocumentationPartsRequest, LocationStatusType, Op, PutMode,
    UpdateDocumentationPartRequest,
};
use stagedoor_state::{Cx, Result, definition};

use crate::documentation_location::{self as location, place};
use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, quota, rest_api};

/// Characters of a part's id.
pub const ID_LENGTH: usize = 6;
/// What holds the parts in a definition.
const EXTENSION: &str = "x-amazon-apigateway-documentation";

/// `POST /restapis/{restapi_id}/documentation/parts`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDocumentationPart.html>
pub fn create_documentation_part(
    cx: &mut Cx<'_>,
    input: CreateDocumentationPartRequest,
) -> Result<DocumentationPart> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    check_properties(&input.properties)?;
    let location = location::completed(input.location);
    if at(cx, api, &location)?.is_some() {
        return Err(messages::documentation_part_exists(&location));
    }
    quota::check::<DocumentationPart>(cx, &[api], quota::DOCUMENTATION_PARTS)?;
    put(cx, api, location, input.properties)
}

/// `GET /restapis/{restapi_id}/documentation/parts/{part_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDocumentationPart.html>
pub fn get_documentation_part(
    cx: &mut Cx<'_>,
    input: GetDocumentationPartRequest,
) -> Result<DocumentationPart> {
    existing(cx, &input.rest_api_id, &input.documentation_part_id)
}

/// `GET /restapis/{restapi_id}/documentation/parts`, by location. With `locationStatus=UNDOCUMENTED`: the locations
/// that the API has and no part is about, as parts without an id.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDocumentationParts.html>
pub fn get_documentation_parts(
    cx: &mut Cx<'_>,
    input: GetDocumentationPartsRequest,
) -> Result<DocumentationParts> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let mut parts = match input.location_status {
        Some(LocationStatusType::Undocumented) => undocumented(cx, api)?,
        _ => cx.all::<DocumentationPart>(&[api])?,
    };
    parts.retain(|part| part.location.as_ref().is_some_and(|location| wanted(location, &input)));
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |part: &DocumentationPart| part.location.as_ref().map(place).unwrap_or_default();
    let page = listing::page(cx, &format!("documentation parts {api}"), parts, order, &wish)?;
    Ok(DocumentationParts { items: Some(page.items), position: page.next })
}

/// `PUT /restapis/{restapi_id}/documentation/parts`: the parts of a definition, instead of all or over those of the
/// same locations.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_ImportDocumentationParts.html>
pub fn import_documentation_parts(
    cx: &mut Cx<'_>,
    input: ImportDocumentationPartsRequest,
) -> Result<DocumentationPartIds> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let text = std::str::from_utf8(&input.body).ok();
    let definition = text.and_then(definition::read).ok_or_else(messages::no_importer)?;
    let (parts, warnings) = imported(&definition);
    if input.fail_on_warnings == Some(true) && !warnings.is_empty() {
        return Err(messages::bad_request(warnings.join("\n")));
    }
    if input.mode == Some(PutMode::Overwrite) {
        cx.delete_all::<DocumentationPart>(&[api])?;
    }
    let mut ids = Vec::new();
    for (location, properties) in parts {
        let part = match at(cx, api, &location)? {
            Some(old) => replace(cx, api, old, properties)?,
            None => put(cx, api, location, properties)?,
        };
        ids.extend(part.id);
    }
    let count = cx.count::<DocumentationPart>(&[api])?;
    quota::check_count(cx, quota::DOCUMENTATION_PARTS, count.saturating_sub(1))?;
    Ok(DocumentationPartIds {
        ids: Some(ids),
        warnings: Some(warnings).filter(|warnings| !warnings.is_empty()),
    })
}

/// `PATCH /restapis/{restapi_id}/documentation/parts/{part_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateDocumentationPart.html>
pub fn update_documentation_part(
    cx: &mut Cx<'_>,
    input: UpdateDocumentationPartRequest,
) -> Result<DocumentationPart> {
    let (api, id) = (input.rest_api_id.as_str(), input.documentation_part_id.as_str());
    let old = existing(cx, api, id)?;
    let part = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    check_properties(part.properties.as_deref().unwrap_or_default())?;
    cx.put(&[api, id], &part)?;
    Ok(part)
}

/// `DELETE /restapis/{restapi_id}/documentation/parts/{part_id}`; unlike in its siblings, an unknown API is named.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDocumentationPart.html>
pub fn delete_documentation_part(cx: &mut Cx<'_>, input: DeleteDocumentationPartRequest) -> Result<()> {
    let (api, id) = (input.rest_api_id.as_str(), input.documentation_part_id.as_str());
    rest_api::existing(cx, api)?;
    existing(cx, api, id)?;
    cx.delete::<DocumentationPart>(&[api, id])
}

/// The part of that id. An unknown API is answered like an unknown part.
fn existing(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<DocumentationPart> {
    cx.get(&[api, id])?.ok_or_else(messages::no_documentation_part)
}

/// The part about that location.
fn at(cx: &mut Cx<'_>, api: &str, location: &DocumentationPartLocation) -> Result<Option<DocumentationPart>> {
    let parts = cx.all::<DocumentationPart>(&[api])?;
    Ok(parts.into_iter().find(|part| part.location.as_ref() == Some(location)))
}

fn put(
    cx: &mut Cx<'_>,
    api: &str,
    location: DocumentationPartLocation,
    properties: String,
) -> Result<DocumentationPart> {
    let id = cx.new_id(ID_LENGTH);
    let part =
        DocumentationPart { id: Some(id.clone()), location: Some(location), properties: Some(properties) };
    cx.put(&[api, &id], &part)?;
    Ok(part)
}

fn replace(
    cx: &mut Cx<'_>,
    api: &str,
    old: DocumentationPart,
    properties: String,
) -> Result<DocumentationPart> {
    let part = DocumentationPart { properties: Some(properties), ..old };
    cx.put(&[api, part.id.as_deref().unwrap_or_default()], &part)?;
    Ok(part)
}

fn undocumented(cx: &mut Cx<'_>, api: &str) -> Result<Vec<DocumentationPart>> {
    let documented = cx.all::<DocumentationPart>(&[api])?;
    let mut locations = location::all(&cx.all(&[api])?, &cx.all(&[api])?, &cx.all(&[api])?);
    locations.retain(|location| !documented.iter().any(|part| part.location.as_ref() == Some(location)));
    let part = |location| DocumentationPart { location: Some(location), ..DocumentationPart::default() };
    Ok(locations.into_iter().map(part).collect())
}

/// Whether a list shows a location. `path` means it and what is below it.
fn wanted(location: &DocumentationPartLocation, wish: &GetDocumentationPartsRequest) -> bool {
    let path = location.path.as_deref().unwrap_or_default();
    let below = |start: &str| {
        let rest = path.strip_prefix(start.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    wish.r#type.is_none_or(|kind| location.r#type == kind)
        && wish.name_query.as_ref().is_none_or(|name| location.name.as_ref() == Some(name))
        && wish.path.as_deref().is_none_or(below)
}

fn check_properties(properties: &str) -> Result<()> {
    match serde_json::from_str::<Map<String, Value>>(properties) {
        Ok(_) => Ok(()),
        Err(_) => Err(messages::bad_documentation_properties()),
    }
}

// === Definitions ===

/// The parts of a definition, and what is wrong with those that are left out.
pub fn imported(definition: &Map<String, Value>) -> (Vec<(DocumentationPartLocation, String)>, Vec<String>) {
    let parts = definition.get(EXTENSION).and_then(|extension| extension.get("documentationParts"));
    let (mut good, mut warnings) = (Vec::new(), Vec::new());
    for part in parts.and_then(Value::as_array).into_iter().flatten() {
        match read_part(part) {
            Some(part) => good.push(part),
            None => warnings.push(format!("Invalid documentation part ignored: {part}")),
        }
    }
    (good, warnings)
}

fn read_part(part: &Value) -> Option<(DocumentationPartLocation, String)> {
    let given = part.get("location")?;
    let text = |member: &str| given.get(member).and_then(definition::text);
    let location = DocumentationPartLocation {
        r#type: DocumentationPartType::parse(given.get("type")?.as_str()?)?,
        path: text("path"),
        method: text("method"),
        status_code: text("statusCode"),
        name: text("name"),
    };
    let properties = part.get("properties").filter(|properties| properties.is_object())?;
    Some((location::completed(location), properties.to_string()))
}

// === Patches ===

const PATCHES: Table<DocumentationPart> = Table {
    refuse: refuse_first_generation,
    rows: &[&[Row { path: "/properties", ops: &[Op::Replace], apply: patch_properties }]],
};

fn patch_properties(part: &mut DocumentationPart, change: &Change<'_>) -> Result<()> {
    part.properties = Some(change.value_or_empty());
    Ok(())
}
