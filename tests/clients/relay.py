"""A network that is bad on purpose, between one peer and the media port: it loses, delays, reorders and doubles datagrams
and keeps back what is too much, all from a seed."""

import asyncio
import dataclasses
import random
import re


@dataclasses.dataclass(frozen=True)
class Weather:
    """Shares that are lost and doubled, seconds on the way, bits per second."""

    lost: float = 0
    doubled: float = 0
    delay: float = 0.02
    jitter: float = 0
    rate: float = 100e6


FAIR = Weather()
# Seconds of datagrams that a slow network keeps; what comes on top is lost, as at a router.
QUEUE_MAX = 0.3


class _Side(asyncio.DatagramProtocol):
    def __init__(self, take):
        self.take = take

    def datagram_received(self, data, address):
        self.take(data, address)


class Relay:
    """Carries the datagrams of one peer, both ways through `weather`, which may be replaced. Use it as an async context
    manager."""

    def __init__(self, seed, weather=FAIR):
        self.dice, self.weather = random.Random(seed), weather
        self.server = self.client = None
        self.free = {}
        self.lost = 0

    async def __aenter__(self):
        self.loop = asyncio.get_running_loop()
        open_at = lambda take: self.loop.create_datagram_endpoint(lambda: _Side(take), local_addr=("127.0.0.1", 0))
        self.front, _ = await open_at(self._up)
        self.back, _ = await open_at(self._down)
        return self

    async def __aexit__(self, *_):
        self.front.close()
        self.back.close()

    def through(self, sdp):
        """The server's answer with this relay in the place of its media port."""
        sdp = re.sub(r"a=candidate:\S+ 1 tcp .*\r\n", "", sdp, flags=re.IGNORECASE)
        candidate = re.compile(r"(a=candidate:\S+ 1 udp \d+) (\S+) (\d+)", re.IGNORECASE)
        _, host, port = candidate.search(sdp).groups()
        self.server = host, int(port)
        return candidate.sub(rf"\1 \2 {self.front.get_extra_info('sockname')[1]}", sdp)

    def _up(self, data, address):
        self.client = address
        self._travel("up", data, lambda: self.back.sendto(data, self.server))

    def _down(self, data, _):
        self._travel("down", data, lambda: self.front.sendto(data, self.client))

    def _travel(self, way, data, deliver):
        weather, now = self.weather, self.loop.time()
        start = max(self.free.get(way, 0), now)
        if self.dice.random() < weather.lost or start - now > QUEUE_MAX:
            self.lost += 1
            return
        self.free[way] = start + len(data) * 8 / weather.rate
        for _ in range(2 if self.dice.random() < weather.doubled else 1):
            self.loop.call_at(self.free[way] + weather.delay + self.dice.random() * weather.jitter, self._arrive, deliver)

    def _arrive(self, deliver):
        if not self.front.is_closing():
            deliver()
