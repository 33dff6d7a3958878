// Chromium publishes and watches where no UDP comes through: of the server's candidates it learns those for TCP only.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CreateParticipantTokenCommand, CreateStageCommand } from "@aws-sdk/client-ivs-realtime";

import { browser, ivs, server } from "./realtime.mjs";

const FRAMES = 60;
const SECONDS_MAX = 60;

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
  const { stage } = await ivs.send(new CreateStageCommand({ name: "tcp" }));
  const url = stage.endpoints.whip;
  const tokenFor = async (capability) => {
    const command = new CreateParticipantTokenCommand({ stageArn: stage.arn, capabilities: [capability] });
    return (await ivs.send(command)).participantToken;
  };
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate(withoutUdp);
  await screen.evaluate(withoutUdp);
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec: "VP8" });
  const participant = publisher.participantId;
  for (const end = Date.now() + SECONDS_MAX * 1000; ; await pause(100)) {
    const watching = { url, token: viewer.token, participant };
    if (await screen.evaluate((options) => window.subscribe(options).then(() => true, () => false), watching)) break;
    assert.ok(Date.now() < end, "the publisher never connected");
  }
  for (const end = Date.now() + SECONDS_MAX * 1000; ; await pause(100)) {
    const received = await screen.evaluate(() => window.received());
    if (received.frames >= FRAMES) {
      context.diagnostic(JSON.stringify(received));
      assert.equal(received.lost, 0, JSON.stringify(received));
      break;
    }
    assert.ok(Date.now() < end, `not in time: ${JSON.stringify(received)}`);
  }
  assert.equal(await camera.evaluate(protocol), "tcp");
  assert.equal(await screen.evaluate(protocol), "tcp");
});
