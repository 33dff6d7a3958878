"""Requests byte by byte, as no HTTP library would send them, and what comes back."""

import socket

PATIENCE_SECONDS = 30


class RawClient:
    """One connection to the server. Use it as a context manager."""

    def __init__(self, server, patience=PATIENCE_SECONDS):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=patience)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode("latin-1") if isinstance(text, str) else text)
        return self

    def end(self):
        """Shuts the writing side only."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            # The server has hung up already.
            pass
        return self

    def rest(self):
        """Everything until the server hangs up."""
        try:
            while part := self.socket.recv(65536):
                self.received += part
        except ConnectionResetError:
            # What came before counts.
            pass
        return self.received

    def answer(self, method="GET"):
        """The next answer, to a request with this method: status, headers, body. Status 0 if the server hung up instead."""
        try:
            while b"\r\n\r\n" not in self.received:
                if not self._more():
                    return 0, {}, self.received
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            status = int(lines[0].split(" ")[1])
            return status, headers, b"" if method == "HEAD" or status < 200 else self._body(headers)
        except ConnectionResetError:
            return 0, {}, self.received

    def _body(self, headers):
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                line = self._line()
                size = int(line or b"0", 16)
                if not size:
                    # The empty line after the last chunk.
                    self._line()
                    return body
                body += self._take(size)
                self._line()
        return self._take(int(headers.get("content-length", 0)))

    def _line(self):
        while b"\r\n" not in self.received:
            if not self._more():
                return b""
        line, self.received = self.received.split(b"\r\n", 1)
        return line

    def _take(self, size):
        while len(self.received) < size and self._more():
            continue
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def _more(self):
        part = self.socket.recv(65536)
        self.received += part
        return bool(part)


def host(api, region="us-east-1"):
    return f"{api}.execute-api.{region}.amazonaws.com"
