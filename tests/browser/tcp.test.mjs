// Chromium publishes and watches where no UDP comes through: of the server's candidates it learns those for TCP only.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, ivs } from "./realtime.mjs";
import { decodes, stageWith, until } from "./stages.mjs";

const FRAMES = 60;

/** Runs in the page: takes the UDP candidates out of every answer. */
function withoutUdp() {
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return apply.call(this, { type, sdp: sdp.replace(/a=candidate:\S+ 1 udp .*\r\n/gi, "") });
  };
}

/** Runs in the page: the protocol of the path in use. */
async function protocol() {
  const stats = [...(await window.peer.getStats()).values()];
  const pair = stats.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  return stats.find(({ id }) => id === pair?.remoteCandidateId)?.protocol;
}

test("media over TCP alone", async (context) => {
  const { url, tokenFor } = await stageWith(ivs, "tcp");
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate(withoutUdp);
  await screen.evaluate(withoutUdp);
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec: "VP8" });
  const watching = { url, token: viewer.token, participant: publisher.participantId };
  const subscribe = (options) => window.subscribe(options).then(() => true, () => false);
  await until(() => screen.evaluate(subscribe, watching), Boolean, () => "the publisher never connected");
  const received = await decodes(screen, FRAMES);
  context.diagnostic(JSON.stringify(received));
  assert.equal(received.lost, 0, JSON.stringify(received));
  assert.equal(await camera.evaluate(protocol), "tcp");
  assert.equal(await screen.evaluate(protocol), "tcp");
});
