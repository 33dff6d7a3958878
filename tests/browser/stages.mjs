// Stages for tests in a browser, and waiting for what happens on them.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { CreateParticipantTokenCommand, CreateStageCommand } from "@aws-sdk/client-ivs-realtime";

const SECONDS_MAX = 60;

/** A new stage: as AWS describes it, its WHIP address, and a way to tokens of participants. */
export async function stageWith(ivs, name) {
  const { stage } = await ivs.send(new CreateStageCommand({ name }));
  const tokenFor = async (...capabilities) => {
    const command = new CreateParticipantTokenCommand({ stageArn: stage.arn, capabilities });
    return (await ivs.send(command)).participantToken;
  };
  return { stage, url: stage.endpoints.whip, tokenFor };
}

/** Looks until what it sees is good, and answers that; `story` tells more if it never is. */
export async function until(look, good, story = () => "") {
  for (const end = Date.now() + SECONDS_MAX * 1000; ; await pause(100)) {
    const seen = await look();
    if (good(seen)) return seen;
    assert.ok(Date.now() < end, `not in time: ${JSON.stringify(seen)}\n${story()}`);
  }
}

/** Waits until the page has decoded so many frames by `window.subscribe`; what it then has received. */
export function decodes(page, frames) {
  return until(() => page.evaluate(() => window.received()), (received) => received.frames >= frames);
}
