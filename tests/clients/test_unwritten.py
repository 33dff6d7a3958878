"""What is not written yet says so: every operation of models/unimplemented.txt answers 501 in AWS's shape, no other does.

Requests come from the same maker as the conformance cases, so they are valid; whatever else an operation answers to a
random request (most often that a thing does not exist) is its own affair.
"""

import pathlib

import botocore.exceptions
import pytest

import wire_cases
from conftest import client

LIST = pathlib.Path(__file__).resolve().parents[2] / "models" / "unimplemented.txt"


def unwritten():
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {tuple(line.replace(".", " ").split()) for line in lines}


def outcome(caller, operation_model):
    """The error code and HTTP status that a valid request to this operation gets."""
    shape = operation_model.input_shape
    values = wire_cases.Maker(f"unwritten/{operation_model.name}").structure(shape) if shape else {}
    try:
        answer = caller._make_api_call(operation_model.name, values)
        return "", answer["ResponseMetadata"]["HTTPStatusCode"]
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", wire_cases.SERVICES)
def test_exactly_the_listed_operations_answer_not_implemented(server, service):
    caller = client(server, service, parameter_validation=False)
    model = wire_cases.service_model(service)
    wrong = []
    for operation in model.operation_names:
        code, status = outcome(caller, model.operation_model(operation))
        listed = (service, operation) in unwritten()
        if listed and (code, status) != ("NotImplementedException", 501):
            wrong.append(f"{operation} is listed but answered {status} {code}")
        if not listed and (status >= 500 or code == "UnknownOperationException"):
            wrong.append(f"{operation} is written but answered {status} {code}")
    assert not wrong, "\n".join(wrong)
