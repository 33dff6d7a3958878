// The console page of a server whose own address, `node-url`, is another origin than the page's: what follows about a
// session goes there, past the page's policy and the browser's rules for other origins.

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CreateStageCommand, IVSRealTimeClient } from "@aws-sdk/client-ivs-realtime";

import { startChromium } from "./chromium.mjs";
import { sdkSettings, startServer } from "./server.mjs";

const SECONDS_MAX = 60;

let browser, server, node;
/** What came to the node's address, as text. */
let asked = "";

before(async () => {
  node = createServer((client) => {
    const { hostname, port } = new URL(server.http);
    const onward = connect(Number(port), hostname);
    client.on("data", (bytes) => (asked += bytes.toString("latin1")));
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) socket.on("error", () => (client.destroy(), onward.destroy()));
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  server = await startServer(`node-url = "http://127.0.0.1:${node.address().port}"\n`);
  browser = await startChromium();
});

after(async () => {
  await browser?.stop();
  await server?.stop();
  node?.close();
});

async function until(holds, what) {
  for (const end = Date.now() + SECONDS_MAX * 1000; !(await holds()); await pause(50)) {
    assert.ok(Date.now() < end, `not in time: ${what}\n${asked}`);
  }
}

test("the page ends its session at the node's own address", async () => {
  const { stage } = await new IVSRealTimeClient(sdkSettings(server)).send(new CreateStageCommand({ name: "node" }));
  const page = await browser.page();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(`${server.http}/_stagedoor/console/stage/${stage.arn}`);
  const says = (text) => () => page.evaluate((text) => document.querySelector("#status").textContent === text, text);
  await page.click("button:not([type])");
  await until(says("On the stage."), "joined");
  assert.equal(asked, "", "until then everything went to the page's own address");
  await page.click("button[type=button]");
  await until(says("Left the stage."), "left");
  await until(() => /^OPTIONS \/whip\/session\//m.test(asked) && /^DELETE \/whip\/session\//m.test(asked), "DELETE");
  assert.deepEqual(problems, []);
  await page.close();
});
