"""How much one HTTP/2 connection holds in memory for a client that takes nothing."""

import h2.events

import setups
from fault_stages import Stages
from faulty_backend import FaultyBackend
from server import Server
from test_http2 import CLIENT_TIMEOUT_SECONDS, Client


def test_answers_that_are_not_taken_are_held_up_to_a_bound(tmp_path):
    """Those that the gateway has whole: 9 MiB each, of which 128 MiB hold 14."""
    with Server(tmp_path, "--client-timeout", str(CLIENT_TIMEOUT_SECONDS)) as server, FaultyBackend() as faulty:
        stages = Stages(server, faulty)
        address = {
            "restApiId": stages.rest,
            "resourceId": setups.resource(stages.v1, stages.rest, stages.root, "whole"),
            "httpMethod": "GET",
        }
        stages.v1.put_method(**address, authorizationType="NONE")
        stages.v1.put_integration(
            **address, type="HTTP", integrationHttpMethod="GET", uri=f"{faulty.url}/large", timeoutInMillis=29_000
        )
        stages.v1.put_method_response(**address, statusCode="200")
        stages.v1.put_integration_response(**address, statusCode="200")
        stages.deploy()
        with Client(server, window=0) as client:
            streams = {client.ask(stages, "rest", "/whole") for _ in range(20)}
            assert client.goodbye() == 0
        answered = {event.stream_id for event in client.events if isinstance(event, h2.events.ResponseReceived)}
        ended = {event.stream_id for event in client.events if isinstance(event, h2.events.StreamReset)}
        assert answered | ended <= streams and 1 <= len(answered - ended) <= 14
        assert server.stop() == 0
