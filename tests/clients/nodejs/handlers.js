// Lambda functions that test_lambda_runtimes.py has AWS's runtime client for Node.js run. No test runs in here.
"use strict";

exports.echo = async (event, context) => ({
  statusCode: 200,
  headers: { "X-Own": process.env.OWN },
  body: JSON.stringify({
    event,
    arn: context.invokedFunctionArn,
    request: context.awsRequestId,
    remaining: context.getRemainingTimeInMillis(),
  }),
});

exports.failing = async () => {
  console.log("about to fail");
  throw new TypeError("four hundred and four");
};

exports.leaving = async () => process.exit(3);

/** Writes its second part when a file says so; ends badly if the event wants it. */
exports.streaming = awslambda.streamifyResponse(async (event, stream) => {
  const fs = require("node:fs");
  const asked = JSON.parse(event.body ?? "{}");
  const head = { statusCode: 201, headers: { "X-Streamed": "yes" }, cookies: ["a=1", "b=2"] };
  const http = awslambda.HttpResponseStream.from(stream, head);
  http.write("first,");
  while (asked.gate && !fs.existsSync(asked.gate)) await new Promise((resolve) => setTimeout(resolve, 10));
  if (asked.fail) throw new Error("half way");
  http.write("x".repeat(asked.long ?? 0));
  http.end("second");
});
