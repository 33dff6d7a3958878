"""The calls and requests behind recordings of the data plane: routing, MOCK, Lambda functions, templates, validators."""

import json

from conftest import execute_api, fetch

from .echo import echoing
from .replay import ACCOUNT, replays
from .sentences import add, api_with_root, mock, patch, remove, replace, resource

AGENT = {"User-Agent": "python-requests/testing", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
JSON = {"Content-Type": "application/json"}


def fetched(aws, api, path, method="GET", headers=None, body=None):
    """What a stage answers at the API's own host name."""
    return execute_api(aws.server, api, method, path, headers, body, region=aws.meta.region_name)


def function(aws, name):
    return f"arn:aws:lambda:{aws.meta.region_name}:{ACCOUNT}:function:{name}"


def invocation(aws, name):
    return f"arn:aws:apigateway:{aws.meta.region_name}:lambda:path/2015-03-31/functions/{function(aws, name)}/invocations"


def lambda_method(aws, where, name, type="AWS_PROXY", method=None, answers=None, **integration):
    """A method with a function behind it; `answers` are the integration's responses by status."""
    aws.put_method(**where, authorizationType="NONE", **(method or {}))
    aws.put_integration(**where, type=type, integrationHttpMethod="POST", uri=invocation(aws, name), **integration)
    for status, response in (answers or {}).items():
        aws.put_method_response(**where, statusCode=status)
        aws.put_integration_response(**where, statusCode=status, **response)


def deployed(aws, api, stage="test"):
    aws.create_deployment(restApiId=api, stageName=stage)


def content(answer):
    """A body as the recordings hold it: parsed where it is JSON."""
    text = answer.body.decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def in_case(wanted, headers):
    """Headers with their names written as elsewhere: HTTP does not tell cases apart."""
    names = {name.lower(): name for name in wanted}
    return {names.get(name, name): value for name, value in headers.items()}


# === routing and MOCK ===


@replays("common/Routing.routing_not_found")
def routing(aws):
    api, root = api_with_root(aws)
    mock(aws, api, resource(aws, api, root, "existing"), '{"statusCode": 200, "message": "exists"}')
    deployed(aws, api)
    aws.check("working-route", fetched(aws, api, "/test/existing").json)
    for label, path, method in [("not-found", "/test/unknown", "GET"), ("wrong-method", "/test/existing", "POST")]:
        answer = fetched(aws, api, path, method)
        aws.check(label, {"content": answer.json, "errorType": answer.headers.get("x-amzn-errortype")})


@replays("basic/api_gateway_mock_integration")
def mocked(aws):
    api, root = api_with_root(aws)
    where = resource(aws, api, root, "{echo}")
    mock(aws, api, where, """{"echo": "$input.params('echo')", "response": "mocked"}""")
    deployed(aws, api)
    aws.check("mocked-response", fetched(aws, api, "/test/foobar").json)


def mock_under(behaviour, by_host, verb):
    def calls(aws):
        api, root = api_with_root(aws)
        mock(aws, api, root, '{"statusCode": 200, "id": 42}', verb)
        aws.update_integration(
            restApiId=api, resourceId=root, httpMethod=verb, **patch(replace("/passthroughBehavior", behaviour))
        )
        deployed(aws, api)
        body = "{}" if verb == "POST" else None
        if by_host:
            answer = fetched(aws, api, "/test/", verb, JSON, body)
        else:
            answer = fetch(aws.server, verb, f"/_aws/execute-api/{api}/test/", JSON, body)
        aws.check("mock-response", answer.json)

    return calls


for passthrough in ["WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"]:
    for kind in ["PATH_BASED", "HOST_BASED"]:
        for http_verb in ["GET", "POST"]:
            replays(f"basic/Integrations.mock_integration_response[{passthrough}-UrlType.{kind}-{http_verb}]")(
                mock_under(passthrough, kind == "HOST_BASED", http_verb)
            )


@replays("common/Common.invocation_trace_id")
def trace_ids(aws):
    aws.check("register-lambda", {"FunctionArn": function(aws, "echo"), "FunctionName": "echo"})
    api, root = api_with_root(aws)
    mock(aws, api, resource(aws, api, root, "mock"), '{"statusCode": 200}')
    proxy = {"restApiId": api, "resourceId": resource(aws, api, root, "proxy"), "httpMethod": "GET"}
    lambda_method(aws, proxy, "echo")
    deployed(aws, api)
    whole = {"X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"}
    small = {"X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8"}
    for label, path, headers in [
        ("normal-req-headers-MOCK", "mock", {}),
        ("trace-id-req-headers-MOCK", "mock", whole),
        ("normal-req-headers-AWS_PROXY", "proxy", {}),
        ("trace-id-req-headers-AWS_PROXY", "proxy", whole),
        ("trace-id-small-req-headers-AWS_PROXY", "proxy", small),
    ]:
        aws.check(label, fetched(aws, api, f"/test/{path}", headers={**AGENT, **headers}).headers)


# === templates ===


def through_templates(aws, url, request, response="$input.body"):
    """A deployed API that hands `POST /` to an echoing backend through two templates; its id."""
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    aws.put_method(**where, authorizationType="NONE")
    aws.put_integration(
        **where, type="HTTP", integrationHttpMethod="POST", uri=url, requestTemplates={"application/json": request}
    )
    aws.put_method_response(**where, statusCode="200")
    aws.put_integration_response(**where, statusCode="200", responseTemplates={"application/json": response})
    deployed(aws, api)
    return api


@replays("common/Common.input_path_template_formatting")
def input_path(aws):
    items = [{"foo": "bar"}]
    whole = (
        """{"body": $input.path('$.json'), "nested": $input.path('$.json.nested'), """
        """"isNull": "#if($input.path('$.json') == $null)true#{else}false#end", """
        """"isEmptyString": "#if($input.path('$.json') == '')true#{else}false#end"}"""
    )
    with echoing() as url:
        for label, template, body in [
            ("dict-response", "$input.path('$.json')", {"json": {"foo": "bar"}}),
            ("json-list", "$input.path('$.json')", {"json": items}),
            ("nested-dict", "$input.path('$.json.nested')", {"json": {"nested": {"foo": "bar"}}}),
            ("nested-list", "$input.path('$.json.nested')", {"json": {"nested": items}}),
            ("dict-in-list", "$input.path('$.json[0]')", {"json": items}),
            ("list-with-nested-list", "$input.path('$.json[0].nested')", {"json": [{"nested": items}]}),
            ("dict-with-nested-list", "$input.path('$.json')", {"json": {"foo": [{"nested": "bar"}]}}),
            ("bigger-dict", "$input.path('$.json')", {"json": {"bigger": "dict", "to": "test", "with": "separators"}}),
            ("to-string", "$input.path('$.json').toString()", {"json": {"foo": "bar"}}),
            ("list-to-string", "$input.path('$.json').toString()", {"json": {"list": items}}),
            ("empty-body", whole, None),
            ("nested-empty-list", whole, {"json": []}),
            ("nested-null-list", whole, {"json": None}),
        ]:
            api = through_templates(aws, url, template)
            sent = "" if body is None else json.dumps(body)
            aws.check(label, fetched(aws, api, "/test/", "POST", JSON, sent).body.decode())


@replays("common/Common.input_body_formatting")
def input_body(aws):
    message = "Action=SendMessage&MessageBody=$input.body"
    encoded = "EncodedBody=$util.urlEncode($input.body)&EncodedBodyAccess=$util.urlEncode($input.body.testAccess)"
    bodies = {"empty-body": "", "json-body": '{"some": "value"}', "str-body": "some raw data"}
    with echoing() as url:
        for label, templates in [
            ("response-raw-body", ["$input.body"]),
            ("response-str-body-input", [message]),
            ("response-str-body-output", ["$input.body", message]),
            ("response-str-body-all", [message, message]),
            ("response-body-attr-access", ["$input.body.testAccess"]),
            ("response-url-encode", [encoded]),
        ]:
            api = through_templates(aws, url, *templates)
            sent = {name: fetched(aws, api, "/test/", "POST", JSON, body).body for name, body in bodies.items()}
            aws.check(label, {name: str(body) for name, body in sent.items()})


# === request validators ===


@replays("common/Common.api_gateway_request_validator")
def validators(aws):
    aws.check("register-lambda", {"fn_arn": function(aws, "echo"), "fn_name": "echo"})
    api, root = api_with_root(aws)
    schema = {
        "title": "testSchema", "type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    }
    aws.create_model(restApiId=api, name="testSchema", contentType="application/json", schema=json.dumps(schema))
    validator = aws.create_request_validator(
        restApiId=api, name="test-validator", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "{test}")}
    required = {"method.request.path.test": True, "method.request.querystring.qs1": True, "method.request.header.x-header-param": True}
    checked = {"requestParameters": required, "requestValidatorId": validator}
    post = {**where, "httpMethod": "POST"}
    lambda_method(aws, post, "echo", method={**checked, "requestModels": {"application/json": "testSchema"}}, answers={"200": {}})
    lambda_method(aws, {**where, "httpMethod": "GET"}, "echo", method=checked)
    aws("deploy-1").create_deployment(restApiId=api, stageName="test")
    path = "/requestParameters/method.request.path."
    aws("change-request-path-names").update_method(**post, **patch(remove(path + "test"), add(path + "issuer", "true")))
    deployed(aws, api)
    aws.check("missing-all-required-request-params-post", fetched(aws, api, "/test/x", "POST", JSON, "{}").json)
    aws.check("missing-required-headers-request-params-get", fetched(aws, api, "/test/x?qs1=1").json)
    aws.check("missing-required-qs-request-params-get", fetched(aws, api, "/test/x", headers={"x-header-param": "1"}).json)
    aws("revert-request-path-names").update_method(**post, **patch(remove(path + "issuer"), add(path + "test", "true")))
    deployed(aws, api)
    headers = {**JSON, "x-header-param": "1"}
    aws.check("invalid-request-body", fetched(aws, api, "/test/x?qs1=1", "POST", headers, '{"a": 1}').json)
    off = [replace("/validateRequestParameters", "false"), replace("/validateRequestBody", "false")]
    aws("disable-request-validator").update_request_validator(restApiId=api, requestValidatorId=validator, **patch(*off))


def validated_bodies(aws, model, schemas):
    """A deployed API whose `POST /` takes one of some models; a function that posts and compares the answer."""
    api, root = api_with_root(aws)
    for name, schema in schemas.items():
        text = json.dumps(schema).replace("API", api)
        aws.create_model(restApiId=api, name=name, contentType="application/json", schema=text)
    aws("get-models-with-ref", sort="name").get_models(restApiId=api)
    validator = aws.create_request_validator(restApiId=api, name="bodies", validateRequestBody=True)["id"]
    models = {"requestModels": {"application/json": model}, "requestValidatorId": validator}
    mock(aws, api, root, '{"data": "ok"}', "POST", **models)
    deployed(aws, api)
    return lambda label, body: aws.check(label, fetched(aws, api, "/test/", "POST", JSON, json.dumps(body)).json)


def reference(model):
    return {"$ref": f"https://apigateway.amazonaws.com/restapis/API/models/{model}"}


@replays("common/Common.api_gateway_request_validator_with_ref_models")
def model_that_names_another(aws):
    number = {"type": "number"}
    post = validated_bodies(aws, "testSchemaList", {
        "testSchema": {
            "$schema": "http://json-schema.org/draft-04/schema#", "title": "testSchema", "type": "object",
            "properties": {"a": number, "b": number}, "required": ["a", "b"],
        },
        "testSchemaList": {"type": "array", "items": reference("testSchema")},
    })
    post("successful", [{"a": 1, "b": 2}])
    post("failed-validation", [{"a": 1}])


@replays("common/Common.api_gateway_request_validator_with_ref_one_ofmodels")
def model_that_is_one_of_two(aws):
    post = validated_bodies(aws, "TestModel", {
        "StatusModel": {
            "type": "object", "properties": {"Status": {"type": "string"}, "Order": {"type": "integer"}},
            "required": ["Status", "Order"],
        },
        "TestModel": {
            "type": "object", "properties": {"status": {"oneOf": [{"type": "null"}, reference("StatusModel")]}},
            "required": ["status"],
        },
    })
    post("successful", {"status": None})
    post("successful-with-data", {"status": {"Status": "works", "Order": 1}})
    post("failed-validation-no-data", {})
    post("failed-validation-bad-data", {"status": {"Status": "works", "Order": "first"}})


# === functions behind a proxy ===


@replays("lambda/lambda_aws_proxy_integration")
def proxied(aws):
    api, root = api_with_root(aws)
    for part, verb in [("{proxy+}", "ANY"), ("hardcoded", "GET")]:
        where = {"restApiId": api, "resourceId": resource(aws, api, root, part), "httpMethod": verb}
        lambda_method(aws, where, "echo")
    deployed(aws, api, "stage")
    headers = {**AGENT, "Authorization": "random-value", "tEsT-HEADeR": "aValUE"}
    query = (
        "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias@gmail.com"
        "&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/"
    )
    for label, path in [
        ("payload-without-trailing-slash", "/stage/proxy-value"),
        ("payload-with-trailing-slash", "/stage/proxy-value/"),
        ("payload-with-double-slash", "/stage/proxy-value//double-slash"),
        ("payload-with-prepended-slash-to-stage", "//stage/proxy-value"),
        ("payload-with-prepended-slash", "/stage//proxy-value"),
        ("payload-without-trailing-slash-and-query-params", "/stage/proxy-value?urlparam=test"),
        ("payload-with-trailing-slash-and-query-params", "/stage/proxy-value/?urlparam=test"),
        ("payload-with-path-encoded-email", "/stage/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com"),
        ("payload-with-params-encoding", f"/stage/proxy-value/api?{query}"),
        ("hardcoded", "/stage//hardcoded"),
    ]:
        aws.check(f"invocation-{label}", content(fetched(aws, api, path, headers=headers)))
    several = {**AGENT, "Authorization": "Bearer token123;API key456", "Content-Type": "application/json;charset=utf-8"}
    path = "/stage/proxy-value?category=electronics&category=books&price=10&price=20&price=30"
    answer = fetched(aws, api, path, "POST", several, '{"message": "hello world"}')
    aws.check("invocation-payload-with-params-encoding-multi", content(answer))


@replays("lambda/lambda_aws_proxy_integration_non_post_method")
def proxied_by_get(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "{proxy+}"), "httpMethod": "GET"}
    aws.put_method(**where, authorizationType="NONE")
    aws.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="GET", uri=invocation(aws, "echo"))
    deployed(aws, api)
    aws.check("invocation-payload-with-get-proxy-method", content(fetched(aws, api, "/test/value")))


