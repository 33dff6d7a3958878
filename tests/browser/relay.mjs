// A network that is bad on purpose, between a browser and the media port: it loses, delays, reorders and doubles
// datagrams and keeps back what is too much, all from a seed. One relay carries one peer connection.

import { createSocket } from "node:dgram";
import { once } from "node:events";

/** What a network does to datagrams: shares that are lost and doubled, times in milliseconds, bits per second. */
export const FAIR = { lost: 0, doubled: 0, delay: 10, jitter: 0, rate: 100_000_000 };

/** Milliseconds of datagrams that a slow network keeps; what comes on top is lost, as at a router. */
const QUEUE_MAX = 300;

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A relay to the media port, `{ host, port }`. `up` and `down` are the weather towards the server and from it, and may be
 * replaced at any time; `counts` says how many datagrams came and how many of them were lost.
 */
export async function startRelay(server, { up = FAIR, down = FAIR, seed = 1 } = {}) {
  const front = createSocket("udp4");
  const back = createSocket("udp4");
  for (const socket of [front, back]) {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.setRecvBufferSize(1 << 20);
  }
  const roll = dice(seed);
  const free = { up: 0, down: 0 };
  const counts = { up: 0, down: 0, lostUp: 0, lostDown: 0 };
  const relay = { up, down, counts, port: front.address().port };
  let client;
  const travel = (way, datagram, deliver) => {
    const { lost, doubled, delay, jitter, rate } = relay[way];
    const now = performance.now();
    const start = Math.max(free[way], now);
    counts[way] += 1;
    if (roll() < lost || start - now > QUEUE_MAX) {
      counts[way === "up" ? "lostUp" : "lostDown"] += 1;
      return;
    }
    free[way] = start + (datagram.length * 8000) / rate;
    for (let copies = roll() < doubled ? 2 : 1; copies > 0; copies -= 1) {
      setTimeout(deliver, free[way] - now + delay + roll() * jitter);
    }
  };
  let open = true;
  front.on("message", (datagram, from) => {
    client = from;
    travel("up", datagram, () => open && back.send(datagram, server.port, server.host));
  });
  back.on("message", (datagram) => {
    travel("down", datagram, () => open && client && front.send(datagram, client.port, client.address));
  });
  relay.stop = () => {
    open = false;
    front.close();
    back.close();
  };
  return relay;
}
