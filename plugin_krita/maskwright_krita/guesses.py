"""What the server makes of the click tool's marks: previews at once, the mask at full size when it is wanted."""

from dataclasses import dataclass, field, replace
from typing import Any, Generator, List, Optional, Tuple

from maskwright_protocol import masks
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.messages import Example, Point, Rect, Selection

from .connection import Connection
from .editor import app
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
    """Marks on a picture, and the settings of that moment. ``seed`` names what the marks go on from; ``alone`` means
    that thing as it is, and the points only stand in for it should the server have forgotten it."""

    reader: Reader
    picture: Picture
    options: Options
    points: List[Point]
    boxes: List[Rect]
    region: Optional[Plane] = None
    hover: bool = False
    seed: str = ""
    alone: bool = False
    examples: List[Example] = field(default_factory=list)

    def plain(self) -> "Question":
        """The same places, as if nothing was known of them."""
        return replace(self, seed="", alone=False)

    def job(self, others: int = 0) -> Any:
        region = None if self.region is None else masks.pack(self.region.box, self.region.data, compress=False)
        points = [] if self.alone else self.points
        job = self.options.select_points(points, self.boxes, region, self.hover, others, self.seed)
        return replace(job, examples=self.examples, pick="all", merge=True) if self.examples else job

    def ask(self, connection: Connection, others: int = 0) -> Steps:
        """Steps that end with the answer in the document's pixels."""
        return (yield from self._ask(connection, others, None))

    def ask_small(self, connection: Connection, sketch: Sketch, others: int = 0) -> Steps:
        """Steps that end with the answer in the sketch's pixels (the document's, where the sketch is no smaller)."""
        return (yield from self._ask(connection, others, sketch if sketch.is_smaller else None))

    def _ask(self, connection: Connection, others: int, sketch: Optional[Sketch]) -> Steps:
        job = self.job(others)
        if sketch is not None:
            job = self._smaller(job, sketch)
        try:
            return (yield from connection.ask(job, self.picture if sketch is None else sketch))
        except EmptyPrompt:
            if not self.alone:
                raise
        return (yield from self.plain()._ask(connection, others, sketch))

    def _smaller(self, job: Any, sketch: Sketch) -> Any:
        small = None if self.region is None else sketch.plane(self.region)
        return replace(
            job,
            precise="off",  # it is a preview, and has no more pixels to look at
            points=[sketch.point(point) for point in job.points],
            boxes=[sketch.rect(box) for box in job.boxes],
            examples=[sketch.example(one) for one in job.examples],
            post=sketch.post(job.post),
            region=None if small is None else masks.pack(small.box, small.data, compress=False),
        )


@dataclass
class Hypothesis:
    """One reading of the marks: how it is asked for, and as what number of the answer it comes."""

    question: Question
    number: int
    id: str
    preview: Preview
    result: Optional[Result] = None  # at full size, once it is there


class Guess:
    """An answer. ``hypotheses`` holds the likeliest, and others once they were asked for (drawing and sending them with
    each click would take longer than the click); ``choice`` says which one is shown."""

    def __init__(self, question: Question, answer: Selection, sketch: Sketch) -> None:
        self.question = question
        self.report = answer.report
        self.nothing: Optional[Selection] = None if answer.instances else answer
        self.choice = 0
        self._sketch = sketch
        self._has_all = False
        self.hypotheses = self._read(question, answer)

    def _read(self, question: Question, answer: Selection) -> List[Hypothesis]:
        found = []
        for number, (identity, mask) in enumerate(_hypotheses(answer)):
            plane = plane_of(mask)
            if self._sketch.is_smaller:
                preview = Preview(plane, self._sketch.in_document(plane.box))
                found.append(Hypothesis(question, number, identity, preview))
            else:
                result = _result(question, answer, number)
                found.append(Hypothesis(question, number, identity, preview_of(plane), result))
        return found

    @property
    def shown(self) -> Optional[Hypothesis]:
        return self.hypotheses[self.choice] if self.hypotheses else None

    @property
    def preview(self) -> Optional[Preview]:
        return self.shown.preview if self.shown is not None else None

    @property
    def is_whole(self) -> bool:
        """What is shown is there at full size."""
        return self.shown is None or self.shown.result is not None

    @property
    def seed(self) -> str:
        """What further marks go on from, when another than the likeliest hypothesis is shown."""
        return self.shown.id if self.shown is not None and self.choice else ""

    def next(self, connection: Connection) -> Steps:
        """Steps that show the next hypothesis, the first one after the last. They end with False when there is none."""
        if not self._has_all and self.hypotheses:
            question = self.question.plain() if self.question.alone else self.question
            answer = yield from question.ask_small(connection, self._sketch, OTHERS)
            found = self._read(question, answer)
            # An object that was taken as it is stays the first; what a click there could mean follows.
            self.hypotheses = [self.hypotheses[0], *found] if self.question.alone else found
            self._has_all = True
        if len(self.hypotheses) < 2:
            return False
        self.choice = (self.choice + 1) % len(self.hypotheses)
        return True

    def whole(self, connection: Connection) -> Steps:
        """Steps that end with what is shown as a ``Result`` of the document's size."""
        shown = self.shown
        if shown is None:
            raise app.Problem(tr("Nothing was found there."), tr("Click somewhere else."))
        if shown.result is None:
            result = yield from whole(connection, shown.question, shown.number)
            shown.result = result
            if "close" in result.report.timings:  # it was looked at closer than the preview was
                shown.preview = preview_of(result.plane())
        return shown.result

    def example(self, connection: Connection) -> Steps:
        """Steps that end with what is shown, as an example for others: its id, its picture, its ``Result``."""
        shown = self.shown
        result = yield from self.whole(connection)
        return (shown.id if shown is not None else ""), self.question.picture, result


def whole(connection: Connection, question: Question, number: int = 0) -> Steps:
    """Steps that end with one hypothesis as a ``Result`` of the document's size."""
    answer = yield from question.ask(connection, OTHERS if number else 0)
    return _result(question, answer, number)


def _result(question: Question, answer: Selection, number: int) -> Result:
    result = Result(question.reader, tr("Selection"))
    result.take(answer, number)
    return result


def ask(connection: Connection, question: Question) -> Steps:
    """Steps that end with a ``Guess``."""
    sketch = Sketch(question.picture)
    answer = yield from question.ask_small(connection, sketch)
    return Guess(question, answer, sketch)


def _hypotheses(answer: Selection) -> List[Tuple[str, Any]]:
    """Ids and masks of the best instance, the likeliest first; of all in one where examples ask for all."""
    if answer.merged is not None and answer.instances:
        return [(answer.instances[0].id, answer.merged)]
    for instance in answer.instances:
        if instance.mask is not None:
            return [(instance.id, instance.mask), *((other.id, other.mask) for other in instance.alternatives)]
    return []


def preview_of(plane: Plane) -> Preview:
    """A mask of the document as it is."""
    box = plane.box
    return Preview(plane, Rect(box.x, box.y, box.width, box.height))