@replays("lambda/lambda_aws_proxy_integration_request_data_mapping")
def proxied_with_mappings(aws):
    api, root = api_with_root(aws)
    aws.check("api_id", {"rest_api_id": api})
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "{pathVariable}"), "httpMethod": "POST"}
    parts = {"header.foobar", "querystring.testQueryString", "path.pathVariable"}
    mappings = {
        "integration.request.header.headerVar": "method.request.header.foobar",
        "integration.request.querystring.testVar": "method.request.querystring.testQueryString",
        "integration.request.path.pathVariable": "method.request.path.pathVariable",
    }
    method = {"requestParameters": {f"method.request.{part}": True for part in parts}}
    lambda_method(aws, where, "echo", method=method, requestParameters=mappings)
    deployed(aws, api)
    headers = {
        **AGENT, **JSON, "Accept": "application/json", "User-Agent": "test/integration", "headerVar": "request-value",
        "foobar": "mapped-value",
    }
    path = "/test/foobar?testQueryString=foo&testVar=bar"
    answer = fetched(aws, api, path, "POST", headers, '{"message": "hello world"}')
    aws.check("http-proxy-invocation-data-mapping", {"content": content(answer), "status_code": answer.status})


@replays("lambda/aws_proxy_response_payload_format_validation")
def answers_of_proxied_functions(aws):
    api, root = api_with_root(aws)
    lambda_method(aws, {"restApiId": api, "resourceId": resource(aws, api, root, "{proxy+}"), "httpMethod": "POST"}, "verbatim")
    deployed(aws, api)
    multi = "test-multi"
    for label, given, with_headers in [
        ("no-body", {"statusCode": 200}, False),
        ("with-headers", {"statusCode": 200, "headers": {"test-header": "value", "header-bool": True}}, True),
        ("with-headers-null", {"statusCode": 200, "headers": None}, True),
        ("wrong-format", {"statusCode": 200, "wrongValue": "value"}, False),
        ("empty-response", None, False),  # no body is sent, and the function raises
        ("b64-encoded-true", {"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": True}, False),
        ("b64-encoded-false", {"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": False}, False),
        ("multi-headers-valid", {"statusCode": 200, "multiValueHeaders": {multi: ["value1", "value2"]}}, True),
        ("multi-headers-overwrite", {
            "statusCode": 200, "headers": {multi: "value-solo"}, "multiValueHeaders": {multi: ["value-multi"]},
        }, True),
        ("multi-headers-overwrite-casing", {
            "statusCode": 200, "headers": {multi: "value-solo"}, "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
        }, True),
        ("multi-headers-invalid", {"statusCode": 200, "multiValueHeaders": {multi: "value1"}}, False),
        ("invalid-status-code", {"statusCode": "not-a-number"}, False),
        ("status-code-str", {"statusCode": "200"}, False),
        ("just-string", "just-string", False),
        ("only-headers", {"headers": {"test-header": "value"}}, False),
    ]:
        body = None if given is None else json.dumps(given)
        answer = fetched(aws, api, "/test/any", "POST", {**AGENT, **JSON}, body)
        shown = {"content": content(answer)}
        if with_headers:
            shown["headers"] = in_case(aws.recorded(f"invoke-api-{label}")["headers"], answer.headers)
        aws.check(f"invoke-api-{label}", shown)


