"""A real S3 server: SeaweedFS, one process on free loopback ports."""

import json
import pathlib
import socket
import subprocess
import sys
import time

import boto3
from botocore.config import Config

KEY = "AKIDOBJECTS"
SECRET = "object-secret"
BUCKET = "pics"
SECONDS_TO_START = 30
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")


class ObjectStore:
    """A running server with one bucket. Use it as a context manager."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        identity = {
            "name": "test",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        *others, s3, s3_grpc = free_ports(len(PORTS) + 2)
        options = [f"-{name}={port}" for name, port in zip(PORTS, others)]
        program = pathlib.Path(sys.executable).with_name("weed")
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [program, "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer=true", "-s3=true",
             *options, f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}", f"-s3.config={config}"],
            stdout=self.log, stderr=self.log,
        )
        self.url = f"http://127.0.0.1:{s3}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name="eu-west-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            config=Config(connect_timeout=1, read_timeout=10, retries={"max_attempts": 0}),
        )
        self._wait()
        return self

    def _wait(self):
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            assert self.process.poll() is None, "the object store ended"
            try:
                self.client.create_bucket(Bucket=BUCKET)
                self.client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
                return
            except Exception:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


def free_ports(count):
    """Ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
