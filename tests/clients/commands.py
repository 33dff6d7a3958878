"""Stagedoor's own commands, as a user calls them."""

import os
import pty
import select
import signal
import subprocess
import time

from server import binary


def run(*words, code=0, **variables):
    """Standard output of the program, which must end with `code`."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_REGION": "us-east-1", **variables}
    done = subprocess.run([binary(), *words], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stdout + done.stderr


class Terminal:
    """The program on a terminal of its own: a context manager, at whose end it must have ended well.

    A variable that is None is not set.
    """

    def __init__(self, *words, **variables):
        self.words = words
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm", "AWS_PAGER": "", **variables}
        self.environment = {name: value for name, value in environment.items() if value is not None}

    def __enter__(self):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execve(binary(), [binary(), *self.words], self.environment)
        self.seen = b""
        return self

    def __exit__(self, failed, *_):
        if failed:
            os.kill(self.child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        os.close(self.terminal)
        assert failed or code == 0

    def until(self, text):
        """What is printed up to and with `text`."""
        end = time.monotonic() + 30
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, self.seen
            read = self._read()
            assert read, self.seen
            self.seen += read
            # Where the cursor is, for programs that ask the terminal.
            if b"\x1b[6n" in read:
                self.write(b"\x1b[1;1R")
        before, self.seen = self.seen, b""
        return before

    def write(self, keys):
        os.write(self.terminal, keys)

    def _read(self):
        try:
            return os.read(self.terminal, 65536)
        except OSError:
            return b""
