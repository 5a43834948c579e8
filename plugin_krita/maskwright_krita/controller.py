"""The commands: each reads what it needs, asks the server, and puts the answer into the document. No widgets here."""

from dataclasses import replace
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from maskwright_client import body_parts, told
from maskwright_client.ask import Steps
from maskwright_client.jobs import Cut, Edge, Prompt
from maskwright_client.offers import suggested, understands
from maskwright_client.recipe import Recipe
from maskwright_protocol.errors import JobCancelled, MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Job

from . import edit
from .connection import Connection
from .editor import app, canvas, layers, selections
from .editor.pixels import Reader
from .editor.planes import Plane
from .editor.qt import QObject, pyqtSignal
from .editor.tasks import Task
from .options import Options
from .pictures import Picture
from .recipes import RecipeRun
from .results import Result, mask_of

SETTING = "options"


class Failure(NamedTuple):
    """A problem as the user sees it: a sentence, a hint, and a code that says what a button could do about it."""

    message: str
    hint: str
    code: str
    details: Dict[str, Any] = {}
    retry: Optional[Callable[[], None]] = None  # does again what failed

    @classmethod
    def of(cls, error: Exception, retry: Optional[Callable[[], None]] = None) -> "Failure":
        if isinstance(error, (MaskwrightError, app.Problem)):
            return cls(error.message, error.hint, error.code, getattr(error, "details", {}), retry)
        said = told.of_failure(error)
        return cls(said.sentence, said.hint, said.code, retry=retry)


