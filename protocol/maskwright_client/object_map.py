"""Looking things up in an ``object.map``: what is under the pointer, and where all of it is. Standard library only.

Numbers of objects have 16 bits; the look-ups work on their low and high bytes apart, because bytes can be translated
and combined without a loop over the pixels.
"""

from typing import Dict, List, NamedTuple, Optional, Set

from maskwright_protocol import masks
from maskwright_protocol.messages import MappedObject, ObjectMap, PixelRect


class Shape(NamedTuple):
    """Where an object is: ``plane`` has 255 inside and 0 outside, row by row, for ``box`` of the overview."""

    box: PixelRect
    plane: bytes


class Lookup:
    """``shown`` is the document's box that the overview shows, whole."""

    def __init__(self, found: ObjectMap, shown: PixelRect) -> None:
        labels = found.labels
        self.objects: Dict[int, MappedObject] = {one.number: one for one in found.objects}
        self.width, self.height = (labels.box.width, labels.box.height) if labels is not None else (0, 0)
        data = bytes(masks.unpack(labels)) if labels is not None else b""
        self._low, self._high = data[0::2], data[1::2]
        self._highs = set(self._high)
        self.shown = shown
        self._shapes: Dict[int, Shape] = {}

    @property
    def scale(self) -> float:
        """Overview pixels per document pixel."""
        return self.width / self.shown.width if self.shown.width else 1.0

    def at(self, x: float, y: float) -> Optional[MappedObject]:
        """The smallest object at a point of the document, or None."""
        column = int((x - self.shown.x) * self.width / self.shown.width)
        row = int((y - self.shown.y) * self.height / self.shown.height)
        if not (x >= self.shown.x and y >= self.shown.y and column < self.width and row < self.height):
            return None
        place = row * self.width + column
        return self.objects.get(self._low[place] | self._high[place] << 8)

    def clicked(self, one: MappedObject) -> MappedObject:
        """What a click takes where an object is the smallest: what the server would answer to a click there."""
        return self.objects.get(one.clicked, one)

    def around(self, one: MappedObject) -> List[MappedObject]:
        """The object, what holds it, what holds that, ...; the smallest first."""
        chain = [one]
        while chain[-1].parent in self.objects and len(chain) <= len(self.objects):
            chain.append(self.objects[chain[-1].parent])
        return chain

    def shape(self, one: MappedObject) -> Shape:
        """Where the object is, with the objects below it."""
        if one.number not in self._shapes:
            self._shapes[one.number] = self._shape(one)
        return self._shapes[one.number]

    def _shape(self, one: MappedObject) -> Shape:
        sx, sy = self.width / self.shown.width, self.height / self.shown.height
        left, top = max(0, int((one.box.x - self.shown.x) * sx) - 1), max(0, int((one.box.y - self.shown.y) * sy) - 1)
        right = min(self.width, int((one.box.x + one.box.width - self.shown.x) * sx) + 2)
        bottom = min(self.height, int((one.box.y + one.box.height - self.shown.y) * sy) + 2)
        box = PixelRect(left, top, max(0, right - left), max(0, bottom - top))
        numbers = self._family(one)
        plane = 0
        low, high = self._crop(self._low, box), self._crop(self._high, box)
        for upper in self._highs & {number >> 8 for number in numbers}:
            lower = {number & 0xFF for number in numbers if number >> 8 == upper}
            here = int.from_bytes(low.translate(_table(lower)), "little")
            plane |= here & int.from_bytes(high.translate(_table({upper})), "little")
        return Shape(box, plane.to_bytes(box.width * box.height, "little"))

    def _family(self, one: MappedObject) -> Set[int]:
        below: Dict[int, List[int]] = {}
        for number, other in self.objects.items():
            below.setdefault(other.parent, []).append(number)
        found: Set[int] = set()
        waiting = [one.number]
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += below.get(number, [])
        return found

    def _crop(self, plane: bytes, box: PixelRect) -> bytes:
        starts = range(box.y * self.width + box.x, (box.y + box.height) * self.width + box.x, self.width)
        return b"".join([plane[start : start + box.width] for start in starts])


def _table(values: Set[int]) -> bytes:
    return bytes(255 if value in values else 0 for value in range(256))
