"""What the click tool asks about the picture that it is on, and what becomes of the answers."""

import time
from dataclasses import replace
from typing import Dict, List, Optional

from maskwright_client.ask import Steps
from maskwright_client.candidates import Hypothesis, Question
from maskwright_client.click_questions import ClickQuestions
from maskwright_client.click_session import ClickedObject, prompts
from maskwright_client.jobs import JobOptions
from maskwright_client.preview_picture import Preview
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Mask, Point, Select, Selection

from .controller import Controller
from .editor import app
from .editor.pixels import Reader
from .editor.tasks import QtLoop
from .pictures import Picture
from .results import Result, mask_of


class ToolQuestions(ClickQuestions):
    """The part of ``ClickTool`` that knows no canvas."""

    controller: Controller

    def __init__(self) -> None:
        super().__init__()
        self.line_art = False  # what lies inside the lines of a drawing is meant
        self.loop = QtLoop.get()
        self.timings: Dict[str, float] = {}
        self._reader: Optional[Reader] = None
        self._picture: Optional[Picture] = None

    @property
    def options(self) -> JobOptions:
        """How things are found."""
        own = self.controller.options
        return own.on_line_art() if self.line_art else own

    def _show(self) -> None:
        """What is known has changed."""
        raise NotImplementedError

    def _find_all(self, picture: Picture) -> None:
        """Have the objects of a picture found that has changed."""
        raise NotImplementedError

    def _place(self, point: Point) -> Question:
        """What is at a place under the pointer."""
        return self._about(self.options.select_points([point], [], preview=True))

    def question(self, one: ClickedObject) -> Question:
        points, boxes, strokes = prompts(one)
        options, examples = self.options, self.session.examples
        job = options.select_points(points, boxes, self._region(), seed=one.base, examples=examples, strokes=strokes)
        return self._about(job, one.alone)

    def _region(self) -> Optional[Mask]:
        assert self._reader is not None
        return mask_of(self.controller.region(self._reader))

    def _about(self, job: Select, alone: bool = False) -> Question:
        assert self._picture is not None
        return Question(self.controller.connection.ask, self._picture, job, alone)

    def begun(self) -> None:
        self.timings["asked"] = time.perf_counter()

    def told(self, answer: Selection) -> None:
        spent = answer.report.timings
        self.timings["answered"] = time.perf_counter()
        self.timings["server"] = sum(spent.values())
        self.timings["model"] = spent.get("embed", 0.0) + spent.get("segment", 0.0)

    def preview(self) -> Optional[Preview]:
        """What is shown of the clicks' answer."""
        shown = self.session.shown
        return shown.preview if shown is not None else None

    def others(self) -> List[Preview]:
        """Of the objects that are not clicked on now."""
        current = self.session.current
        return [hypothesis.preview for one, hypothesis in self.session.result() if one is not current]

    # ------------------------------------------------------------ a picture that changes

    def rest(self) -> Steps:
        """Get the mask ready that Enter will want. Then read the source again; end with what it is now."""
        before = self.preview()
        yield from self.whole()
        if self.preview() is not before:
            self._show()
        assert self._reader is not None
        picture = Picture(self._reader)
        yield from picture.prepare()
        return picture

    def rested(self, value: Picture) -> None:
        """Ask again when the picture has changed since the tool was switched on."""
        if self._picture is None or value.key == self._picture.key:
            return
        self._picture = value
        self.session.forget_bases()
        self.session.settings = value.key
        self._find_all(value)
        self.ask_next()


def whole_of(shown: List[Hypothesis]) -> Steps:
    """Steps that end with all objects as one ``Selection``."""
    if not shown:
        raise app.Problem(tr("Nothing was found there."), tr("Click somewhere else."))
    answer = yield from shown[0].find_whole()
    instances = list(answer.instances)
    for other in shown[1:]:
        instances += (yield from other.find_whole()).instances
    return answer if len(shown) == 1 else replace(answer, instances=instances, merged=None)


def as_result(reader: Optional[Reader], steps: Steps) -> Steps:
    """Steps that end with what others end with, as a ``Result``."""
    assert reader is not None
    answer = yield from steps
    return Result(reader, tr("Selection")).take(answer)


def as_example(reader: Optional[Reader], picture: Optional[Picture], shown: Hypothesis) -> Steps:
    """Steps that end with what is shown, as an example for others: its id, its picture, its ``Result``."""
    result = yield from as_result(reader, shown.find_whole())
    return shown.instance.id, picture, result
