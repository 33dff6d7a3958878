"""Thousands of connections that hold on to what they can get: the memory that they take is bounded, comes back once they
are gone, and a client beside them is served as if they were not there.
"""

import contextlib
import resource
import time

import pytest

from expect import eventually
from fault_stages import Stages, others_are_served
from faulty_backend import FaultyBackend
from raw_client import RawClient
from server import serving

MIB = 2**20
FILES = 12_000
CONNECTIONS = 4000
UPLOADS = 1000
UPLOAD_BYTES = 9 * MIB


@pytest.fixture(scope="module", autouse=True)
def files():
    """As many as the tests and the server, which inherits it, need at a time."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = max(before[0], min(FILES, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    yield soft
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def server(tmp_path_factory, files):
    with serving(tmp_path_factory.mktemp("many")) as running:
        yield running


@pytest.fixture(scope="module")
def stages(server):
    with FaultyBackend() as faulty:
        yield Stages(server, faulty)


@contextlib.contextmanager
def clients(server, count, first):
    """So many connections that have sent this and no more."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(RawClient(server)).send(first) for _ in range(count)]


@pytest.mark.parametrize(
    ("count", "said", "kibibytes"),
    [(CONNECTIONS, b"", 48), (CONNECTIONS, b"X-Half: " + b"x" * 4000, 64), (CONNECTIONS // 8, b"X-Half: " + b"x" * 60_000, 256)],
    ids=["nothing", "half a head", "half a long head"],
)
def test_clients_that_go_no_further(server, stages, count, said, kibibytes):
    """A connection costs what its buffers take, not more."""
    said = stages.head("http", "GET", "/well")[:-2] + said if said else b""
    with others_are_served(stages, growth_mib=count * kibibytes / 1024):
        before = server.resident_bytes()
        with clients(server, count, said) as all_of_them:
            eventually(lambda: settled(server))
            assert server.resident_bytes() - before < count * kibibytes * 1024
            # The last was accepted too, and is waited for.
            all_of_them[-1].socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                all_of_them[-1].socket.recv(1)


def settled(server):
    before = server.resident_bytes()
    time.sleep(0.2)
    return abs(server.resident_bytes() - before) < MIB


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_bodies_that_are_announced_and_never_sent(server, stages, kind):
    """What is announced takes no memory: only what has come does."""
    head = stages.head(kind, "POST", "/echo", f"Content-Length: {UPLOAD_BYTES}")
    with others_are_served(stages), clients(server, UPLOADS, head + b"x" * 1000):
        eventually(lambda: settled(server))


def test_memory_comes_back(server, stages):
    """The server stayed for ever as large as with bodies of hundreds of megabytes together: glibc keeps what is free."""
    before = server.resident_bytes()
    head = stages.head("rest", "POST", "/well", f"Content-Length: {UPLOAD_BYTES}")
    for _ in range(2):
        with clients(server, 30, head + bytes(UPLOAD_BYTES - 1)):
            eventually(lambda: server.resident_bytes() - before > 30 * UPLOAD_BYTES * 0.9)
    eventually(lambda: server.resident_bytes() - before < 100 * MIB, seconds=90)
