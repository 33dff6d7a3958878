"""`stagedoor pull`: what one server has comes to another, and back."""

import json

import pytest

import setups
from commands import run
from conftest import client
from server import Server


@pytest.fixture
def second(tmp_path):
    with Server(tmp_path / "second") as running:
        yield running


def pull(source, target, *words, code=0):
    told = run("pull", "--endpoint-url", source.http, "--to", target.http, "--output", "json", *words, code=code)
    return [(line["did"], line["what"], line["why"]) for line in json.loads(told)]


def export(server, api, stage):
    made = client(server, "apigateway").get_export(
        restApiId=api, stageName=stage, exportType="oas30", parameters={"extensions": "apigateway"}, accepts="application/json"
    )
    document = json.loads(made["body"].read())
    document.pop("servers", None)
    document["info"].pop("version", None)
    return document


def shop(apigateway):
    """A REST API with something of everything, whose working copy is ahead of its stage."""
    api, root = setups.rest_api(apigateway, "shop")
    apigateway.update_rest_api(
        restApiId=api,
        patchOperations=[
            {"op": "replace", "path": "/description", "value": "pets"},
            {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        ],
    )
    apigateway.create_model(restApiId=api, name="Pet", contentType="application/json", schema='{"type":"object"}')
    validator = apigateway.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
    pets = setups.resource(apigateway, api, root, "pets")
    pet = setups.resource(apigateway, api, pets, "{id}")
    setups.mock_method(apigateway, api, pets)
    setups.proxy_method(apigateway, api, pet, "http://127.0.0.1:9/{id}", path_variables=["id"])
    apigateway.update_method(
        restApiId=api, resourceId=pets, httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/requestValidatorId", "value": validator},
            {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
        ],
    )
    apigateway.put_gateway_response(restApiId=api, responseType="DEFAULT_4XX", responseTemplates={"application/json": "{}"})
    deployment = apigateway.create_deployment(restApiId=api, description="first")["id"]
    apigateway.create_stage(
        restApiId=api, stageName="prod", deploymentId=deployment, variables={"a": "1"}, tags={"team": "x"}, tracingEnabled=True
    )
    apigateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/~1pets/GET/throttling/rateLimit", "value": "5"}],
    )
    setups.mock_method(apigateway, api, setups.resource(apigateway, api, root, "later"))
    key = apigateway.create_api_key(name="ada", enabled=True)
    plan = apigateway.create_usage_plan(
        name="basic", apiStages=[{"apiId": api, "stage": "prod"}], throttle={"rateLimit": 10, "burstLimit": 5}
    )["id"]
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return api


def tree(apigateway, api):
    """The working copy without ids."""
    parts = {"validators": {}, "resources": {}}
    names = {}
    for validator in apigateway.get_request_validators(restApiId=api)["items"]:
        names[validator.pop("id")] = validator["name"]
        parts["validators"][validator["name"]] = validator
    parts["models"] = {model["name"]: {**model, "id": ""} for model in apigateway.get_models(restApiId=api)["items"]}
    resources = apigateway.get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    names.update({resource["id"]: resource["path"] for resource in resources})
    text = json.dumps({resource["path"]: resource.get("resourceMethods", {}) for resource in resources}, sort_keys=True)
    for known, name in names.items():
        text = text.replace(known, name)
    parts["resources"] = json.loads(text)
    api = apigateway.get_rest_api(restApiId=api)
    return {**parts, "api": {name: api.get(name) for name in ("id", "name", "description", "binaryMediaTypes", "tags")}}


def test_a_rest_api_goes_there_and_back(server, second, apigateway, tmp_path):
    api = shop(apigateway)
    there = client(second, "apigateway")
    done = pull(server, second, "--rest-api", api)
    assert ("created", f"REST API {api}", "shop") in done
    assert export(second, api, "prod") == export(server, api, "prod")
    assert "/later" not in export(second, api, "prod")["paths"]
    assert tree(there, api) == tree(apigateway, api)
    volatile = ("ResponseMetadata", "deploymentId", "createdDate", "lastUpdatedDate")
    stages = [side.get_stage(restApiId=api, stageName="prod") for side in (apigateway, there)]
    ours, theirs = [{name: value for name, value in stage.items() if name not in volatile} for stage in stages]
    assert ours == theirs
    values = [[key["value"] for key in side.get_api_keys(includeValues=True)["items"]] for side in (apigateway, there)]
    assert values[0] == values[1] and values[0]
    # A second pull changes nothing.
    assert {did for did, *_ in pull(server, second, "--rest-api", api)} <= {"unchanged", "note"}
    # And back into a third, which then is like the first.
    with Server(tmp_path / "third") as third:
        pull(second, third, "--all")
        assert export(third, api, "prod") == export(server, api, "prod")
        assert tree(client(third, "apigateway"), api) == tree(apigateway, api)
    # What changes later is taken over.
    apigateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/name", "value": "renamed"}])
    root = apigateway.get_rest_api(restApiId=api)["rootResourceId"]
    setups.mock_method(apigateway, api, root)
    pull(server, second, "--rest-api", api)
    assert tree(there, api) == tree(apigateway, api)


