"""How a soft selection is looked at while its edge is worked on: five views, told as data, so that all editors draw
them alike. A view turns a preview into one index a pixel (``pixels``) and a table of 256 colours (``table``); the
picture of these colours is drawn over the canvas, and there is nothing else to it.
"""

from functools import lru_cache
from typing import List, NamedTuple, Optional, Tuple

from maskwright_protocol.language import tr

from .preview_picture import Preview

Colour = Tuple[int, int, int]


class EdgeView(NamedTuple):
    """``outside`` covers what is not selected, by ``opacity`` where nothing is; ``inside`` covers what is selected.
    A view without any shows the outline."""

    name: str
    title: str
    outside: Optional[Colour] = None
    opacity: float = 1.0
    inside: Optional[Colour] = None


VIEWS = (
    EdgeView("ants", tr("Marching ants")),
    EdgeView("overlay", tr("Red overlay"), (255, 0, 0), 0.5),
    EdgeView("black", tr("On black"), (0, 0, 0)),
    EdgeView("white", tr("On white"), (255, 255, 255)),
    EdgeView("matte", tr("Black and white"), (0, 0, 0), 1.0, (255, 255, 255)),
)
PHASES = 8  # after so many steps the ants look the same again
STEP_MS = 120  # between two steps of the ants
_HALF = bytes(value > 127 for value in range(256))
_ALL = bytes([0]) + bytes([255]) * 255


def view_named(name: str) -> EdgeView:
    """The view of that name; the first for an unknown one."""
    return next((view for view in VIEWS if view.name == name), VIEWS[0])


def next_view(name: str) -> EdgeView:
    """The view after that one; the first after the last."""
    return VIEWS[(VIEWS.index(view_named(name)) + 1) % len(VIEWS)]


def pixels(view: EdgeView, preview: Preview) -> bytes:
    """An index into ``table`` for each pixel of the preview, row by row."""
    if view.outside is not None:
        return preview.data
    return _ants(preview.data, preview.box.width, preview.box.height)


def table(view: EdgeView, phase: int = 0) -> List[Tuple[int, int, int, int]]:
    """256 colours ``(red, green, blue, alpha)``, 0..255, multiplied by their alpha. ``phase``: steps that ants went."""
    if view.outside is None:
        colours = [(0, 0, 0, 0)] * 256
        for index in range(1, PHASES + 1):
            light = (index + phase) % PHASES < PHASES // 2
            colours[index] = (255, 255, 255, 255) if light else (0, 0, 0, 255)
        return colours
    found = []
    for alpha in range(256):
        without = view.opacity * (255 - alpha) / 255
        with_it = alpha / 255 if view.inside is not None else 0.0
        inner = view.inside or (0, 0, 0)
        red, green, blue = (round(a * without + b * with_it) for a, b in zip(view.outside, inner))
        found.append((red, green, blue, round(255 * (without + with_it))))
    return found


def _ants(data: bytes, width: int, height: int) -> bytes:
    """1 to 8 by turns along the rim of what is at least half selected, 0 elsewhere. Long integers do all pixels at
    once; the outermost ones are no rim, since the selection goes on beyond what is seen."""
    if width < 3 or height < 3:
        return bytes(len(data))
    inside = int.from_bytes(data.translate(_HALF), "little")
    row = 8 * width
    within = inside & (inside >> 8) & (inside << 8) & (inside >> row) & (inside << row)
    rim = (inside ^ within).to_bytes(width * height, "little").translate(_ALL)
    return (int.from_bytes(rim, "little") & _dashes(width, height)).to_bytes(width * height, "little")


@lru_cache(maxsize=2)
def _dashes(width: int, height: int) -> int:
    """Stripes of 1 to 8, as a long integer of a byte a pixel; the outermost pixels are 0."""
    stripes = bytes(range(1, PHASES + 1)) * (width // PHASES + 2)
    rows = [b"\0" + stripes[y % PHASES : y % PHASES + width - 2] + b"\0" for y in range(height - 2)]
    empty = bytes(width)
    return int.from_bytes(b"".join([empty, *rows, empty]), "little")
