// Express behind @codegenie/serverless-express, for test_frameworks.py. No test runs in here.
import { gzipSync } from "node:zlib";
import serverlessExpress, { getCurrentInvoke } from "@codegenie/serverless-express";
import express from "express";

const routes = express.Router();

routes.all("/echo/:id", (req, res) => {
  const query = new URL(req.originalUrl, "http://any").searchParams;
  const cookies = (req.get("cookie") ?? "").split("; ").filter(Boolean);
  res.json({
    method: req.method,
    path: decodeURIComponent(req.originalUrl.split("?")[0]),
    id: req.params.id,
    query: [...query],
    twice: req.get("x-twice"),
    cookies: Object.fromEntries(cookies.map((cookie) => cookie.split("="))),
    host: req.get("host"),
    ip: req.ip,
    scheme: req.get("x-forwarded-proto"),
    stage: getCurrentInvoke().event.requestContext.stage,
  });
});

routes.get("/greedy/*rest", (req, res) => res.json({ rest: req.params.rest.join("/") }));
routes.post("/json", express.json(), (req, res) => res.json({ sent: req.body }));
routes.post("/form", express.urlencoded(), (req, res) => res.json({ name: req.body.name, colour: req.body.colour }));

routes.post("/upload", express.raw({ type: "multipart/form-data" }), async (req, res) => {
  const form = await new Response(req.body, { headers: { "Content-Type": req.get("content-type") } }).formData();
  const file = form.get("file");
  const hex = Buffer.from(await file.arrayBuffer()).toString("hex");
  res.json({ note: form.get("note"), name: file.name, type: file.type, hex });
});

routes.post("/bytes", express.raw({ type: () => true }), (req, res) => res.type("image/png").send(req.body));
routes.get("/cookies", (req, res) => res.cookie("a", "1", { httpOnly: true }).cookie("b", "2", { path: "/there" }).json({}));
routes.get("/redirect", (req, res) => res.redirect("/echo/1?a=b&c=%20"));
routes.delete("/empty", (req, res) => res.status(204).end());
routes.get("/teapot", (req, res) => res.status(418).set("X-Twice", "one").json({ error: "I am a teapot" }));
routes.get("/gzip", (req, res) => res.set("Content-Encoding", "gzip").type("text").send(gzipSync("small")));

routes.get("/boom", () => {
  throw new Error("boom");
});

const app = express();
// As on a custom domain, whose base path belongs to the path; and as of HTTP APIs with a stage that has a name.
for (const prefix of ["/", "/shop", "/prod"]) app.use(prefix, routes);
// Express's own last handlers want a real socket, which this adapter has not.
app.use((req, res) => res.status(404).json({ error: "no such route" }));
app.use((error, req, res, next) => res.status(500).json({ error: error.message }));

export const handler = serverlessExpress({
  app,
  binarySettings: { contentTypes: ["image/*"], contentEncodings: ["gzip"] },
});
