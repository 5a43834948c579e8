"""The ways from a picture to a mask, asked of a running server as an editor asks; and rembg's command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_client.jobs import Cut, Edge, JobOptions, Prompt
from maskwright_protocol import masks as wire
from maskwright_protocol.discovery import Endpoint, read_endpoint
from maskwright_protocol.messages import CutoutResult, Mask, PixelRect
from tests.shared_data import MODELS, REPOSITORY

from .cases import Case

Ask = Callable[[Any], Mask | None]
_OPTIONS = JobOptions(mask_depth=16)


def _click(case: Case, ask_for: Ask) -> Mask | None:
    return ask_for(_OPTIONS.select_points([case.point], []))


def _refined(case: Case, ask_for: Ask) -> Mask | None:
    clicked = _click(case, ask_for)
    return ask_for(_OPTIONS.refine(clicked, Edge())) if clicked is not None else None


def _cut(case: Case, ask_for: Ask, edges: str = "auto", hair: bool = False) -> Mask | None:
    job = _OPTIONS.cut_out(Cut(edge=Edge(hair=hair)), "RGBA8")
    job.edges = edges
    return ask_for(job)


ROUTES: dict[str, Callable[[Case, Ask], Mask | None]] = {
    "select subject": lambda case, ask_for: ask_for(_OPTIONS.subject()),
    "cut-out": _cut,
    "cut-out, edges as the model has them": lambda case, ask_for: _cut(case, ask_for, "matte"),
    "cut-out, hair": lambda case, ask_for: _cut(case, ask_for, hair=True),
    "click": _click,
    "click, refined": _refined,
    "box": lambda case, ask_for: ask_for(_OPTIONS.select_points([], [case.box])),
    "word": lambda case, ask_for: ask_for(_OPTIONS.select(Prompt(text=case.word))),
}
_SUBJECT = tuple(ROUTES)[:4]
REMBG = {"rembg": (), "rembg, its alpha matting": ("-a",)}


def fitting(case: Case) -> list[str]:
    """The routes that can be asked for what a case shows."""
    names = list(_SUBJECT) if case.main else []
    names += ["click", "click, refined", "box"] if case.pointed else []
    return [*names, "word"] if case.word else names


def answer(case: Case, route: str, client: Client) -> np.ndarray:
    """The mask ``(H, W)`` 0..1 of a route; all 0 where nothing is found."""
    source = _Source(case.pixels)

    def ask_for(job: Any) -> Mask | None:
        found: Any = ask.run(ask.answer(client, job, source))
        if isinstance(found, CutoutResult):
            return found.alpha
        return found.instances[0].mask if found.instances else None

    mask = ROUTES[route](case, ask_for)
    height, width = case.truth.shape
    if mask is None:
        return np.zeros((height, width), np.float32)
    kind = np.dtype(np.uint8) if mask.depth == 8 else np.dtype("<u2")
    plane = np.frombuffer(wire.place(mask, width, height), kind).reshape(height, width)
    return plane.astype(np.float32) / np.float32(np.iinfo(kind).max)


class _Source(ask.PictureSource):
    """Pixels ``(H, W, 3)`` uint8 of less than the overview's size."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.box = PixelRect(0, 0, pixels.shape[1], pixels.shape[0])
        assert max(pixels.shape) <= ask.PROXY_SIDE
        self._data = np.ascontiguousarray(pixels).data.cast("B")

    def overview(self) -> ask.RasterData:
        return ask.raster_data(self._data, self.box.width, self.box.height, "RGB8", self.box)


@contextmanager
def server(code: Path = REPOSITORY, models: Path | None = None) -> Iterator[Client]:
    """A client of a new server, which runs the code below ``code``, with its own models or those in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        given = {name: value for name, value in os.environ.items() if not name.startswith("MASKWRIGHT_")}
        given |= {"MASKWRIGHT_RUNTIME_DIR": str(Path(folder) / "run"), "XDG_DATA_HOME": folder}
        given["PYTHONPATH"] = os.pathsep.join(str(code / name) for name in ("server", "protocol"))
        if models is not None:
            given["MASKWRIGHT_MODELS"] = str(models)
        before = os.environ.get("MASKWRIGHT_RUNTIME_DIR")
        os.environ["MASKWRIGHT_RUNTIME_DIR"] = given["MASKWRIGHT_RUNTIME_DIR"]
        command = [sys.executable, "-m", "maskwright.cli", "serve", "--log-level", "error"]
        process = subprocess.Popen(command, env=given, cwd=folder)
        try:
            while (endpoint := read_endpoint()) is None:
                assert process.poll() is None, "the server did not start"
                time.sleep(0.01)
            found: Endpoint = endpoint
            with Client("quality", endpoint=lambda: found) as client:
                yield client
        finally:
            process.terminate()
            process.wait()
            if before is None:
                del os.environ["MASKWRIGHT_RUNTIME_DIR"]
            else:
                os.environ["MASKWRIGHT_RUNTIME_DIR"] = before


def rembg_masks(command: Path, pictures: dict[str, np.ndarray], flags: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What rembg's command makes of pictures with the network u2netp: alpha ``(H, W)`` 0..1 by name."""
    with tempfile.TemporaryDirectory() as home:
        network = Path(home) / ".u2net"
        taken, given = Path(home) / "in", Path(home) / "out"
        network.mkdir()
        taken.mkdir()
        shutil.copy(MODELS / "u2netp" / "u2netp.onnx", network)
        for name, pixels in pictures.items():
            Image.fromarray(pixels).save(taken / f"{name}.png")
        own = {**os.environ, "HOME": home, "U2NET_HOME": str(network)}
        run = [str(command), "p", "-m", "u2netp", *flags, str(taken), str(given)]
        subprocess.run(run, env=own, check=True, stderr=subprocess.DEVNULL)
        return {
            name: np.array(Image.open(given / f"{name}.png").convert("RGBA"))[..., 3] / np.float32(255)
            for name in pictures
        }
