"""A server with a model of every kind, and what it holds on to."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import Everything, Job, Message, Models, ModelsRequest, RecipeInfo
from tests.server.conftest import Server, start_server, stop_server
from tests.server.every_recipe import jobs
from tests.server.recipes import own_tiny_models
from tests.shared_data import MODELS

ANSWER_S = 300.0


@dataclass
class Usage:
    """What a server and its worker hold: descriptors, threads, mapped segments, resident memory in MiB."""

    descriptors: int
    threads: int
    segments: int
    mib: int
    worker_descriptors: int
    worker_mib: int


@contextmanager
def serving(*flags: str) -> Iterator[tuple[Server, Path]]:
    """A server with tiny models of every family, and those of the shared folder; and a folder to work in."""
    with tempfile.TemporaryDirectory(prefix="maskwright-trial-") as name:
        folder = Path(name)
        models = own_tiny_models.install(folder)
        places = os.pathsep.join([str(models), *([str(MODELS)] if MODELS.is_dir() else [])])
        server = start_server(folder, *flags, own_group=True, MASKWRIGHT_MODELS=places, OMP_NUM_THREADS="1")
        try:
            yield server, folder
        finally:
            if server.process.poll() is None:
                stop_server(server)


def segments_of(process: psutil.Process) -> set[str]:
    """The files of shared memory that a process maps (Linux)."""
    try:
        text = Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return set()
    return set(re.findall(r"\S*/maskwright-[0-9a-f]{8,}\S*", text))


def worker_of(server: Server) -> psutil.Process | None:
    pid = server.status().workers[0].pid
    return psutil.Process(pid) if pid and psutil.pid_exists(pid) else None


def usage(server: Server) -> dict[str, int]:
    """After a moment, so that what ends has ended."""
    time.sleep(3)
    main, worker = psutil.Process(server.process.pid), worker_of(server)
    return asdict(
        Usage(
            main.num_fds(), main.num_threads(), len(segments_of(main)), main.memory_info().rss >> 20,
            worker.num_fds() if worker else 0, worker.memory_info().rss >> 20 if worker else 0,
        )
    )  # fmt: skip


def picture(folder: Path, number: int, width: int = 150, height: int = 90) -> FileSource:
    """A picture of its own: soft shapes, other ones for each number."""
    chance = np.random.default_rng(number)
    small = chance.integers(0, 256, (6, 9, 3), np.uint8)
    path = folder / f"{number}.png"
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return FileSource(path)


def available(client: Client) -> list[RecipeInfo]:
    """The recipes that can run."""
    answer = client.request(ModelsRequest(""), 120)
    assert isinstance(answer, Models)
    return [recipe for recipe in answer.recipes if recipe.available]


def jobs_of(recipes: list[RecipeInfo], source: FileSource) -> list[tuple[str, Job]]:
    """Jobs of each recipe on a picture, with the recipe's name; and the search for all objects."""
    found = [(f"{recipe.verb} {recipe.name}", job) for recipe in recipes for job in jobs(recipe, source.box)]
    return [*found, ("everything", Everything("", points_per_side=4))]


def come_of(client: Client, job: Job, source: FileSource) -> str:
    """``done``, why nothing was found, or the error's code."""
    try:
        answer: Message = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(ANSWER_S))
    except MaskwrightError as error:
        return error.code
    return getattr(answer, "reason", "") or "done"
