"""Which checkpoints play the roles of a job: the user's choice, the preset's, or the best installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeVar

from maskwright.models.catalogue.abilities import draws, knows
from maskwright.models.catalogue.labels import LabelTable, installed_table
from maskwright.models.catalogue.labels import find as find_part
from maskwright.models.catalogue.words import meanings
from maskwright.models.machine.packages import lacking
from maskwright.models.roles import Detection, Detector, MattingModel, Model, Parser, Segmenter
from maskwright.models.runtime import pymatting_cache
from maskwright_protocol.errors import BadInput, ModelMissing
from maskwright_protocol.messages import Job

from .context import JobContext
from .presets import AUTO, PRESETS, Preset, find, named

_ROLES = ("detector", "segmenter", "matting", "refiner", "parser")  # a refiner is a matting model with a trimap

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Route:
    """How words become a selection: a detector's boxes, a segmenter that reads, or a parser of people's parts."""

    kind: Literal["boxes", "concepts", "parts"]
    model_id: str
    knows: bool = True  # False for the first there is, where none knows the words


class ModelChoice:
    """The models of one job, loaded when first asked for."""

    def __init__(self, request: Job, verb: str, context: JobContext) -> None:
        """Raises ``BadInput`` for an unknown recipe or role."""
        unknown = sorted(set(request.models) - set(_ROLES))
        if unknown:
            raise BadInput(f"There is no role called {unknown[0]!r}.", hint=f"Roles: {', '.join(_ROLES)}.")
        self.preset: Preset = find(verb, request.recipe)
        self._wanted = dict(request.models)
        self._asked = "segmenter" in self._wanted
        self._options = set(getattr(request, "detector_options", ()))
        self._context, self._pool = context, context.models

    def model_id(self, role: str) -> str:
        """The id for that role. Raises ``ModelMissing`` and says what to install."""
        if role in self._wanted:
            return self._wanted[role]
        ids = self.preset.models(role) if self.preset.roles.get(role) else ()
        if not ids:
            best = self._pool.best("matting", True) if role == "refiner" else self._pool.best(role)
            if best is None:
                candidates = ", ".join(entry.id for entry in self._pool.known.with_role(role))
                hint = f"Install one of: {candidates or 'none known yet'}."
                raise ModelMissing(f"No {role} is installed.", hint=hint, role=role)
            return best
        fitting = [i for i in self._pool.candidates(role) if i in ids]
        present = [i for i in ids if i in self._pool.installed]
        return next(iter(fitting or present or ids))

    def free(self, role: str) -> bool:
        """Whether neither the user nor the recipe says which model plays it."""
        return role not in self._wanted and not self.preset.roles.get(role)

    def take(self, role: str, model_id: str) -> None:
        self._wanted[role] = model_id

    def detector(self) -> Detector:
        return self._used(self._pool.detector, self.model_id("detector"))

    def segmenter(self) -> Segmenter:
        model_id = self.model_id("segmenter")
        model = self._used(self._pool.segmenter, model_id)
        if self._pool.slow(model_id) and not (self._asked or self.preset.roles.get("segmenter")):
            self._context.note(f"{self._pool.known.get(model_id).title} is slow without a graphics card.")
        if self._is_basic(model_id):
            because = " because no SAM model is installed" if self.free("segmenter") else ""
            self._context.note(f"Used the basic engine (GrabCut){because}.")
        return model

    def own_masks(self, found: Sequence[Detection], clicks: bool) -> bool:
        """Whether the detector's masks are taken as they are: the recipe says so, or nothing installed draws better.

        In the second case the recipe becomes the detector's own. ``clicks``: some prompt needs a segmenter. Raises
        ``BadInput`` where the recipe needs masks and there are none.
        """
        model_id = self.model_id("detector")
        without = [one for one in found if one.logits is None]
        if self.preset.own_masks:
            if found and len(without) == len(found):
                title, what = self._pool.known.get(model_id).title, "boxes without masks"
                text = f"{title} gave {what}, and the recipe {self.preset.name} has no segmenter to make them."
                hint = "Use a detector or settings that give masks, or a recipe with a segmenter."
                raise BadInput(text, hint=hint, model=model_id, recipe=self.preset.name)
            return True
        if clicks or without or not self._draws_poorly():
            return False
        preset = next((p for p in PRESETS if p.own_masks and model_id in p.models("detector")), None)
        if preset is None:
            return False
        self.preset = preset
        self._context.note("Took the detector's own masks because no SAM model is installed.")
        return True

    def _draws_poorly(self) -> bool:
        """Whether the choice is free and the basic engine would be the segmenter."""
        free = self.preset.name == AUTO and self.free("segmenter")
        return free and self._is_basic(self._pool.best("segmenter"))

    def _is_basic(self, model_id: str | None) -> bool:
        return model_id is not None and self._pool.known.get(model_id).facts.basic

    def matting(self) -> MattingModel:
        return self._used(self._pool.matting, self.model_id("matting"))

    def refiner(self) -> MattingModel | None:
        """The matting model that works from a trimap, or None where the recipe has none and none is installed."""
        given = self._wanted.get("refiner", "")
        if not given and "refiner" not in self.preset.roles:
            return None
        try:
            model_id = given or self.model_id("refiner")
        except ModelMissing:
            return None
        entry = self._pool.known.get(model_id)
        if self.free("refiner") and pymatting_cache.pending(entry):
            text = "is being made ready, which takes a few minutes once; the edge follows the colours."
            self._context.note(f"{entry.title} {text}")
            return None
        return self._used(self._pool.matting, model_id)

    def parser(self, model_id: str) -> Parser:
        return self._used(self._pool.parser, model_id)

    def label_tables(self) -> dict[str, LabelTable]:
        """The tables of the parsers that may be used, the preferred first. Raises ``ModelMissing``."""
        first = self.model_id("parser")
        if "parser" in self._wanted and first not in self._pool.installed:
            self._pool.get("parser", first)  # says what to do
        ids = [first]
        if self.free("parser"):
            ids += [i for i in self._pool.candidates("parser") if i not in ids]
        tables = {}
        for model_id in ids:
            found = self._pool.installed.get(model_id)
            if found is None or (found.problem and model_id != first):
                continue
            table = installed_table(found.entry, found.folder)
            tables[model_id] = table or self.parser(model_id).table
        return tables

    def finder(self, word: str) -> Detector | None:
        """A detector for a word that the user did not type: the user's detector, or the first that surely knows it."""
        if "detector" in self._wanted:
            return self.detector()
        sure = (i for i in self._pool.candidates("detector") if knows(self._pool.known.get(i), word) is True)
        model_id = next(sure, None)
        return self._used(self._pool.detector, model_id) if model_id is not None else None

    def route(self, phrases: Sequence[str], masks: bool = True) -> Route:
        """Which model finds what these phrases name, and how masks are made of it if they are wanted.

        The model that the user or the recipe names; else the first that knows all phrases, takes the request's detector
        options and suits the device; else a parser that knows them as parts of people; else the first detector. Raises
        ``ModelMissing`` where there is none.
        """
        given = self._given_route(masks)
        if given is not None:
            return given
        reading = [i for i in self._pool.candidates("segmenter") if self._pool.known.get(i).facts.reads_any_words]
        ids = [*(reading if masks and self.free("segmenter") else []), *self._pool.candidates("detector")]
        poorly = masks and self._draws_poorly()  # then a detector that draws is worth more
        pool = self._pool
        ids.sort(key=lambda i: (bool(lacking(e := pool.known.get(i))), pool.slow(i), poorly and not draws(e)))
        ids = [i for i in ids if self._takes_options(i)] or ids  # else one of them says which options there are
        knowing = self._knowing(ids, phrases)
        if knowing is not None:
            return Route("concepts" if masks and knowing in reading else "boxes", knowing)
        parser = self._parser_for(phrases) if masks and self._pool.best("parser") is not None else None
        if parser is not None:
            return Route("parts", parser)
        first = next((i for i in self._pool.candidates("detector") if i in ids), None)
        return Route("boxes", first or self.model_id("detector"), False)

    def _given_route(self, masks: bool) -> Route | None:
        """What the user or the recipe names."""
        if not self.free("detector"):
            return Route("boxes", self.model_id("detector"))
        if masks and (self.preset.name == "parts" or "parser" in self._wanted):
            return Route("parts", self.model_id("parser"))
        if masks and not self.free("segmenter"):
            segmenter = self.model_id("segmenter")
            return Route("concepts", segmenter) if self._pool.known.get(segmenter).facts.reads_any_words else None
        return None

    def _knowing(self, ids: Sequence[str], phrases: Sequence[str]) -> str | None:
        """The first of these models that knows all of the phrases. Models of which only the loaded file tells come
        after all others, and are loaded to see."""
        unsure = []
        for model_id in dict.fromkeys(ids):
            answers = [knows(self._pool.known.get(model_id), phrase) for phrase in phrases]
            if all(answers):
                return model_id
            if False not in answers and not lacking(self._pool.known.get(model_id)):
                unsure.append(model_id)
        for model_id in unsure:
            with self._loading(model_id):
                names = getattr(self._pool.detector(model_id), "labels", ())
            if names and all(meanings(phrase, names) for phrase in phrases):
                return model_id
        return None

    def _parser_for(self, phrases: Sequence[str]) -> str | None:
        """The first parser that may be used and knows all of the phrases as parts of people."""
        for model_id, table in self.label_tables().items():
            if phrases and all(find_part(table, phrase) for phrase in phrases):
                return model_id
        return None

    def _takes_options(self, model_id: str) -> bool:
        return self._options <= {option.name for option in self._pool.known.get(model_id).facts.options}

    def by_example(self, words: bool) -> str:
        """The segmenter that looks for what examples show.

        With ``words`` besides, one that reads: the user's or the recipe's, else the best installed. Raises
        ``ModelMissing``.
        """
        if not words:
            return self.model_id("segmenter")
        ids = self._pool.candidates("segmenter") if self.free("segmenter") else [self.model_id("segmenter")]
        for model_id in ids:
            if self._pool.known.get(model_id).facts.reads_any_words:
                return model_id
        text = "Words and examples together need a model that reads both."
        hint = "Install or choose SAM 3, or leave the words or the examples away."
        raise ModelMissing(text, hint, role="segmenter")

    def recipe(self) -> str:
        """The name of the recipe that ran: the one asked for, or what the automatic choice came to."""
        if self.preset.name != AUTO:
            return self.preset.name
        return named(self.preset.verb, [self._pool.known.get(model_id) for model_id in self._context.used])

    def _used(self, get: Callable[[str], M], model_id: str) -> M:
        """The model, which takes part in the job from now on."""
        with self._loading(model_id):
            model = get(model_id)
        self._context.use(model_id, model.device)
        return model

    def _loading(self, model_id: str) -> AbstractContextManager[None]:
        if model_id in self._pool.resident():
            return nullcontext()
        entry = self._pool.known.get(model_id)
        once = ", which takes a few minutes the first time" if pymatting_cache.pending(entry) else ""
        return self._context.stage("load", f"Loading {entry.title}{once}")
