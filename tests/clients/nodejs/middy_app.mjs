// Middy with its middlewares for HTTP, for test_frameworks.py. No test runs in here.
import { gzipSync } from "node:zlib";
import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpEventNormalizer from "@middy/http-event-normalizer";
import httpHeaderNormalizer from "@middy/http-header-normalizer";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import httpMultipartBodyParser from "@middy/http-multipart-body-parser";
import httpRouterHandler from "@middy/http-router";
import httpUrlencodeBodyParser from "@middy/http-urlencode-body-parser";

const json = (value, more = {}) => ({
  statusCode: 200,
  body: JSON.stringify(value),
  ...more,
  headers: { "Content-Type": "application/json", ...more.headers },
});

const echo = async (event) => {
  const context = event.requestContext;
  const pairs = Object.entries(event.multiValueQueryStringParameters ?? event.queryStringParameters);
  const lines = event.cookies ?? (event.headers.cookie ?? "").split("; ").filter(Boolean);
  return json({
    method: event.httpMethod ?? context.http.method,
    path: decodeURIComponent(event.path ?? event.rawPath),
    id: event.pathParameters.id,
    query: pairs.flatMap(([name, values]) => [values].flat().map((value) => [name, value])),
    twice: [event.multiValueHeaders?.["x-twice"] ?? event.multiValueHeaders?.["X-Twice"] ?? event.headers["x-twice"]].flat().join(),
    cookies: Object.fromEntries(lines.map((one) => one.split("="))),
    host: event.headers.host,
    ip: (context.identity ?? context.http).sourceIp,
    scheme: event.headers["x-forwarded-proto"],
    stage: context.stage,
  });
};

/** The variable is the API's own: the whole path without a stage or a base path. */
const greedy = async (event) => json({ rest: event.pathParameters.proxy.replace(/^greedy\//, "") });

const upload = async ({ body: { note, file } }) =>
  json({ note, name: file.filename, type: file.mimetype, hex: file.content.toString("hex") });

const binary = (body, headers) => ({ statusCode: 200, headers, body: body.toString("base64"), isBase64Encoded: true });
const bytes = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  return binary(body, { "Content-Type": "image/png" });
};

const made = ["a=1; HttpOnly", "b=2; Path=/there"];
const cookies = async (event) =>
  json({}, event.version === "2.0" ? { cookies: made } : { multiValueHeaders: { "Set-Cookie": made } });

const boom = async () => {
  throw new Error("boom");
};

const routes = [
  ["ANY", "/echo/{id}", echo],
  ["GET", "/greedy/{proxy+}", greedy],
  ["POST", "/json", middy(async (event) => json({ sent: event.body })).use(httpJsonBodyParser())],
  ["POST", "/form", middy(async (event) => json({ ...event.body })).use(httpUrlencodeBodyParser())],
  ["POST", "/upload", middy(upload).use(httpMultipartBodyParser())],
  ["POST", "/bytes", bytes],
  ["GET", "/cookies", cookies],
  ["GET", "/redirect", async () => ({ statusCode: 302, headers: { Location: "/echo/1?a=b&c=%20" } })],
  ["DELETE", "/empty", async () => ({ statusCode: 204 })],
  ["GET", "/teapot", async () => json({ error: "I am a teapot" }, { statusCode: 418, headers: { "X-Twice": "one" } })],
  ["GET", "/gzip", async () => binary(gzipSync("small"), { "Content-Encoding": "gzip", "Content-Type": "text/plain" })],
  ["GET", "/boom", boom],
];

// As on a custom domain, whose base path belongs to the path; and as of HTTP APIs with a stage that has a name.
const everywhere = ["", "/shop", "/prod"].flatMap((prefix) =>
  routes.map(([method, path, handler]) => ({ method, path: prefix + path, handler })),
);

export const handler = middy(httpRouterHandler(everywhere))
  .use(httpEventNormalizer())
  .use(httpHeaderNormalizer())
  .use(httpErrorHandler({ fallbackMessage: "it went wrong", logger: false }));
