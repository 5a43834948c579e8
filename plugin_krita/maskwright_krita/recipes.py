"""Recipes in Krita: run one on images, layers or frames, and keep what was done last as one. No widgets here."""

from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from maskwright_client import recipe as recipes
from maskwright_client.ask import Steps
from maskwright_client.recipe import Answers, Output, Recipe, Step
from maskwright_client.results import found
from maskwright_client.saved_recipes import NO_PIXELS, is_painted
from maskwright_protocol.errors import BadInput, JobCancelled, MaskwrightError, ServerAbsent
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Job, Mask

from .connection import Connection
from .editor import app, layers, planes, selections
from .editor.frames import AnimatedCopies, Frame, FrameReader, times_of
from .editor.pixels import OWN_PIXELS, Reader
from .options import Options
from .pictures import Picture
from .results import Result, mask_of, plane_of

SCOPES = (
    ("image", tr("This image")),
    ("images", tr("All open images")),
    ("layers", tr("All layers of this image")),
    ("frames", tr("All frames of the active layer")),
)
MASK_KINDS = ("selection", "transparency", "selection-mask")
Told = Callable[[str, float], None]  # a sentence, and how much is done, 0 to 1
Commit = Callable[[Result, str, str], Steps]  # puts a result into its document, as a kind and in a mode


class RecipeRun:
    """One run. Its steps end with a sentence for the user, empty when there is nothing to say."""

    def __init__(
        self, made: Recipe, connection: Connection, options: Options, told: Told, commit: Commit
    ) -> None:  # fmt: skip
        self._recipe, self._connection, self._options, self._told = made, connection, options, told
        self._commit = commit
        self._outputs = [output for output in made.outputs if output.what not in NO_PIXELS]
        self._of: Tuple[int, int] = (0, 1)  # which of how many pictures

    def steps(self, scope: str) -> Steps:
        document = app.current_document()
        return {"image": self._image, "images": self._images, "layers": self._layers, "frames": self._frames}[scope](
            document
        )

    # ------------------------------------------------------------ images

    def _image(self, document: Any) -> Steps:
        nothing = yield from self._one(document, app.layer_of(document))
        if nothing:
            raise app.Problem(*nothing)
        return ""

    def _images(self, document: Any) -> Steps:
        opened = [one for one in app.krita().documents() if any(v.document() == one for v in app.views())]
        empty: List[str] = []
        for number, one in enumerate(opened):
            self._of = (number, len(opened))
            if not app.is_open(one):
                continue
            try:
                nothing = yield from self._one(one, app.layer_of(one))
            except (JobCancelled, ServerAbsent):
                raise
            except (MaskwrightError, app.Problem) as error:
                nothing = (error.message, error.hint)
            if nothing:
                empty.append(f"{_title(one)}: {nothing[0]}")
        return self._summary(len(opened), empty, tr("images"))

    def _one(self, document: Any, node: Any) -> Steps:
        """Steps for one image; they end with a sentence and a hint when there was nothing to put into it."""
        mask_kind = self._options.kind if self._options.kind in MASK_KINDS else "selection"
        kinds = [mask_kind if output.what == "mask" else _KINDS[output.what] for output in self._outputs]
        alone = kinds[0] if len(kinds) == 1 else ""
        if alone in ("transparency", "selection-mask"):
            app.check_unlocked(node)
        reader = Reader(document, node, self._options.source, whole=alone != "selection", or_visible=True)
        answers = yield from self._ask(reader, document)
        made = self._made(answers, reader)
        if not made:
            return _sentence(answers)
        yield None
        if alone:
            result = Result(reader, self._recipe.name, self._recipe.name).take(answers.by_step[self._outputs[0].step])
            yield from self._commit(result, alone, "replace")
        else:
            yield from layers.group_layers(document, node, made, self._recipe.name)
        return None

    # ------------------------------------------------------------ layers and frames

    def _layers(self, document: Any) -> Steps:
        nodes = _paint_layers(document.rootNode())
        if not nodes:
            raise app.Problem(tr("There is no paint layer with pixels in this image."), tr("Paint or add one first."))
        made: List[layers.Part] = []
        empty: List[str] = []
        answers = Answers({}, None)
        for number, node in enumerate(nodes):
            self._of = (number, len(nodes))
            reader = Reader(document, node, "layer", whole=True)
            answers = yield from self._ask(reader, document)
            parts = self._made(answers, reader, node.name())
            made += parts
            if not parts:
                empty.append(f"{node.name()}: {_sentence(answers)[0]}")
            yield None
        if not made:
            raise app.Problem(*_sentence(answers))
        top = document.topLevelNodes()[-1]
        yield from layers.group_layers(document, top, made, self._recipe.name)
        return self._summary(len(nodes), empty, tr("layers"))

    def _frames(self, document: Any) -> Steps:
        node = app.layer_of(document)
        times = times_of(document, node)
        direct = (node.colorModel(), node.colorDepth()) == ("RGBA", "U8")
        if not direct and any(is_painted(step) for step in self._recipe.steps):
            raise app.Problem(
                tr("Outlines, backgrounds and shadows can only be drawn in layers of 8-bit RGB."),
                tr("Leave them out of the recipe, or convert the image first."),
            )
        names = [self._label(output, node.name()) for output in self._outputs]
        copies = AnimatedCopies(document, node, names)
        empty: List[str] = []
        answers = Answers({}, None)
        try:
            yield from copies.open()
            for number, time in enumerate(times):
                self._of = (number, len(times))
                reader = FrameReader(document, node, time)
                answers = yield from self._ask(reader, document)
                frames = [self._frame(output, answers) for output in self._outputs]
                if not any(frames):
                    empty.append(tr("frame {0}: {1}", time, _sentence(answers)[0]))
                yield from copies.put(time, reader, frames)
            if len(empty) == len(times):
                raise app.Problem(*_sentence(answers))
            yield from copies.add(self._recipe.name)
        finally:
            copies.close()
        return self._summary(len(times), empty, tr("frames"))

    # ------------------------------------------------------------ asking

    def _ask(self, reader: Reader, document: Any) -> Steps:
        """Steps that end with the answers for one picture."""
        picture = Picture(reader)
        painted = any(is_painted(step) for step in self._recipe.steps)
        selection = _selection(document) if self._recipe.needs_selection else None

        def ask(job: Job) -> Steps:
            job.tool = "recipe"
            return self._connection.ask(job, picture)

        def began(number: int, step: Step) -> None:
            done, of = self._of
            share = (done + number / len(self._recipe.steps)) / of
            place = tr("{0} of {1}: ", done + 1, of) if of > 1 else ""
            self._told(place + step.name, share)

        colours = "BGRA8" if reader.direct or painted else ""
        try:
            return (yield from recipes.run(self._recipe, ask, picture.box, selection, colours, began))
        finally:
            reader.release()

    def _made(self, answers: Answers, reader: Reader, of: str = "") -> List[layers.Part]:
        """A layer for each output that was found; one for each thing where they are wanted one by one."""
        parts = []
        for output in self._outputs:
            answer = answers.by_step.get(output.step)
            if answer is None:
                continue
            masks = found(answer)
            label = self._label(output, of)
            if output.what == "instances":
                for number, one in enumerate(masks.instances, 1):
                    parts.append(layers.Part(f"{label} {one.label or number}", reader, plane_of(one.mask)))
            elif masks.masks:
                frame = self._frame(output, answers)
                assert frame is not None
                parts.append(layers.Part(label, reader, frame.plane, frame.colours))
        return parts

    def _frame(self, output: Output, answers: Answers) -> Optional[Frame]:
        """What an output shows of a picture."""
        answer = answers.by_step.get(output.step)
        masks = found(answer).masks if answer is not None else []
        if not masks:
            return None
        plane = planes.union([plane_of(mask) for mask in masks])
        foreground = getattr(answer, "foreground", None)
        if foreground is None or output.what != "cutout":
            return Frame(plane)
        return Frame(plane, plane_of(foreground))

    def _label(self, output: Output, of: str) -> str:
        """What its layer is called: after the source, and after the step where there are several."""
        what = output.step if len(self._outputs) > 1 else self._recipe.name
        return f"{of} ({what})" if of else what

    def _summary(self, count: int, empty: List[str], what: str) -> str:
        if not empty:
            return tr("{0}: {1} {2}.", self._recipe.name, count, what)
        return tr("{0}: {1} of {2} {3}. ", self._recipe.name, count - len(empty), count, what) + " ".join(empty[:5])


