// The bandwidth of a viewer's network goes down and comes back: its simulcast layer follows, with patience on the way up,
// and nobody else notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { browser, ivs, server } from "./realtime.mjs";
import { FAIR, startRelay } from "./relay.mjs";
import { stageWith, until } from "./stages.mjs";

// 768, 384 and 192 kbit/s.
const WIDTHS = { h: 1280, m: 640, l: 320 };
const AWAY = { ...FAIR, delay: 20 };
/** Carries the lowest layer, not the highest. */
const NARROW = { ...AWAY, rate: 320_000 };
const SECONDS_NARROW = 15;
/** The server gives a layer back this long after it was taken; the page sees the step down a little later. */
const REST_SECONDS = 9 - 3;

/** Notes the widths of what each connection of the page shows, as they change: `[seconds, width]`. */
function notes(screen) {
  const start = performance.now();
  const widths = [];
  let open = true;
  const done = (async () => {
    for (; open; await pause(100)) {
      const all = await screen.evaluate(() => window.watching());
      all.forEach(({ width }, index) => {
        widths[index] ??= [];
        const seconds = (performance.now() - start) / 1000;
        if (widths[index].at(-1)?.[1] !== width) widths[index].push([seconds, width]);
      });
    }
  })();
  const stop = () => ((open = false), done);
  return { widths, stop };
}

test("the layer follows the bandwidth down and up", async (context) => {
  const { url, tokenFor } = await stageWith(ivs, "steps");
  const { token, participantId: participant } = await tokenFor("PUBLISH");
  const [camera, screen] = [await browser.page(), await browser.page()];
  const publication = { url, token, codec: "VP8", widths: WIDTHS };
  await camera.evaluate((options) => window.publishLayers(options), publication);
  const relay = await startRelay(server.media, { up: AWAY, down: AWAY });
  for (const through of [relay.port, undefined]) {
    const { token } = await tokenFor("SUBSCRIBE");
    await screen.evaluate((options) => window.watch(options), { url, token, participant, through });
  }
  const look = () => screen.evaluate(() => window.watching());
  await until(look, (all) => all.every(({ width }) => width === WIDTHS.h));

  const { widths, stop } = notes(screen);
  relay.down = NARROW;
  await until(look, ([far]) => far.width === WIDTHS.l);
  const before = await look();
  await pause(SECONDS_NARROW * 1000);
  const [far, near] = await look();
  const story = () => JSON.stringify({ widths, before, far, near });
  assert.ok(far.width < WIDTHS.h, `what does not fit is not sent: ${story()}`);
  assert.ok(far.frames - before[0].frames >= 0.7 * (near.frames - before[1].frames), `pictures go on: ${story()}`);

  relay.down = AWAY;
  await until(look, ([far]) => far.width === WIDTHS.h, story);
  await stop();
  context.diagnostic(JSON.stringify(widths));
  // A busy machine moves layers too: the patience is the same.
  for (const [index, changes] of widths.entries()) {
    let down = -Infinity;
    for (let at = 1; at < changes.length; at += 1) {
      const [[, width], [seconds, next]] = [changes[at - 1], changes[at]];
      if (next < width) down = seconds;
      else assert.ok(seconds - down >= REST_SECONDS, `patience of ${index} at ${seconds} s: ${story()}`);
    }
  }
  assert.equal(near.lost, 0, `one viewer's network is not another's: ${story()}`);
  relay.stop();
  await camera.close();
  await screen.close();
});