@replays("lambda/put_integration_aws_proxy_uri")
def uris_of_functions(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    aws.put_method(**where, authorizationType="NONE")
    region = aws.meta.region_name
    for label, kind, uri in [
        ("lambda-uri", "AWS_PROXY", function(aws, "echo")),
        ("wrong-arn", "AWS_PROXY", "lambda"),
        ("wrong-type", "AWS", function(aws, "echo")),
        ("wrong-firehose", "AWS_PROXY", f"arn:aws:apigateway:{region}:firehose:path/wrong"),
        ("bad-lambda-arn", "AWS_PROXY", f"arn:aws:apigateway:{region}:lambda:path/random/value"),
    ]:
        aws(f"put-integration-{label}").put_integration(**where, type=kind, integrationHttpMethod="POST", uri=uri)


# === functions behind templates ===

ROLE = "arn:aws:iam::111111111111:role/invoker"


@replays("lambda/lambda_aws_integration")
def function_without_templates(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "test"), "httpMethod": "POST"}
    aws("put-method").put_method(**where, authorizationType="NONE")
    aws("put-integration").put_integration(
        **where, type="AWS", integrationHttpMethod="POST", uri=invocation(aws, "hello"), credentials=ROLE
    )
    aws("put-integration-response").put_integration_response(**where, statusCode="200")
    aws("put-method-response").put_method_response(**where, statusCode="200")
    deployed(aws, api)
    aws.check("lambda-aws-integration", fetched(aws, api, "/test/test", "POST", JSON, '{"a": 1}').json)


