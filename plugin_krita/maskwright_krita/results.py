"""An answer on its way into the document: its instances, which of them are ticked, and where they go."""

from functools import reduce
from typing import Any, Dict, Generator, List, Optional, Set

from maskwright_protocol import masks
from maskwright_protocol.messages import CutoutResult, Instance, Selection

from . import planes
from .editor import app, layers, selections
from .editor.pixels import Reader
from .planes import Plane
from .texts import tr

Steps = Generator[Any, Any, Any]


class Part:
    """One instance."""

    def __init__(self, identity: str, label: str, score: float, plane: Plane) -> None:
        self.id = identity
        self.label = label
        self.score = score
        self.plane = plane


class Result:
    """What the server found for one source. ``base`` is the selection that was there before."""

    def __init__(self, reader: Reader, title: str, prompt: str = "") -> None:
        self.reader = reader
        self.title = title
        self.prompt = prompt
        self.document = reader.document
        self.parts: List[Part] = []
        self.ticked: Set[str] = set()
        self.colours: Optional[Plane] = None
        self.notes: List[str] = [reader.converted] if reader.converted else []
        self.report: Any = None
        self.nothing: Any = None  # the answer that says why nothing was found
        self.inverted = False  # each mask shows all but its instance
        self._merged: Optional[Plane] = None
        self._size = (self.document.width(), self.document.height())
        found = selections.current(self.document)
        self.base = found.duplicate() if found is not None else None

    def take(self, answer: Any, hypothesis: int = 0) -> None:
        """Read a ``selection`` or ``cutout.result``; ``hypothesis`` 1 is an instance's first alternative, and so on."""
        self.report = answer.report
        self.notes += [note for note in answer.report.notes if note not in self.notes]
        if isinstance(answer, CutoutResult):
            self._take_cutout(answer)
        elif isinstance(answer, Selection):
            for instance in answer.instances:
                if instance.mask is not None:
                    self.parts.append(_part(instance, hypothesis))
            if answer.merged is not None and len(self.parts) > 1:
                self._merged = plane_of(answer.merged)
            if not self.parts:
                self.nothing = answer
        self.ticked = {part.id for part in self.parts}

    def _take_cutout(self, answer: CutoutResult) -> None:
        if answer.alpha is None:
            self.nothing = answer
            return
        self.parts.append(Part("subject", tr("Subject"), 1.0, plane_of(answer.alpha)))
        if answer.foreground is not None:
            box = answer.foreground.box
            self.colours = Plane(box, masks.unpack(answer.foreground))  # not copied: it is large

    def limit(self, region: Plane) -> None:
        """Keep what lies inside ``region`` too."""
        for part in self.parts:
            part.plane = planes.darker(part.plane, region)
        self._merged = None
        self.parts = [part for part in self.parts if part.plane.data]
        self.ticked = {part.id for part in self.parts}

    def chosen(self) -> List[Part]:
        return [part for part in self.parts if part.id in self.ticked]

    def plane(self) -> Plane:
        """All ticked instances in one."""
        chosen = self.chosen()
        if self.inverted and chosen:
            return reduce(planes.darker, [part.plane for part in chosen])
        if self._merged is not None and len(chosen) == len(self.parts):
            return self._merged
        return planes.union([part.plane for part in chosen])

    def check(self) -> None:
        """Raises ``Problem`` when the document is no longer the one that was asked about."""
        if not app.is_open(self.document):
            raise app.Problem(tr("The image was closed meanwhile."), tr("Nothing was changed."))
        if self._size != (self.document.width(), self.document.height()):
            raise app.Problem(tr("The image was resized meanwhile."), tr("Nothing was changed. Try again."))

    def check_layer(self) -> None:
        self.check()
        if self.reader.node.parentNode() is None:
            raise app.Problem(tr("The layer was removed meanwhile."), tr("Nothing was changed."))

    def name(self, kind: str) -> str:
        what = self.prompt or ", ".join(_distinct(self.chosen())) or self.title
        suffix = {"layer": tr("cut out"), "instances": tr("objects"), "transparency": tr("mask")}.get(kind, "")
        return f"{what} ({suffix})" if suffix else what

    def apply(self, kind: str, mode: str) -> Steps:
        """Steps that put the ticked instances into the document, in one undo step."""
        plane = self.plane()
        if kind == "selection":
            self.check()
            yield from selections.apply(
                self.document, selections.combined(self.document, plane, mode, self.base)
            )  # fmt: skip
            return
        self.check_layer()
        if not plane.data:
            raise app.Problem(tr("Nothing is ticked."), tr("Tick at least one object in the list."))
        node, name = self.reader.node, self.name(kind)
        if kind == "transparency":
            layers.add_transparency_mask(self.document, node, plane, name)
        elif kind == "selection-mask":
            layers.add_selection_mask(self.document, node, plane, name)
        elif kind == "layer":
            yield from layers.cut_layer(self.reader, plane, name, self.colours)
        else:
            yield from layers.instance_layers(self.reader, self._layers(), name)

    def _layers(self) -> List[Any]:
        counts: Dict[str, int] = {}
        named = []
        for part in self.chosen():
            label = part.label or self.title
            counts[label] = counts.get(label, 0) + 1
            named.append((f"{label} {counts[label]}", part.plane))
        return named


def plane_of(mask: Any) -> Plane:
    return Plane(mask.box, bytes(masks.unpack(mask)))


def _part(instance: Instance, hypothesis: int) -> Part:
    mask, score = instance.mask, instance.score
    if 0 < hypothesis <= len(instance.alternatives):
        other = instance.alternatives[hypothesis - 1]
        mask, score = other.mask, other.score
    return Part(instance.id, instance.label, score, plane_of(mask))


def _distinct(parts: List[Part]) -> List[str]:
    return list(dict.fromkeys(part.label for part in parts if part.label))
