// A page watches one camera by several connections at once: one straight, the others through networks that lose, delay,
// reorder and double. Whatever this machine's load does to the one it does to all; the rest is the network's doing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CreateParticipantTokenCommand, CreateStageCommand } from "@aws-sdk/client-ivs-realtime";

import { browser, ivs, server } from "./realtime.mjs";
import { FAIR, startRelay } from "./relay.mjs";

const SECONDS_MAX = 60;
const SECONDS_WATCHED = 25;
/** Until the server has heard what is lost, and the page's buffer has found its length. */
const SECONDS_TO_SETTLE = 8;
const PICTURE = { width: 640, height: 360, frameRate: 20 };

/**
 * Freezes are told and not judged: a machine that builds something makes some on every connection, and more where a packet
 * has to come twice. What is judged does not depend on the machine: everything that was lost came again, so no picture
 * had to be asked for anew and none is missing.
 */
const WEATHERS = {
  "5 % lost": { ...FAIR, delay: 20, lost: 0.05 },
  "15 % lost": { ...FAIR, delay: 20, lost: 0.15 },
  "reordered, doubled, 2 % lost": { ...FAIR, delay: 20, jitter: 25, doubled: 0.05, lost: 0.02 },
};

async function tokenFor(stage, capability) {
  const command = new CreateParticipantTokenCommand({ stageArn: stage.arn, capabilities: [capability] });
  return (await ivs.send(command)).participantToken;
}

/** Waits until every connection of the page has decoded so many frames; their figures. */
async function decode(page, frames) {
  for (const end = Date.now() + SECONDS_MAX * 1000; ; await pause(100)) {
    const all = await page.evaluate(() => window.watching());
    if (all.every((one) => one.frames >= frames)) return all;
    assert.ok(Date.now() < end, `not in time: ${JSON.stringify(all)}`);
  }
}

/** What happened to each between two looks. */
function between(before, after) {
  const step = (one, index) =>
    Object.fromEntries(Object.keys(one).map((name) => [name, after[index][name] - one[name]]));
  return before.map(step);
}

for (const codec of ["VP8", "H264"]) {
  test(`pictures of ${codec} go on over bad networks`, async (context) => {
    const { stage } = await ivs.send(new CreateStageCommand({ name: `loss-${codec}` }));
    const url = stage.endpoints.whip;
    const { token, participantId: participant } = await tokenFor(stage, "PUBLISH");
    const camera = await browser.page();
    await camera.evaluate((options) => window.publish(options), { url, token, codec, picture: PICTURE, bitrate: 500_000 });
    const screen = await browser.page();
    const watch = async (through) => {
      const { token } = await tokenFor(stage, "SUBSCRIBE");
      await screen.evaluate((options) => window.watch(options), { url, token, participant, through });
    };
    await watch();
    const relays = [];
    for (const seed of Object.keys(WEATHERS).keys()) {
      relays.push(await startRelay(server.media, { seed: seed + 1 }));
      await watch(relays[seed].port);
    }
    await decode(screen, 20);
    Object.values(WEATHERS).forEach((weather, index) => (relays[index].down = weather));
    await pause(SECONDS_TO_SETTLE * 1000);
    const before = await screen.evaluate(() => window.watching());
    await pause(SECONDS_WATCHED * 1000);
    const [straight, ...others] = between(before, await screen.evaluate(() => window.watching()));
    context.diagnostic(`straight: ${JSON.stringify(straight)}`);
    assert.equal(straight.lost, 0, "one viewer's network is not another's");
    Object.keys(WEATHERS).forEach((name, index) => {
      const figures = others[index];
      context.diagnostic(`${name}: ${JSON.stringify(figures)}`);
      const story = `${name}: ${JSON.stringify(figures)}, straight: ${JSON.stringify(straight)}`;
      assert.ok(relays[index].counts.lostDown > 10, "the network was bad");
      // All that was lost came again, perhaps but for what is on its way.
      assert.ok(figures.resent >= figures.lost - 5, story);
      assert.equal(figures.plis, 0, story);
      assert.ok(figures.frames >= straight.frames * 0.9, story);
    });
    relays.forEach((relay) => relay.stop());
    await camera.close();
    await screen.close();
  });
}
