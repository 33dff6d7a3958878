"""Requests signed by botocore's own signer, with everything a test may want to get wrong."""

import datetime
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conftest import REGION


def signed(
    server, method, target, body=b"", *, key="test", secret="test", token=None, region=REGION, service="apigateway",
    at=None, headers=None, signer=botocore.auth.SigV4Auth, **signer_options,
):
    """`(target, headers)` of a signed request; `at` is the time that the signature claims."""
    now = at or datetime.datetime.now(datetime.timezone.utc)
    request = AWSRequest(method=method, url=server.http + target, data=body, headers=dict(headers or {}))
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: now.replace(tzinfo=None)):
        signer(Credentials(key, secret, token), service, region, **signer_options).add_auth(request)
    prepared = request.prepare()
    # The signer covers the host; it must be sent as signed.
    sent = {"Host": f"127.0.0.1:{server.port}"}
    sent.update({name: value.decode() if isinstance(value, bytes) else value for name, value in prepared.headers.items()})
    sent.pop("Content-Length", None)
    return prepared.url.removeprefix(server.http), sent
