// Two pages that may use nothing but a TURN server, Debian's coturn, whose credentials the server hands out.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { IVSRealTimeClient } from "@aws-sdk/client-ivs-realtime";

import { startChromium } from "./chromium.mjs";
import { sdkSettings, startServer } from "./server.mjs";
import { stageWith, until } from "./stages.mjs";

const SECRET = "north";
const SECONDS_MAX = 60;

let turn, server, browser, ivs;
before(async () => {
  turn = await startTurn();
  const table = `[[ice-server]]\nurls = ["turn:127.0.0.1:${turn.port}?transport=udp"]\nsecret = "${SECRET}"\n`;
  server = await startServer(table);
  browser = await startChromium();
  ivs = new IVSRealTimeClient(sdkSettings(server));
});
after(async () => {
  await browser?.stop();
  await server?.stop();
  await turn?.stop();
});

/** A UDP port that nobody has at the moment. */
async function freePort() {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Starts coturn on loopback; `log` grows. */
async function startTurn() {
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "stagedoor-turn-"));
  const address = ["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", `${port}`];
  const secret = ["--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "stagedoor.test"];
  const small = ["-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "--relay-threads", "1", "-v"];
  const files = ["--log-file", "stdout", "--pidfile", join(data, "pid"), "--userdb", join(data, "users")];
  const child = spawn("turnserver", [...address, ...secret, ...small, ...files], { stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const log = [];
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => log.push(line));
  for (const end = Date.now() + SECONDS_MAX * 1000; !log.some((line) => /IPv4. UDP listener opened/.test(line)); await pause(50)) {
    assert.ok(child.exitCode === null && Date.now() < end, `coturn did not start:\n${log.join("\n")}`);
  }
  return {
    port,
    log,
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(data, { recursive: true, force: true });
    },
  };
}

test("a stage works through a TURN server alone", async () => {
  const { url, tokenFor } = await stageWith(ivs, "turn");
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec: "VP8", relay: true });
  const participant = publisher.participantId;
  await screen.evaluate((options) => window.subscribe(options), { url, token: viewer.token, participant, relay: true });
  const received = () => screen.evaluate(() => window.received());
  const plays = ({ frames, audioEnergy }) => frames >= 60 && audioEnergy > 0;
  await until(received, plays, () => turn.log.slice(-40).join("\n"));
  assert.equal(await camera.evaluate(() => window.way()), "relay");
  assert.equal(await screen.evaluate(() => window.way()), "relay");
  // The name of each credential is that of the participant.
  for (const { participantId } of [publisher, viewer]) {
    assert.ok(turn.log.some((line) => line.includes(`:${participantId}>`)), turn.log.join("\n"));
  }
  await camera.close();
  await screen.close();
});
