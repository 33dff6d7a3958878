"""Resolvers of Powertools for AWS Lambda, for `test_frameworks.py`. No test runs in here.

Every event goes through the parser's models first, which are strict about what they want.
"""

import base64
import io
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.shared.cookies import Cookie
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventModel, APIGatewayProxyEventV2Model
from python_multipart.multipart import parse_form


def add_routes(app):
    """Adds what all frameworks answer."""

    def sent():
        """The body's bytes."""
        event = app.current_event
        return base64.b64decode(event.body or "") if event.is_base64_encoded else (event.body or "").encode()

    @app.route("/echo/<id>", method=["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    def echo(id):
        event = app.current_event
        context = event.request_context
        query = event.resolved_query_string_parameters
        cookies = event.resolved_headers_field.get("cookie") or event.get("cookies") or []
        cookies = [cookie for line in cookies for cookie in line.split("; ")]
        twice = event.resolved_headers_field.get("x-twice")
        return {
            "method": event.http_method,
            "path": event.path,
            "id": id,
            "query": [[name, value] for name, values in query.items() for value in values],
            "twice": ",".join(twice) if isinstance(twice, list) else twice,
            "cookies": dict(cookie.split("=", 1) for cookie in cookies),
            "host": context.domain_name,
            "ip": context.http.source_ip if "http" in context else context.identity.source_ip,
            "scheme": event.headers["x-forwarded-proto"],
            "stage": context.stage,
        }

    @app.get("/greedy/<rest>/<more>")
    def greedy(rest, more):
        return {"rest": f"{rest}/{more}"}

    @app.post("/json")
    def json():
        return {"sent": app.current_event.json_body}

    @app.post("/form")
    def form():
        fields = parse_qs(app.current_event.decoded_body)
        return {"name": fields["name"][0], "colour": fields["colour"]}

    @app.post("/upload")
    def upload():
        fields, files = {}, {}
        headers = {"Content-Type": app.current_event.headers["content-type"].encode()}
        parse_form(
            headers, io.BytesIO(sent()),
            lambda field: fields.update({field.field_name: field.value}),
            lambda file: files.update({file.field_name: file}),
        )
        file = files[b"file"]
        file.file_object.seek(0)
        return {
            "note": fields[b"note"].decode(), "name": file.file_name.decode(), "type": "image/png",
            "hex": file.file_object.read().hex(),
        }

    @app.post("/bytes")
    def bytes():
        return Response(200, "image/png", sent())

    @app.get("/cookies")
    def cookies():
        made = [Cookie("a", "1", http_only=True, secure=False), Cookie("b", "2", path="/there", secure=False)]
        return Response(200, "application/json", "{}", cookies=made)

    @app.get("/redirect")
    def redirect():
        return Response(302, headers={"Location": "/echo/1?a=b&c=%20"})

    @app.delete("/empty")
    def empty():
        return Response(204)

    @app.get("/teapot")
    def teapot():
        return Response(418, "application/json", '{"error": "I am a teapot"}', headers={"X-Twice": ["one"]})

    @app.get("/gzip", compress=True)
    def zipped():
        return Response(200, "text/plain", "small")

    @app.get("/boom")
    def boom():
        raise RuntimeError("boom")

    return app


REST = add_routes(APIGatewayRestResolver(strip_prefixes=["/shop", "/prod"]))
HTTP = add_routes(APIGatewayHttpResolver(strip_prefixes=["/shop"]))


def handler(event, context):
    if event.get("version") == "2.0":
        APIGatewayProxyEventV2Model.model_validate(event)
        return HTTP.resolve(event, context)
    APIGatewayProxyEventModel.model_validate(event)
    return REST.resolve(event, context)
