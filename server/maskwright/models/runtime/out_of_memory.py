"""What to do when a job runs out of memory: free what can be freed, then a smaller model or the CPU; and say so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from maskwright_protocol.errors import OutOfMemory
from maskwright_protocol.language import tr

from .pool import ModelPool

log = logging.getLogger("maskwright.models")
Answer = TypeVar("Answer")
_CV_NO_MEMORY = -4  # cv::Error::StsNoMem
_UNLOADED = tr("Other models were unloaded because the memory was not enough.")


def with_fallback(
    run: Callable[[list[str]], Answer], pool: ModelPool, forget: Callable[[], None], named: frozenset[str] = frozenset()
) -> Answer:
    """The result of ``run(notes)``, which is tried again with less memory in use while there is a way to do so.

    ``notes`` are sentences for the user about what was changed. At first all models are unloaded and ``forget`` frees
    what is cached; then a smaller model replaces the one that did not fit, or it moves from the graphics card to the
    CPU. ``named``: models that the user chose, which are not replaced. Raises what the last run raised; a
    ``MemoryError``, and what OpenCV has instead, becomes ``OutOfMemory``.
    """
    notes: list[str] = []
    while True:
        try:
            return run(list(notes))
        except Exception as error:
            if not _lacked_memory(error):
                raise
            model = str(error.details.get("model", "")) if isinstance(error, OutOfMemory) else ""
            remedy = _remedy(model, pool, named) if notes else _UNLOADED
            if not remedy:
                if isinstance(error, OutOfMemory):
                    raise
                raise OutOfMemory(tr("There was not enough memory for this.")) from error
            log.warning("out of memory: %s %s", error, remedy)
            notes = [*(note for note in notes if note != _UNLOADED), remedy]  # unloading alone did not help
        pool.unload()
        forget()


def _lacked_memory(error: Exception) -> bool:
    if type(error).__module__ == "cv2":  # OpenCV has one exception for all; not imported here for its name alone
        return getattr(error, "code", None) == _CV_NO_MEMORY
    return isinstance(error, (OutOfMemory, MemoryError))


def _remedy(model: str, pool: ModelPool, named: frozenset[str]) -> str:
    """Change how the next run will be done; a sentence about that, empty where nothing is left to change."""
    if not model:
        return ""
    title = pool.known.get(model).title
    if model not in named and pool.avoid(model):
        return tr("{0} does not fit into the memory, so a smaller model was used.", title)
    if pool.move_to_cpu(model):
        return tr("{0} does not fit into the graphics card's memory, so it ran on the CPU.", title)
    return ""
