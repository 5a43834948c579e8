"""The answers to ``recipes`` and ``recipes.save``. Files are read and written in a thread."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from maskwright_protocol.errors import InternalError, MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Failed, Message, Recipes, RecipeSave, RecipesRequest

if TYPE_CHECKING:
    from .downloads import Deliver

log = logging.getLogger(__name__)
_answering: set[asyncio.Task[None]] = set()


def answer_later(message: RecipesRequest | RecipeSave, deliver: Deliver) -> None:
    """Have the report, or the failure, of that request delivered later."""
    task = asyncio.get_running_loop().create_task(_answer(message, deliver))
    _answering.add(task)
    task.add_done_callback(_answering.discard)


async def _answer(message: RecipesRequest | RecipeSave, deliver: Deliver) -> None:
    deliver(await asyncio.to_thread(answer, message))


def answer(message: RecipesRequest | RecipeSave) -> Message:
    from maskwright.recipe_files import folder  # not before somebody asks

    try:
        if isinstance(message, RecipeSave):
            return Recipes(message.id, [folder.save_data(message.name, message.recipe, message.overwrite)])
        return Recipes(message.id, folder.load())
    except MaskwrightError as error:
        return Failed.from_error(message.id, error)
    except Exception:
        log.exception("the recipes could not be read or written")
        return Failed.from_error(message.id, InternalError(tr("Something went wrong inside Maskwright.")))
