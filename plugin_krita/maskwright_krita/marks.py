"""The click tool's prompts: points and boxes in document coordinates, undone one by one. Knows neither Krita nor Qt."""

from dataclasses import dataclass, field
from typing import Any, List, Optional, Union

from maskwright_protocol.messages import Example, Point, Rect

DRAG_PIXELS = 6  # of the screen: a shorter drag is a click


@dataclass
class Touch:
    """A click that takes an object of the object map."""

    point: Point
    id: str


Mark = Union[Point, Rect, Example, Touch]


@dataclass
class Step:
    """A mark and the answer to all marks up to it (None while it is asked for). ``seed`` names the object or the other
    hypothesis that the mark goes on from."""

    mark: Mark
    answer: Any = None
    seed: str = ""


@dataclass
class Marks:
    steps: List[Step] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, mark: Mark, seed: str = "") -> Step:
        self.steps.append(Step(mark, seed=mark.id if isinstance(mark, Touch) else seed))
        return self.steps[-1]

    def undo(self) -> bool:
        """Take the last mark back; False when there is none."""
        if not self.steps:
            return False
        self.steps.pop()
        return True

    def clear(self) -> None:
        self.steps.clear()

    @property
    def points(self) -> List[Point]:
        found = [step.mark.point if isinstance(step.mark, Touch) else step.mark for step in self.steps]
        return [mark for mark in found if isinstance(mark, Point)]

    @property
    def boxes(self) -> List[Rect]:
        """The last box only: a new one takes the place of the old."""
        return [step.mark for step in self.steps if isinstance(step.mark, Rect)][-1:]

    @property
    def examples(self) -> List[Example]:
        """Boxes around things of the kind that is wanted, or of another kind."""
        return [step.mark for step in self.steps if isinstance(step.mark, Example)]

    @property
    def seed(self) -> str:
        """What the marks go on from; empty when they stand for themselves."""
        return next((step.seed for step in reversed(self.steps) if step.seed), "")

    @property
    def touch(self) -> Optional[Touch]:
        """The only mark, when that takes an object as it is."""
        mark = self.steps[0].mark if len(self.steps) == 1 else None
        return mark if isinstance(mark, Touch) else None

    def forget_seeds(self) -> None:
        """The picture has changed: only places count."""
        for step in self.steps:
            step.seed = ""
            if isinstance(step.mark, Touch):
                step.mark = step.mark.point

    def answerable(self) -> bool:
        """Something says what is meant; "not this" alone does not."""
        return bool(self.boxes) or any(mark.include for mark in (*self.points, *self.examples))

    @property
    def answer(self) -> Any:
        """The newest answer there is."""
        return next((step.answer for step in reversed(self.steps) if step.answer is not None), None)

    @property
    def pending(self) -> Optional[Step]:
        """The last step while it has no answer."""
        return self.steps[-1] if self.steps and self.steps[-1].answer is None else None


def box_between(x0: float, y0: float, x1: float, y1: float) -> Rect:
    return Rect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
