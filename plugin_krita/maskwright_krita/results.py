"""An answer on its way into the document: its instances, which of them are ticked, and where they go."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Callable, List, Optional, Set, Tuple

from maskwright_client import told
from maskwright_client.ask import Steps
from maskwright_client.results import numbered
from maskwright_protocol import masks
from maskwright_protocol.language import tr
from maskwright_protocol.messages import CutoutResult, Mask, Selection

from .editor import app, layers, planes, selections, shapes
from .editor.pixels import Reader
from .editor.planes import Plane

Outlines = Callable[[List[Mask]], Steps]


@dataclass
class FoundObject:
    """One instance."""

    id: str
    label: str
    score: float
    plane: Plane
    doubtful: bool = False


class Result:
    """What the server found for one source. ``base`` is the selection that was there before."""

    def __init__(self, reader: Reader, title: str, prompt: str = "") -> None:
        self.reader = reader
        self.title = title
        self.prompt = prompt
        self.document = reader.document
        self.objects: List[FoundObject] = []
        self.ticked: Set[str] = set()
        self.colours: Optional[Plane] = None
        self.notes: List[str] = list(reader.notes)
        self.details = list(reader.details)  # of interest to who asks
        self.report: Any = None
        self.nothing: Any = None  # the answer that says why nothing was found
        self.inverted = False  # each mask shows all but its instance
        self._merged: Optional[Plane] = None
        found = selections.current(self.document)
        self.base = found.duplicate() if found is not None else None

    def take(self, answer: Any) -> "Result":
        """Read a ``selection`` or ``cutout.result``."""
        self.report = answer.report
        self.notes += [note for note in answer.report.notes if note not in self.notes]
        if isinstance(answer, CutoutResult):
            self._take_cutout(answer)
        elif isinstance(answer, Selection):
            for instance in answer.instances:
                if instance.mask is not None:
                    plane = plane_of(instance.mask)
                    one = FoundObject(instance.id, instance.label, instance.score, plane, instance.doubtful)
                    self.objects.append(one)
            if answer.merged is not None and len(self.objects) > 1:
                self._merged = plane_of(answer.merged)
            if not self.objects:
                self.nothing = answer
        self.ticked = {one.id for one in self.objects}
        return self

    def _take_cutout(self, answer: CutoutResult) -> None:
        if answer.alpha is None:
            self.nothing = answer
            return
        score = 1.0 if answer.score is None else answer.score
        self.objects.append(FoundObject("subject", tr("Subject"), score, plane_of(answer.alpha), answer.doubtful))
        if answer.foreground is not None:
            box = answer.foreground.box
            self.colours = Plane(box, masks.unpack(answer.foreground))  # not copied: it is large

    def limit(self, region: Plane) -> None:
        """Keep what lies inside ``region`` too."""
        for one in self.objects:
            one.plane = planes.darker(one.plane, region)
        self._merged = None
        self.objects = [one for one in self.objects if one.plane.data]
        self.ticked = {one.id for one in self.objects}

    def forget_merged(self) -> None:
        """The objects are not those of the answer any more."""
        self._merged = None

    def chosen(self) -> List[FoundObject]:
        return [one for one in self.objects if one.id in self.ticked]

    def plane(self) -> Plane:
        """All ticked instances in one."""
        chosen = self.chosen()
        if self.inverted and chosen:
            return reduce(planes.darker, [one.plane for one in chosen])
        if self._merged is not None and len(chosen) == len(self.objects):
            return self._merged
        return planes.union([one.plane for one in chosen])

    def fits(self) -> bool:
        """The document is still there, of the size that was asked about."""
        canvas, document = self.reader.canvas, self.document
        return app.is_open(document) and (canvas.width, canvas.height) == (document.width(), document.height())

    def check(self) -> None:
        """Raises ``Problem`` when the document is no longer the one that was asked about."""
        if not app.is_open(self.document):
            raise app.Problem(*told.CLOSED)
        canvas = self.reader.canvas
        if (canvas.width, canvas.height) != (self.document.width(), self.document.height()):
            raise app.Problem(tr("The image was resized meanwhile."), tr("Nothing was changed. Try again."))

    def check_layer(self) -> None:
        self.check()
        if self.reader.node.parentNode() is None:
            raise app.Problem(*told.LAYER_GONE)

    def name(self, kind: str) -> str:
        labels = dict.fromkeys(one.label for one in self.chosen() if one.label)
        what = self.prompt or ", ".join(labels) or self.title
        suffix = {
            "layer": tr("cut out"), "instances": tr("objects"), "transparency": tr("mask"), "fills": tr("flat colours"),
            "vector": tr("shapes"),
        }.get(kind, "")  # fmt: skip
        return f"{what} ({suffix})" if suffix else what

    def apply(self, kind: str, mode: str, outlines: Outlines) -> Steps:
        """Steps that put the ticked instances into the document, in one undo step. ``outlines`` gives the steps that
        draw paths around masks."""
        plane = self.plane()
        if kind == "selection":
            self.check()
            combined = selections.combined(self.document, plane, mode, self.base)
            yield from selections.apply(self.document, combined, tr("Select: {0}", self.name(kind)))
            return
        self.check_layer()
        if not plane.data:
            raise app.Problem(*told.NOTHING_TICKED)
        node, name = self.reader.node, self.name(kind)
        if kind == "transparency":
            layers.add_transparency_mask(self.document, node, plane, name)
        elif kind == "selection-mask":
            layers.add_selection_mask(self.document, node, plane, name)
        elif kind == "layer":
            yield from layers.cut_layer(self.reader, plane, name, self.colours)
        else:
            names = numbered([one.label for one in self.chosen()], self.title)
            parts = [(label, one.plane) for label, one in zip(names, self.chosen())]
            yield from self._several(kind, parts, name, outlines)

    def _several(self, kind: str, parts: List[Tuple[str, Plane]], name: str, outlines: Outlines) -> Steps:
        """Steps that add a layer or a shape for each part, given with its name."""
        if kind == "instances":
            yield from layers.instance_layers(self.reader, parts, name)
            return
        paths = [""] * len(parts)
        if kind == "vector":
            paths = yield from outlines([masks.pack(part.box, part.data, compress=False) for _, part in parts])
            self.check_layer()
        things = [shapes.Coloured(label, part, path) for (label, part), path in zip(parts, paths)]
        add = shapes.vector_layer if kind == "vector" else shapes.fill_layers
        yield from add(self.document, self.reader.node, things, name)


def plane_of(mask: Any) -> Plane:
    return Plane(mask.box, bytes(masks.unpack(mask)))


def mask_of(plane: Optional[Plane]) -> Optional[Mask]:
    """Packed without compression: that would take long here, and on this computer it gains nothing."""
    return None if plane is None else masks.pack(plane.box, plane.data, compress=False)
