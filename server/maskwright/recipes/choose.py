"""Which checkpoints play the roles of a job: the user's choice, the preset's, or the best installed."""

from __future__ import annotations

from maskwright.models.labels import LabelTable, installed_table
from maskwright.models.roles import Detector, Matter, Parser, Segmenter
from maskwright.models.vocabulary import knows
from maskwright_protocol.errors import BadInput, ModelMissing
from maskwright_protocol.messages import Job

from .context import JobContext
from .presets import Preset, find

_ROLES = ("detector", "segmenter", "matter", "refiner", "parser")  # a refiner is a matter that works from a trimap
BASIC = "grabcut"


class Cast:
    """The models of one job, loaded when first asked for."""

    def __init__(self, request: Job, verb: str, context: JobContext) -> None:
        """Raises ``BadInput`` for an unknown recipe or role."""
        unknown = sorted(set(request.models) - set(_ROLES))
        if unknown:
            raise BadInput(f"There is no role called {unknown[0]!r}.", hint=f"Roles: {', '.join(_ROLES)}.")
        self.preset: Preset = find(verb, request.recipe)
        self._wanted = dict(request.models)
        self._context = context

    def model_id(self, role: str) -> str:
        """The id for that role. Raises ``ModelMissing`` and says what to install."""
        if role in self._wanted:
            return self._wanted[role]
        pool = self._context.models
        ids = self.preset.roles.get(role, ())
        if not ids:
            best = pool.best("matter", True) if role == "refiner" else pool.best(role)
            if best is None:
                candidates = ", ".join(entry.id for entry in pool.known.with_role(role))
                raise ModelMissing(
                    f"No {role} is installed.", hint=f"Install one of: {candidates or 'none known yet'}.", role=role
                )
            return best
        present = [i for i in ids if i in pool.installed]
        sound = [i for i in present if not pool.installed[i].problem]
        return next(iter(sound or present or ids))

    def free(self, role: str) -> bool:
        """Whether neither the user nor the recipe says which model plays it."""
        return role not in self._wanted and not self.preset.roles.get(role)

    def take(self, role: str, model_id: str) -> None:
        self._wanted[role] = model_id

    def detector(self) -> Detector:
        model_id = self.model_id("detector")
        with self._loading(model_id):
            model = self._context.models.detector(model_id)
        self._context.use(model_id, model.device)
        return model

    def segmenter(self) -> Segmenter:
        model_id = self.model_id("segmenter")
        with self._loading(model_id):
            model = self._context.models.segmenter(model_id)
        self._context.use(model_id, model.device)
        if model_id == BASIC:
            asked = BASIC in self._wanted.values() or BASIC in self.preset.name
            because = "" if asked else " because no SAM model is installed"
            self._context.note(f"Used the basic engine (GrabCut){because}.")
        return model

    def matter(self) -> Matter:
        model_id = self.model_id("matter")
        with self._loading(model_id):
            model = self._context.models.matter(model_id)
        self._context.use(model_id, model.device)
        return model

    def refiner(self) -> Matter | None:
        """The matter that works from a trimap, or None where the recipe has none and none is installed."""
        given = self._wanted.get("refiner", "")
        if not given and "refiner" not in self.preset.roles:
            return None
        try:
            model_id = given or self.model_id("refiner")
        except ModelMissing:
            return None
        with self._loading(model_id):
            model = self._context.models.matter(model_id)
        self._context.use(model_id, model.device)
        return model

    def parser(self, model_id: str) -> Parser:
        with self._loading(model_id):
            model = self._context.models.parser(model_id)
        self._context.use(model_id, model.device)
        return model

    def label_tables(self) -> dict[str, LabelTable]:
        """The tables of the parsers that may be used, the preferred first. Raises ``ModelMissing``."""
        pool = self._context.models
        first = self.model_id("parser")
        if "parser" in self._wanted and first not in pool.installed:
            pool.get("parser", first)  # says what to do
        ids = [first]
        if self.free("parser"):
            ids += [i for i in pool.candidates("parser") if i not in ids]
        tables = {}
        for model_id in ids:
            found = pool.installed.get(model_id)
            if found is None or (found.problem and model_id != first):
                continue
            table = installed_table(found.entry, found.folder)
            tables[model_id] = table or self.parser(model_id).table
        return tables

    def finder(self, word: str) -> Detector | None:
        """A detector for a word we have in mind ourselves: the user's, or the first that is sure to know it."""
        pool = self._context.models
        if "detector" in self._wanted:
            return self.detector()
        sure = (i for i in pool.candidates("detector") if knows(pool.known.get(i), word) is True)
        model_id = next(sure, None)
        if model_id is None:
            return None
        with self._loading(model_id):
            model = pool.detector(model_id)
        self._context.use(model_id, model.device)
        return model

    def _loading(self, model_id: str):
        if model_id in self._context.models.resident():
            return _Nothing()
        title = self._context.models.known.get(model_id).title
        return self._context.stage("load", f"Loading {title}")


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None
