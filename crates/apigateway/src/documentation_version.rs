//! Versions of an API's documentation: `CreateDocumentationVersion`, `GetDocumentationVersion`,
//! `GetDocumentationVersions`, `UpdateDocumentationVersion`, `DeleteDocumentationVersion`.

use stagedoor_api::apigateway::{
    CreateDocumentationVersionRequest, DeleteDocumentationVersionRequest, DocumentationVersion,
    DocumentationVersions, GetDocumentationVersionRequest, GetDocumentationVersionsRequest, Op, Stage,
    UpdateDocumentationVersionRequest,
};
use stagedoor_state::page::oldest_first;
use stagedoor_state::{Cx, Result, rest};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, rest_api, stage};

/// AWS's limit is not known; ours is what the store can name.
const NAME_LENGTH_MAX: usize = 128;

/// `POST /restapis/{restapi_id}/documentation/versions`: keeps the parts as they are; with `stageName` the stage
/// shows the version.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDocumentationVersion.html>
pub fn create_documentation_version(
    cx: &mut Cx<'_>,
    input: CreateDocumentationVersionRequest,
) -> Result<DocumentationVersion> {
    let (api, name) = (input.rest_api_id.as_str(), input.documentation_version.as_str());
    rest_api::existing(cx, api)?;
    if name.is_empty() {
        return Err(messages::documentation_version_empty());
    }
    if name.chars().count() > NAME_LENGTH_MAX {
        return Err(messages::name_too_long("documentation version", NAME_LENGTH_MAX));
    }
    if cx.exists::<rest::DocumentationVersion>(&[api, name])? {
        return Err(messages::documentation_version_exists());
    }
    if let Some(stage) = input.stage_name.as_deref().filter(|stage| !stage.is_empty()) {
        let old = stage::existing(cx, api, stage)?;
        cx.put(&[api, stage], &Stage { documentation_version: Some(name.to_owned()), ..old })?;
    }
    let version = DocumentationVersion {
        version: Some(name.to_owned()),
        created_date: Some(cx.now().whole_seconds()),
        description: input.description.filter(|description| !description.is_empty()),
    };
    let parts = cx.all(&[api])?;
    cx.put(&[api, name], &rest::DocumentationVersion { version: version.clone(), parts })?;
    Ok(version)
}

/// `GET /restapis/{restapi_id}/documentation/versions/{doc_version}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDocumentationVersion.html>
pub fn get_documentation_version(
    cx: &mut Cx<'_>,
    input: GetDocumentationVersionRequest,
) -> Result<DocumentationVersion> {
    Ok(existing(cx, &input.rest_api_id, &input.documentation_version)?.version)
}

/// `GET /restapis/{restapi_id}/documentation/versions`, oldest first; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDocumentationVersions.html>
pub fn get_documentation_versions(
    cx: &mut Cx<'_>,
    input: GetDocumentationVersionsRequest,
) -> Result<DocumentationVersions> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let versions = cx.all::<rest::DocumentationVersion>(&[api])?;
    let versions = versions.into_iter().map(|stored| stored.version).collect();
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |version: &DocumentationVersion| {
        let created = version.created_date.unwrap_or_default().as_micros();
        oldest_first(created, version.version.as_deref().unwrap_or_default())
    };
    let page = listing::page(cx, &format!("documentation versions {api}"), versions, order, &wish)?;
    Ok(DocumentationVersions { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/documentation/versions/{doc_version}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateDocumentationVersion.html>
pub fn update_documentation_version(
    cx: &mut Cx<'_>,
    input: UpdateDocumentationVersionRequest,
) -> Result<DocumentationVersion> {
    let (api, name) = (input.rest_api_id.as_str(), input.documentation_version.as_str());
    let mut stored = existing(cx, api, name)?;
    stored.version = PATCHES.apply(&stored.version, input.patch_operations.as_deref())?;
    cx.put(&[api, name], &stored)?;
    Ok(stored.version)
}

/// `DELETE /restapis/{restapi_id}/documentation/versions/{doc_version}`; stages that show it show none then.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDocumentationVersion.html>
pub fn delete_documentation_version(cx: &mut Cx<'_>, input: DeleteDocumentationVersionRequest) -> Result<()> {
    let (api, name) = (input.rest_api_id.as_str(), input.documentation_version.as_str());
    existing(cx, api, name)?;
    for stage in cx.all::<Stage>(&[api])? {
        if stage.documentation_version.as_deref() == Some(name) {
            let stage_name = stage.stage_name.clone().unwrap_or_default();
            cx.put(&[api, &stage_name], &Stage { documentation_version: None, ..stage })?;
        }
    }
    cx.delete::<rest::DocumentationVersion>(&[api, name])
}

/// The version of that name. An unknown API is answered like an unknown version.
fn existing(cx: &mut Cx<'_>, api: &str, name: &str) -> Result<rest::DocumentationVersion> {
    cx.get(&[api, name])?.ok_or_else(messages::no_documentation_version)
}

// === Patches ===

const PATCHES: Table<DocumentationVersion> = Table {
    refuse: refuse_first_generation,
    rows: &[&[Row { path: "/description", ops: &[Op::Replace], apply: patch_description }]],
};

fn patch_description(version: &mut DocumentationVersion, change: &Change<'_>) -> Result<()> {
    version.description = change.text();
    Ok(())
}
