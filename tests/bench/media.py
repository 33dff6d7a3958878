"""Measures the real-time stages for `cargo xtask bench media`: forwarding beside Janus, joining, RTMP ingest.

`run.py` starts it in a network namespace of its own, with addresses that are not loopback ones, because Janus refuses
those; where the system allows no namespaces it runs without Janus. Packets come from `tests/load`.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

from conftest import client  # noqa: E402
from measure import cpu_seconds, resident_mib, row  # noqa: E402
from server import Server  # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
# 30 frames of nine packets and 50 sounds per second: 2.65 Mbit/s with all headers.
NINE = {"packets_per_frame": 9}
