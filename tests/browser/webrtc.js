// Runs inside the page: publishes by WHIP, subscribes, and counts what was decoded. Plain browser interfaces only.

/** A peer; by way of the TURN servers that the server tells of if it is to be `relay`ed, and by no other. */
async function newPeer({ url, token, relay }) {
  if (!relay) return new RTCPeerConnection();
  const answer = await fetch(url, { method: "OPTIONS", headers: { Authorization: `Bearer ${token}` } });
  const links = answer.headers.get("Link").matchAll(/<(turn[^>]*)>; rel="ice-server"; username="([^"]*)"; credential="([^"]*)"/g);
  const iceServers = [...links].map(([, urls, username, credential]) => ({ urls, username, credential }));
  return new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
}

/**
 * Sends an offer with all candidates and takes the answer; the session's own URL. `through` is a port of this machine to
 * which the media goes, and to no other.
 */
async function exchange(peer, url, token, through) {
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete") {
    await new Promise((done) => peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()));
  }
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  let sdp = await answer.text();
  if (through) {
    sdp = sdp.replace(/a=candidate:\S+ 1 tcp .*\r\n/gi, "").replace(/(a=candidate:\S+ 1 udp \d+ \S+) \d+/gi, `$1 ${through}`);
  }
  await peer.setRemoteDescription({ type: "answer", sdp });
  return new URL(answer.headers.get("Location"), url).href;
}

/** Offers one video codec only, and its retransmissions. */
function prefer(transceiver, codec) {
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
}

/** Publishes the camera and the microphone with one codec; `picture` and `bitrate` are for less than a whole camera. */
window.publish = async ({ url, token, codec, relay, through, picture, bitrate = 1_000_000 }) => {
  const peer = (window.peer = await newPeer({ url, token, relay }));
  const video = picture ?? { width: 1280, height: 720, frameRate: 30 };
  const media = await navigator.mediaDevices.getUserMedia({ video, audio: true });
  const sender = peer.addTransceiver(media.getVideoTracks()[0], {
    direction: "sendonly",
    sendEncodings: [{ maxBitrate: bitrate }],
  });
  prefer(sender, codec);
  peer.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
  window.session = await exchange(peer, url, token, through);
};

/** Publishes the camera with one codec in layers of these widths, `{ rid: pixels }`, the widest first. */
window.publishLayers = async ({ url, token, codec, widths }) => {
  const peer = (window.peer = new RTCPeerConnection());
  const [top] = Object.values(widths);
  const video = { width: top, height: (top * 9) / 16, frameRate: 15 };
  const media = await navigator.mediaDevices.getUserMedia({ video });
  const sendEncodings = Object.entries(widths).map(([rid, width]) => ({
    rid,
    scaleResolutionDownBy: top / width,
    maxBitrate: width * 600,
  }));
  const sender = peer.addTransceiver(media.getVideoTracks()[0], { direction: "sendonly", sendEncodings });
  prefer(sender, codec);
  window.session = await exchange(peer, url, token);
};

/** Receives one participant into the page's video element. */
window.subscribe = async ({ url, token, participant, relay }) => {
  const peer = (window.peer = await newPeer({ url, token, relay }));
  const stream = new MediaStream();
  peer.addEventListener("track", ({ track }) => stream.addTrack(track));
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.addTransceiver("audio", { direction: "recvonly" });
  document.querySelector("video").srcObject = stream;
  window.session = await exchange(peer, `${url}/subscribe/${participant}`, token);
};

/** Receives one participant by a connection and a video element of its own; its place in `window.watched`. */
window.watch = async ({ url, token, participant, through, layer = "auto" }) => {
  const peer = new RTCPeerConnection();
  const stream = new MediaStream();
  const video = document.createElement("video");
  Object.assign(video, { autoplay: true, muted: true, srcObject: stream });
  document.body.append(video);
  peer.addEventListener("track", ({ track }) => stream.addTrack(track));
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.addTransceiver("audio", { direction: "recvonly" });
  const asked = performance.now();
  const watched = { peer, firstFrame: undefined };
  video.requestVideoFrameCallback((at) => (watched.firstFrame = at - asked));
  await exchange(peer, `${url}/subscribe/${participant}?layer=${layer}`, token, through);
  window.watched ??= [];
  return window.watched.push(watched) - 1;
};

/** What a connection has received so far, as the browser counts it. */
async function receivedBy(peer) {
  const stats = [...(await peer.getStats()).values()];
  const inbound = (kind) => stats.find((entry) => entry.type === "inbound-rtp" && entry.kind === kind) ?? {};
  const [video, audio] = [inbound("video"), inbound("audio")];
  return {
    frames: video.framesDecoded ?? 0,
    width: video.frameWidth ?? 0,
    dropped: video.framesDropped ?? 0,
    packets: video.packetsReceived ?? 0,
    lost: video.packetsLost ?? 0,
    resent: video.retransmittedPacketsReceived ?? 0,
    nacks: video.nackCount ?? 0,
    plis: video.pliCount ?? 0,
    freezes: video.freezeCount ?? 0,
    frozen: video.totalFreezesDuration ?? 0,
    keyFrames: video.keyFramesDecoded ?? 0,
    // Seconds that frames have waited before they were decoded, and how many did.
    waited: video.jitterBufferDelay ?? 0,
    waiters: video.jitterBufferEmittedCount ?? 0,
    codec: stats.find((entry) => entry.id === video.codecId)?.mimeType,
    sounds: audio.packetsReceived ?? 0,
    audioEnergy: audio.totalAudioEnergy ?? 0,
  };
}

/** What each connection of `window.watch` has received so far, and milliseconds to its first frame. */
window.watching = () =>
  Promise.all((window.watched ?? []).map(async ({ peer, firstFrame }) => ({ ...(await receivedBy(peer)), firstFrame })));

/** What the connection of `window.subscribe` has received so far, and how many frames the page has shown. */
window.received = async () => {
  const played = document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames;
  return { ...(await receivedBy(window.peer)), played };
};

/** What the connection of `window.publish` has sent so far, each layer for itself, as the browser counts it. */
window.sent = async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const outbound = stats.filter((entry) => entry.type === "outbound-rtp" && entry.kind === "video");
  return outbound.map((video) => ({
    frames: video.framesEncoded,
    keyFrames: video.keyFramesEncoded,
    packets: video.packetsSent,
    resent: video.retransmittedPacketsSent,
    nacks: video.nackCount,
    plis: video.pliCount,
    width: video.frameWidth ?? 0,
    bitrate: video.targetBitrate ?? 0,
  }));
};

/** The kind of candidate by which the page reaches the server. */
window.way = async () => {
  const stats = await window.peer.getStats();
  const pair = [...stats.values()].find(({ type, nominated }) => type === "candidate-pair" && nominated);
  return pair && stats.get(pair.localCandidateId).candidateType;
};

/** Ends the session as WHIP says. */
window.leave = async (token) => {
  const answer = await fetch(window.session, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  window.peer.close();
  return answer.status;
};
