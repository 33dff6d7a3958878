"""Backends behind TLS: which certificates integrations of both kinds of API take, and revocation of clients' ones."""

import ssl

import pytest

import conftest
import setups
from backend import Backend
from conftest import execute_api
from expect import eventually
from server import Server
from test_lambda import arn, table
from test_tls import CERTIFICATE_ARN, TRUSTSTORE, Authority, connect, fetch, trusting

LINKED = ("named", "strange", "expired")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls-backends")


@pytest.fixture(scope="module")
def authority(folder):
    made = Authority("the system's authority")
    made.write(folder / "authority.pem")
    return made


@pytest.fixture(scope="module")
def backends(folder, authority):
    """Backends by what is wrong with their certificates."""
    stranger = Authority("a stranger")
    issued = {
        "named": authority.issue(folder, "named", "backend.internal", "localhost"),
        "strange": stranger.issue(folder, "strange", "backend.internal", "localhost"),
        "expired": stranger.issue(folder, "expired", "backend.internal", "localhost", ends_in_days=-1),
        "misnamed": stranger.issue(folder, "misnamed", "elsewhere.internal"),
    }
    running = {}
    for name, (cert, key) in issued.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(cert), str(key))
        running[name] = Backend(context).__enter__()
    yield running
    for backend in running.values():
        backend.__exit__()


@pytest.fixture(scope="module")
def server(folder, authority, backends):
    """A server on a system that trusts one authority."""
    revoked = folder / "revoked"
    revoked.write_text("")
    config = folder / "stagedoor.toml"
    links = "".join(f"'{link(name)}' = '{backends[name].url}'\n" for name in LINKED)
    function = table("revoking", "revoking").replace("OWN = 'mine'", f"REVOKED = '{revoked}'")
    config.write_text(f"[vpc-links]\n{links}[truststores]\n'{TRUSTSTORE}' = '{folder / 'authority.pem'}'\n{function}")
    options = ("--tls-listen", "127.0.0.1:0", "--config", str(config))
    server = Server(folder / "data", *options)
    server.environment = {"SSL_CERT_FILE": str(folder / "authority.pem")}
    with server as running:
        yield running
        assert running.running, "the server went down:\n" + running.last_log()


def link(name):
    return f"arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/{name}/1/2"


@pytest.fixture(scope="module")
def private(server):
    """Asks a backend behind a VPC link of an HTTP API."""
    client = conftest.client(server, "apigatewayv2")
    api = client.create_api(Name="private", ProtocolType="HTTP")["ApiId"]
    vpc_link = client.create_vpc_link(Name="link", SubnetIds=["subnet-1"])["VpcLinkId"]

    def ask(name, to_verify):
        path = f"/{name}-{to_verify}"
        more = {"TlsConfig": {"ServerNameToVerify": to_verify}} if to_verify else {}
        integration = client.create_integration(
            ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=link(name),
            ConnectionType="VPC_LINK", ConnectionId=vpc_link, PayloadFormatVersion="1.0", **more,
        )["IntegrationId"]
        client.create_route(ApiId=api, RouteKey=f"GET {path}", Target=f"integrations/{integration}")
        return eventually(lambda: answer if (answer := execute_api(server, api, "GET", path)).status != 404 else None)

    client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return ask


@pytest.mark.parametrize(
    ("name", "to_verify", "status"),
    [
        ("named", "backend.internal", 200),
        ("named", "localhost", 200),
        # The address is no name of the certificate's.
        ("named", None, 503),
        ("named", "other.internal", 503),
        ("strange", "backend.internal", 503),
        ("expired", "backend.internal", 503),
    ],
)
def test_server_name_to_verify(private, name, to_verify, status):
    answer = private(name, to_verify)
    assert answer.status == status, answer
    if status == 200:
        assert answer.json["method"] == "GET"
    else:
        assert answer.json == {"message": "Service Unavailable"}


def test_the_server_name_is_told_in_the_handshake(server, private, backends):
    heard = []
    backends["named"]._tls.sni_callback = lambda _socket, name, _context: heard.append(name)
    answer = private("named", "Backend.Internal")
    backends["named"]._tls.sni_callback = None
    assert answer.status == 200, answer
    assert [name.lower() for name in heard] == ["backend.internal"]


