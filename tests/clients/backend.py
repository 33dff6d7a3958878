"""A backend for HTTP integrations: answers every request with what it received, as JSON."""

import http.server
import json
import threading


class Backend:
    """A server on a free loopback port, by TLS if it is given a context for that. Use it as a context manager."""

    def __init__(self, tls=None):
        self._tls = tls

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        if self._tls:
            # The handshake belongs to the connection's own thread.
            listening = self._server.socket
            self._server.socket = self._tls.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"


class Echo(http.server.BaseHTTPRequestHandler):
    """`/status/{code}` answers with that code, every other path with 200; the body is the request."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        seen = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode("latin-1"),
        }
        answer = b"" if self.command == "HEAD" else json.dumps(seen).encode()
        first, _, rest = self.path.lstrip("/").partition("/")
        code = int(rest.split("?")[0]) if first == "status" else 200
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Backend", "echo")
        self.send_header("Set-Cookie", "one=1")
        self.send_header("Set-Cookie", "two=2")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _answer

    def log_message(self, *_):
        """Nothing: the tests say what went wrong."""
