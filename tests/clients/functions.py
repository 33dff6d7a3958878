"""Lambda functions that `test_lambda.py` has AWS's runtime client for Python run. No test runs in here."""

import http.client
import json
import os
import time

STARTED = time.time()


def echo(event, context):
    """Answers with the event and what the context says."""
    told = {
        "event": event,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "request": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "process": os.getpid(),
        "own": os.environ.get("OWN"),
    }
    return {"statusCode": 200, "headers": {"X-Own": "yes"}, "body": json.dumps(told)}


def verbatim(event, context):
    """Returns what the body holds: the answer of the function is the caller's to choose."""
    return json.loads(event["body"])


def plain(event, context):
    return {"hello": event}


def failing(event, context):
    print("about to fail")
    raise ValueError("four hundred and four")


def slow(event, context):
    time.sleep(600)


def leaving(event, context):
    os._exit(3)


def writing(event, context):
    """Leaves a mark that a caller who does not wait can look for."""
    with open(event["path"], "w", encoding="utf-8") as mark:
        mark.write(json.dumps(event))


def guard(event, context):
    """A Lambda authorizer: the token says what it decides."""
    token = event.get("authorizationToken") or ""
    if token == "unauthorized":
        raise Exception("Unauthorized")
    effect = "Allow" if token == "allow" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"tries": 3, "good": True},
    }


def injecting(event, context):
    """A Lambda authorizer that puts what the client sent into its context, whatever it is."""
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    value = json.loads((event.get("headers") or {}).get("X-Value") or (event.get("headers") or {})["x-value"])
    return {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"value": value},
    }


def flooding(event, context):
    """Writes more than anybody wants to read, and then answers with more than anybody may."""
    for _ in range(2000):
        print("x" * 1000)
    return {"statusCode": 200, "body": "x" * 7_000_000}


def noting(event, context):
    """Notes the id of every attempt, and fails."""
    with open(event["notes"], "a", encoding="utf-8") as notes:
        notes.write(context.aws_request_id + "\n")
    raise RuntimeError("not yet")


def recording(event, context):
    """An on-failure destination: keeps the record where the event that failed says."""
    with open(event["requestPayload"]["record"], "w", encoding="utf-8") as record:
        record.write(json.dumps(event))


def sleeping(event, context):
    """Says that it runs, and does until it is told otherwise."""
    open(event["running"], "w", encoding="utf-8").close()
    while not os.path.exists(event["over"]):
        time.sleep(0.01)


def extended(event, context):
    """Does what an extension does: registers for some events, and waits for one. Answers with what came of it."""
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=0.5)
    body = json.dumps({"events": json.loads(event["body"])})
    api.request("POST", "/2020-01-01/extension/register", body, {"Lambda-Extension-Name": "adapter"})
    answer = api.getresponse()
    told = {"status": answer.status, "answer": json.loads(answer.read()), "waits": False}
    if answer.status == 200:
        identifier = answer.headers["Lambda-Extension-Identifier"]
        api.request("GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": identifier})
        try:
            api.getresponse()
        except TimeoutError:
            told["waits"] = True
    return {"statusCode": 200, "body": json.dumps(told)}


def telling(event, context):
    """Answers with what the caller told of itself."""
    return context.client_context.custom


def revoking(event, context):
    """An authorizer of both kinds of API that refuses clients whose certificate is on a list; else a function."""
    told = event["requestContext"]
    cert = (told.get("identity") or told.get("authentication"))["clientCert"]
    with open(os.environ["REVOKED"], encoding="utf-8") as revoked:
        allowed = str(int(cert["serialNumber"].replace(":", ""), 16)) not in revoked.read().split()
    if event.get("version") == "2.0":
        return {"isAuthorized": allowed} if event.get("type") == "REQUEST" else {"statusCode": 200}
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": event.get("methodArn", "*")}
    return {"principalId": told["identity"]["sourceIp"], "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
