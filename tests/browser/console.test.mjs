// The console page in Chromium: two pages join with the test pattern, see each other, choose a layer, and read the events.

import assert from "node:assert/strict";
import { request } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CreateStageCommand } from "@aws-sdk/client-ivs-realtime";

import { browser, ivs, server } from "./realtime.mjs";

const SECONDS_MAX = 60;

/** A page that has joined the stage with the test pattern; whatever violates its policy is in `problems`. */
async function join(stage, user) {
  const page = await browser.page();
  page.problems = [];
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("pageerror", (error) => page.problems.push(error.message));
  await page.goto(`${server.http}/_stagedoor/console/stage/${stage.arn}`);
  await page.fill("input[name=user]", user);
  await page.click("button:not([type])");
  await until(page, () => document.querySelector("#status").textContent === "On the stage.");
  return page;
}

/** Waits until it holds in the page. */
async function until(page, holds, argument) {
  for (const end = Date.now() + SECONDS_MAX * 1000; !(await page.evaluate(holds, argument)); await pause(100)) {
    const shown = await page.evaluate(() => document.body.innerText);
    assert.ok(Date.now() < end, `not in time: ${holds}\n${shown}\n${page.problems}`);
  }
}

/** In the page: whether another's picture moves. */
function seesSomebody() {
  const videos = [...document.querySelectorAll("article video")];
  return videos.length === 2 && videos.every((video) => video.videoWidth > 0 && video.currentTime > 1);
}

test("two pages see each other, choose a layer, and list the events", async () => {
  const { stage } = await ivs.send(new CreateStageCommand({ name: "console" }));
  const ann = await join(stage, "ann");
  const bob = await join(stage, "<b>bob</b>");
  await until(ann, seesSomebody);
  await until(bob, seesSomebody);
  assert.equal(await ann.locator("article b").count(), 0, "names are text");
  const layers = ann.locator("article select");
  await layers.selectOption("lowest");
  await until(ann, () => document.querySelector("#status").textContent === "The layer is chosen.");
  await until(ann, () => [...document.querySelectorAll("article video")].some((video) => video.videoWidth === 320));
  await until(ann, () => /PUBLISH_STARTED/.test(document.querySelector("#events").textContent));
  await until(ann, () => /SUBSCRIBE_STARTED/.test(document.querySelector("#events").textContent));
  await until(ann, () => [...document.querySelectorAll("dd:first-of-type")].every((one) => Number(one.textContent) > 0));
  if (process.env.SCREENSHOT) {
    await layers.selectOption("highest");
    await pause(5000);
    await ann.setViewportSize({ width: 1100, height: 860 });
    await ann.screenshot({ path: process.env.SCREENSHOT });
  }
  await bob.click("button[type=button]");
  await until(ann, () => document.querySelectorAll("article").length === 1);
  assert.deepEqual([...ann.problems, ...bob.problems], []);
  await ann.close();
  await bob.close();
});

/** The status of a request, with headers that `fetch` would not send. */
async function status(method, path, headers) {
  // A connection of its own: one that carried a body nobody read is closed, perhaps just when it is used again.
  const sent = request(`${server.http}${path}`, { method, headers, agent: false });
  sent.end(method === "POST" ? "{}" : undefined);
  const [answer] = await once(sent, "response");
  answer.resume();
  return answer.statusCode;
}

test("other origins get nothing", async () => {
  const { stage } = await ivs.send(new CreateStageCommand({ name: "origins" }));
  assert.equal(await status("GET", "/_stagedoor/console", {}), 200);
  assert.equal(await status("GET", "/_stagedoor/console", { Host: "evil.example" }), 403);
  assert.equal(await status("POST", `/_stagedoor/console/token/${stage.arn}`, {}), 403);
  assert.equal(await status("GET", "/_stagedoor/console/stage/arn:aws:ivs:us-east-1:000000000000:stage/none", {}), 404);
});
