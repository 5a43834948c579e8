"""Which checkpoints play the roles of a job: the user's choice, the preset's, or the best installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeVar

from maskwright.models.catalogue.abilities import Understands, draws, knows, names, says
from maskwright.models.catalogue.labels import LabelTable, installed_table
from maskwright.models.catalogue.labels import find as find_part
from maskwright.models.catalogue.words import read
from maskwright.models.install import recommend
from maskwright.models.machine.packages import lacking
from maskwright.models.roles import (
    DepthModel,
    Detection,
    Detector,
    MattingModel,
    Model,
    PanopticModel,
    Parser,
    Segmenter,
)
from maskwright_protocol.errors import BadInput, ModelMissing, UnknownWord
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import Job

from . import plain_names
from .context import JobContext
from .presets import AUTO, PRESETS, Preset, find, named
from .prompt_language import Query

_ROLES = (
    "detector",
    "panoptic",
    "segmenter",
    "matting",
    "refiner",
    "parser",
    "depth",
)  # a refiner is a matting model with a trimap

_FEW = 10  # names of a detector that is made for one thing, such as faces

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Route:
    """How words become a selection: a detector's boxes, a segmenter that reads, or a parser of people's parts."""

    kind: Literal["boxes", "concepts", "parts"]
    model_id: str
    knows: bool = True  # False where none knows all of what the words say


class ModelChoice:
    """The models of one job, loaded when first asked for."""

    def __init__(self, request: Job, verb: str, context: JobContext) -> None:
        """Raises ``BadInput`` for an unknown recipe or role."""
        unknown = sorted(set(request.models) - set(_ROLES))
        if unknown:
            raise BadInput(tr("There is no role called {0!r}.", unknown[0]), hint=tr("Roles: {0}.", ", ".join(_ROLES)))
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
                entry = recommend.for_role(
                    self._pool.known, "matting" if role == "refiner" else role, role == "refiner"
                )
                raise ModelMissing(tr("No {0} is installed.", role), recommend.advice(entry), role=role, model=entry.id)
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
            self._context.note(tr("{0} is slow without a graphics card.", self._pool.known.get(model_id).title))
        if self._is_basic(model_id):
            missing = tr("Used the basic engine (GrabCut) because the models that come with Maskwright are missing.")
            self._context.note(missing if self.free("segmenter") else tr("Used the basic engine (GrabCut)."))
        return model

    def own_masks(self, found: Sequence[Detection], clicks: bool) -> bool:
        """Whether the detector's masks are taken as they are: the recipe says so, or nothing installed draws better, as
        of sky and grass, of which boxes say little.

        In the second case the recipe becomes the detector's own. ``clicks``: some prompt needs a segmenter. Raises
        ``BadInput`` where the recipe needs masks and there are none.
        """
        model_id = self.model_id("detector")
        without = [one for one in found if one.logits is None]
        if self.preset.own_masks:
            if found and len(without) == len(found):
                text = tr(
                    "{0} gave boxes without masks, and the recipe {1} has no segmenter to make them.",
                    self._pool.known.get(model_id).title,
                    self.preset.name,
                )
                hint = tr("Use a detector or settings that give masks, or a recipe with a segmenter.")
                raise BadInput(text, hint=hint, model=model_id, recipe=self.preset.name)
            return True
        stuff = any(one.stuff for one in found)
        if clicks or without or not (stuff or self._draws_poorly()):
            return False
        preset = next((p for p in PRESETS if p.own_masks and model_id in p.models("detector")), None)
        if preset is None:
            return False
        self.preset = preset
        if not stuff:
            self._context.note(tr("Took the detector's own masks because nothing installed draws better."))
        return True

    def draws_lettering(self, model_id: str) -> bool:
        """Whether what it finds are lines of lettering, whose strokes are wanted."""
        return self._pool.known.get(model_id).facts.lettering

    def _draws_poorly(self) -> bool:
        """Whether the choice is free and the basic engine would be the segmenter."""
        free = self.preset.name == AUTO and self.free("segmenter")
        return free and self._is_basic(self._pool.best("segmenter"))

    def _is_basic(self, model_id: str | None) -> bool:
        return model_id is not None and self._pool.known.get(model_id).facts.basic

    def matting(self) -> MattingModel:
        return self._used(self._pool.matting, self.model_id("matting"))

    def load_matting(self, model_id: str) -> MattingModel:
        """A matting model that takes part in the job only if the caller says so (``JobContext.use``)."""
        with self._loading(model_id):
            return self._pool.matting(model_id)

    def refiner(self) -> MattingModel | None:
        """The matting model that works from a trimap, or None where the recipe has none and none is installed."""
        given = self._wanted.get("refiner", "")
        if not given and "refiner" not in self.preset.roles:
            return None
        try:
            model_id = given or self.model_id("refiner")
        except ModelMissing:
            return None
        if self.free("refiner") and not self._pool.works(model_id):
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

    def depth(self) -> DepthModel:
        return self._used(self._pool.depth, self.model_id("depth"))

    def panoptic(self) -> PanopticModel | None:
        """The model that names all that there is: the user's, or the best installed that is quick enough here."""
        model_id = self._wanted.get("panoptic")
        if model_id is None and "detector" not in self._wanted:
            model_id = next((i for i in self._usable("panoptic") if not self._pool.slow(i)), None)
        return self._used(self._pool.panoptic, model_id) if model_id is not None else None

    def naming_detector(self) -> Detector | None:
        """A detector that names all the things it sees: the user's, unless it has to be asked with words, or the best
        installed of plain names."""
        wanted = self._wanted.get("detector")
        for model_id in filter(None, (wanted, *self._usable("detector"))):
            entry = self._pool.known.get(model_id)
            fits = model_id == wanted or (not self._pool.slow(model_id) and knows(entry, "person"))
            if fits and not entry.facts.reads_any_words:
                return self._used(self._pool.detector, model_id)
        return None

    def naming_parser(self) -> Parser | None:
        """A parser of people: the user's, or the best installed that is quick enough here."""
        model_id = self._wanted.get("parser")
        if model_id is None:
            quick = [i for i in self._usable("parser") if not self._pool.slow(i)]
            people = (i for i in quick if (t := self._table(i)) is None or t.of == "person")
            model_id = next(people, None)
        return self.parser(model_id) if model_id is not None else None

    def _table(self, model_id: str) -> LabelTable | None:
        found = self._pool.installed[model_id]
        return installed_table(found.entry, found.folder)

    def _usable(self, role: str) -> list[str]:
        """The installed models of a role, best first, that lack no package and are not known to be broken."""
        ids = self._pool.candidates(role)
        return [i for i in ids if self._pool.works(i) and not lacking(self._pool.known.get(i))]

    def finder(self, word: str) -> Detector | None:
        """A detector for a word that the user did not type: the user's detector, or the first that surely knows it."""
        if "detector" in self._wanted:
            return self.detector()
        sure = (i for i in self._usable("detector") if knows(self._pool.known.get(i), word) is True)
        model_id = next(sure, None)
        return self._used(self._pool.detector, model_id) if model_id is not None else None

    def route(self, phrases: Sequence[str], masks: bool = True) -> Route:
        """Which model finds what these phrases name, and how masks are made of it if they are wanted.

        Of the models that the user or the recipe allows, the first that knows all that the phrases say, takes the
        request's detector options and suits the device; else a parser that knows them as parts of people; else the
        first that knows the things which they are about; else the first detector. Raises ``ModelMissing`` where there
        is none.
        """
        named = not self.free("detector")
        if not named and masks and (route := self._without_detector()) is not None:
            return route
        reading = [] if named or not masks or not self.free("segmenter") else self._reading()
        ids = [*reading, *self._detectors()]
        poorly = masks and self._draws_poorly()  # then a detector that draws is worth more
        pool = self._pool
        ids.sort(key=lambda i: (bool(lacking(e := pool.known.get(i))), pool.slow(i), poorly and not draws(e)))
        ids = [i for i in ids if self._takes_options(i)] or ids  # else one of them says which options there are
        lettering = [i for i in ids if pool.known.get(i).facts.lettering]
        knowing = self._knowing([*lettering, *ids], phrases, says) if phrases else None
        if knowing is not None:
            return Route("concepts" if knowing in reading else "boxes", knowing)
        parser = self._parser_for(phrases) if not named and masks and self._pool.best("parser") is not None else None
        if parser is not None:
            return Route("parts", parser)
        partly = self._knowing(ids, phrases, read) if phrases else None
        return Route("boxes", partly or self._general([i for i in ids if i not in reading]), not phrases)

    def _general(self, ids: Sequence[str]) -> str:
        """The first of these detectors that knows more than a few names, else the first. Raises ``ModelMissing``."""
        many = (i for i in ids if len(names(self._pool.known.get(i)) or ()) > _FEW)
        return next(many, next(iter(ids), None)) or self.model_id("detector")

    def _without_detector(self) -> Route | None:
        """The parser or the segmenter that the user or the recipe names."""
        if self.preset.name == "parts" or "parser" in self._wanted:
            return Route("parts", self.model_id("parser"))
        if not self.free("segmenter"):
            segmenter = self.model_id("segmenter")
            return Route("concepts", segmenter) if self._pool.known.get(segmenter).facts.reads_any_words else None
        return None

    def _reading(self) -> list[str]:
        """The installed segmenters that read words."""
        return [i for i in self._pool.candidates("segmenter") if self._pool.known.get(i).facts.reads_any_words]

    def _detectors(self) -> list[str]:
        """The installed detectors that the user and the recipe allow, best first."""
        allowed = (self._wanted["detector"],) if "detector" in self._wanted else self.preset.models("detector")
        return [i for i in self._pool.candidates("detector") if i in allowed]

    def _knowing(self, ids: Sequence[str], phrases: Sequence[str], understands: Understands) -> str | None:
        """The first of these models that understands all of the phrases. Models of which only the loaded file tells
        come after all others but those that are built in, and are loaded to see."""
        sure, unsure = None, []
        for model_id in dict.fromkeys(ids):
            answers = [knows(self._pool.known.get(model_id), phrase, understands) for phrase in phrases]
            if all(answers):
                sure = model_id
                break
            if False not in answers and not lacking(self._pool.known.get(model_id)):
                unsure.append(model_id)
        if sure is not None and not self._pool.known.get(sure).embedded:
            return sure
        for model_id in unsure:
            known = self._names(model_id)
            if known and all(understands(phrase, known) for phrase in phrases):
                return model_id
        return sure

    def _names(self, model_id: str) -> Sequence[str]:
        """The names that a detector knows; it is loaded where only its file tells. None for any words."""
        entry = self._pool.known.get(model_id)
        known = names(entry)
        if known is None and not entry.facts.reads_any_words:
            with self._loading(model_id):
                known = getattr(self._pool.detector(model_id), "labels", ())
        return known or ()

    def understood(self, query: Query, model_id: str) -> Query:
        """The query in the names that the detector knows. Notes tell what was lost, and which model would know it."""
        entry = self._pool.known.get(model_id)
        if entry.facts.reads_any_words or model_id not in self._pool.installed:
            return query
        understood = plain_names.understand(query, self._names(model_id), entry.title)
        for sentence in understood.notes:
            self._context.note(sentence)
        if understood.lost:
            advice, offer = self._better(understood.lost, model_id)
            self._context.offer = offer
            if not offer and advice:
                self._context.note(advice)
        return understood.query

    def explained(self, error: UnknownWord, model_id: str) -> UnknownWord:
        """The error with what helps: a model that is installed and knows the word, or the one to install."""
        word = str(error.details.get("word", ""))
        advice, offer = self._better([word], model_id)
        text = tr("{0} does not know {1!r}.", self._pool.known.get(model_id).title, word)
        details = {**error.details, "models": [offer] if offer else []}
        return UnknownWord(text, joined(error.hint, advice), **details)

    def _better(self, phrases: Sequence[str], model_id: str) -> tuple[str, str]:
        """Which model knows all that the phrases say: a sentence, and its id where it is to be installed."""
        ids = [i for i in (*self._pool.candidates("detector"), *self._reading()) if i != model_id]
        ids = [i for i in ids if not lacking(self._pool.known.get(i))]
        sure = (i for i in ids if all(knows(self._pool.known.get(i), phrase) for phrase in phrases))
        there = next(sure, None)
        if there is not None:
            title = self._pool.known.get(there).title
            if self.free("detector"):
                return tr("{0}, which is installed, knows it: look for it by itself.", title), ""
            return tr("{0}, which is installed, knows it: leave the choice to Maskwright.", title), ""
        entry = recommend.reader(self._pool.known)
        if entry.id in self._pool.installed:
            return "", ""
        return recommend.advice(entry), entry.id

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
        text = tr("Words and examples together need a model that reads both.")
        hint = tr("Install or choose SAM 3, or leave the words or the examples away.")
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
        return self._context.stage("load", tr("Loading {0}", entry.title))
