// The server under test, for the tests in this folder: starts the real binary on free loopback ports and ends it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const LISTEN = ["listen", "media-listen", "rtmp-listen", "rtmps-listen"];

/** Starts `stagedoor serve`, with a `stagedoor.toml` if there is text for it; answers its address and how to end it. */
export async function startServer(config) {
  const binary = process.env.STAGEDOOR_BIN;
  if (!binary) throw new Error("set STAGEDOOR_BIN to the server's program");
  const data = mkdtempSync(join(tmpdir(), "stagedoor-browser-"));
  const listen = LISTEN.flatMap((name) => [`--${name}`, "127.0.0.1:0"]);
  const file = join(data, "stagedoor.toml");
  if (config) writeFileSync(file, config);
  const options = config ? ["--config", file] : [];
  const child = spawn(binary, ["serve", ...listen, "--data-dir", data, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  // Whatever happens to the tests, the server must not outlive them.
  process.once("exit", () => child.kill("SIGKILL"));
  const log = [];
  createInterface(child.stderr).on("line", (line) => log.push(line));
  const lines = createInterface(child.stdout);
  const [ready] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error(`the server ended:\n${log.join("\n")}`))),
  ]);
  const { http, media } = JSON.parse(ready);
  const [, host, port] = media.match(/^(.*):(\d+)$/);
  return {
    http,
    media: { host, port: Number(port) },
    log,
    async stop() {
      if (child.exitCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Settings with which an AWS SDK client finds the server. */
export function sdkSettings(server) {
  return {
    endpoint: server.http,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
}
