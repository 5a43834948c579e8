"""What the gateway and the worker process send each other, over a pipe and, for masks, through shared memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright_protocol.bulk import bulk_fields
from maskwright_protocol.messages import Job, Message

if TYPE_CHECKING:
    from maskwright.models.runtime.setup import WantedPrecision


@dataclass
class WorkerOptions:
    device: str
    folders: list[Path]
    threads: int
    embedding_budget: int  # bytes
    precision: WantedPrecision = "auto"


# Gateway -> worker.


@dataclass
class RunJob:
    """``rasters``: key -> (name of the shared memory, bytes)."""

    number: int
    request: Job
    rasters: dict[str, tuple[str, int]]


@dataclass
class CancelJob:
    number: int


@dataclass
class ForgetRasters:
    names: list[str]


@dataclass
class Exit:
    pass


# Worker -> gateway.


@dataclass
class Ready:
    device: str
    device_reason: str


@dataclass
class JobAlive:
    """The worker has the job, or the job's thread came on: sent at most once a second."""

    number: int


@dataclass
class JobProgress:
    number: int
    stage: str
    fraction: float
    text: str


@dataclass
class JobAnswer:
    """``place``: the device and why it was chosen, as far as known by now. ``bulk``: ``(start, length)`` of each mask's
    bytes in the shared memory for answers; a pipe would cost more."""

    number: int
    message: Message
    resident: list[str] = field(default_factory=list)
    place: tuple[str, str] = ("", "")
    bulk: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class JobFailure:
    """The error's fields: exceptions with keyword arguments cannot be pickled as they are."""

    number: int
    code: str
    message: str
    hint: str
    details: dict
    resident: list[str] = field(default_factory=list)
    place: tuple[str, str] = ("", "")


def put_bulk(answer: JobAnswer, window: memoryview) -> None:
    """Move the bytes of the bulk fields into ``window``, the shared memory for answers, as far as there is room.

    A moved field has no ``data``; its ``blob`` is the index into ``answer.bulk``. The window is free at this time: the
    gateway reads an answer before it gives the next job.
    """
    used = 0
    for item in bulk_fields(answer.message):
        if item.data is not None and used + len(item.data) <= len(window):
            window[used : used + len(item.data)] = item.data
            answer.bulk.append((used, len(item.data)))
            used += len(item.data)
            item.blob, item.data = len(answer.bulk) - 1, None


def get_bulk(answer: JobAnswer, window: memoryview) -> None:
    """Undo ``put_bulk`` in the gateway."""
    for item in bulk_fields(answer.message):
        if item.blob is not None:
            start, length = answer.bulk[item.blob]
            item.data, item.blob = bytes(window[start : start + length]), None
