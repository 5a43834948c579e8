"""What is under the pointer: looked up in an object map, so that no move of the pointer asks the server."""

from typing import Dict, Optional

from maskwright_protocol.language import tr
from maskwright_protocol.messages import MappedObject, ObjectMap, PixelRect

from .click_session import ClickSession
from .object_map import Lookup
from .preview_picture import Preview, in_document


class Hover:
    """``shown`` is the object that a click would take: what the server would answer to a click under the pointer, or a
    larger or smaller one that the user went to by ``climb``. Methods that move it tell whether it changed."""

    def __init__(self) -> None:
        self.shown: Optional[MappedObject] = None
        self._lookup: Optional[Lookup] = None
        self._climbed = False
        self._previews: Dict[int, Preview] = {}

    @property
    def ready(self) -> bool:
        """The objects are known."""
        return self._lookup is not None

    def take_map(self, answer: ObjectMap, box: PixelRect) -> None:
        """The map of a picture that shows ``box`` of the document. One without objects leaves all as it is."""
        if answer.labels is not None:
            self._lookup = Lookup(answer, box)

    def forget(self) -> None:
        """The picture has changed: what was known of it counts no more."""
        self._lookup, self.shown = None, None
        self._previews.clear()

    def move(self, x: float, y: float) -> bool:
        """The pointer is at that place of the document."""
        lookup = self._lookup
        found = lookup.at(x, y) if lookup is not None else None
        if lookup is not None and found is not None:
            if self._climbed and self.shown in lookup.around(found):
                return False  # still inside the other object that the user went to
            found = lookup.clicked(found)
        self._climbed = False
        changed, self.shown = found is not self.shown, found
        return changed

    def leave(self) -> bool:
        """The pointer is elsewhere."""
        changed, self.shown, self._climbed = self.shown is not None, None, False
        return changed

    def climb(self, x: float, y: float, by: int) -> bool:
        """Go to what holds the object under the pointer (1), or back to the part (-1)."""
        other = self.other(self.shown, x, y, by)
        if other is None:
            return False
        self.shown, self._climbed = other, True
        return True

    def other(self, one: Optional[MappedObject], x: float, y: float, by: int) -> Optional[MappedObject]:
        """The next larger or smaller object at a place; None when there is none."""
        smallest = self._lookup.at(x, y) if self._lookup is not None else None
        chain = self._lookup.around(smallest) if self._lookup is not None and smallest is not None else []
        place = chain.index(one) + by if one in chain else -1
        return chain[place] if 0 <= place < len(chain) else None

    @property
    def title(self) -> str:
        """What the shown object is, or what it is a part of; empty where nothing tells."""
        chain = self._lookup.around(self.shown) if self._lookup is not None and self.shown is not None else []
        known = next((one for one in chain if one.name), None)
        if known is None:
            return ""
        return known.name if known is self.shown else tr("part of {0}", known.name)

    def pointed(self, session: ClickSession) -> Optional[MappedObject]:
        """What a click would take as it is: only the first click on an object does."""
        return self.shown if session.fresh else None

    def climb_clicked(self, session: ClickSession, by: int) -> Optional[MappedObject]:
        """Take what holds the object that was clicked, or its part, in its place; None when there is none."""
        clicked = session.current
        if not clicked.alone:
            return None
        x, y, _ = clicked.points[0]
        other = self.other(self.find(clicked.base), x, y, by)
        if other is not None:
            session.take_object(x, y, other.id)
        return other

    def find(self, identity: str) -> Optional[MappedObject]:
        """The object of that id."""
        objects = self._lookup.objects.values() if self._lookup is not None else ()
        return next((one for one in objects if one.id == identity), None)

    def preview(self, one: Optional[MappedObject]) -> Optional[Preview]:
        """The object as the map has it, in the overview's pixels; None for None."""
        if one is None or self._lookup is None:
            return None
        if one.number not in self._previews:
            lookup, shape = self._lookup, self._lookup.shape(one)
            place = in_document(shape.box, lookup.width, lookup.height, lookup.shown)
            self._previews[one.number] = Preview(shape.box, shape.plane, place)
        return self._previews[one.number]
