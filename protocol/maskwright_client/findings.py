"""What was found, to be looked at and ticked before anything is made of it: numbered, coloured, and known again by its
place in the picture."""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Tuple

from maskwright_protocol.messages import Instance, Selection

from .preview_picture import Preview, full_preview
from .results import DOUBTFUL, rated

Colour = Tuple[int, int, int]
# Told apart also by people who see few colours: after Okabe and Ito, "Color Universal Design" (2008), the first blue.
COLOURS: Tuple[Colour, ...] = (
    (64, 140, 255), (230, 159, 0), (0, 158, 115), (204, 121, 167), (213, 94, 0), (86, 210, 240), (225, 210, 50),
    (150, 110, 255),
)  # fmt: skip


@dataclass
class Finding:
    """One thing. ``group``: things of one number and colour belong together, as a person's parts do."""

    group: int
    title: str
    instance: Instance
    preview: Optional[Preview]  # None where only its box is known
    area: float
    ticked: bool = True

    @property
    def colour(self) -> Colour:
        return COLOURS[(self.group - 1) % len(COLOURS)]

    @property
    def rating(self) -> str:
        return rated(self.instance.score, self.instance.doubtful)

    @property
    def tip(self) -> str:
        return DOUBTFUL if self.instance.doubtful else ""

    @property
    def middle(self) -> Tuple[float, float]:
        """A place on it, near its middle: where its number is written."""
        if self.preview is not None:
            return middle(self.preview)
        box = self.instance.box
        return box.x, box.y

    def covers(self, x: float, y: float) -> bool:
        shown = self.preview
        if shown is None:
            box = self.instance.box
            return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height
        place, box = shown.place, shown.box
        if not (place.x <= x < place.x + place.width and place.y <= y < place.y + place.height):
            return False
        column = int((x - place.x) * box.width / place.width)
        row = int((y - place.y) * box.height / place.height)
        return shown.data[row * box.width + column] > 127


def middle(preview: Preview) -> Tuple[float, float]:
    """The middle of the longest stretch that is selected in one of a few rows about half way down."""
    box, place = preview.box, preview.place
    best, x, y = 0, box.width / 2, box.height / 2
    for tenth in (5, 4, 6, 3, 7, 2, 8, 1, 9, 0):
        row = min(box.height - 1, box.height * tenth // 10)
        inside = preview.data[row * box.width : (row + 1) * box.width].translate(_INSIDE)
        runs = inside.split(b"\0")
        run = max(runs, key=len)
        if len(run) > best * 1.5:
            best, x, y = len(run), inside.index(run) + len(run) / 2, row + 0.5
    return place.x + x * place.width / box.width, place.y + y * place.height / box.height


_INSIDE = bytes(value > 127 for value in range(256))


class Findings:
    """Of an answer: each thing with its number. ``by_person``: numbers and colours are those of people."""

    def __init__(self, answer: Selection, without: str = "", by_person: bool = False) -> None:
        """``without`` names what has no label."""
        self.answer = answer
        self.things: List[Finding] = []
        for number, one in enumerate(answer.instances, 1):
            group = max(1, one.person) if by_person else number
            preview = full_preview(one.mask) if one.mask is not None and not _is_empty(one) else None
            area = preview.area if preview is not None else one.box.width * one.box.height
            self.things.append(Finding(group, one.text or one.label or without, one, preview, area))

    def at(self, x: float, y: float) -> Optional[Finding]:
        """The smallest thing at a place of the document."""
        return min((one for one in self.things if one.covers(x, y)), key=lambda one: one.area, default=None)

    def tick_all(self, ticked: bool) -> None:
        for one in self.things:
            one.ticked = ticked

    @property
    def ticked(self) -> List[Finding]:
        return [one for one in self.things if one.ticked]

    def chosen(self) -> Selection:
        """The answer with what is ticked alone."""
        ticked = self.ticked
        if len(ticked) == len(self.things):
            return self.answer
        return replace(self.answer, instances=[one.instance for one in ticked], merged=None)

    def leading(self) -> List[Finding]:
        """One of each number, on which to write it: of a person's parts the largest."""
        largest: Dict[int, Finding] = {}
        for one in self.things:
            if one.group not in largest or one.area > largest[one.group].area:
                largest[one.group] = one
        return list(largest.values())


def _is_empty(instance: Any) -> bool:
    return instance.mask.box.width < 1 or instance.mask.box.height < 1
