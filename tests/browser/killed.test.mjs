// A browser that publishes is killed: its consent runs out, and then its participant has left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ListParticipantEventsCommand, ListStageSessionsCommand } from "@aws-sdk/client-ivs-realtime";

import { startChromium } from "./chromium.mjs";
import { ivs } from "./realtime.mjs";
import { stageWith, until } from "./stages.mjs";

/** The server's time for a peer that is silent (RFC 7675). */
const CONSENT_SECONDS = 10;

test("a killed browser has left when its consent has run out", async () => {
  const { stage, url, tokenFor } = await stageWith(ivs, "killed");
  const { token, participantId } = await tokenFor("PUBLISH");
  const events = async () => {
    const { stageSessions } = await ivs.send(new ListStageSessionsCommand({ stageArn: stage.arn }));
    if (stageSessions.length === 0) return [];
    const where = { stageArn: stage.arn, sessionId: stageSessions[0].sessionId, participantId };
    return (await ivs.send(new ListParticipantEventsCommand(where))).events.reverse();
  };
  const upTo = (name) => until(events, (found) => found.some((event) => event.name === name));
  const other = await startChromium();
  const page = await other.page();
  const picture = { width: 320, height: 180, frameRate: 10 };
  await page.evaluate((options) => window.publish(options), { url, token, codec: "VP8", picture });
  await upTo("PUBLISH_STARTED");
  const killed = Date.now();
  await other.kill();
  const found = await upTo("LEFT");
  assert.deepEqual(found.map(({ name }) => name), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]);
  const seconds = (found.at(-1).eventTime - killed) / 1000;
  assert.ok(seconds >= CONSENT_SECONDS - 3, `after ${seconds} s`);
});
