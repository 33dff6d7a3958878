// Runs inside the page: publishes by WHIP, subscribes, and counts what was decoded. Plain browser interfaces only.

/** A peer; by way of the TURN servers that the server tells of if it is to be `relay`ed, and by no other. */
async function newPeer({ url, token, relay }) {
  if (!relay) return new RTCPeerConnection();
  const answer = await fetch(url, { method: "OPTIONS", headers: { Authorization: `Bearer ${token}` } });
  const links = answer.headers.get("Link").matchAll(/<(turn[^>]*)>; rel="ice-server"; username="([^"]*)"; credential="([^"]*)"/g);
  const iceServers = [...links].map(([, urls, username, credential]) => ({ urls, username, credential }));
  return new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
}

/** Sends an offer with all candidates and takes the answer; the session's own URL. */
async function exchange(peer, url, token) {
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete") {
    await new Promise((done) => peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()));
  }
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return new URL(answer.headers.get("Location"), url).href;
}

/** Publishes the camera and the microphone with one codec. */
window.publish = async ({ url, token, codec, relay }) => {
  const peer = (window.peer = await newPeer({ url, token, relay }));
  const video = { width: 1280, height: 720, frameRate: 30 };
  const media = await navigator.mediaDevices.getUserMedia({ video, audio: true });
  const sender = peer.addTransceiver(media.getVideoTracks()[0], {
    direction: "sendonly",
    sendEncodings: [{ maxBitrate: 1_000_000 }],
  });
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  sender.setCodecPreferences(codecs.filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
  peer.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
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

/** What has been decoded so far. */
window.received = async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const inbound = (kind) => stats.find((entry) => entry.type === "inbound-rtp" && entry.kind === kind) ?? {};
  const video = inbound("video");
  const codec = stats.find((entry) => entry.id === video.codecId);
  return {
    frames: video.framesDecoded ?? 0,
    width: video.frameWidth ?? 0,
    dropped: video.framesDropped ?? 0,
    freezes: video.freezeCount ?? 0,
    lost: video.packetsLost ?? 0,
    nacks: video.nackCount ?? 0,
    codec: codec?.mimeType,
    audioEnergy: inbound("audio").totalAudioEnergy ?? 0,
    played: document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames,
  };
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
