"""What a press, a drag and a release on the picture mean to a click session: the same in all editors, but for keys.

A gesture has a mode, which the user chose beforehand, a meaning, which keys and buttons say, and a path. A path that
stays within the reach of a shaking hand is a click, whatever the mode.
"""

from enum import Enum
from typing import NamedTuple, Optional, Sequence

from maskwright_protocol.messages import MappedObject, Rect

from .click_session import ClickSession, box_between
from .hover import Hover


class Mode(Enum):
    """What a drag draws."""

    BOX = "box"  # around the thing
    SCRIBBLE = "scribble"  # a stroke over the thing
    LASSO = "lasso"  # a loop around the thing
    EXAMPLE = "example"  # a box around something of the kind that is looked for


class Meaning(Enum):
    """What the gesture says of the thing under it."""

    THIS = "this"  # it is meant; what is shown is gone on from
    ANOTHER = "another"  # it is meant too, as an object of its own
    NOT = "not"  # it is not meant
    ANEW = "anew"  # it alone is meant


class Gesture(NamedTuple):
    """``path``: x and y in turn, in the document's pixels. ``reach``: how far a click may shake; ``width``: of the
    brush that scribbles; both in the same pixels."""

    mode: Mode
    meaning: Meaning
    path: Sequence[float]
    reach: float
    width: float = 0.0

    @property
    def is_click(self) -> bool:
        xs, ys = self.path[0::2], self.path[1::2]
        return max(max(xs) - min(xs), max(ys) - min(ys)) < self.reach

    @property
    def box(self) -> Rect:
        """Between the path's two ends."""
        return box_between(self.path[0], self.path[1], self.path[-2], self.path[-1])


def perform(session: ClickSession, gesture: Gesture, hover: Optional[Hover] = None) -> Optional[MappedObject]:
    """Put a gesture into the session as one step; the object of the map that it takes as it is, or None.

    ``hover`` knows the objects under the pointer, if there is a map.
    """
    with session.one_step():
        if gesture.mode is Mode.EXAMPLE and not gesture.is_click:
            session.add_example(gesture.box, gesture.meaning is not Meaning.NOT)
            return None
        _choose_object(session, gesture)
        if gesture.is_click:
            return _click(session, gesture, hover)
        _draw(session, gesture)
        return None


def _choose_object(session: ClickSession, gesture: Gesture) -> None:
    """The object that the gesture is about becomes the current one."""
    if gesture.meaning is Meaning.ANEW:
        session.begin_anew()
    elif gesture.meaning is Meaning.ANOTHER:
        session.new_object()
    else:
        there = session.object_at(gesture.path[0], gesture.path[1])
        if there is not None:
            session.choose(there)


def _click(session: ClickSession, gesture: Gesture, hover: Optional[Hover]) -> Optional[MappedObject]:
    x, y = gesture.path[0], gesture.path[1]
    include = gesture.meaning is not Meaning.NOT
    if hover is not None and include:
        hover.move(x, y)
        pointed = hover.pointed(session)
        if pointed is not None:
            session.take_object(x, y, pointed.id)
            return pointed
    session.add_point(x, y, include)
    return None


def _draw(session: ClickSession, gesture: Gesture) -> None:
    include = gesture.meaning is not Meaning.NOT
    if gesture.mode is Mode.BOX and include:
        session.set_box(gesture.box)
    elif gesture.mode is Mode.BOX:
        left, top = gesture.box.x, gesture.box.y
        right, bottom = left + gesture.box.width, top + gesture.box.height
        session.add_stroke((left, top, right, top, right, bottom, left, bottom), include, closed=True)
    else:
        closed = gesture.mode is Mode.LASSO
        session.add_stroke(gesture.path, include, 0.0 if closed else gesture.width, closed)
