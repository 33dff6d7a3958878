// Debian's Chromium without a window, with its fake camera, kept on loopback.

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";

import { chromium } from "playwright-core";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FAKE_DEVICE = "--use-fake-device-for-media-stream";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  FAKE_DEVICE,
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  // Nothing but loopback: no look-ups, no updates, and loopback addresses as ICE candidates.
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  "--allow-loopback-in-peer-connection",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  // Of the pages of a test one is in front; the others are to work as well as it does.
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--disable-background-timer-throttling",
];

/**
 * A browser, and the origin of a page that has nothing to do with the server: its calls cross origins. `device` is what
 * its fake camera is like.
 */
export async function startChromium({ device } = {}) {
  const program = process.env.CHROMIUM_BIN ?? PROGRAMS.find(existsSync);
  const pages = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>test</title><video autoplay playsinline></video>");
  }).listen(0, "127.0.0.1");
  await once(pages, "listening");
  // Playwright would mute the browser; a test listens.
  const args = FLAGS.map((flag) => (device && flag === FAKE_DEVICE ? `${flag}=${device}` : flag));
  const options = { executablePath: program, args, headless: true, ignoreDefaultArgs: ["--mute-audio"] };
  const browser = await chromium.launch(options);
  return {
    /** A fresh page, with the functions of `webrtc.mjs` in its `window`. */
    async page() {
      const page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && console.error(`page: ${message.text()}`));
      await page.goto(`http://127.0.0.1:${pages.address().port}/`);
      await page.addScriptTag({ path: new URL("webrtc.js", import.meta.url).pathname });
      return page;
    },
    /** Ends the browser as a power cut would. */
    async kill() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      const gone = once(browser, "disconnected");
      // Its network process, which holds the sockets, ends by itself when the browser's has.
      process.kill(processInfo.find(({ type }) => type === "browser").id, "SIGKILL");
      await gone;
      pages.close();
    },
    async stop() {
      await browser.close();
      pages.close();
    },
  };
}
