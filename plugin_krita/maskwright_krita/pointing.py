"""What is under the pointer before the first click. Once the server has found all objects, a look-up tells; until then
the server is asked, one question at a time and always about the newest place."""

from typing import Callable, Optional

from maskwright_client.ask import PictureSource, Steps
from maskwright_client.candidates import Question, ask_candidates
from maskwright_client.hover import Hover
from maskwright_protocol.messages import Everything, Point

from .controller import Controller
from .editor.qt import QPointF
from .overlay import Overlay


class Pointing:
    """``question(point)`` makes a question about a place; ``spawn`` runs steps unless some of that name run."""

    def __init__(
        self,
        controller: Controller,
        overlay: Overlay,
        question: Callable[[Point], Question],
        spawn: Callable[[str, Steps], None],
    ) -> None:
        self.hover = Hover()
        self._controller = controller
        self._overlay = overlay
        self._question = question
        self._spawn = spawn
        self._at: Optional[QPointF] = None  # where the pointer is in the image; None when it has left, or a click came

    def find_all(self, picture: PictureSource, job: Everything) -> Steps:
        """Steps that ask for the object map, which a server does while it has nothing else to do."""
        self.hover.forget()
        answer = yield from self._controller.connection.ask(job, picture)
        self.hover.take_map(answer, picture.box)
        if self.hover.ready and self._at is not None:
            self.move(self._at)

    def move(self, at: QPointF) -> None:
        """The pointer is at that place of the image."""
        self._at = at
        if not self.hover.ready:
            self._spawn("hover", self._asking())
        elif self.hover.move(at.x(), at.y()) or self.hover.shown is None:
            self._show()

    def leave(self) -> None:
        self._at = None
        self.hover.leave()
        self._overlay.show_hover(None)

    def climb(self, by: int) -> None:
        """Go to what holds the object under the pointer (1), or back to the part (-1)."""
        if self._at is not None and self.hover.climb(self._at.x(), self._at.y(), by):
            self._show()

    def _show(self) -> None:
        self._overlay.show_hover(self.hover.preview(self.hover.shown), self.hover.title)

    def _asking(self) -> Steps:
        while self._at is not None and not self.hover.ready:
            at, self._at = self._at, None
            question = self._question(Point(at.x(), at.y()))
            box = question.picture.box
            if not (box.x <= at.x() < box.x + box.width and box.y <= at.y() < box.y + box.height):
                self._overlay.show_hover(None)
                continue
            found = yield from ask_candidates(question)
            if not self.hover.ready:
                self._overlay.show_hover(found.hypotheses[0].preview if found.hypotheses else None)
