"""Custom domain names behind TLS: SNI, certificates of files and made on demand, mutual TLS, HTTP/2, as clients see it."""

import datetime
import http.client
import json
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import conftest
import setups
from server import Server
from test_lambda import arn, table

CERTIFICATE_ARN = "arn:aws:acm:us-east-1:000000000000:certificate/8a1b2c3d-0000-4000-8000-000000000000"
TRUSTSTORE = "s3://trust/ca.pem"
PATIENCE_SECONDS = 20


class Authority:
    """A certificate authority of the tests' own."""

    def __init__(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key.public_key(), [], True)

    def _sign(self, subject, public_key, names, is_ca, ends_in_days=1):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=3)).not_valid_after(now + datetime.timedelta(days=ends_in_days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, path):
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, folder, file, *names, ends_in_days=1):
        """Files with a certificate for these names and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.COMMON_NAME, names[0]),
        ])
        certificate = self._sign(subject, key.public_key(), names, False, ends_in_days)
        cert_file, key_file = folder / f"{file}.pem", folder / f"{file}.key"
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cert_file, key_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder):
    made = Authority("the tests' authority")
    made.write(folder / "authority.pem")
    return made


@pytest.fixture(scope="module")
def server(folder, authority):
    cert, key = authority.issue(folder, "files", "files.example.com", "*.wild.example.com")
    config = folder / "stagedoor.toml"
    config.write_text(
        f"[[certificate]]\ndomains = ['files.example.com', '*.wild.example.com']\ncert = '{cert}'\nkey = '{key}'\n"
        f"[truststores]\n'{TRUSTSTORE}' = '{folder / 'authority.pem'}'\n" + table("echo", "echo")
    )
    options = ("--tls-listen", "127.0.0.1:0", "--config", str(config))
    with Server(folder / "data", *options) as running:
        yield running
        assert running.running, "the server went down:\n" + running.last_log()


@pytest.fixture(scope="module")
def tls_port(server):
    return int(server.addresses["https"].rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def api(server, backend):
    """An HTTP API of which every domain below has the base path `v1`."""
    client = conftest.client(server, "apigatewayv2")
    api = client.create_api(Name="edges", ProtocolType="HTTP", Target=backend.url + "/echo")["ApiId"]
    for name in ("files.example.com", "made.example.com", "mutual.example.com"):
        configuration = {"CertificateArn": CERTIFICATE_ARN, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
        extra = {"MutualTlsAuthentication": {"TruststoreUri": TRUSTSTORE}} if name.startswith("mutual") else {}
        client.create_domain_name(DomainName=name, DomainNameConfigurations=[configuration], **extra)
        client.create_api_mapping(DomainName=name, ApiId=api, Stage="$default", ApiMappingKey="v1")
    return api


def trusting(path, cert=None):
    context = ssl.create_default_context(cafile=str(path))
    if cert:
        context.load_cert_chain(*map(str, cert))
    return context


def connect(port, name, context):
    stream = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    return context.wrap_socket(stream, server_hostname=name)


def fetch(port, name, context, path="/v1/x", host=None):
    connection = http.client.HTTPSConnection(name, timeout=PATIENCE_SECONDS)
    connection.sock = connect(port, name, context)
    try:
        connection.request("GET", path, headers={"Host": host or name})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_domain_shows_the_certificate_of_its_files(tls_port, api, folder):
    status, _ = fetch(tls_port, "files.example.com", trusting(folder / "authority.pem"))
    assert status == 200
    with connect(tls_port, "any.wild.example.com", trusting(folder / "authority.pem")) as stream:
        assert stream.version() == "TLSv1.3"


def test_other_domains_get_one_from_the_servers_own_authority(tls_port, api, folder):
    own = trusting(folder / "data" / "tls" / "ca.pem")
    assert fetch(tls_port, "made.example.com", own)[0] == 200
    assert fetch(tls_port, "made.example.com", own, "/v2/x") == (403, b'{"message":"Forbidden"}')
    # Default addresses have one too, and so has the server itself.
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    assert fetch(tls_port, host, own, "/x")[0] == 200
    with connect(tls_port, "localhost", own):
        pass


def test_names_that_are_not_here_get_no_handshake(tls_port, api, folder):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(tls_port, "stranger.example.net", trusting(folder / "data" / "tls" / "ca.pem"))


def test_protocols_are_chosen_by_alpn_and_the_version_has_a_minimum(tls_port, api, folder):
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)):
        context = trusting(folder / "data" / "tls" / "ca.pem")
        if offered:
            context.set_alpn_protocols(offered)
        with connect(tls_port, "made.example.com", context) as stream:
            assert stream.selected_alpn_protocol() == chosen
    old = trusting(folder / "data" / "tls" / "ca.pem")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(tls_port, "made.example.com", old) as stream:
        assert stream.version() == "TLSv1.2"


def curl(port, name, *arguments):
    command = ["curl", "-sS", "--max-time", str(PATIENCE_SECONDS), "--resolve", f"{name}:{port}:127.0.0.1"]
    command += ["-w", "\n%{http_code} %{http_version}", *map(str, arguments), f"https://{name}:{port}/v1/x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    body, _, figures = done.stdout.rpartition("\n")
    return body, figures


def test_curl_speaks_http2_and_the_backend_learns_of_tls(tls_port, api, folder):
    body, figures = curl(tls_port, "made.example.com", "--cacert", folder / "data" / "tls" / "ca.pem")
    assert figures == "200 2"
    assert "proto=https" in body


def test_mutual_tls_lets_in_whom_the_truststore_vouches_for(tls_port, api, folder, authority):
    name, ca = "mutual.example.com", folder / "data" / "tls" / "ca.pem"
    cert, key = authority.issue(folder, "client", "a client")
    body, figures = curl(tls_port, name, "--cacert", ca, "--cert", cert, "--key", key)
    assert figures == "200 2", body

    forbidden = '{"message":"Forbidden"}'
    assert curl(tls_port, name, "--cacert", ca) == (forbidden, "403 2")
    stranger = Authority("a stranger").issue(folder, "stranger", "a stranger")
    assert curl(tls_port, name, "--cacert", ca, "--cert", stranger[0], "--key", stranger[1]) == (forbidden, "403 2")


def test_a_resource_policy_sees_whether_the_connection_was_secure(server, tls_port, folder):
    """rest-data C7: `aws:SecureTransport` is what the listener says, not what the server could do."""
    v1 = conftest.client(server, "apigateway")
    rest, root = setups.rest_api(v1, name="secure")
    setups.mock_method(v1, rest, root)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    statement["Condition"] = {"Bool": {"aws:SecureTransport": "true"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    v1.update_rest_api(restApiId=rest, patchOperations=[{"op": "replace", "path": "/policy", "value": policy}])
    v1.create_deployment(restApiId=rest, stageName="prod")
    host = f"{rest}.execute-api.us-east-1.amazonaws.com"
    own = trusting(folder / "data" / "tls" / "ca.pem")
    assert fetch(tls_port, host, own, "/prod")[0] == 200
    assert conftest.execute_api(server, rest, "GET", "/prod").status == 403


def test_functions_and_templates_learn_of_the_clients_certificate(server, tls_port, folder, authority):
    name = "told.example.com"
    configuration = {"CertificateArn": CERTIFICATE_ARN, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    v1, v2 = conftest.client(server, "apigateway"), conftest.client(server, "apigatewayv2")
    v2.create_domain_name(
        DomainName=name, DomainNameConfigurations=[configuration],
        MutualTlsAuthentication={"TruststoreUri": TRUSTSTORE},
    )
    rest, root = setups.rest_api(v1, name="told")
    method = {"restApiId": rest, "resourceId": setups.resource(v1, rest, root, "x"), "httpMethod": "GET"}
    uri = f"arn:aws:apigateway:{conftest.REGION}:lambda:path/2015-03-31/functions/{arn('echo')}/invocations"
    v1.put_method(**method, authorizationType="NONE")
    v1.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    told = {"restApiId": rest, "resourceId": setups.resource(v1, rest, root, "told"), "httpMethod": "GET"}
    v1.put_method(**told, authorizationType="NONE")
    v1.put_method_response(**told, statusCode="200")
    v1.put_integration(**told, type="MOCK", requestTemplates={"application/json": "{statusCode: 200}"})
    template = "$context.identity.clientCert.subjectDN|$context.identity.clientCert.issuerDN|" \
               "$context.identity.clientCert.serialNumber|$context.identity.clientCert.validity.notBefore"
    v1.put_integration_response(**told, statusCode="200", responseTemplates={"application/json": template})
    v1.create_deployment(restApiId=rest, stageName="prod")
    http_api = v2.create_api(Name="told", ProtocolType="HTTP", Target=arn("echo"))["ApiId"]
    v2.create_api_mapping(DomainName=name, ApiId=rest, Stage="prod", ApiMappingKey="rest")
    v2.create_api_mapping(DomainName=name, ApiId=http_api, Stage="$default", ApiMappingKey="http")

    cert, key = authority.issue(folder, "told", "a client")
    shown = x509.load_pem_x509_certificate(cert.read_bytes())
    own = trusting(folder / "data" / "tls" / "ca.pem", (cert, key))
    ask = lambda path: json.loads(fetch(tls_port, name, own, path)[1])["event"]["requestContext"]
    certificates = [ask("/rest/x")["identity"]["clientCert"], ask("/http/x")["authentication"]["clientCert"]]
    for found in certificates:
        assert x509.load_pem_x509_certificate(found["clientCertPem"].encode()) == shown
        assert found["subjectDN"] == "CN=a client,C=DE"
        assert found["issuerDN"] == "CN=the tests' authority"
        assert int(found["serialNumber"].replace(":", ""), 16) == shown.serial_number
        for end, time_ in (("notBefore", shown.not_valid_before_utc), ("notAfter", shown.not_valid_after_utc)):
            text = found["validity"][end]
            assert datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y GMT") == time_.replace(tzinfo=None)
    status, body = fetch(tls_port, name, own, "/rest/told")
    assert status == 200
    found = certificates[0]
    assert body.decode().split("|") == [
        found["subjectDN"], found["issuerDN"], found["serialNumber"], found["validity"]["notBefore"]
    ]


def test_mutual_tls_has_no_way_around(server, tls_port, api, folder):
    plain = conftest.fetch(server, "GET", "/v1/x", {"Host": "mutual.example.com"})
    assert (plain.status, plain.body) == (403, b'{"message":"Forbidden"}')
    # Shaking hands for another domain and then asking for this one.
    own = trusting(folder / "data" / "tls" / "ca.pem")
    assert fetch(tls_port, "made.example.com", own, host="mutual.example.com")[0] == 403


def test_changed_certificates_are_shown_without_a_restart(tls_port, api, folder, authority):
    def shown():
        with connect(tls_port, "files.example.com", trusting(folder / "authority.pem")) as stream:
            return stream.getpeercert()["serialNumber"]

    before = shown()
    authority.issue(folder, "files", "files.example.com", "*.wild.example.com")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while shown() == before:
        assert time.monotonic() < deadline, "the old certificate is still shown"
        time.sleep(0.2)


def test_what_is_no_handshake_disturbs_nobody(tls_port, api, folder):
    idle = [socket.create_connection(("127.0.0.1", tls_port)) for _ in range(20)]
    with socket.create_connection(("127.0.0.1", tls_port), timeout=PATIENCE_SECONDS) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: made.example.com\r\n\r\n")
        try:
            while stream.recv(1000):
                pass
        except ConnectionError:
            pass
    assert fetch(tls_port, "made.example.com", trusting(folder / "data" / "tls" / "ca.pem"))[0] == 200
    for stream in idle:
        stream.close()
