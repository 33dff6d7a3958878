"""Flask behind apig-wsgi, for `test_frameworks.py`. No test runs in here."""

import gzip

from apig_wsgi import make_lambda_handler
from flask import Blueprint, Flask, Response, jsonify, make_response, redirect, request

VERBS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

routes = Blueprint("routes", __name__)


@routes.route("/echo/<id>", methods=VERBS, provide_automatic_options=False)
def echo(id):
    return jsonify(
        method=request.method,
        path=request.path,
        id=id,
        query=list(request.args.items(multi=True)),
        twice=request.headers.get("X-Twice"),
        cookies=request.cookies,
        host=request.host,
        ip=request.remote_addr,
        scheme=request.scheme,
        stage=request.environ["apig_wsgi.request_context"]["stage"],
    )


@routes.get("/greedy/<path:rest>")
def greedy(rest):
    return {"rest": rest}


@routes.post("/json")
def json():
    return {"sent": request.get_json()}


@routes.post("/form")
def form():
    return {"name": request.form["name"], "colour": request.form.getlist("colour")}


@routes.post("/upload")
def upload():
    file = request.files["file"]
    return {"note": request.form["note"], "name": file.filename, "type": file.content_type, "hex": file.read().hex()}


@routes.post("/bytes")
def bytes():
    return Response(request.get_data(), mimetype="image/png")


@routes.get("/cookies")
def cookies():
    response = make_response({})
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/there")
    return response


@routes.get("/redirect")
def redirected():
    return redirect("/echo/1?a=b&c=%20")


@routes.delete("/empty")
def empty():
    return "", 204


@routes.get("/teapot")
def teapot():
    return {"error": "I am a teapot"}, 418, {"X-Twice": "one"}


@routes.get("/gzip")
def zipped():
    return Response(gzip.compress(b"small"), mimetype="text/plain", headers={"Content-Encoding": "gzip"})


@routes.get("/boom")
def boom():
    raise RuntimeError("boom")


app = Flask(__name__)
app.register_blueprint(routes)
# As on a custom domain, whose base path belongs to the path; and as of HTTP APIs with a stage that has a name.
app.register_blueprint(routes, name="shop", url_prefix="/shop")
app.register_blueprint(routes, name="prod", url_prefix="/prod")

handler = make_lambda_handler(app, binary_support=True)
