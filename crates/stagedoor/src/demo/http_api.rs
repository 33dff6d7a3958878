//! An HTTP API made by quick create: one call gives a `$default` route to the backend and a `$default` stage.

use std::time::Instant;

use stagedoor_api::apigatewayv2::*;
use stagedoor_model::{Value, apigatewayv2};

use super::{Failure, Scene, present, say, say_answer, say_figures};

pub async fn show(scene: &Scene) -> Result<(), Failure> {
    say("\nHTTP API (apigatewayv2)")?;
    let service = &apigatewayv2::SERVICE;
    let input = CreateApiRequest {
        name: "demo".to_owned(),
        protocol_type: ProtocolType::Http,
        target: Some(format!("http://{}/shop", scene.backend)),
        ..Default::default()
    };
    let api: Api = scene.aws.call(service, "CreateApi", input).await?;
    let api = present(api.api_id, "apiId")?;
    let url = format!("{}/_aws/execute-api/{api}/$default/orders/3?sort=up", scene.addresses.http);
    let first = scene.stages.get(&url).await?;
    if first.status() != 200 {
        return Err(format!("{url} answered {}: {:?}", first.status(), first.body()).into());
    }
    let start = Instant::now();
    let latencies = scene.stages.repeat(&url, scene.requests, &first).await?;
    say_figures(&url, &latencies, start.elapsed())?;
    say(&format!("    answered {}", String::from_utf8_lossy(first.body())))?;
    let input = GetStagesRequest { api_id: api.clone(), ..Default::default() };
    let stages: Value = scene.aws.call(service, "GetStages", input).await?;
    say_answer(&format!("aws apigatewayv2 get-stages --api-id {api}"), service, "GetStages", stages)
}
