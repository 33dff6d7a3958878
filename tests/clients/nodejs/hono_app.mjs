// Hono on its adapter for AWS Lambda, for test_frameworks.py. No test runs in here.
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { getConnInfo, handle, streamHandle } from "hono/aws-lambda";
import { getCookie, setCookie } from "hono/cookie";
import { stream } from "hono/streaming";

const routes = new Hono();

routes.all("/echo/:id", (c) =>
  c.json({
    method: c.req.method,
    path: decodeURIComponent(c.req.path),
    id: c.req.param("id"),
    query: [...new URL(c.req.url).searchParams],
    twice: c.req.header("x-twice"),
    cookies: Object.fromEntries((c.req.header("cookie") ?? "").split("; ").filter(Boolean).map((one) => one.split("="))),
    host: new URL(c.req.url).host,
    ip: getConnInfo(c).remote.address,
    scheme: c.req.header("x-forwarded-proto"),
    stage: c.env.event.requestContext.stage,
    cookie: getCookie(c, "b"),
  }),
);

routes.get("/greedy/:rest{.+}", (c) => c.json({ rest: c.req.param("rest") }));
routes.post("/json", async (c) => c.json({ sent: await c.req.json() }));

routes.post("/form", async (c) => {
  const form = await c.req.parseBody({ all: true });
  return c.json({ name: form.name, colour: form.colour });
});

routes.post("/upload", async (c) => {
  const { note, file } = await c.req.parseBody();
  const hex = Buffer.from(await file.arrayBuffer()).toString("hex");
  return c.json({ note, name: file.name, type: file.type, hex });
});

routes.post("/bytes", async (c) => c.body(await c.req.arrayBuffer(), 200, { "Content-Type": "image/png" }));

routes.get("/cookies", (c) => {
  setCookie(c, "a", "1", { httpOnly: true });
  setCookie(c, "b", "2", { path: "/there" });
  return c.json({});
});

routes.get("/redirect", (c) => c.redirect("/echo/1?a=b&c=%20"));
routes.delete("/empty", (c) => c.body(null, 204));
routes.get("/teapot", (c) => c.json({ error: "I am a teapot" }, 418, { "X-Twice": "one" }));
routes.get("/gzip", (c) => c.body(gzipSync("small"), 200, { "Content-Encoding": "gzip", "Content-Type": "text/plain" }));

routes.get("/boom", () => {
  throw new Error("boom");
});

/** Where it is streamed, the answer has come that far when the client is told so. */
routes.get("/parts", (c) =>
  stream(c, async (parts) => {
    for (const part of ["first,", "second,", "third"]) await parts.write(part);
  }),
);

const app = new Hono();
// As on a custom domain, whose base path belongs to the path; and as of HTTP APIs with a stage that has a name.
for (const prefix of ["/", "/shop", "/prod"]) app.route(prefix, routes);

export const handler = handle(app);
export const streaming = streamHandle(app);