@replays("lambda/lambda_aws_integration_with_request_template")
def function_with_request_template(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "test"), "httpMethod": "GET"}
    aws("put-method").put_method(
        **where, authorizationType="NONE", requestParameters={"method.request.querystring.param1": False}
    )
    aws("put-method-response").put_method_response(**where, statusCode="200")
    aws("put-integration").put_integration(
        **where, type="AWS", integrationHttpMethod="POST", uri=invocation(aws, "same"), credentials=ROLE,
        requestTemplates={"application/json": """{"param1": "$input.params('param1')"}"""},
    )
    aws("put-integration-response").put_integration_response(**where, statusCode="200", selectionPattern="")
    deployed(aws, api)
    aws.check("lambda-aws-integration-1", fetched(aws, api, "/test/test?param1=foobar").json)
    aws("delete-integration").delete_integration(**where)
    aws("get-integration-after-delete").get_integration(**where)
    aws.check("lambda-aws-integration-2", fetched(aws, api, "/test/test?param1=foobar").json)


@replays("lambda/lambda_selection_patterns")
def selection_patterns(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "{statusCode}"), "httpMethod": "GET"}
    lambda_method(
        aws, where, "failing", "AWS", requestTemplates={"application/json": """{"statusCode": "$input.params('statusCode')"}"""},
        answers={
            "200": {"selectionPattern": ""}, "400": {"selectionPattern": ".*four hundred.*"},
            "500": {"selectionPattern": ".*five hundred.*"},
        },
    )
    deployed(aws, api)
    for status in ["200", "400", "500"]:
        answer = fetched(aws, api, f"/test/{status}").json
        if "stackTrace" in answer:
            # Where the function's own file lies is not the service's affair.
            answer["stackTrace"] = aws.recorded(f"lambda-selection-pattern-{status}")["stackTrace"]
        aws.check(f"lambda-selection-pattern-{status}", answer)


