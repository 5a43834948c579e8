"""What to do when a job runs out of memory: free what can be freed, once more; then a smaller model; then say so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from maskwright_protocol.errors import OutOfMemory

from .pool import ModelPool

log = logging.getLogger("maskwright.models")
Answer = TypeVar("Answer")


def with_fallback(
    run: Callable[[list[str]], Answer], pool: ModelPool, forget: Callable[[], None], named: frozenset[str] = frozenset()
) -> Answer:
    """``run(notes)``, at most three times; ``notes`` are sentences for the user. ``forget`` frees what is cached.

    ``named``: models that the user chose, which are not replaced. Raises what the last run raised; a ``MemoryError``
    becomes ``OutOfMemory``.
    """
    try:
        return run([])
    except (OutOfMemory, MemoryError) as error:
        log.warning("out of memory, freeing all models: %s", error)
    pool.unload()
    forget()
    notes = ["Other models were unloaded because the memory was not enough."]
    try:
        return run(notes)
    except MemoryError as error:
        raise OutOfMemory("There was not enough memory for this.") from error
    except OutOfMemory as error:
        model = str(error.details.get("model", ""))
        if not model or model in named or not pool.avoid(model):
            raise
        title = pool.known.get(model).title
    pool.unload()
    forget()
    try:
        return run([f"{title} does not fit into the memory, so a smaller model was used."])
    except MemoryError as error:
        raise OutOfMemory("There was not enough memory for this.") from error
