// The console of one stage: joins by WHIP, receives every publisher, shows what the browser measures and what the server
// has on record. Text from others goes into the page as text only.

const main = document.querySelector("main");
const { arn, topic } = main.dataset;
const form = document.querySelector("form");
const [joinButton, leaveButton] = form.querySelectorAll("button");
const people = document.querySelector("#people");
const events = document.querySelector("#events");
const SIZE = { width: 960, height: 540 };

let session;

const say = (text) => (document.querySelector("#status").textContent = text);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A moving picture with a clock, and a soft tone. */
function pattern(name) {
  const canvas = element("canvas", SIZE);
  const context = canvas.getContext("2d");
  const hue = Math.floor(Math.random() * 360);
  const draw = () => {
    const at = performance.now() / 1000;
    const { width, height } = SIZE;
    context.fillStyle = `hsl(${hue} 45% 30%)`;
    context.fillRect(0, 0, width, height);
    for (let bar = 0; bar < 8; bar++) {
      context.fillStyle = `hsl(${bar * 45} 80% 55%)`;
      context.fillRect((bar * width) / 8, height * 0.8, width / 8, height * 0.2);
    }
    context.fillStyle = "#fff";
    context.beginPath();
    context.arc(width * (0.5 + 0.4 * Math.sin(at)), height * 0.65, 30, 0, 7);
    context.fill();
    context.font = "bold 56px sans-serif";
    context.fillText(name, 40, 110);
    context.fillText(new Date().toISOString().slice(11, 22), 40, 190);
  };
  draw();
  const timer = setInterval(draw, 1000 / 15);
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: 330 });
  const quiet = new GainNode(audio, { gain: 0.05 });
  const out = new MediaStreamAudioDestinationNode(audio);
  tone.connect(quiet).connect(out);
  tone.start();
  const media = new MediaStream([...canvas.captureStream(15).getTracks(), ...out.stream.getTracks()]);
  return { media, stop: () => (clearInterval(timer), audio.close()) };
}

async function camera() {
  const media = await navigator.mediaDevices.getUserMedia({ video: SIZE, audio: true });
  return { media, stop: () => media.getTracks().forEach((track) => track.stop()) };
}

/** The STUN and TURN servers that the server tells of, from its `Link` headers. */
async function iceServers(token) {
  const answer = await fetch("/whip", { method: "OPTIONS", headers: { Authorization: `Bearer ${token}` } });
  const links = (answer.headers.get("Link") ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g);
  const servers = [];
  for (const [, urls, text] of links) {
    const pairs = [...text.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)];
    const { rel, username, credential } = Object.fromEntries(pairs.map(([, name, value]) => [name, value.replace(/\\(.)/g, "$1")]));
    if (rel === "ice-server") servers.push(username === undefined ? { urls } : { urls, username, credential });
  }
  return servers;
}

/** Offers, with all candidates, and takes the answer; the address of the session. */
async function exchange(peer, url, token) {
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") {
    await new Promise((done) => peer.addEventListener("icegatheringstatechange", done, { once: true }));
  }
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`${answer.status}: ${text}`);
  await peer.setRemoteDescription({ type: "answer", sdp: text });
  return answer.headers.get("Location");
}

async function publish(token, source) {
  const peer = new RTCPeerConnection({ iceServers: session.iceServers });
  const [video] = source.media.getVideoTracks();
  const sendEncodings = [
    { rid: "hi", maxBitrate: 1_200_000 },
    { rid: "low", maxBitrate: 250_000, scaleResolutionDownBy: 3 },
  ];
  peer.addTransceiver(video, { direction: "sendonly", sendEncodings });
  peer.addTransceiver(source.media.getAudioTracks()[0], { direction: "sendonly" });
  return { peer, location: await exchange(peer, "/whip", token) };
}

/** One participant on the page: its picture, choice of layer and figures. */
class Tile {
  constructor(id, name, choose) {
    this.id = id;
    this.video = element("video", { autoplay: true, playsInline: true, muted: true });
    this.video.setAttribute("aria-label", `Video of ${name || id}`);
    this.layers = element("select");
    this.offer(["auto", "highest", "lowest"]);
    this.layers.addEventListener("change", () => choose(id, this.layers.value));
    this.figures = {};
    const list = element("dl");
    for (const label of ["kbit/s", "loss", "round trip", "frames/s"]) {
      this.figures[label] = element("dd", { textContent: "–" });
      list.append(element("dt", { textContent: label }), this.figures[label]);
    }
    const heading = element("h3", { textContent: name ? `${name} (${id})` : id });
    const about = element("div", { className: "about" }, heading);
    if (choose) about.append(element("label", {}, "Layer", this.layers));
    about.append(list);
    this.node = element("article", {}, this.video, about);
    this.node.dataset.participant = id;
    people.append(this.node);
  }

  /** Puts choices of layer into the list that are not there yet. */
  offer(names) {
    const known = [...this.layers.options].map((option) => option.value);
    for (const name of names) if (!known.includes(name)) this.layers.append(element("option", { value: name, textContent: name }));
  }

