"""A service that answers whatever a model allows: every member of an operation's output, the same for every client.

What it answers is chosen per call; what it was asked is kept, so that two clients' requests can be compared.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

class Stub:
    """A context manager; `answers` gives each request's status, headers and body."""

    def __enter__(self):
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = urlsplit(self.path)
                scope = self.headers.get("Authorization", "").split("/")
                scope = [scope[0].split("=")[-1], *scope[2:4], self.headers.get("X-Amz-Security-Token")]
                query = parse_qsl(url.query, keep_blank_values=True)
                stub.asked.append((self.command, url.path, sorted(query), normal(body), scope))
                status, headers, content = stub.answers(query, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.asked = []
        self.answers = lambda query, body: (200, {}, b"{}")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.http = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked


def normal(body):
    """JSON without its spaces and order; a random token without its randomness."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict) and len(str(value.get("idempotencyToken", ""))) == 36:
        value["idempotencyToken"] = "a UUID"
    return value


# === answers from a model ===


def answers(operation, paginator=None):
    """Every member of the operation's output; two pages if it has pages."""

    def answer(query, body):
        asked = {**dict(query), **(json.loads(body) if body.startswith(b"{") else {})}
        shape = operation.output_shape
        if shape is None:
            return 200, {}, b""
        payload = shape.serialization.get("payload")
        headers, content = {}, {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if member.serialization.get("location") == "header":
                headers[wire] = f"{name} value"
            elif name != payload:
                content[wire] = sample(member, name, ())
        if paginator:
            token_in = operation.input_shape.members[paginator["input_token"]].serialization.get("name", paginator["input_token"])
            token_out = shape.members[paginator["output_token"]].serialization.get("name", paginator["output_token"])
            content[token_out] = "second/page"
            if token_in in asked:
                del content[token_out]
        if payload:
            return 200, headers, b"bytes \x00\xff of a file\n"
        return operation.http.get("responseCode", 200), headers, json.dumps(content).encode()

    return answer


def failing(status, code, message="no"):
    """The same error to every request."""
    content = json.dumps({"message": message}).encode()
    return lambda query, body: (status, {"x-amzn-ErrorType": code} if code else {}, content)


def sample(shape, name, within):
    """A value of the shape as it travels."""
    within = (*within, shape.name)
    kind = shape.type_name
    if kind == "structure":
        inner = {} if within.count(shape.name) > 1 else shape.members
        return {member.serialization.get("name", key): sample(member, key, within) for key, member in inner.items()}
    if kind == "list":
        return [sample(shape.member, name, within), sample(shape.member, f"{name}-2", within)]
    if kind == "map":
        return {"key-1": sample(shape.value, "größe", within), "key-2": sample(shape.value, "with \"quotes\" and\ttab", within)}
    if kind == "timestamp":
        return "2024-02-03T04:05:06.789Z" if shape.serialization.get("timestampFormat") == "iso8601" else 1706933106
    if kind == "boolean":
        return name < "m"
    if kind in ("integer", "long"):
        return 1234567
    if kind in ("float", "double"):
        return 0.25
    if kind == "blob":
        return "Ynl0ZXM="
    return shape.enum[-1] if getattr(shape, "enum", None) else f"{name} é"