def test_an_http_api_goes_there_and_back(server, second, apigatewayv2, tmp_path):
    api = setups.http_api(apigatewayv2, "http://127.0.0.1:9", "GET /pets", "POST /pets", "$default")
    authorizer = apigatewayv2.create_authorizer(
        ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "http://localhost:1", "Audience": ["a"]},
    )["AuthorizerId"]
    route = apigatewayv2.get_routes(ApiId=api)["Items"][0]["RouteId"]
    apigatewayv2.update_route(ApiId=api, RouteId=route, AuthorizationType="JWT", AuthorizerId=authorizer)
    apigatewayv2.create_stage(ApiId=api, StageName="blue", StageVariables={"a": "1"}, AutoDeploy=True)

    def exported(side):
        answer = client(side, "apigatewayv2").export_api(ApiId=api, Specification="OAS30", OutputType="JSON")
        text = answer["body"].read().decode()
        # Shared integrations are named by their ids, which differ.
        for integration in client(side, "apigatewayv2").get_integrations(ApiId=api)["Items"]:
            text = text.replace(integration["IntegrationId"], "shared")
        document = json.loads(text)
        document.pop("servers", None)
        document["info"].pop("version", None)
        return document

    pull(server, second, "--api", api)
    assert exported(second) == exported(server)
    assert {did for did, *_ in pull(server, second, "--api", api)} <= {"unchanged", "note"}
    with Server(tmp_path / "third") as third:
        pull(second, third, "--api", api)
        assert exported(third) == exported(server)
    apigatewayv2.delete_route(ApiId=api, RouteId=route)
    pull(server, second, "--api", api)
    assert exported(second) == exported(server)
    stages = client(second, "apigatewayv2").get_stages(ApiId=api)["Items"]
    assert sorted(stage["StageName"] for stage in stages) == ["$default", "blue"]


def test_real_time_stages_go_with_what_they_stand_on(server, second, ivs, tmp_path):
    run("keys", "create", "--out", str(tmp_path / "key.pem"), "--import", "--endpoint-url", server.http)
    storage = ivs.create_storage_configuration(name="s", s3={"bucketName": "recordings"})["storageConfiguration"]["arn"]
    stage = ivs.create_stage(
        name="green", tags={"team": "x"}, autoParticipantRecordingConfiguration={"storageConfigurationArn": storage}
    )["stage"]["arn"]
    ivs.create_ingest_configuration(stageArn=stage, ingestProtocol="RTMPS", name="encoder")
    pull(server, second, "--stage", stage)
    there = client(second, "ivs-realtime")
    kept = ("arn", "name", "tags", "autoParticipantRecordingConfiguration")
    ours, theirs = [side.get_stage(arn=stage)["stage"] for side in (ivs, there)]
    assert {name: ours[name] for name in kept} == {name: theirs[name] for name in kept}
    assert len(there.list_public_keys()["publicKeys"]) == len(ivs.list_public_keys()["publicKeys"])
    assert there.list_ingest_configurations()["ingestConfigurations"][0]["stageArn"] == stage
    ivs.update_stage(arn=stage, name="blue")
    assert ("updated", f"stage {stage[-12:]} blue", "") in pull(server, second, "--stage", stage)
    assert there.get_stage(arn=stage)["stage"]["name"] == "blue"
    missing = stage[:-3] + "zzz"
    assert any(did == "not copied" for did, *_ in pull(server, second, "--stage", missing, code=1))


def test_pull_refuses_what_makes_no_sense(server):
    assert "source and target are both" in run("pull", "--all", "--endpoint-url", server.http, "--to", server.http, code=1)
    assert "say what to copy" in run("pull", "--endpoint-url", server.http, code=1)


