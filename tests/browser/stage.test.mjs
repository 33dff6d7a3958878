// Chromium publishes its fake camera by WHIP to a real-time stage, another page decodes it: frames are counted.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, ivs } from "./realtime.mjs";
import { stageWith, until } from "./stages.mjs";

const FRAMES = 90;

/** Waits until the page has decoded so many frames and heard a sound; what it then has. */
function plays(page, frames) {
  const plays = (received) => received.frames >= frames && received.audioEnergy > 0;
  return until(() => page.evaluate(() => window.received()), plays);
}

async function publishAndSubscribe(codec) {
  const { url, tokenFor } = await stageWith(ivs, `chromium-${codec}`);
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec });
  const participant = publisher.participantId;
  await screen.evaluate((options) => window.subscribe(options), { url, token: viewer.token, participant });
  const received = await plays(screen, FRAMES);
  assert.equal(received.codec, `video/${codec}`);
  assert.ok(received.played > 0, "the video element shows frames");
  assert.equal(await screen.evaluate((token) => window.leave(token), viewer.token), 200);
  assert.equal(await camera.evaluate((token) => window.leave(token), publisher.token), 200);
  await camera.close();
  await screen.close();
  return received;
}

for (const codec of ["H264", "VP8"]) {
  test(`one page publishes ${codec}, another decodes it`, async (context) => {
    const received = await publishAndSubscribe(codec);
    // Freezes are counted beside a second connection, in `loss.test.mjs`: a busy machine makes some too.
    context.diagnostic(JSON.stringify(received));
    assert.equal(received.lost, 0, JSON.stringify(received));
  });
}

/** Waits until what the page watches by `window.watch` has had so many frames and a sound; its figures. */
function watches(page, frames) {
  const first = async () => (await page.evaluate(() => window.watching()))[0];
  return until(first, (figures) => figures.frames >= frames && figures.sounds >= frames);
}

test("two pages publish, each with its codec, and see each other", async (context) => {
  const { url, tokenFor } = await stageWith(ivs, "two");
  const picture = { width: 640, height: 360, frameRate: 20 };
  const people = await Promise.all(
    ["H264", "VP8"].map(async (codec) => {
      const { token, participantId } = await tokenFor("PUBLISH", "SUBSCRIBE");
      const page = await browser.page();
      await page.evaluate((options) => window.publish(options), { url, token, codec, picture });
      return { page, token, participantId };
    }),
  );
  const others = people.toReversed();
  const figures = await Promise.all(
    people.map(async ({ page, token }, index) => {
      const participant = others[index].participantId;
      await page.evaluate((options) => window.watch(options), { url, token, participant });
      return watches(page, 60);
    }),
  );
  for (const one of figures) {
    context.diagnostic(JSON.stringify(one));
    assert.equal(one.lost, 0, JSON.stringify(one));
    // Measured from before the POST. An idle machine takes a third of a second.
    assert.ok(one.firstFrame < 10_000, JSON.stringify(one));
  }
  await Promise.all(people.map(({ page }) => page.close()));
});

test("a browser publishes, and three pages watch at once", async () => {
  const { url, tokenFor } = await stageWith(ivs, "three");
  const publisher = await tokenFor("PUBLISH");
  const camera = await browser.page();
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec: "VP8" });
  const screens = await Promise.all(
    [1, 2, 3].map(async () => {
      const { token } = await tokenFor("SUBSCRIBE");
      const page = await browser.page();
      const participant = publisher.participantId;
      await page.evaluate((options) => window.subscribe(options), { url, token, participant });
      return page;
    }),
  );
  await Promise.all(screens.map((page) => plays(page, 30)));
  await Promise.all([camera, ...screens].map((page) => page.close()));
});

test("a page that only may watch cannot publish", async () => {
  const { url, tokenFor } = await stageWith(ivs, "watch");
  const { token } = await tokenFor("SUBSCRIBE");
  const page = await browser.page();
  const options = { url, token, codec: "VP8" };
  await assert.rejects(page.evaluate((options) => window.publish(options), options), /403/);
  await page.close();
});
