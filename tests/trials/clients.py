"""Many clients at once, each clicking on pictures of its own and looking at the status, for some minutes."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from maskwright_protocol.messages import Point, Prefetch, Select, StatusRequest
from tests.server.conftest import Server

from .house import come_of, picture, serving, usage


class Painter(threading.Thread):
    """One client. ``clicks`` and ``statuses``: how long each took, in seconds."""

    def __init__(self, server: Server, folder: Path, number: int, seed: int, until: float) -> None:
        super().__init__(name=f"painter {number}")
        self._server, self._folder, self._number, self._until = server, folder, number, until
        self._chance = random.Random(seed * 1000 + number)
        self.ended: Counter[str] = Counter()
        self.clicks: list[float] = []
        self.statuses: list[float] = []

    def run(self) -> None:
        home = self._folder / f"painter {self._number}"
        home.mkdir()
        turn, source = 0, picture(home, 0)
        with self._server.client(self.name) as client:
            while time.monotonic() < self._until:
                if turn % 8 == 0:
                    source = picture(home, 100 * self._number + turn + 1, 320, 200)
                    self.ended[f"prefetch: {come_of(client, Prefetch('', recipe='mobile-sam'), source)}"] += 1
                began = time.monotonic()
                place = Point(self._chance.randrange(320), self._chance.randrange(200))
                self.ended[come_of(client, Select("", points=[place], recipe="mobile-sam"), source)] += 1
                self.clicks.append(time.monotonic() - began)
                began = time.monotonic()
                client.request(StatusRequest(""), 60)
                self.statuses.append(time.monotonic() - began)
                time.sleep(self._chance.random())
                turn += 1


def run(count: int, seconds: float, seed: int) -> dict[str, Any]:
    """``count`` clients for ``seconds``."""
    with serving() as (server, folder):
        with server.client() as client:
            source = picture(folder, 0)
            for _ in range(3):
                come_of(client, Select("", points=[Point(20, 20)], recipe="mobile-sam"), source)
        start = usage(server)
        painters = [Painter(server, folder, number, seed, time.monotonic() + seconds) for number in range(count)]
        for painter in painters:
            painter.start()
        for painter in painters:
            painter.join()
        ended = sum((painter.ended for painter in painters), Counter[str]())
        clicks = sorted(taken for painter in painters for taken in painter.clicks)
        statuses = sorted(taken for painter in painters for taken in painter.statuses)
        return {
            "clients": count, "answers": dict(ended), "click_ms": _told(clicks), "status_ms": _told(statuses),
            "start": start, "end": usage(server), "still_connected": server.status().sessions - 1,
        }  # fmt: skip


def _told(sorted_s: list[float]) -> dict[str, int]:
    if not sorted_s:
        return {}
    places = {"p50": len(sorted_s) // 2, "p95": len(sorted_s) * 95 // 100, "max": -1}
    return {name: round(sorted_s[at] * 1000) for name, at in places.items()}
