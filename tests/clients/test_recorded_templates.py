"""Mapping templates that the real API Gateway rendered, rendered by a stage: the cases of `crates/vtl/tests/cases`.

Each case is a resource whose request template is the case's; the backend answers with what it was sent. The case's variables
are the request's body and are bound in front of the template, as they were at AWS.
"""

import json
import pathlib

import setups
from conftest import execute_api
from recordings.echo import echoing

CASES = pathlib.Path(__file__).resolve().parents[2] / "crates/vtl/tests/cases/api-gateway-recorded.json"


def deployed(apigateway, cases, url):
    """An API with a resource per case; its id."""
    api, root = setups.rest_api(apigateway)
    for number, case in enumerate(cases):
        where = {
            "restApiId": api, "httpMethod": "POST", "resourceId": setups.resource(apigateway, api, root, f"case{number}")
        }
        bindings = "".join(f"#set(${name} = $input.path('$.{name}'))\n" for name in case["variables"])
        apigateway.put_method(**where, authorizationType="NONE")
        apigateway.put_integration(
            **where, type="HTTP", integrationHttpMethod="POST", uri=url,
            requestTemplates={"application/json": bindings + case["template"]},
        )
        apigateway.put_method_response(**where, statusCode="200")
        apigateway.put_integration_response(**where, statusCode="200")
    apigateway.create_deployment(restApiId=api, stageName="test")
    return api


def same(case, rendered):
    wanted = case["answer"]
    if not isinstance(wanted, str):
        # The recording kept an answer that is JSON as a value.
        return json.loads(rendered) == wanted
    if case.get("fold_white_space"):
        return rendered.split() == wanted.split()
    return rendered == wanted


def test_stages_render_what_api_gateway_rendered(server, apigateway):
    cases = json.loads(CASES.read_text())
    with echoing() as url:
        api = deployed(apigateway, cases, url)
        wrong = []
        for number, case in enumerate(cases):
            body = json.dumps(case["variables"])
            answer = execute_api(server, api, "POST", f"/test/case{number}", {"Content-Type": "application/json"}, body)
            rendered = answer.body.decode()
            if answer.status != 200 or not same(case, rendered):
                wrong.append(f"{case['name']}: AWS {case['answer']!r}, here {answer.status} {rendered!r}")
    assert len(cases) == 117 and not wrong, "\n".join(wrong)
