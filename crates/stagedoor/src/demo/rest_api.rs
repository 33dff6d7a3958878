//! A REST API with two methods: a MOCK, and an HTTP_PROXY whose backend stands in a stage variable.

use std::collections::BTreeMap;
use std::time::Instant;

use stagedoor_api::apigateway::*;
use stagedoor_model::{Shape, Value, apigateway};

use super::{Failure, Scene, present, say, say_answer, say_figures};

pub async fn show(scene: &Scene) -> Result<(), Failure> {
    say("\nREST API (apigateway)")?;
    let api = create(scene).await?;
    let url = format!("{}/_aws/execute-api/{api}/prod", scene.addresses.http);
    for path in ["/mock", "/pets/7?colour=red"] {
        let url = format!("{url}{path}");
        let first = scene.stages.get(&url).await?;
        if first.status() != 200 {
            return Err(format!("{url} answered {}: {:?}", first.status(), first.body()).into());
        }
        let start = Instant::now();
        let latencies = scene.stages.repeat(&url, scene.requests, &first).await?;
        say_figures(&url, &latencies, start.elapsed())?;
        say(&format!("    answered {}", String::from_utf8_lossy(first.body())))?;
    }
    let input = GetStagesRequest { rest_api_id: api.clone(), ..Default::default() };
    let stages: Value = scene.aws.call(&apigateway::SERVICE, "GetStages", input).await?;
    let command = format!("aws apigateway get-stages --rest-api-id {api}");
    say_answer(&command, &apigateway::SERVICE, "GetStages", stages)
}

async fn create(scene: &Scene) -> Result<String, Failure> {
    let input = CreateRestApiRequest { name: "demo".to_owned(), ..Default::default() };
    let api: RestApi = call(scene, "CreateRestApi", input).await?;
    let (id, root) = (present(api.id, "id")?, present(api.root_resource_id, "rootResourceId")?);
    let mock = resource(scene, &id, &root, "mock").await?;
    let pets = resource(scene, &id, &root, "pets").await?;
    let pet = resource(scene, &id, &pets, "{pet}").await?;
    mock_method(scene, &id, &mock).await?;
    proxy_method(scene, &id, &pet).await?;
    let input = CreateDeploymentRequest { rest_api_id: id.clone(), ..Default::default() };
    let deployment: Deployment = call(scene, "CreateDeployment", input).await?;
    let input = CreateStageRequest {
        rest_api_id: id.clone(),
        stage_name: "prod".to_owned(),
        deployment_id: present(deployment.id, "id")?,
        variables: Some(BTreeMap::from([("backend".to_owned(), scene.backend.to_string())])),
        ..Default::default()
    };
    call::<_, Stage>(scene, "CreateStage", input).await?;
    Ok(id)
}

async fn resource(scene: &Scene, api: &str, parent: &str, part: &str) -> Result<String, Failure> {
    let input = CreateResourceRequest {
        rest_api_id: api.to_owned(),
        parent_id: parent.to_owned(),
        path_part: part.to_owned(),
    };
    present(call::<_, Resource>(scene, "CreateResource", input).await?.id, "id")
}

async fn mock_method(scene: &Scene, api: &str, resource: &str) -> Result<(), Failure> {
    put_method(scene, api, resource, None).await?;
    let template = BTreeMap::from([("application/json".to_owned(), r#"{"statusCode": 200}"#.to_owned())]);
    let input = PutIntegrationRequest {
        rest_api_id: api.to_owned(),
        resource_id: resource.to_owned(),
        http_method: "GET".to_owned(),
        r#type: IntegrationType::Mock,
        request_templates: Some(template),
        ..Default::default()
    };
    call::<_, Integration>(scene, "PutIntegration", input).await?;
    let input = PutMethodResponseRequest {
        rest_api_id: api.to_owned(),
        resource_id: resource.to_owned(),
        http_method: "GET".to_owned(),
        status_code: "200".to_owned(),
        ..Default::default()
    };
    call::<_, MethodResponse>(scene, "PutMethodResponse", input).await?;
    let body = BTreeMap::from([("application/json".to_owned(), Some(r#"{"message": "hello"}"#.to_owned()))]);
    let input = PutIntegrationResponseRequest {
        rest_api_id: api.to_owned(),
        resource_id: resource.to_owned(),
        http_method: "GET".to_owned(),
        status_code: "200".to_owned(),
        response_templates: Some(body),
        ..Default::default()
    };
    call::<_, IntegrationResponse>(scene, "PutIntegrationResponse", input).await?;
    Ok(())
}

async fn proxy_method(scene: &Scene, api: &str, resource: &str) -> Result<(), Failure> {
    let pet = |name: &str| format!("{name}.request.path.pet");
    put_method(scene, api, resource, Some(BTreeMap::from([(pet("method"), true)]))).await?;
    let input = PutIntegrationRequest {
        rest_api_id: api.to_owned(),
        resource_id: resource.to_owned(),
        http_method: "GET".to_owned(),
        integration_http_method: Some("GET".to_owned()),
        r#type: IntegrationType::HttpProxy,
        uri: Some("http://${stageVariables.backend}/animals/{pet}".to_owned()),
        request_parameters: Some(BTreeMap::from([(pet("integration"), pet("method"))])),
        ..Default::default()
    };
    call::<_, Integration>(scene, "PutIntegration", input).await?;
    Ok(())
}

async fn put_method(
    scene: &Scene,
    api: &str,
    resource: &str,
    parameters: Option<BTreeMap<String, bool>>,
) -> Result<(), Failure> {
    let input = PutMethodRequest {
        rest_api_id: api.to_owned(),
        resource_id: resource.to_owned(),
        http_method: "GET".to_owned(),
        authorization_type: "NONE".to_owned(),
        request_parameters: parameters,
        ..Default::default()
    };
    call::<_, Method>(scene, "PutMethod", input).await?;
    Ok(())
}

async fn call<I: Shape, O: Shape>(scene: &Scene, operation: &str, input: I) -> Result<O, Failure> {
    Ok(scene.aws.call(&apigateway::SERVICE, operation, input).await?)
}
