"""The arguments of a procedure as a call has them."""

from typing import Any

from maskwright_gimp import options, procedures
from maskwright_protocol.messages import Mask, PixelRect

OUTLINE = Mask(PixelRect(10, 20, 30, 40), data=bytes([255]) * 1200)


def arguments(name: str, **changes: Any) -> dict[str, Any]:
    """Their defaults, changed."""
    values = {argument.name: argument.default for argument in procedures.BY_NAME[name].arguments}
    return {**values, **{key.replace("_", "-"): value for key, value in changes.items()}}


def job(name: str, selection: Mask | None = None, depth: int = 8, colours: str = "", **changes: Any) -> Any:
    """The job of a call."""
    return options.job(procedures.BY_NAME[name].verb, arguments(name, **changes), depth, selection, colours)
