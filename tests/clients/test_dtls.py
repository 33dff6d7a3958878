"""DTLS with peers of all kinds of certificates: each publishes by WHIP, and another one receives it."""

import asyncio
import datetime

import pytest
from aiortc import RTCCertificate, RTCSessionDescription
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import whip
from conftest import client
from expect import eventually
from participants import token
from test_media import stage, url  # noqa: F401 (`stage` is a fixture)
from test_rtmp import events

# With longer RSA keys the peer's flight exceeds the 1500 bytes of it that aiortc sends.
KEYS = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def certificate(key):
    """A self-signed certificate, as peers make one for themselves."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    return RTCCertificate(key=key, cert=built.sign(key, hashes.SHA256()))

@pytest.mark.parametrize("kind", KEYS)
def test_a_peer_with_any_usual_certificate_publishes_and_receives(server, stage, monkeypatch, kind):
    own = certificate(KEYS[kind]())
    monkeypatch.setattr(RTCCertificate, "generateCertificate", classmethod(lambda cls: own))
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(url(stage), publish, "video/VP8") as publisher:
            assert f" {own.getFingerprints()[0].value}" in publisher.peer.localDescription.sdp
            async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
                await subscriber.receives(video=10, audio=10)

    asyncio.run(run())

def test_a_certificate_that_was_not_announced_is_no_good(server, stage, monkeypatch):
    """Whoever sits in between can end the handshake himself, but not under the fingerprint of the offer."""
    _, publish = token(server, stage, "PUBLISH")
    announced = certificate(KEYS["rsa-2048"]()).getFingerprints()
    monkeypatch.setattr(RTCCertificate, "getFingerprints", lambda self: announced)

    async def run():
        publisher = whip.Publisher(url(stage), publish, "video/VP8")
        connecting = asyncio.ensure_future(publisher.__aenter__())
        await whip.until(lambda: any("fingerprint" in line for line in server.log), "the refusal")
        assert publisher.peer.connectionState != "connected"
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await publisher.peer.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind, expected", [("p-384", "connected"), ("rsa-2048", "failed")])
def test_a_peer_that_insists_on_being_the_server(server, stage, monkeypatch, kind, expected):
    """As a client the server takes ECDSA certificates alone. Nobody can see that from an offer; the refusal comes at once
    and is an event."""
    own = certificate(KEYS[kind]())
    monkeypatch.setattr(RTCCertificate, "generateCertificate", classmethod(lambda cls: own))
    publisher_id, publish = token(server, stage, "PUBLISH")

    async def run():
        publisher = whip.Publisher(url(stage), publish, "video/VP8")
        try:
            offer = (await whip.offer_sdp(publisher.peer)).replace("a=setup:actpass", "a=setup:passive")
            status, _, answer = await asyncio.to_thread(whip.send, "POST", url(stage), publish, offer)
            assert status == 201 and "a=setup:active" in answer
            await publisher.peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
            await whip.until(lambda: publisher.peer.connectionState == expected, expected)
        finally:
            await publisher.peer.close()

    asyncio.run(run())
    if expected == "failed":
        ivs = client(server, "ivs-realtime")
        eventually(lambda: ("PUBLISH_ERROR", "INVALID_INPUT") in events(ivs, stage, publisher_id))
        assert any("needs an ECDSA certificate" in line for line in server.log)