def test_a_domain_name_goes_with_its_mappings_and_rules(server, second, apigateway, apigatewayv2):
    name = "pulled.example.com"
    api, other = setups.deployed_mock(apigateway), setups.http_api(apigatewayv2, "http://127.0.0.1:9", "$default")
    apigatewayv2.create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[{"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/one"}],
        RoutingMode="ROUTING_RULE_THEN_API_MAPPING",
        Tags={"team": "x"},
    )
    apigatewayv2.create_api_mapping(DomainName=name, ApiId=api, Stage="prod", ApiMappingKey="orders/v1")
    apigatewayv2.create_api_mapping(DomainName=name, ApiId=other, Stage="$default")
    apigatewayv2.create_routing_rule(
        DomainName=name,
        Priority=10,
        Conditions=[{"MatchBasePaths": {"AnyOf": ["blue"]}}],
        Actions=[{"InvokeApi": {"ApiId": api, "Stage": "prod"}}],
    )

    def seen(side):
        v2 = client(side, "apigatewayv2")
        domain = v2.get_domain_name(DomainName=name)
        kept = ("DomainName", "DomainNameArn", "RoutingMode", "Tags")
        mappings = [(item["ApiId"], item["Stage"], item.get("ApiMappingKey", "")) for item in v2.get_api_mappings(DomainName=name)["Items"]]
        rules = [
            {part: rule[part] for part in ("Priority", "Conditions", "Actions")}
            for rule in v2.list_routing_rules(DomainName=name)["RoutingRules"]
        ]
        return {part: domain.get(part) for part in kept}, sorted(mappings), rules

    done = pull(server, second, "--rest-api", api, "--api", other)
    assert ("created", f"domain name {name}", "certificates stay where they are") in done
    assert seen(second) == seen(server)
    again = pull(server, second, "--rest-api", api, "--api", other)
    assert {did for did, *_ in again} <= {"unchanged", "note"}, again
    # A mapping that was moved follows; one API alone brings its own mapping only.
    mapping = next(item for item in apigatewayv2.get_api_mappings(DomainName=name)["Items"] if item["ApiId"] == other)
    apigatewayv2.update_api_mapping(DomainName=name, ApiId=api, Stage="prod", ApiMappingId=mapping["ApiMappingId"])
    pull(server, second, "--rest-api", api)
    assert seen(second) == seen(server)


def test_a_websocket_api_goes_there_and_back(server, second, apigatewayv2, tmp_path):
    api = apigatewayv2.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    integration = apigatewayv2.create_integration(
        ApiId=api, IntegrationType="MOCK", RequestTemplates={"200": '{"statusCode": 200}'}, TemplateSelectionExpression="200"
    )["IntegrationId"]
    apigatewayv2.create_integration_response(ApiId=api, IntegrationId=integration, IntegrationResponseKey="$default")
    for key in ("$connect", "$default", "say"):
        route = apigatewayv2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")["RouteId"]
        if key == "say":
            apigatewayv2.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
    apigatewayv2.create_model(ApiId=api, Name="Message", ContentType="application/json", Schema='{"type": "object"}')
    apigatewayv2.create_stage(ApiId=api, StageName="live", StageVariables={"a": "1"})
    deployment = apigatewayv2.create_deployment(ApiId=api, StageName="live")["DeploymentId"]
    assert deployment

    def seen(side):
        v2 = client(side, "apigatewayv2")
        found = v2.get_api(ApiId=api)
        parts = {
            "api": {name: found.get(name) for name in ("ApiId", "Name", "ProtocolType", "RouteSelectionExpression")},
            "models": [(model["Name"], model["Schema"]) for model in v2.get_models(ApiId=api)["Items"]],
            "stages": [(stage["StageName"], stage["StageVariables"]) for stage in v2.get_stages(ApiId=api)["Items"]],
            "routes": {},
        }
        for route in v2.get_routes(ApiId=api)["Items"]:
            target = v2.get_integration(ApiId=api, IntegrationId=route["Target"].removeprefix("integrations/"))
            parts["routes"][route["RouteKey"]] = (
                target["IntegrationType"],
                target["RequestTemplates"],
                [item["RouteResponseKey"] for item in v2.get_route_responses(ApiId=api, RouteId=route["RouteId"])["Items"]],
                [
                    item["IntegrationResponseKey"]
                    for item in v2.get_integration_responses(ApiId=api, IntegrationId=target["IntegrationId"])["Items"]
                ],
            )
        return parts

    pull(server, second, "--api", api)
    assert seen(second) == seen(server)
    again = pull(server, second, "--api", api)
    assert {did for did, *_ in again} <= {"unchanged", "note"}, again
    with Server(tmp_path / "third") as third:
        pull(second, third, "--api", api)
        assert seen(third) == seen(server)
