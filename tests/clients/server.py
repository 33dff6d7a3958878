"""The server under test: starts the real binary on free loopback ports, kills it, starts it again on the same data.

Owns the process and its output, nothing of what the tests send.
"""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS_TO_START = 30
SECONDS_TO_STOP = 30
PORTS = ("listen", "media-listen", "rtmp-listen", "rtmps-listen")


def binary():
    """The server's program."""
    return program("stagedoor", "STAGEDOOR_BIN")


def program(name, variable):
    """A program of the workspace: what the environment says, else what `cargo build` last made."""
    chosen = os.environ.get(variable)
    if chosen:
        return chosen
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    made = [target / profile / name for profile in ("debug", "release")]
    made = sorted((path for path in made if path.is_file()), key=lambda path: path.stat().st_mtime)
    assert made, f"no {name}: set {variable} or run `cargo build -p {name}`"
    return str(made[-1])


def cpu(pid):
    """CPU seconds of a process and all its threads, also ended ones, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


class Server:
    """A running `stagedoor serve`. Use it as a context manager; leaving it ends the process whatever happened."""

    # Whether the process gets back the signals that Python ignores.
    restore_signals = True

    def __init__(self, data_dir, *options):
        self.data_dir = data_dir
        self.options = options
        self.environment = {}
        self.process = None
        self.addresses = {}
        self.output = []
        self.log = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def http(self):
        """`http://127.0.0.1:41234`, without a slash at the end."""
        return self.addresses["http"]

    @property
    def port(self):
        return int(self.http.rsplit(":", 1)[1])

    @property
    def media(self):
        """`("127.0.0.1", 41235)`."""
        host, port = self.addresses["media"].rsplit(":", 1)
        return host, int(port)

    def start(self):
        """Starts the process and waits for the line that says it is ready."""
        listen = [option for name in PORTS if f"--{name}" not in self.options for option in (f"--{name}", "127.0.0.1:0")]
        # Settings of whoever runs the tests must not reach the server.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("STAGEDOOR_", "AWS_"))}
        environment.update(self.environment)
        self.process = subprocess.Popen(
            [binary(), "serve", *listen, "--data-dir", str(self.data_dir), *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            restore_signals=self.restore_signals,
        )
        ready = queue.SimpleQueue()
        threading.Thread(target=self._read_output, args=(self.process, ready), daemon=True).start()
        reading_log = threading.Thread(target=self._read_log, args=(self.process,), daemon=True)
        reading_log.start()
        try:
            line = ready.get(timeout=SECONDS_TO_START)
        except queue.Empty:
            line = None
        if not line:
            self.kill()
            reading_log.join(SECONDS_TO_STOP)
            raise AssertionError("the server did not get ready:\n" + self.last_log())
        self.addresses = json.loads(line)

    def restart(self):
        """Stops the server as a user would and starts it on the same data and new ports."""
        assert self.stop() == 0, self.last_log()
        self.start()

    def crash(self):
        """Ends the server as a power cut would, and starts it again on the same data."""
        self.kill()
        self.start()

    def stop(self):
        """Asks the server to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS_TO_STOP)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def running(self):
        return self.process.poll() is None

    def resident_bytes(self):
        """Memory that the server's process holds."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            (line,) = [line for line in status if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def last_log(self):
        return "".join(self.log[-60:])

    def _read_output(self, process, ready):
        for line in process.stdout:
            self.output.append(line.decode())
            ready.put(line.decode())
        ready.put("")

    def _read_log(self, process):
        for line in process.stderr:
            self.log.append(line.decode(errors="replace"))
            del self.log[:-2000]


@contextmanager
def serving(data_dir, *options, environment=None):
    """A server that outlives what is done with it, and ends well when it is told to."""
    server = Server(data_dir, *options)
    server.environment = environment or {}
    with server:
        yield server
        assert server.running, "the server went down:\n" + server.last_log()
        assert server.stop() == 0
