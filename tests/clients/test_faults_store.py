"""A data directory without room, and a server that is killed under load: stages serve what was deployed to them."""

import resource
import signal
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import setups
from conftest import client, execute_api
from expect import eventually
from fault_stages import Stages
from faulty_backend import FaultyBackend
from server import Server

KINDS = ["rest", "http"]


class Limited(Server):
    """A server whose files can be kept from growing, as on a full disk: writes fail, nothing else does."""

    def __enter__(self):
        # A process that is over the limit gets a signal, which only who inherits it as ignored survives.
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            return super().__enter__()
        finally:
            signal.signal(signal.SIGXFSZ, before)

    restore_signals = False

    def fill_disk(self):
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (4096, hard))

    def free_disk(self):
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_stages_serve_while_the_disk_is_full(tmp_path):
    with FaultyBackend() as backend, Limited(tmp_path / "data") as server:
        stages = Stages(server, backend)
        v1 = client(server, "apigateway")
        server.fill_disk()
        failed = 0
        for number in range(20):
            try:
                v1.create_rest_api(name=f"too-much-{number}", description="x" * 1000)
            except ClientError as error:
                answer = error.response
                assert answer["ResponseMetadata"]["HTTPStatusCode"] in (500, 503), answer
                assert "redb" not in str(answer) and "/" not in answer["Error"]["Message"], answer
                failed += 1
            for kind, path in (("rest", "/mock"), ("http", "/well")):
                assert stages.ask(kind, "GET", path).status == 200
        assert failed == 20
        server.free_disk()
        # No restart is needed.
        api = eventually(lambda: created(v1, "room again"))
        assert api in {item["id"] for item in v1.get_rest_apis(limit=500)["items"]}
        assert not [item for item in v1.get_rest_apis(limit=500)["items"] if item["name"].startswith("too-much")]
        assert stages.logged("rest", "/mock")
        server.restart()
        assert execute_api(server, stages.rest, "GET", "/prod/mock").status == 200
        assert server.stop() == 0


def created(v1, name):
    try:
        return v1.create_rest_api(name=name)["id"]
    except ClientError:
        return None


@pytest.mark.parametrize("rounds", [3])
def test_a_server_that_is_killed_under_load_serves_again(tmp_path, rounds):
    """Clients ask both stages and change one without pause; each time, what was deployed is served right after the start."""
    with FaultyBackend() as backend, Server(tmp_path / "data") as server:
        stages = Stages(server, backend)
        for _ in range(rounds):
            over, served, wrong = threading.Event(), [0], []

            def load(kind, path):
                while not over.is_set():
                    try:
                        answer = stages.ask(kind, "GET", path)
                    except OSError:
                        # It is being killed.
                        continue
                    served[0] += 1
                    if answer.status != 200:
                        wrong.append(answer)

            def change():
                v1 = client(server, "apigateway")
                while not over.is_set():
                    try:
                        v1.create_deployment(restApiId=stages.rest, stageName="prod")
                    except (BotoCoreError, ClientError):
                        continue

            threads = [threading.Thread(target=load, args=what) for what in [("rest", "/mock"), ("http", "/well")] * 4]
            threads.append(threading.Thread(target=change))
            for thread in threads:
                thread.start()
            before = served[0]
            eventually(lambda: served[0] > before + 100, seconds=60)
            server.kill()
            over.set()
            for thread in threads:
                thread.join()
            assert not wrong, wrong[:3]
            began = time.monotonic()
            server.start()
            assert time.monotonic() - began < 10
            for kind, path in (("rest", "/mock"), ("http", "/well")):
                assert stages.ask(kind, "GET", path).status == 200
        setups.deployed_mock(client(server, "apigateway"))
        assert server.stop() == 0
