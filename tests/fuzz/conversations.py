"""Clients of a server without sockets: real sessions, image store, scheduler and worker process in one event loop."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import cache
from typing import Any

import msgpack

from maskwright.gateway.session import ClientSession, Services
from maskwright.images.store import ImageStore
from maskwright.jobs import watchdog
from maskwright.jobs.scheduler import Scheduler
from maskwright.workers.messages import WorkerOptions
from maskwright_client.ask import raster_data
from maskwright_protocol import codec
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    Cancelled,
    CutoutResult,
    Done,
    Everything,
    Failed,
    Hello,
    ImageBegin,
    ImageEnd,
    ImageSlice,
    Job,
    Mask,
    Message,
    Models,
    ObjectMap,
    Picture,
    PixelRect,
    Point,
    Prefetch,
    Refine,
    Select,
    Selection,
    Status,
)

from .choices import Choices

JOB_S = 120.0
FINAL = (Cancelled, CutoutResult, Done, Failed, ObjectMap, Selection)
LONGEST = 10  # messages of a conversation
BOX = PixelRect(0, 0, 24, 16)
ITEM = raster_data(bytes(number * 7 % 251 for number in range(24 * 16 * 3)), 24, 16, "RGB8", BOX)
WHOLE = Picture(BOX, [replace(ITEM.raster, data=bytes(ITEM.data))])
HALF = Mask(PixelRect(0, 0, 12, 16), data=bytes([255]) * 192)
# Downloads start processes that look for the network, removing deletes and saving makes files: they have tests of their
# own.
KINDS = sorted(set(CLIENT_MESSAGES) - {"hello", "shutdown", "models.pull", "models.remove", "recipes.save"})
JOBS = [kind for kind in KINDS if issubclass(CLIENT_MESSAGES[kind], Job)]
DONE = ["select", "refine", "everything", "prefetch", "select", "prefetch"]  # what the models of every server can do
ODD = [None, -1, 0, 1, 2**31, 2**63, 0.5, 1e30, float("nan"), float("inf"), "", "x", "é" * 999, b"", b"\xff" * 70,
       [], {}, True, [{}], {"x": 1}, [[]], "auto", "all", 3, -0.5]  # fmt: skip


def job_fields(choices: Choices) -> dict[str, Any]:
    """Fields of a job that most often can be done: on a picture that is there, by models that every server has."""
    point = {"x": choices.number(26) - 1.0, "y": choices.number(18) - 1.0, "positive": choices.number(4) < 3}
    picture = codec.decode_map(codec.encode_bytes(Prefetch("", picture=WHOLE)))["picture"]
    if choices.number(8) == 7:
        picture["rasters"][0].pop("data")
    return {
        "id": choices.pick(["a", "b", "c", "d"]), "picture": picture, "tool": choices.pick(["", "", "lasso"]),
        "generation": choices.number(4), "priority": choices.pick(["interactive", "batch", "background"]),
        "recipe": choices.pick(["auto"] * 6 + ["grabcut", "inpaint"]), "points": [point],
        "points_per_side": 1 + choices.number(3),
        "mask": vars(HALF) | {"box": vars(HALF.box), "blob": None}, "text": choices.pick(["", "", "", "the moon"]),
        "alternatives": choices.number(4), "merge": bool(choices.number(2)),
    }  # fmt: skip


def message(choices: Choices) -> bytes:
    """One message of a client, sound or with one or two fields that are not."""
    kind = choices.pick([*DONE, *DONE, *KINDS])
    known = set(CLIENT_MESSAGES[kind].__dataclass_fields__)
    usual = job_fields(choices) if kind in JOBS else {
        "id": choices.pick(["a", "b", "c", "d"]), "key": ITEM.raster.key, "width": 24, "height": 16, "format": "RGB8",
        "strips": ITEM.strips, "strip": 0, "offset": choices.pick([0, 576]), "data": bytes(ITEM.data)[:576],
        "number": 0, "blob": choices.number(2),
    }  # fmt: skip
    fields = {name: value for name, value in usual.items() if name in known}
    for _ in range((0, 0, 0, 0, 0, 0, 1, 2)[choices.number(8)]):
        fields[choices.pick(sorted(known))] = choices.pick(ODD)
    packed = msgpack.packb({"type": kind, **fields})
    assert packed is not None
    return packed


class Clients:
    """A server for clients one after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.store = ImageStore(1 << 22, 1_000_000)
        options = WorkerOptions("cpu", [], 1, 1 << 22)
        self.scheduler = Scheduler(
            self.store,
            options,
            queue_length=4,
            deadline_s=JOB_S,
            idle_s=JOB_S,
            start_timeout_s=JOB_S,
        )
        self._services = Services(
            self.store, self.scheduler, _status, lambda identity, deliver: deliver(Models(identity)), lambda: None
        )
        self._count = 0
        self._run(self._start())

    async def _start(self) -> None:
        self.scheduler.start()

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def converse(self, messages: list[bytes]) -> list[str]:
        """One client says all this, waits for its answers, and leaves; what came of each message."""
        return self._run(self._converse(messages))

    async def _converse(self, messages: list[bytes]) -> list[str]:
        self._count += 1
        got: list[Message] = []
        session = ClientSession(f"client {self._count}", self._services, got.append)
        self._services.sessions[session.name] = session
        session.receive(codec.encode_bytes(Hello(1, "fuzz")))
        told, queued = [], 0
        for data in messages:
            before = len(self.scheduler.queue.of_session(session.name))
            answers = len(got)
            session.receive(data)
            new = [one for one in got[answers:] if isinstance(one, Failed)]
            queued += len(self.scheduler.queue.of_session(session.name)) > before
            told.append(new[-1].code if new else "fine")
            await asyncio.sleep(0)
        async with asyncio.timeout(JOB_S + 30):
            while self.scheduler.queue.of_session(session.name):
                await asyncio.sleep(0.001)
        internal = [one for one in got if isinstance(one, Failed) and one.code in ("internal", "worker_died")]
        assert not internal, internal
        session.closed()
        assert all(raster.pins == 0 for raster in self.store.rasters.values()), "a picture stays pinned"
        assert self.store.used == sum(raster.size for raster in self.store.rasters.values()), "memory is not given back"
        told += [f"answer: {getattr(one, 'code', one.TYPE)}" for one in got[:] if isinstance(one, FINAL)]
        return told + ["queued"] * queued

    def close(self) -> None:
        if not self._loop.is_closed():
            self._run(self.scheduler.stop())
            self.store.clear()
            self._loop.close()


