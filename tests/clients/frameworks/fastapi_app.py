"""FastAPI behind Mangum, for `test_frameworks.py`. No test runs in here."""

import gzip

from fastapi import APIRouter, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from mangum import Mangum

routes = APIRouter()


@routes.api_route("/echo/{id}", methods=["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
async def echo(request: Request, id: str):
    event = request.scope["aws.event"]
    return JSONResponse({
        "method": request.method,
        "path": request.url.path,
        "id": id,
        "query": request.query_params.multi_items(),
        "twice": request.headers.get("x-twice"),
        "cookies": request.cookies,
        "host": request.headers["host"],
        "ip": request.client.host,
        "scheme": request.url.scheme,
        "stage": event["requestContext"]["stage"],
    })


@routes.get("/greedy/{rest:path}")
async def greedy(rest: str):
    return {"rest": rest}


@routes.post("/json")
async def json(sent: dict):
    return {"sent": sent}


@routes.post("/form")
async def form(name: str = Form(), colour: list[str] = Form()):
    return {"name": name, "colour": colour}


@routes.post("/upload")
async def upload(note: str = Form(), file: UploadFile = File()):
    return {"note": note, "name": file.filename, "type": file.content_type, "hex": (await file.read()).hex()}


@routes.post("/bytes")
async def bytes(request: Request):
    return Response(await request.body(), media_type="image/png")


@routes.get("/cookies")
async def cookies(response: Response):
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/there")
    return {}


@routes.get("/redirect")
async def redirect():
    return RedirectResponse("/echo/1?a=b&c=%20", 302)


@routes.delete("/empty", status_code=204)
async def empty():
    return None


@routes.get("/teapot")
async def teapot():
    return JSONResponse({"error": "I am a teapot"}, 418, headers={"X-Twice": "one"})


@routes.get("/gzip")
async def zipped():
    return Response(gzip.compress(b"small"), media_type="text/plain", headers={"Content-Encoding": "gzip"})


@routes.get("/boom")
async def boom():
    raise RuntimeError("boom")


app = FastAPI()
app.include_router(routes)
# As on a custom domain, whose base path belongs to the path.
app.include_router(routes, prefix="/shop")

# HTTP APIs put the name of a stage into the path.
handler = Mangum(app, api_gateway_base_path="/prod", lifespan="off")
