"""Where log lines go: standard output, files, and what of them is there when the server has ended."""

import json
import re
import socket
import ssl
import subprocess

import pytest

import server as server_module
import setups
from conftest import ACCOUNT, REGION, client, execute_api, fetch
from expect import eventually
from server import Server
from signing import signed
from test_lambda import arn, rest_stage, table

GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:access"


def logging(apigateway, api, format, stage="prod"):
    """Turns a stage's access log on."""
    changes = [("/accessLogSettings/destinationArn", GROUP), ("/accessLogSettings/format", format)]
    patch = [{"op": "replace", "path": path, "value": value} for path, value in changes]
    apigateway.update_stage(restApiId=api, stageName=stage, patchOperations=patch)


def mock_stage(apigateway, format):
    api, root = setups.rest_api(apigateway, name="logged")
    address = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    apigateway.put_method(**address, authorizationType="NONE")
    apigateway.put_integration(**address, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    apigateway.put_method_response(**address, statusCode="200")
    apigateway.put_integration_response(**address, statusCode="200")
    apigateway.create_deployment(restApiId=api, stageName="prod")
    logging(apigateway, api, format)
    return api


def test_standard_output(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text(f"[[log-sink]]\narn = '{GROUP}'\nstdout = true\n")
    with Server(tmp_path / "data", "--config", str(config)) as server:
        api = mock_stage(client(server, "apigateway"), "$context.status $context.requestId")
        ids = [execute_api(server, api, "GET", "/prod").headers["x-amzn-requestid"] for _ in range(3)]
        assert eventually(lambda: server.output[1:] == [f"200 {id}\n" for id in ids])


def test_all_lines_are_written_before_the_server_ends(tmp_path):
    with Server(tmp_path / "data") as server:
        api = mock_stage(client(server, "apigateway"), "$context.requestId")
        ids = [execute_api(server, api, "GET", "/prod").headers["x-amzn-requestid"] for _ in range(50)]
        assert server.stop() == 0
    file = tmp_path / "data" / "logs" / ACCOUNT / REGION / "access.log"
    assert sorted(file.read_text().split()) == sorted(ids)


def test_standard_output_that_nobody_reads_holds_no_request_up(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text("[[log-sink]]\narn = '*'\nstdout = true\n")
    with Unread(tmp_path / "data", "--config", str(config)) as server:
        api = mock_stage(client(server, "apigateway"), "x" * 3000)
        for _ in range(100):
            assert execute_api(server, api, "GET", "/prod").status == 200


def test_standard_output_that_nobody_reads_holds_no_end_up(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text("[[log-sink]]\narn = '*'\nstdout = true\n")
    with Unread(tmp_path / "data", "--config", str(config)) as server:
        api = mock_stage(client(server, "apigateway"), "x" * 3000)
        for _ in range(50):
            execute_api(server, api, "GET", "/prod")
        assert server.stop() == 0
        assert "log lines were left unwritten" in server.last_log()


class Unread(Server):
    """A server of whose output only the first line is read."""

    def _read_output(self, process, ready):
        ready.put(process.stdout.readline().decode())


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("arn = '*'", "needs one of file, stdout = true, otlp and endpoint"),
        ("stdout = true", "missing field `arn`"),
        ("arn = '*'\nstdout = 'yes'", "expected a boolean"),
        ("arn = '*'\nfile = 'x'\nrotate-size = -1", "rotate-size"),
        ("arn = '*'\nstdout = true\nrotate = 1", "unknown field `rotate`"),
        ("arn = '*'\nendpoint = 'ftp://x'", "is not an http:// or https:// origin"),
    ],
)
def test_sinks_that_cannot_be_are_told_at_the_start(tmp_path, table, complaint):
    config = tmp_path / "stagedoor.toml"
    config.write_text("[[log-sink]]\n" + table)
    command = [server_module.binary(), "serve", "--data-dir", str(tmp_path / "data"), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_tls_sessions(tmp_path):
    with Server(tmp_path / "data", "--tls-listen", "127.0.0.1:0") as server:
        apigateway = client(server, "apigateway")
        api = mock_stage(apigateway, "$context.tlsVersion $context.cipherSuite")
        certificate = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0b0b0b0b-1111-2222-3333-444444444444"
        apigateway.create_domain_name(
            domainName="logged.example.com", regionalCertificateArn=certificate,
            endpointConfiguration={"types": ["REGIONAL"]}, securityPolicy="TLS_1_2",
        )
        apigateway.create_base_path_mapping(domainName="logged.example.com", restApiId=api, stage="prod")
        port = int(server.addresses["https"].rsplit(":", 1)[1])
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
                with context.wrap_socket(plain, server_hostname="logged.example.com") as stream:
                    stream.sendall(b"GET / HTTP/1.1\r\nHost: logged.example.com\r\nConnection: close\r\n\r\n")
                    assert stream.recv(12) == b"HTTP/1.1 200"
        assert server.stop() == 0
    older, newer = (tmp_path / "data" / "logs" / ACCOUNT / REGION / "access.log").read_text().splitlines()
    assert re.fullmatch("TLSv1.2 TLS_ECDHE_[A-Z0-9_]+", older), older
    assert re.fullmatch("TLSv1.3 TLS_(AES|CHACHA20)_[A-Z0-9_]+", newer), newer


def test_a_functions_request_id_is_in_the_log(tmp_path):
    """The one that the function itself was told; the authorizer's is another."""
    config = tmp_path / "stagedoor.toml"
    config.write_text(table("echo", "echo") + table("guard", "guard"))
    with Server(tmp_path / "data", "--config", str(config)) as server:
        apigateway = client(server, "apigateway")
        api = rest_stage(apigateway, "echo")
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn('guard')}/invocations"
        authorizer = apigateway.create_authorizer(
            restApiId=api, name="guard", type="TOKEN", authorizerUri=uri, authorizerResultTtlInSeconds=0,
            identitySource="method.request.header.Authorization",
        )["id"]
        [resource] = [found for found in apigateway.get_resources(restApiId=api)["items"] if "pathPart" in found]
        patch = [
            {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
            {"op": "replace", "path": "/authorizerId", "value": authorizer},
        ]
        apigateway.update_method(
            restApiId=api, resourceId=resource["id"], httpMethod="ANY", patchOperations=patch
        )
        apigateway.create_deployment(restApiId=api, stageName="prod")
        names = [
            "integration.requestId", "awsEndpointRequestId", "authorizer.requestId", "authorizer.integrationStatus",
            "authorizer.latency", "tlsVersion", "cipherSuite",
        ]
        logging(apigateway, api, " ".join(f"$context.{name}" for name in names))
        answer = execute_api(server, api, "GET", "/prod/x", {"Authorization": "allow"})
        assert answer.status == 200, server.last_log()
        assert server.stop() == 0
    line = (tmp_path / "data" / "logs" / ACCOUNT / REGION / "access.log").read_text().split()
    request = answer.json["request"]
    assert line[:2] == [request, request]
    assert re.fullmatch("[0-9a-f-]{36}", line[2]) and line[2] != request
    assert line[3] == "200" and line[4].isdigit()
    assert line[5:] == ["-", "-"], "plain HTTP"


def test_phases_of_authorization_have_variables_of_their_own(tmp_path):
    """The signature is `authenticate`, what policies decide is `authorize`; each has a value only where it took place."""
    config = tmp_path / "stagedoor.toml"
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    keys = ["id = 'test'\nsecret = 'test'\n", f"id = 'DENIED'\nsecret = 'secret'\npolicy = '{policy}'\n"]
    config.write_text("".join(f"[[key]]\n{key}" for key in keys))
    phases = [f"$context.{phase}.{part}" for phase in ("authenticate", "authorize") for part in ("status", "latency", "error")]
    format = "|".join(["$context.requestId", "$context.endpointType", "$context.waf.status", *phases])
    with Server(tmp_path / "data", "--config", str(config)) as server:
        v1 = client(server, "apigateway")
        api = v1.create_rest_api(name="phases", endpointConfiguration={"types": ["REGIONAL"]})
        api, root = api["id"], api["rootResourceId"]
        setups.mock_method(v1, api, setups.resource(v1, api, root, "open"))
        setups.mock_method(v1, api, where := setups.resource(v1, api, root, "signed"))
        v1.update_method(
            restApiId=api, resourceId=where, httpMethod="GET",
            patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}],
        )
        v1.create_deployment(restApiId=api, stageName="prod")
        logging(v1, api, format)
        file = tmp_path / "data" / "logs" / ACCOUNT / REGION / "access.log"

        def told(path, expected, key=None, **signing):
            target = f"/_aws/execute-api/{api}/prod{path}"
            headers = {}
            if key:
                target, headers = signed(server, "GET", target, key=key, service="execute-api", **signing)
            answer = fetch(server, "GET", target, headers)
            id = answer.headers["x-amzn-requestid"]
            line = eventually(lambda: file.exists() and next((line for line in file.read_text().splitlines() if id in line), None))
            _, endpoint, waf, *values = line.split("|")
            assert (endpoint, waf, answer.status) == ("REGIONAL", "-", expected)
            return values

        assert told("/open", 200) == ["-"] * 6
        status, latency, error, *policies = told("/signed", 200, key="test", secret="test")
        assert (status, error, policies[0], policies[2]) == ("200", "-", "200", "-")
        assert latency.isdigit() and policies[1].isdigit()
        status, _, error, *policies = told("/signed", 403, key="DENIED", secret="secret")
        assert (status, error, policies[0]) == ("200", "-", "403")
        assert "is not authorized to perform: execute-api:Invoke" in policies[2]
        status, _, error, *policies = told("/signed", 403, key="test", secret="wrong")
        assert (status, policies) == ("403", ["-"] * 3)
        assert "signature" in error
