"""What is under the pointer before the first click. Once the server has found all objects, a look-up tells; until then
the server is asked, one question at a time and always about the newest place."""

from typing import Any, Callable, Dict, Generator, Optional

from maskwright_client.object_map import Lookup
from maskwright_protocol.messages import MappedObject, Point, Rect

from .controller import Controller
from .guesses import Preview, Question, ask
from .overlay import Overlay
from .pictures import Picture
from .planes import Plane
from .qt import QPointF

Steps = Generator[Any, Any, Any]


class Pointing:
    """``question(point)`` makes a question about a place; ``spawn`` runs steps unless some of that name run."""

    def __init__(
        self,
        controller: Controller,
        overlay: Overlay,
        question: Callable[[Point], Question],
        spawn: Callable[[str, Steps], None],
    ) -> None:
        self._controller = controller
        self._overlay = overlay
        self._question = question
        self._spawn = spawn
        self._lookup: Optional[Lookup] = None
        self._at: Any = None  # where the pointer is in the image; None when it has left, or a click came
        self._shown: Optional[MappedObject] = None
        self._climbed = False
        self._previews: Dict[int, Preview] = {}

    @property
    def ready(self) -> bool:
        """The objects are known."""
        return self._lookup is not None

    def find_all(self, picture: Picture) -> Steps:
        """Steps that ask for the object map, which a server does while it has nothing else to do."""
        self.forget()
        answer = yield from self._controller.connection.ask(self._controller.options.everything(), picture)
        if answer.labels is not None:
            self._lookup = Lookup(answer, picture.box)
            if self._at is not None:
                self._look_up()

    def forget(self) -> None:
        """The picture has changed: what was known of it counts no more."""
        self._lookup, self._shown = None, None
        self._previews.clear()

    # ------------------------------------------------------------ the pointer

    def move(self, at: QPointF) -> None:
        """The pointer is at that place of the image."""
        self._at = at
        if self._lookup is not None:
            self._look_up()
        else:
            self._spawn("hover", self._asking())

    def leave(self) -> None:
        self._at = self._shown = None
        self._climbed = False
        self._overlay.show_hover(None)

    def _asking(self) -> Steps:
        while self._at is not None and self._lookup is None:
            at, self._at = self._at, None
            question = self._question(Point(at.x(), at.y()))
            box = question.reader.box
            if not (box.x <= at.x() < box.x + box.width and box.y <= at.y() < box.y + box.height):
                self._overlay.show_hover(None)
                continue
            guess = yield from ask(self._controller.connection, question)
            if self._lookup is None:
                self._overlay.show_hover(guess.preview)

    # ------------------------------------------------------------ the map

    @property
    def shown(self) -> Optional[MappedObject]:
        """What a click would take."""
        return self._shown

    def _look_up(self) -> None:
        assert self._lookup is not None
        found = self._lookup.at(self._at.x(), self._at.y())
        if found is not None and self._climbed and self._shown in self._lookup.around(found):
            return  # still inside the larger object that was gone to
        self._climbed = False
        self._show(found)

    def _show(self, one: Optional[MappedObject]) -> None:
        if one is not self._shown or one is None:
            self._shown = one
            self._overlay.show_hover(None if one is None else self.preview(one))

    def climb(self, by: int) -> None:
        """Go to what holds the object under the pointer (1), or back to the part (-1)."""
        if self._shown is not None and self._at is not None:
            other = self.other(self._shown, self._at.x(), self._at.y(), by)
            if other is not None:
                self._climbed = True
                self._show(other)

    def other(self, one: MappedObject, x: float, y: float, by: int) -> Optional[MappedObject]:
        """The next larger or smaller object at a place; None when there is none."""
        smallest = self._lookup.at(x, y) if self._lookup is not None else None
        chain = self._lookup.around(smallest) if self._lookup is not None and smallest is not None else []
        place = chain.index(one) + by if one in chain else -1
        return chain[place] if 0 <= place < len(chain) else None

    def named(self, identity: str) -> Optional[MappedObject]:
        """The object of that id."""
        objects = self._lookup.objects.values() if self._lookup is not None else ()
        return next((one for one in objects if one.id == identity), None)

    def preview(self, one: MappedObject) -> Preview:
        """The object as the map has it, in the overview's pixels."""
        assert self._lookup is not None
        if one.number not in self._previews:
            shape, lookup = self._lookup.shape(one), self._lookup
            across, down = lookup.shown.width / lookup.width, lookup.shown.height / lookup.height
            box = shape.box
            place = Rect(
                lookup.shown.x + box.x * across, lookup.shown.y + box.y * down, box.width * across, box.height * down
            )
            self._previews[one.number] = Preview(Plane(box, shape.plane), place)
        return self._previews[one.number]
