// Pages watch cameras by several connections at once: some through a fair network, the others through networks that lose,
// delay, reorder and double. Whatever this machine's load does to the one it does to all; the rest is the network's doing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { browser, ivs, server } from "./realtime.mjs";
import { FAIR, startRelay } from "./relay.mjs";
import { stageWith, until } from "./stages.mjs";

/** Until the server has heard what is lost, and players hold their pictures long enough. */
const SECONDS_TO_SETTLE = 10;
/** A minute for a judgement by hand (`LOSS_SECONDS=60`), less for every day. */
const SECONDS_WATCHED = Number(process.env.LOSS_SECONDS ?? 20);
/**
 * A machine that builds something makes freezes on every connection, and more where packets come twice: two for each one
 * of the fair connection are its doing. Each network has to have a time without any other, of so many; 15 % of loss, which
 * once froze pictures twenty times a minute, had none. Times with more freezes than these on the fair connection say nothing.
 */
const TIMES_MAX = 8;
const FAIR_FREEZES_MAX = 3;
const PICTURE = { width: 480, height: 270, frameRate: 20 };

const AWAY = { ...FAIR, delay: 20 };
const WEATHERS = {
  fair: AWAY,
  "5 % lost": { ...AWAY, lost: 0.05 },
  "15 % lost": { ...AWAY, lost: 0.15 },
  "reordered, doubled, 2 % lost": { ...AWAY, jitter: 25, doubled: 0.05, lost: 0.02 },
  "far away, 2 % lost": { ...AWAY, delay: 120, jitter: 10, lost: 0.02 },
};
/** Freezes that a network may cause in a time. */
const FREEZES_MAX = { "15 % lost": Math.floor(SECONDS_WATCHED / 60) };

/** The figures of `before` and `after`, their difference. */
function between(before, after) {
  const numbers = Object.keys(before).filter((name) => typeof before[name] === "number");
  return Object.fromEntries(numbers.map((name) => [name, after[name] - before[name]]));
}

/** A connection's own relay, fair until `worsen` is called. */
async function relayTo(weather, seed) {
  const relay = await startRelay(server.media, { up: AWAY, down: AWAY, seed });
  relay.worsen = () => (relay.up = relay.down = WEATHERS[weather]);
  return relay;
}

/** A page that publishes through a network. */
async function cameraBehind(weather, { url, tokenFor }, codec, seed) {
  const { token, participantId } = await tokenFor("PUBLISH");
  const page = await browser.page();
  const relay = await relayTo(weather, seed);
  const options = { url, token, codec, picture: PICTURE, bitrate: 500_000, through: relay.port };
  await page.evaluate((options) => window.publish(options), options);
  return { page, relay, participantId };
}

/** Watches each of `ways`, `{ camera, weather }`, by a connection of the page, fair at first. */
async function connect(screen, { url, tokenFor }, ways) {
  for (const [index, way] of ways.entries()) {
    way.relay = await relayTo(way.weather, 100 + index);
    const { token } = await tokenFor("SUBSCRIBE");
    const options = { url, token, participant: way.camera.participantId, through: way.relay.port };
    await screen.evaluate((options) => window.watch(options), options);
  }
  await until(() => screen.evaluate(() => window.watching()), (all) => all.every(({ frames }) => frames >= 20));
}

/**
 * Judges each of `ways`, of which the first is fair. `check` is told what happened to each in a time, and to the fair one.
 */
async function judge(stage, ways, context, check) {
  const screen = await browser.page();
  await connect(screen, stage, ways);
  for (const { relay, camera } of ways) [relay, camera.relay].forEach((one) => one.worsen());
  await pause(SECONDS_TO_SETTLE * 1000);
  const look = () => screen.evaluate(() => window.watching());
  for (let time = 0; time < TIMES_MAX && !ways.every(({ good }) => good); time += 1) {
    const before = await look();
    await pause(SECONDS_WATCHED * 1000);
    const after = await look();
    ways.forEach((way, index) => (way.figures = between(before[index], after[index])));
    const fair = ways[0].figures;
    for (const way of ways) {
      const { name, weather, figures } = way;
      const story = `${name ?? weather}: ${JSON.stringify(figures)}`;
      context.diagnostic(story);
      check(way, fair, story);
      const limit = 2 * fair.freezes + (FREEZES_MAX[weather] ?? 0);
      way.good ||= fair.freezes <= FAIR_FREEZES_MAX && figures.freezes <= limit;
    }
  }
  const bad = ways.filter(({ good }) => !good).map(({ name, weather, figures }) => ({ name: name ?? weather, figures }));
  assert.deepEqual(bad, [], "pictures stood still");
  for (const { weather, relay } of ways) {
    assert.ok(WEATHERS[weather].lost === 0 || relay.counts.lostDown > 10, "the network was bad");
    relay.stop();
  }
  await screen.close();
}

for (const codec of ["VP8", "H264"]) {
  test(`pictures of ${codec} go on over viewers' bad networks`, async (context) => {
    const stage = await stageWith(ivs, `loss-${codec}`);
    const camera = await cameraBehind("fair", stage, codec, 1);
    const ways = Object.keys(WEATHERS).map((weather) => ({ camera, weather }));
    await judge(stage, ways, context, ({ weather, figures }, fair, story) => {
      if (weather === "fair") assert.equal(figures.lost, 0, `one viewer's network is not another's: ${story}`);
      // All that was lost came again, perhaps but for what is on its way; no picture had to be asked for anew.
      assert.ok(figures.resent >= figures.lost - 5, story);
      assert.equal(figures.plis, 0, story);
      assert.ok(figures.frames >= fair.frames * 0.9, `${story}, fair: ${fair.frames}`);
    });
    camera.relay.stop();
    await camera.page.close();
  });

  test(`pictures of ${codec} go on over publishers' bad networks`, async (context) => {
    const stage = await stageWith(ivs, `intake-${codec}`);
    const cameras = [await cameraBehind("fair", stage, codec, 1)];
    const ways = [{ camera: cameras[0], weather: "fair" }];
    for (const [index, weather] of ["5 % lost", "15 % lost"].entries()) {
      const camera = await cameraBehind(weather, stage, codec, index + 2);
      cameras.push(camera);
      // What the publisher loses is missed by all, and some lose more.
      ways.push({ camera, weather: "fair", name: `publisher ${weather}` });
      ways.push({ camera, weather, name: `publisher and viewer ${weather}` });
    }
    await judge(stage, ways, context, () => {});
    for (const { page, relay } of cameras) {
      const [sent] = await page.evaluate(() => window.sent());
      context.diagnostic(`sent: ${JSON.stringify(sent)}`);
      if (relay !== cameras[0].relay) assert.ok(sent.resent > 10 && relay.counts.lostUp > 10, JSON.stringify(sent));
      relay.stop();
      await page.close();
    }
  });
}
