//! `GetExport`: what a stage serves as a definition.

use stagedoor_api::apigateway::{ExportResponse, GetExportRequest, Stage};
use stagedoor_state::rest::{DocumentationVersion, Snapshot};
use stagedoor_state::{Cx, Result, definition, execute_api};

use super::document::Format;
use super::write::{self, Extensions, Server};
use super::{describe, extension};
use crate::{messages, stage};

/// Exports are files, whatever is in them.
const CONTENT_TYPE: &str = "application/octet-stream";

/// `GET /restapis/{restapi_id}/stages/{stage_name}/exports/{export_type}`: JSON, or YAML if `Accept` says so.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetExport.html>
pub fn get_export(cx: &mut Cx<'_>, input: GetExportRequest) -> Result<ExportResponse> {
    let (api, name) = (input.rest_api_id.as_str(), input.stage_name.as_str());
    let stage = stage::existing(cx, api, name)?;
    let format = match input.export_type.as_str() {
        "swagger" => Format::Swagger,
        "oas30" => Format::OpenApi,
        _ => return Err(messages::bad_export_type()),
    };
    let wish = input.parameters.as_ref().and_then(|parameters| parameters.get("extensions"));
    let extensions = wish.map(|wish| Extensions::parse(wish)).unwrap_or_default();
    let snapshot = deployed(cx, api, &stage)?;
    let origin = execute_api::by_host(&cx.environment.endpoints.http, cx.region(), api);
    let server = Server { origin, stage: name };
    let mut definition = write::definition(&snapshot, &server, format, extensions);
    if let Some(documentation) = documentation(cx, api, &stage)? {
        describe::write(&mut definition, format, &documentation.parts);
        if extensions.documentation {
            let version = documentation.version.version.unwrap_or_default();
            let created = documentation.version.created_date.unwrap_or_default().to_string();
            definition[extension::DOCUMENTATION] =
                describe::extension(&version, &created, &documentation.parts);
        }
    }
    let yaml = input.accepts.is_some_and(|accepts| accepts.contains("yaml"));
    let (text, ending) = match yaml {
        true => (definition::write_yaml(&definition), "yaml"),
        false => (definition::write_json(&definition), "json"),
    };
    let version = write::version(&snapshot.api);
    Ok(ExportResponse {
        body: Some(text.into()),
        content_type: Some(CONTENT_TYPE.to_owned()),
        content_disposition: Some(format!(
            "attachment; filename=\"{}_{version}.{ending}\"",
            input.export_type
        )),
    })
}

/// What the stage serves.
pub fn deployed(cx: &mut Cx<'_>, api: &str, stage: &Stage) -> Result<Snapshot> {
    let deployment = stage.deployment_id.as_deref().unwrap_or_default();
    cx.get::<Snapshot>(&[api, deployment])?.ok_or_else(messages::no_deployment)
}

fn documentation(cx: &mut Cx<'_>, api: &str, stage: &Stage) -> Result<Option<DocumentationVersion>> {
    match stage.documentation_version.as_deref() {
        Some(version) => cx.get(&[api, version]),
        None => Ok(None),
    }
}
