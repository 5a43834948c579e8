"""What the server makes of the click tool's marks: previews at once, the mask at full size when it is wanted."""

from dataclasses import dataclass, replace
from typing import Any, Dict, Generator, List, Optional

from maskwright_protocol import masks
from maskwright_protocol.messages import Point, Rect, Selection

from .connection import Connection
from .editor.pixels import Reader
from .options import Options
from .pictures import Picture
from .planes import Plane
from .results import Result, plane_of
from .sketch import Sketch
from .texts import tr

Steps = Generator[Any, Any, Any]
OTHERS = 2  # further hypotheses (a part, the whole) to ask for with each click


@dataclass
class Preview:
    """A mask in pixels of any size, and where in the document it lies."""

    plane: Plane
    place: Rect


@dataclass
class Question:
    """Marks on a picture, and the settings of that moment."""

    reader: Reader
    picture: Picture
    options: Options
    points: List[Point]
    boxes: List[Rect]
    region: Optional[Plane] = None
    hover: bool = False

    def job(self, others: int = 0) -> Any:
        region = None if self.region is None else masks.pack(self.region.box, self.region.data, compress=False)
        return self.options.select_points(self.points, self.boxes, region, self.hover, others)

    def ask_small(self, connection: Connection, sketch: Sketch, others: int = 0) -> Steps:
        """Steps that end with the answer in the sketch's pixels (the document's, where the sketch is no smaller)."""
        job = self.job(others)
        if not sketch.is_smaller:
            return (yield from connection.ask(job, self.picture))
        small = None if self.region is None else sketch.plane(self.region)
        job = replace(
            job,
            points=[sketch.point(point) for point in job.points],
            boxes=[sketch.rect(box) for box in job.boxes],
            post=sketch.post(job.post),
            region=None if small is None else masks.pack(small.box, small.data, compress=False),
        )
        return (yield from connection.ask(job, sketch))


class Guess:
    """An answer. ``previews`` holds the likeliest hypothesis, and others once they were asked for (drawing and sending
    them with each click would take longer than the click); ``choice`` says which one is shown."""

    def __init__(self, question: Question, answer: Selection, sketch: Sketch) -> None:
        self.question = question
        self.report = answer.report
        self.nothing: Optional[Selection] = None if answer.instances else answer
        self.choice = 0
        self.previews: List[Preview] = []
        self._sketch = sketch
        self._has_all = False
        self._results: Dict[int, Result] = {}
        self._read(answer)

    def _read(self, answer: Selection) -> None:
        planes = [plane_of(mask) for mask in _hypotheses(answer)]
        if self._sketch.is_smaller:
            self.previews = [Preview(plane, self._sketch.in_document(plane.box)) for plane in planes]
            return
        self.previews = [preview_of(plane) for plane in planes]
        self._results = {number: self._result(answer, number) for number in range(len(planes))}

    @property
    def preview(self) -> Optional[Preview]:
        return self.previews[self.choice] if self.previews else None

    @property
    def is_whole(self) -> bool:
        """What is shown is there at full size."""
        return self.choice in self._results or not self.previews

    def next(self, connection: Connection) -> Steps:
        """Steps that show the next hypothesis, the first one after the last. They end with False when there is none."""
        if not self._has_all and self.previews:
            answer = yield from self.question.ask_small(connection, self._sketch, OTHERS)
            self._read(answer)
            self._has_all = True
        if len(self.previews) < 2:
            return False
        self.choice = (self.choice + 1) % len(self.previews)
        return True

    def whole(self, connection: Connection) -> Steps:
        """Steps that end with what is shown as a ``Result`` of the document's size."""
        choice = self.choice
        if choice not in self._results:
            answer = yield from connection.ask(self.question.job(OTHERS if choice else 0), self.question.picture)
            self._results[choice] = self._result(answer, choice)
        return self._results[choice]

    def _result(self, answer: Selection, number: int) -> Result:
        result = Result(self.question.reader, tr("Selection"))
        result.take(answer, number)
        return result


def ask(connection: Connection, question: Question) -> Steps:
    """Steps that end with a ``Guess``."""
    sketch = Sketch(question.picture)
    answer = yield from question.ask_small(connection, sketch)
    return Guess(question, answer, sketch)


def _hypotheses(answer: Selection) -> List[Any]:
    """The masks of the best instance, the likeliest first."""
    for instance in answer.instances:
        if instance.mask is not None:
            return [instance.mask, *(other.mask for other in instance.alternatives)]
    return []


def preview_of(plane: Plane) -> Preview:
    """A mask of the document as it is."""
    box = plane.box
    return Preview(plane, Rect(box.x, box.y, box.width, box.height))