class Controller(QObject):
    """One for the application. At most one command runs; a new one takes the place of an unfinished one."""

    busy_changed = pyqtSignal(bool)
    progressed = pyqtSignal(str, float)
    failed = pyqtSignal(object)  # a Failure, or None when all is well again
    told = pyqtSignal(str)  # something worth knowing
    result_changed = pyqtSignal()

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.options = Options.from_json(app.read_setting(SETTING))
        self.connection = Connection(self, lambda: self.options.command)
        self.connection.progressed.connect(self._on_progress)
        self.result: Optional[Result] = None
        self.last_error: Optional[Exception] = None
        self.last_kind = "selection"  # what was made of the last answer
        self.follow_up: Optional[Tuple[str, Callable[[], None], str]] = None  # what suits next: a button's parts
        self._task: Optional[Task] = None
        self._committing = False

    # ------------------------------------------------------------ commands

    def select_by_prompt(self, prompt: str, kind: str = "", exclude: str = "") -> None:
        """Text -> instances -> what the options say (or ``kind``)."""
        prompt, wanted = prompt.strip(), Prompt(prompt, exclude)
        if prompt:
            self.options.remember(prompt)
            self.save_options()
        change = edit.wanted(self, prompt) if kind in ("", "selection") else None
        if change is not None:
            self.run(tr("Changing what was made: {0}", prompt), lambda: edit.steps(self, change))
            return
        self.run(tr("Looking for {0}", prompt), lambda: self._select_text(wanted, kind or self.options.kind))

    def select_subject(self) -> None:
        self.run(tr("Looking for the subject"), self._subject)

    def select_object(self) -> None:
        """The existing selection, a rectangle or a lasso, says which object is meant."""
        self.run(tr("Looking for the object"), self._object)

    def refine(self, edge: Optional[Edge] = None) -> None:
        self.run(tr("Refining the edge"), lambda: self._refine(edge or Edge()))

    def cut_out(self, cut: Cut, kind: str = "layer") -> None:
        """What the prompt means, or the subject, with an edge made to measure."""
        prompt = cut.text.strip()
        if prompt:
            self.options.remember(prompt)
            self.save_options()
        self.run(tr("Cutting out {0}", prompt or tr("the subject")), lambda: self._cut_out(cut, kind))

    def select_parts(self, parts: str, exact: bool, kind: str) -> None:
        """``parts`` as ``body_parts`` reads them."""
        self.run(tr("Looking for parts of people"), lambda: self._parts(parts, exact, kind))

    def prepare_inpainting(self, grow: float, feather: float, context: float, show: str = "tell") -> None:
        """``show`` says how the surroundings are shown: "tell", "guides" or "mask"."""
        self.run(tr("Preparing the selection"), lambda: self._inpaint(grow, feather, context, show))

    def select_similar(self) -> None:
        """What is like the selected thing."""
        self.run(tr("Looking for what is similar"), self._like_selection)

    def similar_to(self, steps: Steps) -> None:
        """What is like an object; steps from elsewhere end with its id and ``Result``."""
        self.run(tr("Looking for what is similar"), lambda: self._like(steps))

    def remove_background(self) -> None:
        self.run(tr("Removing the background"), lambda: self._cut_out(Cut(), "layer"))

    def apply_again(self) -> None:
        """Put the ticked instances of the last answer into its document, as the options say now."""
        result = self.shown_result()
        if result is not None:
            self.run(tr("Applying"), lambda: self._commit(result, self.options.kind, self.options.mode))

    def commit(self, steps: Steps, kind: str, mode: str) -> None:
        """Put the result that steps from elsewhere (the click tool) end with into the document."""
        self.run(tr("Applying"), lambda: self._await_and_commit(steps, kind, mode))

    def run_recipe(self, recipe: Recipe, scope: str = "image") -> None:
        """``scope`` is one of ``recipes.SCOPES``."""
        run = RecipeRun(recipe, self.connection, self.options, self.progressed.emit, self._commit)
        self.run(tr("Running {0}", recipe.name), lambda: self._recipe(run, scope))

    def cancel(self) -> None:
        """Stop the running command; the document stays as it was."""
        if self._task is not None and not self._committing:
            self._task.cancel()

    def busy(self) -> bool:
        return self._task is not None

    def shown_result(self) -> Optional[Result]:
        """What was found last, while its image is in front."""
        result = self.result
        return result if result is not None and app.is_active(result.document) else None

    def look_at_front(self) -> None:
        """Another image is in front, or one was closed: a result goes with its image, and when that is resized."""
        if self.result is not None and not self.result.fits() and not self._committing:
            self.result = self.follow_up = None
        self.result_changed.emit()

    def save_options(self) -> None:
        app.write_setting(SETTING, self.options.to_json())

    # ------------------------------------------------------------ running

    def run(self, title: str, steps: Callable[[], Steps]) -> None:
        if self._committing:
            return
        self.cancel()
        self.last_error = self.follow_up = None
        self.failed.emit(None)
        task = Task(steps(), self)
        self._task = task
        task.finished.connect(lambda _: self._ended(task, None))
        task.failed.connect(lambda error: self._ended(task, error, lambda: self.run(title, steps)))
        self.progressed.emit(title, 0.0)
        self.busy_changed.emit(True)

    def _ended(self, task: Task, error: Optional[Exception], again: Optional[Callable[[], None]] = None) -> None:
        if task is not self._task:
            return
        self._task = None
        self._committing = False
        self.last_error = error
        self.busy_changed.emit(False)
        if isinstance(error, JobCancelled):
            self.told.emit(tr("Cancelled. Nothing was changed."))
        elif error is not None:
            self.result = None  # it is not what was asked for last
            self.result_changed.emit()
            self.failed.emit(Failure.of(error, again))
            self.connection.refresh()
        task.deleteLater()

    def _on_progress(self, progress: Any) -> None:
        if self._task is not None:
            self.progressed.emit(progress.text, progress.fraction)

    # ------------------------------------------------------------ steps

    def reader(self, kind: str) -> Reader:
        document = app.current_document()
        node = app.layer_of(document)
        if kind in ("transparency", "selection-mask"):
            app.check_unlocked(node)
        return Reader(document, node, self.options.source, whole=kind != "selection", or_visible=True)

    def region(self, reader: Reader) -> Optional[Plane]:
        """The existing selection, when it limits what is searched."""
        return self.existing(reader) if self.options.limit else None

    def _select_text(self, prompt: Prompt, kind: str) -> Steps:
        job = self.options.select(prompt)
        reader = self.reader(kind)
        job.region = mask_of(self.region(reader))
        yield from self._ask_and_commit(Result(reader, tr("Selection"), job.text), job, kind)

    def _subject(self) -> Steps:
        reader = self.reader("selection")
        job, region = self.options.subject(), self.region(reader)
        yield from self._ask_and_commit(Result(reader, tr("Subject")), job, "selection", region)

    def _object(self) -> Steps:
        reader = self.reader("selection")
        job = self.options.select_object(mask_of(self.existing(reader)))
        yield from self._ask_and_commit(Result(reader, tr("Object")), job, "selection", mode="replace")

    def _refine(self, edge: Edge) -> Steps:
        reader = self.reader("selection")
        # Not cleaned up: a selection that was grown as it was made would grow again.
        job = self.options.refine(mask_of(self.existing(reader)), edge, clean_up=False)
        yield from self._ask_and_commit(Result(reader, tr("Refined")), job, "selection", mode="replace")

    def _cut_out(self, cut: Cut, kind: str) -> Steps:
        reader = self.reader(kind)
        region = self.region(reader)
        colours = kind == "layer" and (reader.direct or cut.painted)
        job = self.options.cut_out(cut, "BGRA8" if colours else "")
        yield from self._ask_and_commit(Result(reader, reader.node.name(), job.text), job, kind, region)

    def _parts(self, parts: str, exact: bool, kind: str) -> Steps:
        wanted = body_parts.read(parts)
        reader = self.reader(kind)
        job = self.options.parts(wanted, exact, kind == "instances", mask_of(self.region(reader)))
        answer = yield from self.connection.ask(job, Picture(reader))
        if job.per_person:
            answer = replace(answer, instances=body_parts.chosen(answer.instances, wanted))
        yield from self.show_and_commit(Result(reader, tr("Parts")).take(answer), kind)

    def _inpaint(self, grow: float, feather: float, context: float, show: str) -> Steps:
        reader = self.reader("selection-mask" if show == "mask" else "selection")
        job = self.options.inpaint(mask_of(self.existing(reader)), grow, feather, context)
        result = Result(reader, tr("Inpainting"))
        answer = yield from self._ask_and_commit(result, job, "selection", mode="replace")
        box = answer.context
        if box is None:
            return
        if show == "mask":
            whole = Plane(box, b"\xff" * (box.width * box.height))
            layers.add_selection_mask(reader.document, reader.node, whole, tr("Inpainting context"))
        elif show == "guides":
            canvas.add_guides(reader.document, box)
        text = tr("The surroundings to look at: {0} x {1} pixels from {2}, {3}.", box.width, box.height, box.x, box.y)
        self.told.emit(text)

    def _recipe(self, run: RecipeRun, scope: str) -> Steps:
        said = yield from run.steps(scope)
        if said:
            self.told.emit(said)

    def _like_selection(self) -> Steps:
        reader = self.reader(self.options.kind)
        yield from self._ask_similar(reader, Picture(reader), "", self.existing(reader))

    def _like(self, steps: Steps) -> Steps:
        identity, picture, result = yield from steps
        yield from self._ask_similar(result.reader, picture, identity, result.plane())

    def _ask_similar(self, reader: Reader, picture: Picture, identity: str, plane: Optional[Plane]) -> Steps:
        answer = yield from self.connection.ask(self.options.similar(identity, mask_of(plane)), picture)
        yield from self.show_and_commit(Result(reader, tr("Similar")).take(answer), self.options.kind)

    def existing(self, reader: Reader) -> Optional[Plane]:
        """The selection, or None when nothing is selected."""
        found = selections.current(reader.document)
        if found is None or selections.is_empty(found):
            return None
        return selections.to_plane(reader.document, found)

    def _ask_and_commit(
        self, result: Result, job: Job, kind: str, limit: Optional[Plane] = None, mode: str = ""
    ) -> Steps:
        answer = yield from self.connection.ask(job, Picture(result.reader))
        result.take(answer)
        if limit is not None:
            result.limit(limit)
        yield None
        yield from self.show_and_commit(result, kind, mode)
        return answer

    def ask_about(self, result: Result, job: Job) -> Steps:
        """Steps that end with the result, with the answer in it. Raises ``Problem`` where nothing was found."""
        result.take((yield from self.connection.ask(job, Picture(result.reader))))
        _check_found(result)
        return result

    def _await_and_commit(self, steps: Steps, kind: str, mode: str) -> Steps:
        yield from self.show_and_commit((yield from steps), kind, mode)

    def show_and_commit(self, result: Result, kind: str, mode: str = "") -> Steps:
        _check_found(result)
        result.inverted = self.options.invert
        self.result, self.last_kind = result, kind
        self.result_changed.emit()
        yield None
        yield from self._commit(result, kind, mode or self.options.mode)
        for note in result.notes:
            self.told.emit(note)
        self._follow(result, kind)
        self._suggest(result)

    def _follow(self, result: Result, kind: str) -> None:
        """A new layer over its visible source looks as if nothing had happened: say so, and offer to hide that."""
        node, document = result.reader.node, result.document
        if kind not in ("layer", "instances") or result.reader.source == "image" or not node.visible():
            return

        def hide() -> None:
            if not app.is_open(document):
                return
            node.setVisible(False)
            document.refreshProjection()
            self.follow_up = None
            self.told.emit(tr('"{0}" is hidden; its eye in the Layers panel shows it again.', node.name()))

        tip = tr('Hides "{0}", so that the new layer is seen alone', node.name())
        self.follow_up = (tr("Hide the source"), hide, tip)
        self.told.emit(tr('The new layer lies over "{0}", which is still visible.', node.name()))

    def _suggest(self, result: Result) -> None:
        """Tell of the model that would have understood more of the words, with a button that gets it."""
        model = suggested(result.report, self.connection.models)
        if model is not None:
            text = " ".join(result.report.notes)
            self.failed.emit(Failure(text, understands(model), "unknown_word", {"models": [model.id]}))

    def _commit(self, result: Result, kind: str, mode: str) -> Steps:
        self._committing = True
        try:
            yield from result.apply(kind, mode, self.connection.outlines)
        finally:
            self._committing = False


def _check_found(result: Result) -> None:
    """Raises ``Problem`` where there is nothing to make anything of."""
    nothing = result.nothing
    if nothing is not None:
        raise app.Problem(nothing.message or tr("Nothing was found."), nothing.hint or tr("Try other words."))
    if not result.objects:
        raise app.Problem(*told.NOTHING_INSIDE)
