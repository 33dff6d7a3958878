"""The corpus: the same words to the real AWS CLI and to ours; standard output, standard error, exit code, the files
written and the requests sent must be the same, byte for byte.

The AWS CLI that is at hand is the first version. Where the second is known to differ, ours is like the second:
`differs` of a case says so, and `in_words_of_v2` translates what differs everywhere.
"""

import contextlib
import functools
import io
import logging
import os
import pathlib
import random
import re
import subprocess
import sys

import pytest
from awscli.clidriver import create_clidriver

import cli_cases
import cli_stub
import setups
from conftest import REGION, client
from server import binary

MATCHES = pathlib.Path(__file__).parent / "cli" / "matches.txt"
CONFIG = """
[default]
cli_timestamp_format = iso8601
cli_binary_format = raw-in-base64-out
retry_mode = standard
[profile keyless]
region = us-east-1
[profile half]
aws_access_key_id = AKIDEXAMPLE
[profile west]
region = us-west-2
output = text
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = secret
cli_timestamp_format = iso8601
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    return home


@pytest.fixture(scope="module")
def made(server, home):
    """What the lines of the file name."""
    v1 = client(server, "apigateway")
    rest = setups.deployed_mock(v1, stage="prod")
    http = setups.http_api(client(server, "apigatewayv2"), "http://backend.example/", "GET /pets", stage="dev")
    arn = client(server, "ivs-realtime").create_stage(name="meeting", tags={"team": "stage"})["stage"]["arn"]
    hello = next(resource["id"] for resource in v1.get_resources(restApiId=rest)["items"] if resource["path"] == "/hello")
    folder = home / "files"
    folder.mkdir()
    (folder / "input.json").write_text('{"arn": "%s"}' % arn)
    (folder / "tags.json").write_text('{"a": "1", "b": "zwei"}')
    (folder / "name.txt").write_text("meeting")
    (folder / "bytes").write_bytes(b"\xff\xfe\x00")
    (folder / "broken.json").write_text('{"arn": ')
    return {"rest": rest, "resource": hello, "http": http, "arn": arn, "out": str(home / "out"), "dir": str(folder)}


def environment(endpoint, home, variables):
    base = {
        "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",
    }
    return {name: value for name, value in {**base, **variables}.items() if value}


def theirs(words, variables):
    """The real AWS CLI within this process, which spares starting it each time."""
    kept = dict(os.environ)
    out, complaint = io.StringIO(), io.StringIO()
    os.environ.clear()
    # By this one it finds its own data.
    os.environ.update(variables | {name: kept[name] for name in ["AWS_DATA_PATH"] if name in kept})
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
            try:
                code = create_clidriver().main(words)
            except SystemExit as ended:
                code = ended.code
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return in_words_of_v2(code, out.getvalue(), complaint.getvalue())


def in_words_of_v2(code, out, complaint):
    """The first version ends with 2 or 255, names itself `aws`, and does not put a line in front of usages."""
    if complaint.startswith("usage:"):
        complaint = re.sub(r"^usage: \rNote: AWS CLI version 2, .*?\n\n", "", complaint)
        # The program's name is that of the process, which is not `aws` here.
        complaint = re.sub(r"\n+\S+: error: ", "\n\naws: error: ", complaint)
        return 252, out, "\n" + re.sub(r"\baws\b", "stagedoor", complaint)
    if "An error occurred (" in complaint:
        return 254, out, complaint
    if re.search("Unable to locate credentials|Partial credentials|specify a region|config profile", complaint):
        return 253, out, complaint
    if re.search("Parameter validation failed|Error parsing parameter|Bad value for --query|Invalid timestamp", complaint):
        return 252, out, complaint
    return code, out, complaint


def ours(words, variables):
    done = subprocess.run([binary(), *words], env=variables, capture_output=True, timeout=60, text=True)
    return done.returncode, done.stdout, done.stderr


def written(path):
    """The bytes of the file that a call wrote; it is gone then."""
    path = pathlib.Path(path)
    if not path.exists():
        return None
    content = path.read_bytes()
    path.unlink()
    return content


def commands():
    """Every operation of our services that the AWS CLI knows, with how it pages."""
    table = create_clidriver()._get_command_table()
    for service in cli_cases.SERVICES:
        for name, operation in table[service]._get_command_table().items():
            if name == "help":
                continue
            model = operation._operation_model
            loader = operation._session.get_component("data_loader")
            try:
                paginators = loader.load_service_model(service, "paginators-1")["pagination"]
            except Exception:
                paginators = {}
            yield service, name, operation, paginators.get(model.name)


@pytest.fixture
def quick(monkeypatch):
    """The AWS CLI reads models anew for every call; here once. Of an enumeration in a skeleton it takes any value, ours the first by alphabet."""
    # Its botocore may be the one it brings or the one of boto3: whichever it uses.
    session = sys.modules[type(create_clidriver().session).__module__]
    monkeypatch.setattr(session, "create_loader", functools.cache(session.create_loader))
    monkeypatch.setattr(random, "choice", min)
    # It logs more than it prints, and pytest would keep all of it.
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


# The real AWS CLI takes 0.1 seconds of processor time for each call.
@pytest.mark.timeout(900)
def test_the_corpus(server, made, home, quick):
    matching, different, seen = 0, [], set()
    with cli_stub.Stub() as stub:
        cases = [*cli_cases.of_models(list(commands()), cli_stub.answers, made["out"]), *cli_cases.of_failures(cli_stub.failing), *cli_cases.of_file(made)]
        for case in cases:
            variables = environment(stub.http if case.answers else server.http, home, case.variables)
            stub.answers = case.answers
            expected = (*theirs(case.words, variables), written(made["out"]), stub.take())
            found = (*ours(case.words, variables), written(made["out"]), stub.take())
            seen.add(" ".join(case.words[:2]))
            if case.differs:
                print(f"known to differ{' no longer' if expected == found else ''}: {case.name}")
            elif expected == found:
                matching += 1
            else:
                different.append(case.name + difference(expected, found))
                print(different[-1], flush=True)
    total = sum(not case.differs for case in cases)
    print(f"{matching} of {total} match, {len(cases) - total} are known to differ")
    recorded = int(MATCHES.read_text().split()[0]) if MATCHES.exists() else 0
    if os.environ.get("STAGEDOOR_RECORD_MATCHES"):
        MATCHES.write_text(f"{matching} of {total} invocations print the same with both clients\n")
    assert len({name for name in seen if name.split()[0] in cli_cases.SERVICES}) >= 269
    assert matching >= max(400, recorded), f"{matching} of {total} match, {recorded} did:\n" + "\n".join(different)


def difference(expected, found):
    names = ["exit code", "output", "complaint", "file", "requests"]
    pairs = zip(names, expected, found)
    return "".join(f"\n  {name}\n    theirs {left!r}\n    ours   {right!r}" for name, left, right in pairs if left != right)
