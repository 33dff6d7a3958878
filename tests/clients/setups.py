"""Stages that several tests need, made through boto3 only."""


def rest_api(apigateway, name="pets"):
    """A REST API and the id of its root resource."""
    api = apigateway.create_rest_api(name=name)
    return api["id"], api["rootResourceId"]


def resource(apigateway, api, parent, part):
    return apigateway.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]


def mock_method(apigateway, api, where, verb="GET", status="200", body='{"answer": "mock"}', parameters=None):
    """A method that answers by itself, in all four parts that AWS asks for."""
    address = {"restApiId": api, "resourceId": where, "httpMethod": verb}
    apigateway.put_method(**address, authorizationType="NONE")
    apigateway.put_integration(
        **address, type="MOCK", requestTemplates={"application/json": '{"statusCode": %s}' % status}
    )
    declared = {name: False for name in parameters or {}}
    apigateway.put_method_response(**address, statusCode=status, responseParameters=declared)
    apigateway.put_integration_response(
        **address, statusCode=status, responseTemplates={"application/json": body}, responseParameters=parameters or {}
    )


def proxy_method(apigateway, api, where, uri, verb="ANY", path_variables=()):
    """A method that hands everything to a backend."""
    address = {"restApiId": api, "resourceId": where, "httpMethod": verb}
    apigateway.put_method(
        **address,
        authorizationType="NONE",
        requestParameters={f"method.request.path.{name}": True for name in path_variables},
    )
    apigateway.put_integration(
        **address,
        type="HTTP_PROXY",
        integrationHttpMethod=verb,
        uri=uri,
        requestParameters={
            f"integration.request.path.{name}": f"method.request.path.{name}" for name in path_variables
        },
    )


def deployed_mock(apigateway, stage="prod", **mock):
    """A REST API with `GET /hello` that answers by itself, deployed to one stage; the API's id."""
    api, root = rest_api(apigateway)
    mock_method(apigateway, api, resource(apigateway, api, root, "hello"), **mock)
    apigateway.create_deployment(restApiId=api, stageName=stage)
    return api


def http_api(apigatewayv2, uri, *route_keys, stage="$default"):
    """An HTTP API whose routes all lead to one backend, with a stage that deploys by itself; the API's id."""
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    integration = apigatewayv2.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=uri, PayloadFormatVersion="1.0"
    )["IntegrationId"]
    for key in route_keys:
        apigatewayv2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    apigatewayv2.create_stage(ApiId=api, StageName=stage, AutoDeploy=True)
    return api
