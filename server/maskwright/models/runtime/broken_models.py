"""What to do when a model that nobody asked for by name does not work: leave it out, and say so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from maskwright.models.machine import packages
from maskwright_protocol.errors import ModelBroken, NeedsPackage
from maskwright_protocol.language import tr

from .pool import ModelPool

log = logging.getLogger("maskwright.models")
Answer = TypeVar("Answer")


def without_broken(run: Callable[[list[str]], Answer], pool: ModelPool, named: frozenset[str] = frozenset()) -> Answer:
    """The result of ``run(notes)``, which is tried again without a model that turns out not to work.

    ``notes`` are sentences for the user about what was left out. ``named``: models that the user chose, which are not
    replaced. Raises what the run raised where no other model can do it.
    """
    notes: list[str] = []
    left_out: set[str] = set()
    while True:
        try:
            return run(list(notes))
        except (ModelBroken, NeedsPackage) as error:
            model_id = pool.give_up(error)
            if error.hint == ModelBroken.hint and model_id:
                error.hint = packages.how_to_mend(pool.known.get(model_id))
            if not model_id or model_id in named | left_out:
                raise
            left_out.add(model_id)
            log.warning("a model does not work: %s %s", error.message, error.details.get("reason", ""))
            notes.append(tr("{0} was left out: {1}", pool.known.get(model_id).title, error.message))
