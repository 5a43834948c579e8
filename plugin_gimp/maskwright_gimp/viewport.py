"""The zoomable view of a picture: where a document pixel is on the screen. Plain Python, no GIMP."""

import math
from typing import Tuple

from maskwright_protocol.messages import PixelRect

LARGEST = 32.0
STEP = 1.25


class Viewport:
    """Shows ``box`` of the document in ``width`` x ``height`` screen pixels.

    ``left`` and ``top`` are the document coordinates of the view's corner.
    """

    def __init__(self, box: PixelRect, width: int, height: int) -> None:
        self.box = box
        self.width, self.height = width, height
        self.scale, self.left, self.top = 1.0, float(box.x), float(box.y)
        self.fitted = True
        self.fit()

    def fit(self) -> None:
        """Show everything, not larger than life."""
        box = self.box
        self.scale = min(1.0 if max(box.width, box.height) > 64 else 8.0, self._whole())
        self.left = box.x + box.width / 2 - self.width / 2 / self.scale
        self.top = box.y + box.height / 2 - self.height / 2 / self.scale
        self.fitted = True

    def _whole(self) -> float:
        return min(self.width / self.box.width, self.height / self.box.height)

    def resize(self, width: int, height: int) -> None:
        x, y = self.left + self.width / 2 / self.scale, self.top + self.height / 2 / self.scale
        self.width, self.height = max(1, width), max(1, height)
        if self.fitted:
            self.fit()
        else:
            self.left, self.top = x - self.width / 2 / self.scale, y - self.height / 2 / self.scale
            self._stay()

    def zoom(self, steps: float, x: float, y: float) -> None:
        """Zoom in (or out, when negative) so that what is under the view's point ``(x, y)`` stays there."""
        document = self.to_document(x, y)
        smallest = min(self._whole(), 1.0) / 2
        self.scale = min(LARGEST, max(smallest, self.scale * STEP**steps))
        self.left, self.top = document[0] - x / self.scale, document[1] - y / self.scale
        self.fitted = False
        self._stay()

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by screen pixels."""
        self.left -= dx / self.scale
        self.top -= dy / self.scale
        self.fitted = False
        self._stay()

    def _stay(self) -> None:
        """Keep the picture in sight."""
        box, width, height = self.box, self.width / self.scale, self.height / self.scale
        self.left = min(max(self.left, box.x - width / 2), box.x + box.width - width / 2)
        self.top = min(max(self.top, box.y - height / 2), box.y + box.height - height / 2)

    def to_document(self, x: float, y: float) -> Tuple[float, float]:
        return self.left + x / self.scale, self.top + y / self.scale

    def to_view(self, x: float, y: float) -> Tuple[float, float]:
        return (x - self.left) * self.scale, (y - self.top) * self.scale

    def inside(self, x: float, y: float) -> bool:
        """Whether a document point is in the picture."""
        box = self.box
        return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height

    def clamp(self, x: float, y: float) -> Tuple[float, float]:
        """The nearest document point in the picture."""
        box = self.box
        return min(max(x, box.x), box.x + box.width), min(max(y, box.y), box.y + box.height)

    def corner(self, factor: int = 1) -> Tuple[int, int]:
        """The view's corner, counted from the box' in screen pixels, as GEGL's scaled reading counts. ``factor``: how
        many of these are one of the view's units."""
        scale = self.scale * factor
        x, y = (self.left - self.box.x) * scale, (self.top - self.box.y) * scale
        return math.floor(x + 0.5), math.floor(y + 0.5)
