//! `GetSdk`: a client of a stage as a ZIP archive. Which kinds there are, `crate::sdk_type` says; JavaScript alone is
//! built.

mod javascript;
mod method_name;

use std::io::{Cursor, Write as _};

use stagedoor_api::apigateway::{GetSdkRequest, SdkResponse};
use stagedoor_state::{Cx, Fault, Result, execute_api};
use zip::CompressionMethod;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::openapi::{deployed, version};
use crate::{messages, sdk_type, stage};

/// The one kind that is built.
const JAVASCRIPT: &str = "javascript";
/// The folder in which AWS's archives have everything.
const FOLDER: &str = "apiGateway-js-sdk";

/// `GET /restapis/{restapi_id}/stages/{stage_name}/sdks/{sdk_type}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetSdk.html>
pub fn get_sdk(cx: &mut Cx<'_>, input: GetSdkRequest) -> Result<SdkResponse> {
    let (api, name) = (input.rest_api_id.as_str(), input.stage_name.as_str());
    let stage = stage::existing(cx, api, name)?;
    if !sdk_type::is_known(&input.sdk_type) {
        return Err(messages::no_sdk_type());
    }
    if input.sdk_type != JAVASCRIPT {
        return Err(messages::sdk_type_not_built(&input.sdk_type));
    }
    let snapshot = deployed(cx, api, &stage)?;
    // Node.js does not resolve host names below `localhost`, so the address is a path.
    let invoke_url = format!("{}/{name}", execute_api::by_path(&cx.environment.endpoints.http, api));
    let files = javascript::files(&snapshot, &invoke_url, cx.region());
    let archive = archive(&files).map_err(|_| Fault::internal())?;
    let file_name = format!("{JAVASCRIPT}_{}.zip", version(&snapshot.api));
    Ok(SdkResponse {
        body: Some(archive.into()),
        content_type: Some("application/octet-stream".to_owned()),
        content_disposition: Some(format!("attachment; filename=\"{file_name}\"")),
    })
}

/// The same files are the same bytes.
fn archive(files: &[(&str, String)]) -> std::result::Result<Vec<u8>, ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (path, text) in files {
        writer.start_file(format!("{FOLDER}/{path}"), stored)?;
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}
