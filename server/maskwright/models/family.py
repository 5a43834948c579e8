"""What there is to know of a model family before any of its code is imported. Light: no array library here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from maskwright_protocol.language import tr
from maskwright_protocol.messages import OptionInfo

from .contents import Contents


@dataclass(frozen=True)
class Recipe:
    """A recipe that a family gives its name to.

    ``rank``: its place among the recipes of its kind, the smallest first. ``title``: of the models, for people, where
    it is not the family's. ``purpose``: what a cut-out recipe is for. ``models``: ids of the checkpoints to take, best
    first; none means all of the family. ``options``: settings for the detector where the request has none.
    """

    name: str
    rank: int = 50
    title: str = ""
    purpose: str = tr("Main subject")
    models: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


def late(module: str, name: str = "load") -> Callable[[Any, Any, Any], Any]:
    """A function, or a class, of a module that is imported when it is called."""

    def load(entry: Any, folder: Any, setup: Any) -> Any:
        return getattr(importlib.import_module(module), name)(entry, folder, setup)

    return load


@dataclass(frozen=True, kw_only=True)
class Signs:
    """By what checkpoints of a family are told from others: all that is given here must be in their contents.

    ``config``: ``model_type`` in their config.json, one of these. The others are patterns with ``*``, each of which
    must fit something: ``tensors`` the names of weights; ``inputs`` and ``outputs`` those of an ONNX graph with their
    shapes, as "images 1x3x640x640" with ``?`` for a free size; ``told`` what the file tells of itself, as "task=obb".
    ``without``: patterns that fit nothing of all this. ``why_not``: why checkpoints with these signs cannot be run,
    sentences; the first signs that fit decide.
    """

    config: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    why_not: str = ""

    def fit(self, seen: Contents) -> bool:
        """Whether ``seen`` has them."""
        pairs = (self.tensors, seen.tensors), (self.inputs, seen.inputs), (self.outputs, seen.outputs)
        pairs = (*pairs, (self.told, seen.lines))
        everything = [*seen.tensors, *seen.inputs, *seen.outputs, *seen.lines]
        return (
            (not self.config or seen.model_type in self.config)
            and all(_any_fits(pattern, names) for patterns, names in pairs for pattern in patterns)
            and not any(_any_fits(pattern, everything) for pattern in self.without)
        )


def _any_fits(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What of a family was computed by its authors' code too, with the same weights about the same picture.

    ``what``: the checkpoints and what was asked of them. ``against``: the authors' code; none says that these were not
    compared. ``difference``: the largest one, and how large the values are. ``test``: what measures it again; without
    it, it was measured once.
    """

    what: str
    against: str = ""
    difference: str = ""
    test: str = ""


@dataclass(frozen=True, kw_only=True)
class Family:
    """All that the rest of the program knows of a family.

    ``name``: as entries of the catalogue call it. ``title``: for people. ``roles``: what its models can be.

    ``load(entry, folder, setup)`` gives an object that plays these roles (see ``roles.py``). It imports what it needs
    when it is called (see ``late``), and raises ``ModelBroken`` for files that do not fit.

    ``layouts``: how checkpoints of the family are published. Each is a list of file names, separated by spaces, with
    ``*`` for what varies; the files of an entry must match one of them.

    ``signs``: by which a checkpoint is recognised when users add it; one of them suffices. Without any, users have to
    name the family.

    ``recipes``: those in which its models play the first of its roles. Families may share a recipe's name. ``basic``:
    it is the engine that needs no download and knows no objects, so it is taken last. ``needs_trimap``: its matting
    models refine the edge of a selection and find no subject by themselves; an entry may say otherwise.

    For what reads words: ``vocabulary`` lists the names that all of its models know, or is "any", or "checkpoint" where
    each has its own. Published checkpoints then know ``usual_names`` unless their entries list others.

    For detectors: ``options`` are the settings that they take (see ``options.py``). ``masks`` says whether they give
    masks as well as boxes: "never", "checkpoint" (entries say so by ``draws``) or "asked" (it depends on the settings).
    ``own_masks``: the recipe that takes these masks as they are. ``lettering``: it finds lines of lettering, whose
    strokes are drawn by their colours, and is taken for the words it knows before models of more words. ``covers``,
    ``gives`` and ``licence`` (of the code) are for the documentation.

    ``compared``: what of it was compared with the authors' code. ``runs``: what computes it, where nothing was.
    """

    name: str
    title: str
    roles: tuple[str, ...]
    load: Callable[[Any, Any, Any], Any]
    layouts: tuple[str, ...] = ()
    signs: tuple[Signs, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    basic: bool = False
    needs_trimap: bool = False
    vocabulary: tuple[str, ...] | Literal["any", "checkpoint"] = ()
    usual_names: tuple[str, ...] = ()
    options: tuple[OptionInfo, ...] = ()
    masks: Literal["never", "checkpoint", "asked"] = "never"
    own_masks: Recipe | None = None
    lettering: bool = False
    covers: str = ""
    gives: str = ""
    licence: str = ""
    compared: tuple[Compared, ...] = ()
    runs: str = ""

    @property
    def rank(self) -> int:
        """Its place among the families of its first role, the smallest first: that of its first recipe."""
        return min((recipe.rank for recipe in self.recipes), default=100)

    @property
    def reads_any_words(self) -> bool:
        return self.vocabulary == "any"

    def fits(self, names: Iterable[str]) -> bool:
        """Whether files of these names can be a checkpoint of the family."""
        names = list(names)
        return any(all(_any_fits(pattern, names) for pattern in layout.split()) for layout in self.layouts)