@replays("lambda/lambda_aws_integration_response_with_mapping_templates")
def status_overridden(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "test"), "httpMethod": "POST"}
    template = (
        "#set($body = $input.path('$.body'))#if($body == 'customerror')#set($context.responseOverride.status = 400)"
        "#else#set($context.responseOverride.status = 202)#end$input.json('$')"
    )
    lambda_method(
        aws, where, "same", "AWS", answers={"200": {"selectionPattern": "", "responseTemplates": {"application/json": template}}}
    )
    deployed(aws, api)
    for label, body in [("response-template-202", "noerror"), ("response-template-400", "customerror")]:
        answer = fetched(aws, api, "/test/test", "POST", JSON, json.dumps({"statusCode": 200, "body": body}))
        aws.check(label, {"body": content(answer), "statusCode": answer.status})


@replays("basic/apigw_test_invoke_method_api")
def function_tested(aws):
    api, root = api_with_root(aws)
    where = {"restApiId": api, "resourceId": resource(aws, api, root, "foo"), "httpMethod": "GET"}
    lambda_method(aws, where, "told", "AWS", answers={"200": {}})
    aws("test_invoke_method_response").test_invoke_method(**where, pathWithQueryString="/foo")
    aws("test_invoke_method_response_with_body").test_invoke_method(
        **where, pathWithQueryString="/foo?queryTest=value", body='{"test": "val123"}', headers={"content-type": "application/json"}
    )
