"""Lambda functions behind the replayed calls, and the server's configuration that names them. No test runs in here."""

import json
import pathlib
import sys

FUNCTIONS = ["echo", "same", "verbatim", "hello", "failing", "told"]


def configuration():
    """`stagedoor.toml` with a table per function, each run by AWS's own runtime client."""
    directory = str(pathlib.Path(__file__).resolve().parent)
    return "\n".join(
        f"[[function]]\nname = {name!r}\ndirectory = {directory!r}\n"
        f"command = {json.dumps([sys.executable, '-m', 'awslambdaric', f'functions.{name}'])}\n"
        for name in FUNCTIONS
    )


def echo(event, context):
    """A proxy's answer that holds the event."""
    return {"statusCode": 200, "body": json.dumps(event)}


def same(event, context):
    return event


def verbatim(event, context):
    """Returns what the request's body holds, whatever it is."""
    return json.loads(event["body"])


def hello(event, context):
    return {"message": "hello world"}


def failing(event, context):
    numbers = {"400": "four hundred", "500": "five hundred"}
    if event["statusCode"] in numbers:
        raise Exception(f"Error: Raising {numbers[event['statusCode']]} from within the Lambda function")
    return "Pass"


def told(event, context):
    """Tells in a proxy's form what it was invoked with."""
    text = "response from localstack lambda: " + json.dumps(event, separators=(",", ":"))
    return {"statusCode": 200, "body": json.dumps(text), "isBase64Encoded": False, "headers": {}}
