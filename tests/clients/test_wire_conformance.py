"""The wire engine against botocore, for all operations of the four services, in both directions.

Requests that botocore's serializer makes must decode to the same values; requests that break one rule of the model must
be refused with AWS's words; answers that the engine encodes must parse in botocore to the same values.
"""

import base64
import io
import json
import os
import subprocess

import pytest
from botocore.parsers import create_parser

import wire_cases

SEED = os.environ.get("STAGEDOOR_TEST_SEED", "1")
SHOWN_MAX = 15


@pytest.fixture(scope="session")
def engine():
    """Sends lines to the conformance program and answers its lines."""
    program = os.environ.get("STAGEDOOR_WIRE_CONFORMANCE")
    command = [program] if program else [
        "cargo", "run", "--quiet", "--release", "-p", "stagedoor-wire", "--example", "wire_conformance",
    ]

    def ask(lines):
        sent = "".join(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run(command, input=sent.encode(), capture_output=True, timeout=600)
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(lines), f"{len(lines)} lines sent, {len(answers)} came back"
        return answers

    return ask


def report(wrong, count):
    shown = "\n\n".join(wrong[:SHOWN_MAX])
    assert count > 0
    assert not wrong, f"{len(wrong)} of {count} cases differ (seed {SEED}):\n\n{shown}"


def test_every_operation_has_cases():
    operations = {service: set(wire_cases.service_model(service).operation_names) for service in wire_cases.SERVICES}
    assert sum(map(len, operations.values())) == 270
    for service, names in operations.items():
        assert {request.operation for request in wire_cases.valid_requests(service, 1, SEED)} == names


@pytest.mark.parametrize("service", wire_cases.SERVICES)
def test_valid_requests_decode_to_the_values_sent(engine, service):
    requests = list(wire_cases.valid_requests(service, 8, SEED))
    wrong = []
    for request, answer in zip(requests, engine([request.line() for request in requests])):
        expected = {"operation": request.operation, "input": wire_cases.plain(request.values)}
        if not same(answer, expected):
            wrong.append(f"{request.method} {request.uri}\n  body     {request.body[:600]!r}\n  expected {expected}\n  decoded  {answer}")
    report(wrong, len(requests))


@pytest.mark.parametrize("service", [name for name in wire_cases.SERVICES])
def test_each_broken_rule_is_refused_in_words(engine, service):
    violations = list(wire_cases.violations(service, SEED))
    wrong = []
    for violation, answer in zip(violations, engine([violation.request.line() for violation in violations])):
        fault = answer.get("fault", {})
        fits = fault.get("status") in (400, 413) and violation.says in fault.get("message", "")
        if not fits:
            wrong.append(
                f"{violation.request.operation}: {violation.rule} of {violation.member}\n"
                f"  expected {violation.says!r}\n  answered {str(answer)[:600]}"
            )
    report(wrong, len(violations))


@pytest.mark.parametrize("service", ["apigateway", "apigatewayv2", "ivs-realtime"])
def test_wrong_types_are_refused(engine, service):
    violations = list(wire_cases.wrong_types(service, SEED))
    wrong = []
    for violation, answer in zip(violations, engine([violation.request.line() for violation in violations])):
        if answer.get("fault", {}).get("status") != 400:
            wrong.append(f"{violation.request.operation}: {violation.member} as {violation.request.body[:300]!r}\n  answered {answer}")
    report(wrong, len(violations))


@pytest.mark.parametrize("service", wire_cases.SERVICES)
def test_encoded_answers_parse_to_the_values_given(engine, service):
    answers = list(wire_cases.answers(service, 6, SEED))
    parser = create_parser("rest-json")
    wrong = []
    for answer, sent in zip(answers, engine([answer.line() for answer in answers])):
        if "status" not in sent:
            wrong.append(f"{answer.operation}: {sent}")
            continue
        parsed = parse(parser, answer, sent)
        if sent["status"] != answer.status or not same(wire_cases.plain(parsed), wire_cases.plain(answer.values)):
            wrong.append(
                f"{answer.operation}: {answer.status}\n  given  {wire_cases.plain(answer.values)}\n"
                f"  parsed {wire_cases.plain(parsed)}\n  sent   {sent['status']} {sent['body'][:600]}"
            )
    report(wrong, len(answers))


def parse(parser, answer, sent):
    """What a boto3 caller gets to see of an answer."""
    body = base64.b64decode(sent["body"])
    streams = answer.model.has_streaming_output
    response = {
        "status_code": sent["status"],
        "headers": Headers(sent["headers"]),
        "body": io.BytesIO(body) if streams else body,
    }
    parsed = parser.parse(response, answer.model.output_shape)
    parsed.pop("ResponseMetadata", None)
    if streams:
        # An absent payload and an empty one are the same bytes.
        payload = answer.model.output_shape.serialization["payload"]
        del parsed[payload]
        if body:
            parsed[payload] = body
    if answer.service == "ivs-realtime" and answer.model.output_shape:
        # This service sends its security headers with every answer, whether the values have them or not.
        for name, member in answer.model.output_shape.members.items():
            if member.serialization.get("location") == "header" and name not in answer.values:
                assert parsed.pop(name)
    return parsed


class Headers(dict):
    """Header names of any case, as botocore's own HTTP client answers them."""

    def __init__(self, headers):
        super().__init__({name.lower(): value for name, value in headers.items()})

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)

    def __contains__(self, name):
        return super().__contains__(name.lower())


def same(found, expected):
    """Equal, but numbers by value: 3 and 3.0 are the same in JSON; true and 1 are not."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in expected)
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    if isinstance(expected, float) and isinstance(found, (int, float)):
        # A member of single precision comes back as the nearest single.
        return abs(found - expected) <= 1e-6 * max(1.0, abs(expected))
    return found == expected
