"""Stagedoor's own commands, as a user calls them."""

import os
import subprocess

from server import binary


def run(*words, code=0, **variables):
    """Standard output of the program, which must end with `code`."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_REGION": "us-east-1", **variables}
    done = subprocess.run([binary(), *words], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stdout + done.stderr
