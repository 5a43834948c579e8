"""Another edge for a selection, by Krita's own means."""

from krita import Document, Selection

from maskwright_client import edits
from maskwright_client.edits import Edit
from maskwright_protocol.messages import PixelRect

from . import planes
from .planes import Plane
from .selections import to_plane

_HARD = bytes(min(255, max(0, 2 * value - 128)) for value in range(256))  # half of the softness is left


def changed(document: Document, current: Selection, edit: Edit) -> Plane:
    """What a selection becomes; ``edit`` is none that needs the server."""
    width, height = document.width(), document.height()
    if edit.kind == edits.HARDEN:
        plane = to_plane(document, current)
        return Plane(plane.box, bytes(plane.data).translate(_HARD))
    if edit.kind == edits.INVERT:
        return planes.without(Plane(PixelRect(0, 0, width, height), b"\xff" * (width * height)),
                              to_plane(document, current))  # fmt: skip
    made = current.duplicate()
    amount = max(1, round(abs(edit.amount(width, height))))
    if edit.kind == edits.FEATHER:
        made.feather(amount)
    elif edit.kind == edits.SMOOTH:
        for _ in range(min(amount, 20)):
            made.smooth()
    elif edit.strength > 0:
        made.grow(amount, amount)
    else:
        made.shrink(amount, amount, False)
    return to_plane(document, made)
