// What tests of real-time stages in a browser stand on. A test file that imports this has a server, a browser and a client
// of its own from its first test to its last.

import { after, before } from "node:test";

import { IVSRealTimeClient } from "@aws-sdk/client-ivs-realtime";

import { startChromium } from "./chromium.mjs";
import { sdkSettings, startServer } from "./server.mjs";

export let server, browser, ivs;
before(async () => {
  server = await startServer();
  browser = await startChromium();
  ivs = new IVSRealTimeClient(sdkSettings(server));
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});
