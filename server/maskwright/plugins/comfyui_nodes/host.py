"""ComfyUI around the nodes: its progress bar and its cancel button where they are there, and the one connection."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

from maskwright_client import connect
from maskwright_client.scripting import Maskwright
from maskwright_protocol.errors import MaskwrightError

_STEPS = 1000  # of the bar, a picture
_connection: list[Maskwright] = []
_work: list[Work] = []
_models: list[str] = [""]


class Work:
    """A node at work on ``count`` pictures, one after the other."""

    def __init__(self, count: int) -> None:
        utils = sys.modules.get("comfy.utils")
        self._bar: Any = utils.ProgressBar(count * _STEPS) if utils is not None else None
        self._done = 0
        self._fraction = 0.0

    def __enter__(self) -> Work:
        _work.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _work.remove(self)

    def heard(self, text: str, fraction: float) -> None:
        """What the server says, in the client's thread: ComfyUI's hooks belong to the node's own."""
        self._fraction = fraction

    def finished_one(self) -> None:
        self._done, self._fraction = self._done + 1, 0.0
        self.turn()

    def turn(self) -> None:
        """Show how far it is. Raises what ComfyUI raises when the user has cancelled."""
        management: Any = sys.modules.get("comfy.model_management")
        if management is not None:
            management.throw_exception_if_processing_interrupted()
        if self._bar is not None:
            self._bar.update_absolute(int((self._done + self._fraction) * _STEPS))


def _turn() -> None:
    for work in _work:
        work.turn()


def client() -> Maskwright:
    """The connection that all nodes share; starts the server if there is none. Raises ``ServerAbsent``."""
    if not _connection:
        _connection.append(connect(name="comfyui", while_waiting=_turn))
    return _connection[0]


def models() -> str:
    """A name for what is installed: another one when models came or went, so that nodes run again."""
    try:
        installed = sorted(model.id for model in client().models().models if model.installed or model.embedded)
        _models[0] = hashlib.sha256(" ".join(installed).encode()).hexdigest()
    except MaskwrightError:
        pass  # the node itself will say why
    return _models[0]
