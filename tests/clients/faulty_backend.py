"""A backend that misbehaves as the first segment of the path says, for the tests of faults.

Plain sockets: an HTTP library would not let it.
"""

import gzip
import json
import socket
import threading
import time
import urllib.parse

PATIENCE_SECONDS = 60
BOMB = gzip.compress(bytes(20 * 1024 * 1024))


class FaultyBackend:
    """A server on a free loopback port, by TLS if it is given a context for that. Use it as a context manager."""

    def __init__(self, tls=None):
        self.tls = tls

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.asked = []
        self.ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.close()

    @property
    def url(self):
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.listener.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(PATIENCE_SECONDS)
        try:
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
        except OSError:
            return
        with connection:
            try:
                while head := read_head(connection):
                    self.asked.append(head)
                    path = head.split(b" ")[1].decode().split("?")[0]
                    # A user pool's name begins with its region.
                    name = path.lstrip("/").split("/")[0].removeprefix("us-east-1_").replace("-", "_")
                    behaviour = getattr(self, name, self.told)
                    if not behaviour(connection, head):
                        return
            except OSError:
                # The gateway hung up, as it may.
                return

    def well(self, connection, head):
        read_body(connection, head)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell")
        return True

    def echo(self, connection, head):
        """The head and the body as they came."""
        body = head + read_body(connection, head)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        return True

    def told(self, connection, head):
        """The parameter `q` in JSON."""
        read_body(connection, head)
        query = urllib.parse.urlsplit(head.split(b" ")[1].decode()).query
        body = json.dumps({"h": urllib.parse.parse_qs(query).get("q", [""])[-1]}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        return True

    def dies_at_once(self, connection, head):
        """Hangs up without a word."""

    def dies_in_the_head(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-le")

    def dies_in_the_body(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf")

    def dies_in_a_chunk(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\nhalf")

    def resets(self, connection, head):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def large(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9437184\r\n\r\n" + bytes(9437184))
        return True

    def late(self, connection, head):
        """In time, but late enough for a client to be gone."""
        time.sleep(0.3)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate")
        return True

    def later(self, connection, head):
        time.sleep(2)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlater")

    def never(self, connection, head):
        self.ended.wait(PATIENCE_SECONDS)

    def stalls_in_the_body(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        self.ended.wait(PATIENCE_SECONDS)

    def no_http(self, connection, head):
        connection.sendall(b"\x00\x01\x02 nothing of the kind\r\n\r\n")

    def bad_length(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: four\r\n\r\nwell")

    def two_lengths(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nwell!")

    def bad_chunks(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nwell\r\n0\r\n\r\n")

    def endless_head(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        number = 0
        while not self.ended.wait(0.001):
            connection.sendall(b"".join(b"x-%d: %s\r\n" % (number + step, b"x" * 1000) for step in range(100)))
            number += 100

    def endless_line(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nx-long: ")
        while not self.ended.wait(0.001):
            connection.sendall(b"x" * 100_000)

    def endless_informational(self, connection, head):
        # As fast as others in this process can bear.
        while not self.ended.wait(0.002):
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100)

    def some_informational(self, connection, head):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell")

    def endless_body(self, connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while not self.ended.wait(0.001):
            connection.sendall(b"x" * 100_000)

    def bomb(self, connection, head):
        """20 KiB that unpack to 20 MiB."""
        body = BOMB
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        return True

    def two_answers(self, connection, head):
        """A second answer that nobody asked for: the next request must not get it."""
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell"
            b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled"
        )
        self.ended.wait(1)

    def splits(self, connection, head):
        """A header whose value holds a bare carriage return, and one folded over two lines."""
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nx-cr: a\rset-cookie: b\r\nx-folded: a\r\n b\r\ncontent-length: 4\r\n\r\nwell"
        )

    def switches(self, connection, head):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: own\r\nconnection: upgrade\r\n\r\nraw")
        self.ended.wait(1)


def read_head(connection):
    """A request's head with its last line; empty at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def read_body(connection, head):
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if lines.get(b"transfer-encoding") == b"chunked":
        body, reader = b"", connection.makefile("rb")
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
        return body
    body, length = b"", int(lines.get(b"content-length", 0))
    while len(body) < length:
        part = connection.recv(min(65536, length - len(body)))
        if not part:
            break
        body += part
    return body