_KINDS = {"mask": "selection", "cutout": "layer", "instances": "instances"}


def _sentence(answers: Answers) -> Tuple[str, str]:
    nothing = answers.nothing
    message = (nothing.message if nothing is not None else "") or tr("Nothing was found.")
    return message, (nothing.hint if nothing is not None else "") or tr("Try it on another picture.")


def _title(document: Any) -> str:
    return document.name() or document.fileName().rpartition("/")[2] or tr("an image without a name")


def _selection(document: Any) -> Optional[Mask]:
    found_one = selections.current(document)
    if found_one is None or selections.is_empty(found_one):
        return None
    return mask_of(selections.to_plane(document, found_one))


def _paint_layers(node: Any) -> List[Any]:
    """Paint layers with pixels in them, in groups too; from the bottom up."""
    result: List[Any] = []
    for child in node.childNodes():
        box = child.bounds()
        if child.type() in OWN_PIXELS and box.width() > 0 and box.height() > 0:
            result.append(child)
        result += _paint_layers(child)
    return result


# ---------------------------------------------------------------- what was done last


class Last(NamedTuple):
    """A recipe that does again what was asked for last, with notes on what it does not keep."""

    recipe: Recipe
    notes: List[str]


def last(connection: Connection, kind: str) -> Last:
    """``kind`` is what was made of the answer. Raises ``Problem``."""
    asked: Any = connection.asked
    if asked is None:
        raise app.Problem(tr("Nothing was selected or cut out yet."), tr("Do it once, then save it."))
    job, box = asked
    what = {"layer": "cutout", "instances": "instances"}.get(kind, "mask")
    try:
        return Last(*recipes.of_job(job, box, what=what))
    except BadInput as error:
        raise app.Problem(error.message, error.hint) from None