  async measure() {
    if (!this.peer) return;
    let bytes = 0, packets = 0, lost = 0, frames, trip, shown;
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type === "inbound-rtp" || report.type === "outbound-rtp") {
        bytes += report.bytesReceived ?? report.bytesSent ?? 0;
        packets += report.packetsReceived ?? 0;
        lost += report.packetsLost ?? 0;
        if (report.kind === "video") frames = Math.max(frames ?? 0, report.framesPerSecond ?? 0);
        if (report.kind === "video" && report.type === "inbound-rtp") shown = report;
      } else if (report.type === "candidate-pair" && report.nominated) trip = report.currentRoundTripTime ?? trip;
      else if (report.type === "remote-inbound-rtp") lost = report.fractionLost ?? lost;
    }
    const now = performance.now();
    const rate = this.before && (8 * (bytes - this.before.bytes)) / (now - this.before.now);
    this.before = { bytes, now };
    const share = this.sends ? lost : lost / Math.max(1, packets + lost);
    const show = (label, text) => (this.figures[label].textContent = text);
    if (shown) reportFrames(this.id, shown);
    show("kbit/s", rate === undefined ? "–" : Math.round(rate).toString());
    show("loss", `${(100 * Math.max(0, share)).toFixed(1)} %`);
    show("round trip", trip === undefined ? "–" : `${Math.round(trip * 1000)} ms`);
    show("frames/s", frames === undefined ? "–" : Math.round(frames).toString());
  }

  close() {
    this.peer?.close();
    this.node.remove();
  }
}

async function subscribe(tile, token) {
  const peer = (tile.peer = new RTCPeerConnection({ iceServers: session.iceServers }));
  const media = new MediaStream();
  tile.video.srcObject = media;
  peer.addEventListener("track", ({ track }) => media.addTrack(track));
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.addTransceiver("audio", { direction: "recvonly" });
  tile.location = await exchange(peer, `/whip/subscribe/${encodeURIComponent(tile.id)}`, token);
}

/** Makes the tiles those of the participants who publish. */
function takeState({ participants }) {
  const publishing = new Map(participants.filter(({ isPublishing }) => isPublishing).map((one) => [one.id, one]));
  for (const [id, tile] of session.tiles) {
    if (id === session.me || publishing.has(id)) continue;
    tile.close();
    session.tiles.delete(id);
  }
  for (const [id, { userId }] of publishing) {
    if (session.tiles.has(id)) continue;
    const tile = new Tile(id, userId, choose);
    session.tiles.set(id, tile);
    subscribe(tile, session.token).catch((error) => {
      say(`${userId || id} cannot be received: ${error.message}`);
      tile.close();
      session?.tiles.delete(id);
    });
  }
}

function choose(participantId, layer) {
  session?.socket.send(JSON.stringify({ type: "x-stagedoor-CHOOSE_LAYER", payload: { participantId, layer } }));
}

/** Tells the server, for its metrics, how many pictures came and how many were dropped. */
function reportFrames(participantId, { framesReceived = 0, framesDropped = 0 }) {
  if (session?.socket?.readyState !== WebSocket.OPEN) return;
  session.socket.send(JSON.stringify({ type: "x-stagedoor-REPORT_FRAMES", payload: { participantId, framesReceived, framesDropped } }));
}

function takeMessage(text) {
  const { type, payload } = JSON.parse(text);
  if (type === "STAGE_STATE") takeState(payload);
  else if (type === "PING") session.socket.send('{"type":"PONG"}');
  else if (type === "x-stagedoor-LAYER_CHOSEN") {
    session.tiles.get(payload.participantId)?.offer(payload.layers);
    say("The layer is chosen.");
  } else if (type === "x-stagedoor-LAYER_REFUSED") say(`The layer was refused: ${payload.message}`);
}

async function join() {
  const { user, source } = Object.fromEntries(new FormData(form));
  joinButton.disabled = true;
  say("Joining …");
  const headers = { "Content-Type": "application/json", "X-Stagedoor-Console": "1" };
  const answer = await fetch(`/_stagedoor/console/token/${arn}`, { method: "POST", headers, body: JSON.stringify({ user }) });
  const made = await answer.json();
  if (!answer.ok) throw new Error(made.message);
  session = { token: made.token, me: made.participantId, tiles: new Map() };
  session.iceServers = await iceServers(session.token);
  if (source !== "none") {
    session.source = source === "camera" ? await camera() : pattern(user || "stagedoor");
    const own = new Tile(session.me, `${user || "this page"}, sent`, undefined);
    own.sends = true;
    own.video.srcObject = session.source.media;
    session.tiles.set(session.me, own);
    const { peer, location } = await publish(session.token, session.source);
    Object.assign(own, { peer, location });
  }
  const address = new URL(`/events/${topic}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = (session.socket = new WebSocket(address, session.token));
  socket.addEventListener("message", ({ data }) => session && takeMessage(data));
  socket.addEventListener("close", ({ reason }) => session?.socket === socket && leave(reason || "The server has ended it."));
  await new Promise((opened, failed) => {
    socket.addEventListener("open", opened, { once: true });
    socket.addEventListener("error", () => failed(new Error("the events socket was refused")), { once: true });
  });
  leaveButton.disabled = false;
  say("On the stage.");
}

function leave(why = "Left the stage.") {
  const left = session;
  session = undefined;
  for (const tile of left?.tiles.values() ?? []) {
    if (tile.location) fetch(tile.location, { method: "DELETE", keepalive: true }).catch(() => {});
    tile.close();
  }
  left?.source?.stop();
  left?.socket?.close();
  joinButton.disabled = false;
  leaveButton.disabled = true;
  say(why);
}

async function showEvents() {
  const answer = await fetch(`/_stagedoor/console/events/${arn}`);
  if (!answer.ok) return;
  const lines = (await answer.json()).events.map(({ time, name, participant, about }) =>
    element("li", { textContent: [time, name, participant, about].filter(Boolean).join("  ") }),
  );
  events.replaceChildren(...lines);
}

form.addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  join().catch((error) => leave(`Not joined: ${error.message}`));
});
leaveButton.addEventListener("click", () => leave());
addEventListener("pagehide", () => session && leave());
setInterval(() => {
  for (const tile of session?.tiles.values() ?? []) tile.measure().catch(() => {});
  showEvents().catch(() => {});
}, 1000);
showEvents().catch(() => {});
