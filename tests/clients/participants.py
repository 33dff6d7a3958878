"""Participants' tokens: those that a stage makes, and those that its owner signs."""

import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import client


def token(server, stage, *capabilities, **options):
    """`(participant id, token)`; without capabilities the service's own choice."""
    if capabilities:
        options["capabilities"] = list(capabilities)
    made = client(server, "ivs-realtime").create_participant_token(stageArn=stage["arn"], **options)["participantToken"]
    return made["participantId"], made["token"]


def own_key(server):
    """`(private key, ARN of its imported public half)`."""
    private = ec.generate_private_key(ec.SECP384R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    ivs = client(server, "ivs-realtime")
    return private, ivs.import_public_key(name="own", publicKeyMaterial=public.decode())["publicKey"]["arn"]


def own_token(key, stage, participant="own-participant", **changes):
    """A token as the guide says to make it; `changes` replace claims, None removes one."""
    private, key_arn = key
    now = int(time.time())
    claims = {
        "exp": now + 3600,
        "iat": now,
        "jti": participant,
        "resource": stage["arn"],
        "topic": stage["arn"].rsplit("/", 1)[1],
        "events_url": stage["endpoints"]["events"],
        "whip_url": stage["endpoints"]["whip"],
        "capabilities": {"allow_publish": True, "allow_subscribe": True},
        "version": "1.0",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, private, algorithm="ES384", headers={"kid": key_arn})
