// Chromium publishes three simulcast layers, another page watches and changes between them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, ivs } from "./realtime.mjs";
import { stageWith, until } from "./stages.mjs";

// Below 960 pixels Chromium leaves out a layer.
const WIDTHS = { h: 1280, m: 640, l: 320 };

/** Runs in the page: asks for a layer on the events socket; the answer. */
async function chooseLayer({ url, token, participantId, layer }) {
  window.events ??= await new Promise((opened, failed) => {
    const socket = new WebSocket(url, token);
    socket.addEventListener("open", () => opened(socket));
    socket.addEventListener("error", failed);
  });
  const answered = new Promise((done) => {
    const listen = ({ data }) => {
      const message = JSON.parse(data);
      if (!message.type.startsWith("x-stagedoor-LAYER")) return;
      window.events.removeEventListener("message", listen);
      done(message);
    };
    window.events.addEventListener("message", listen);
  });
  window.events.send(JSON.stringify({ type: "x-stagedoor-CHOOSE_LAYER", payload: { participantId, layer } }));
  return answered;
}

/** Waits until pictures of this width have been decoded; what the page then has received. */
function shows(page, width) {
  let frames;
  const goesOn = (received) => {
    if (received.width !== width) frames = undefined;
    else frames ??= received.frames;
    return received.frames >= frames + 15;
  };
  return until(() => page.evaluate(() => window.received()), goesOn, () => `no pictures of ${width}`);
}

/**
 * A page that publishes three layers and one that watches it twice, the second time without ever choosing a layer; what
 * the rest of a test needs to know.
 */
async function cameraAndScreen(codec) {
  const { stage, url, tokenFor } = await stageWith(ivs, `simulcast-${codec}`);
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate((options) => window.publishLayers(options), { url, token: publisher.token, codec, widths: WIDTHS });
  const { participantId } = publisher;
  await screen.evaluate((options) => window.subscribe(options), { url, token: viewer.token, participant: participantId });
  const other = await tokenFor("SUBSCRIBE");
  await screen.evaluate((options) => window.watch(options), { url, token: other.token, participant: participantId, layer: "lowest" });
  const topic = stage.arn.split("/").at(-1);
  return { camera, screen, wish: { url: `${stage.endpoints.events}/${topic}`, token: viewer.token, participantId } };
}

async function watchLayers(codec, context) {
  const { camera, screen, wish } = await cameraAndScreen(codec);
  // A choice by name counts as soon as the layer flows.
  let before;
  for (const layer of ["h", "l", "m"]) {
    const answer = await screen.evaluate(chooseLayer, { ...wish, layer });
    assert.equal(answer.type, "x-stagedoor-LAYER_CHOSEN", JSON.stringify(answer));
    assert.deepEqual(answer.payload.layers, Object.keys(WIDTHS));
    const received = await shows(screen, WIDTHS[layer]);
    context.diagnostic(`${layer}: ${JSON.stringify(received)}`);
    assert.equal(received.codec, `video/${codec}`);
    const [steady] = await screen.evaluate(() => window.watching());
    // What comes before the first layer is up is the encoder finding its rates.
    before ??= { received, steady };
    const story = JSON.stringify({ received, steady, before });
    assert.equal(received.lost, 0, story);
    assert.equal(received.plis, before.received.plis, `no picture that could not be decoded: ${story}`);
    // A busy machine stops both pictures; a switch that did would stop one, each time.
    const frozen = received.freezes - before.received.freezes;
    assert.ok(frozen <= steady.freezes - before.steady.freezes + 1, story);
  }
  await camera.close();
  await screen.close();
}

for (const codec of ["VP8", "H264"]) {
  test(`a page changes between three layers of ${codec}`, (context) => watchLayers(codec, context));
}

test("without a choice the layer follows the bandwidth", async (context) => {
  const { camera, screen } = await cameraAndScreen("VP8");
  const received = await shows(screen, WIDTHS.h);
  context.diagnostic(JSON.stringify(received));
  assert.equal(received.lost, 0, JSON.stringify(received));
  await camera.close();
  await screen.close();
});