def _status(identity: str) -> Message:
    return Status(identity, "0", 1, 0.0, 1, 0, 0, 0, 0, 0)


@cache
def clients() -> Clients:
    logging.getLogger("maskwright").setLevel(logging.ERROR)
    # Long runs have the lowest priority: where others need the processor, a sound job may get none of it for long.
    watchdog.STILL_S = JOB_S
    return Clients()


def converse(data: bytes) -> list[str]:
    """A conversation made from bytes: at most ten messages."""
    choices = Choices(data)
    said = []
    while choices and len(said) < LONGEST:
        said.append(message(choices))
    return clients().converse(said)


def sound_messages() -> list[bytes]:
    """One message of each kind that carries a picture or a part of one."""
    begin = ImageBegin("u", ITEM.raster.key, 24, 16, "RGB8", "srgb", ITEM.strips)
    small = Picture(BOX, [ITEM.raster])
    jobs = [
        Select("j", picture=small, points=[Point(3, 3)]),
        Refine("r", picture=small, mask=HALF),
        Everything("e", picture=small),
    ]
    return [
        codec.encode_bytes(one) for one in (begin, ImageSlice(ITEM.raster.key, 0, 0, b"abc"), ImageEnd("u", "k"), *jobs)
    ]


def seeds() -> list[bytes]:
    return [bytes((start + step * number) % 256 for number in range(64)) for start in range(8) for step in (1, 7, 31)]
