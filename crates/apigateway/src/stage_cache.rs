//! Emptying the caches of a stage: `FlushStageCache`, `FlushStageAuthorizersCache`.
//!
//! The caches are the gateway's. This file counts how often they were emptied; the gateway follows the count.

use stagedoor_api::apigateway::{FlushStageAuthorizersCacheRequest, FlushStageCacheRequest};
use stagedoor_state::rest::CacheEpoch;
use stagedoor_state::{Cx, Result};

use crate::stage;

/// `DELETE /restapis/{restapi_id}/stages/{stage_name}/cache/data`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_FlushStageCache.html>
pub fn flush_stage_cache(cx: &mut Cx<'_>, input: FlushStageCacheRequest) -> Result<()> {
    advance(cx, &input.rest_api_id, &input.stage_name, |epoch| &mut epoch.responses)
}

/// `DELETE /restapis/{restapi_id}/stages/{stage_name}/cache/authorizers`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_FlushStageAuthorizersCache.html>
pub fn flush_stage_authorizers_cache(
    cx: &mut Cx<'_>,
    input: FlushStageAuthorizersCacheRequest,
) -> Result<()> {
    advance(cx, &input.rest_api_id, &input.stage_name, |epoch| &mut epoch.authorizers)
}

fn advance(cx: &mut Cx<'_>, api: &str, name: &str, count: fn(&mut CacheEpoch) -> &mut u64) -> Result<()> {
    stage::existing(cx, api, name)?;
    let mut epoch = cx.get::<CacheEpoch>(&[api, name])?.unwrap_or_default();
    *count(&mut epoch) += 1;
    cx.put(&[api, name], &epoch)
}