@pytest.mark.parametrize("type", ["HTTP_PROXY", "HTTP"])
@pytest.mark.parametrize(
    ("name", "skips", "status"),
    [
        ("named", False, 200),
        ("strange", False, 504),
        ("strange", True, 200),
        ("named", True, 200),
        # What is checked all the same: API reference, `TlsConfig`.
        ("expired", True, 504),
        ("misnamed", True, 504),
    ],
)
def test_insecure_skip_verification(server, backends, type, name, skips, status):
    client = conftest.client(server, "apigateway")
    api, root = setups.rest_api(client)
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**method, authorizationType="NONE")
    client.put_integration(
        **method, type=type, integrationHttpMethod="GET", uri=f"https://localhost:{backends[name].port}/asked",
        tlsConfig={"insecureSkipVerification": skips},
    )
    if type == "HTTP":
        client.put_method_response(**method, statusCode="200")
        client.put_integration_response(**method, statusCode="200")
    client.create_deployment(restApiId=api, stageName="prod")
    answer = execute_api(server, api, "GET", "/prod")
    assert answer.status == status, answer
    if status == 200:
        assert answer.json["target"] == "/asked"
    else:
        assert answer.json == {"message": "Network error communicating with endpoint"}


def test_an_authorizer_refuses_revoked_clients(server, folder, authority):
    """Neither AWS nor this server looks at revocation lists: AWS has a Lambda authorizer do it, by the serial number."""
    name, port = "revocable.example.com", int(server.addresses["https"].rsplit(":", 1)[1])
    v1, v2 = conftest.client(server, "apigateway"), conftest.client(server, "apigatewayv2")
    v2.create_domain_name(
        DomainName=name, MutualTlsAuthentication={"TruststoreUri": TRUSTSTORE},
        DomainNameConfigurations=[{"CertificateArn": CERTIFICATE_ARN, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}],
    )
    rest, root = setups.rest_api(v1)
    setups.mock_method(v1, rest, root)
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn('revoking')}/invocations"
    authorizer = v1.create_authorizer(
        restApiId=rest, name="revoking", type="REQUEST", authorizerUri=uri, authorizerResultTtlInSeconds=0,
        identitySource="context.identity.sourceIp",
    )["id"]
    v1.update_method(restApiId=rest, resourceId=root, httpMethod="GET", patchOperations=[
        {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
        {"op": "replace", "path": "/authorizerId", "value": authorizer},
    ])
    v1.create_deployment(restApiId=rest, stageName="prod")
    http = v2.create_api(Name="revocable", ProtocolType="HTTP", Target=arn("revoking"))["ApiId"]
    authorizer = v2.create_authorizer(
        ApiId=http, Name="revoking", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerResultTtlInSeconds=0,
        AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True, IdentitySource=[],
    )["AuthorizerId"]
    route = v2.get_routes(ApiId=http)["Items"][0]["RouteId"]
    v2.update_route(ApiId=http, RouteId=route, AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    v2.create_api_mapping(DomainName=name, ApiId=rest, Stage="prod", ApiMappingKey="rest")
    v2.create_api_mapping(DomainName=name, ApiId=http, Stage="$default", ApiMappingKey="http")

    own = trusting(folder / "data" / "tls" / "ca.pem", authority.issue(folder, "revocable", "a client"))
    for path in ("/rest/", "/http/"):
        eventually(lambda path=path: fetch(port, name, own, path)[0] == 200)
    with connect(port, name, own):
        pass
    serial = ssl_serial(folder / "revocable.pem")
    (folder / "revoked").write_text(f"{serial}\n")
    for path in ("/rest/", "/http/"):
        assert fetch(port, name, own, path)[0] == 403
    other = trusting(folder / "data" / "tls" / "ca.pem", authority.issue(folder, "other", "another client"))
    for path in ("/rest/", "/http/"):
        assert fetch(port, name, other, path)[0] == 200


def ssl_serial(path):
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number
