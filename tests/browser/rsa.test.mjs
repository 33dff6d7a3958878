// Chromium with RSA certificates, which a page may ask for, publishes and watches.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, ivs } from "./realtime.mjs";
import { decodes, stageWith, until } from "./stages.mjs";

const FRAMES = 30;

/** Runs in the page: gives every connection one RSA certificate. */
async function withRsa() {
  const kind = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const certificates = [await RTCPeerConnection.generateCertificate(kind)];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(options) {
      super({ ...options, certificates });
    }
  };
}

/** Runs in the page: how its connection is secured, and of what kind its own certificate is. */
async function security() {
  const stats = [...(await window.peer.getStats()).values()];
  const transport = stats.find(({ type }) => type === "transport");
  const own = stats.find(({ id }) => id === transport.localCertificateId);
  // The object identifier rsaEncryption, as DER has it.
  const rsa = atob(own.base64Certificate).includes("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
  return { rsa, version: transport.tlsVersion, suite: transport.dtlsCipher, srtp: transport.srtpCipher };
}

test("pages with RSA certificates", async (context) => {
  const { url, tokenFor } = await stageWith(ivs, "rsa");
  const publisher = await tokenFor("PUBLISH");
  const viewer = await tokenFor("SUBSCRIBE");
  const camera = await browser.page();
  const screen = await browser.page();
  await camera.evaluate(withRsa);
  await screen.evaluate(withRsa);
  await camera.evaluate((options) => window.publish(options), { url, token: publisher.token, codec: "VP8" });
  const watching = { url, token: viewer.token, participant: publisher.participantId };
  const subscribe = (options) => window.subscribe(options).then(() => true, () => false);
  await until(() => screen.evaluate(subscribe, watching), Boolean, () => "the publisher never connected");
  await decodes(screen, FRAMES);
  for (const page of [camera, screen]) {
    const secured = await page.evaluate(security);
    context.diagnostic(JSON.stringify(secured));
    assert.deepEqual(secured, {
      rsa: true,
      version: "FEFD",
      suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      srtp: "SRTP_AEAD_AES_256_GCM",
    });
  }
});
