// Records what a browser sends when it publishes: when each packet comes, of which layer, how long, whether a frame ends
// with it. `cargo xtask traces` starts it; the load generator publishes by what it writes into `tests/load/traces`.
//
// A trace is the codec, then a line for each packet: microseconds since the first one, the layer (`a` is sound, `v` a video without
// layers, `h`, `m` and `l` the layers of one), `!` if it is the last of its frame, and the bytes of its payload.

import { createSocket } from "node:dgram";
import { mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { CreateParticipantTokenCommand, CreateStageCommand, IVSRealTimeClient } from "@aws-sdk/client-ivs-realtime";

import { startChromium } from "./chromium.mjs";
import { sdkSettings, startServer } from "./server.mjs";

const FOLDER = new URL("../load/traces/", import.meta.url);
// Until the browser's estimate of its bandwidth has grown, and for how long is written down.
const WARM_SECONDS = 12;
const SECONDS = 6;
const LAYERS = {
  none: [{ maxBitrate: 2_500_000 }],
  three: [
    { rid: "h", maxBitrate: 2_500_000 },
    { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 600_000 },
    { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  ],
};

/** Carries the datagrams of one client to the media port and back, and keeps what the client sends while it `records`. */
async function startTap({ host, port }) {
  const [front, back] = [createSocket("udp4"), createSocket("udp4")];
  for (const socket of [front, back]) {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.setRecvBufferSize(1 << 20);
  }
  const tap = { port: front.address().port, records: false, packets: [] };
  let client;
  front.on("message", (datagram, from) => {
    if (tap.records) tap.packets.push({ at: performance.now(), datagram });
    client = from;
    back.send(datagram, port, host);
  });
  back.on("message", (datagram) => client && front.send(datagram, client.port, client.address));
  tap.stop = () => [front, back].forEach((socket) => socket.close());
  return tap;
}

/**
 * Runs in the page: publishes by way of the tap, at the full rate. The camera's test pattern alone is so plain that no
 * encoder needs 2.5 Mbit/s for it, so there is some snow on it; and a browser that is told nothing of its network does not
 * slow down when this machine is busy.
 */
async function publish({ url, token, codec, layers, through }) {
  const peer = (window.peer = new RTCPeerConnection());
  const media = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, frameRate: 30 }, audio: true });
  const camera = Object.assign(document.querySelector("video"), { muted: true, srcObject: media });
  await camera.play();
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const picture = canvas.getContext("2d");
  const snow = new ImageData(160, 90);
  snow.data.forEach((_, at) => (snow.data[at] = at % 4 === 3 ? 255 : 256 * Math.random()));
  const flake = await createImageBitmap(snow);
  setInterval(() => {
    picture.drawImage(camera, 0, 0);
    for (let count = 0; count < 8; count += 1) picture.drawImage(flake, 1120 * Math.random(), 630 * Math.random());
  }, 1000 / 30);
  const sender = peer.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], { direction: "sendonly", sendEncodings: layers });
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  sender.setCodecPreferences(codecs.filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
  peer.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") {
    await new Promise((done) => peer.addEventListener("icegatheringstatechange", done, { once: true }));
  }
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  const sdp = (await answer.text())
    .replace(/a=candidate:\S+ 1 tcp .*\r\n/gi, "")
    .replace(/(a=candidate:\S+ 1 udp \d+ \S+) \d+/gi, `$1 ${through}`)
    .replace(/a=rtcp-fb:\S+ (transport-cc|goog-remb)\r\n|a=extmap:\S+ \S+transport-wide-cc\S+\r\n/g, "")
    .replace(/(a=rtpmap:(\d+) (?:H264|VP8)\/90000\r\n)(?:a=fmtp:\2 (.*))?/g, (_, map, type, had) => {
      const rates = "x-google-start-bitrate=2500;x-google-min-bitrate=2500";
      return `${map}a=fmtp:${type} ${had ? `${had};` : ""}${rates}${had ? "" : "\r\n"}`;
    });
  await peer.setRemoteDescription({ type: "answer", sdp });
}

/** Runs in the page: the sources of what it sends, the rate that it thinks it may send, and how packets are sealed. */
async function sending() {
  const stats = [...(await window.peer.getStats()).values()];
  const sources = stats.filter(({ type }) => type === "outbound-rtp").map(({ ssrc, kind, rid, targetBitrate, framesPerSecond, frameWidth }) => ({
    ssrc, layer: kind === "audio" ? "a" : (rid ?? "v"), targetBitrate, framesPerSecond, frameWidth,
  }));
  return { sources, cipher: stats.find(({ srtpCipher }) => srtpCipher)?.srtpCipher };
}

/** The line of a packet; nothing for control packets, retransmissions and padding. */
function line({ at, datagram }, start, { sources, cipher }) {
  if (datagram[0] >> 6 !== 2 || (datagram[1] >= 192 && datagram[1] < 224)) return [];
  const source = sources.find(({ ssrc }) => ssrc === datagram.readUInt32BE(8));
  if (!source) return [];
  let head = 12 + 4 * (datagram[0] & 15);
  if (datagram[0] & 16) head += 4 + 4 * datagram.readUInt16BE(head + 2);
  const payload = datagram.length - head - (cipher.includes("GCM") ? 16 : 10);
  const last = source.layer !== "a" && datagram[1] & 128 ? "!" : "";
  return [`${Math.round((at - start) * 1000)} ${source.layer}${last} ${payload}`];
}

async function record(server, ivs, codec, layers) {
  const { stage } = await ivs.send(new CreateStageCommand({ name: `record-${codec}` }));
  const { participantToken } = await ivs.send(new CreateParticipantTokenCommand({ stageArn: stage.arn, capabilities: ["PUBLISH"] }));
  const [tap, browser] = [await startTap(server.media), await startChromium({ device: "fps=30" })];
  try {
    const page = await browser.page();
    await page.evaluate(publish, { url: stage.endpoints.whip, token: participantToken.token, codec, layers, through: tap.port });
    await pause(WARM_SECONDS * 1000);
    tap.records = true;
    await pause(SECONDS * 1000);
    tap.records = false;
    const found = await page.evaluate(sending);
    console.log(codec, JSON.stringify(found));
    return tap.packets.flatMap((packet) => line(packet, tap.packets[0].at, found));
  } finally {
    await browser.stop();
    tap.stop();
  }
}

const server = await startServer();
try {
  const ivs = new IVSRealTimeClient(sdkSettings(server));
  mkdirSync(FOLDER, { recursive: true });
  for (const codec of ["H264", "VP8"]) {
    for (const [name, layers] of Object.entries(LAYERS)) {
      const lines = await record(server, ivs, codec, layers);
      const file = `${codec.toLowerCase()}${name === "none" ? "" : "-layers"}.txt`;
      writeFileSync(new URL(file, FOLDER), `${codec}\n${lines.join("\n")}\n`);
      console.log(`${file}: ${lines.length} packets`);
    }
  }
} finally {
  await server.stop();
}
