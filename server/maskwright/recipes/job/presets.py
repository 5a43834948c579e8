"""The table of recipes: which roles each needs, and which models it prefers for them. Light.

Families bring the recipes that are named after them (``Family.recipes``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from maskwright.models import catalogue, families
from maskwright.models.catalogue.abilities import draws
from maskwright.models.catalogue.entries import Entry
from maskwright.models.install.scan import Installed
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import RecipeInfo

AUTO = "auto"
VERBS = ("select", "detect", "cutout", "refine", "parse")


@dataclass(frozen=True)
class Preset:
    """``roles``: role -> ids of models or names of families, best first, so that any installed size of a family serves;
    none named means whatever is installed, in the catalogue's order.

    ``optional`` roles are used when the request asks for them (a detector for text) and may be missing otherwise.
    ``own_masks``: the detector's masks are taken as they are. ``options`` of the detector, where the request has none.
    """

    name: str
    title: str
    verb: str
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    takes_text: bool = False
    takes_points: bool = False
    own_masks: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def models(self, role: str) -> tuple[str, ...]:
        """Ids of what may play the role, best first; a family that has no model yet stands there by its name."""
        # A refiner is a matting model that works from a trimap.
        entries = catalogue.load().with_role("matting" if role == "refiner" else role)
        entries = [entry for entry in entries if entry.needs_trimap == (role == "refiner")]
        if role == "detector" and self.own_masks:
            entries = [entry for entry in entries if draws(entry) is not False]
        named = self.roles.get(role, ())
        if not named:
            return tuple(entry.id for entry in entries)
        groups = [[entry.id for entry in entries if name in (entry.id, entry.family)] or [name] for name in named]
        return tuple(dict.fromkeys(model_id for group in groups for model_id in group))

    def missing(self, installed: Mapping[str, Installed]) -> list[str]:
        """For each needed role without a sound installed model, the model to install."""
        needed = [role for role in self.roles if role not in self.optional]
        return [
            self.models(role)[0]
            for role in needed
            if not any(i in installed and not installed[i].problem for i in self.models(role))
        ]


def _cutout(
    name: str, title: str, *, matting: tuple[str, ...] = (), segmenter: tuple[str, ...] = (), refiner: bool = True
) -> Preset:
    """A recipe for cut-outs: of the main subject, or of what a prompt names or points at."""
    roles = {"matting": matting, "segmenter": segmenter, "detector": ()} | ({"refiner": ()} if refiner else {})
    optional = ("detector", "refiner") if segmenter else ("segmenter", "detector", "refiner")
    return Preset(name, title, "cutout", roles, optional, takes_text=True, takes_points=True)


@dataclass
class _Group:
    """What a recipe's name says of one role: a family, or several that share the name."""

    title: str
    families: tuple[str, ...]
    reads: bool

    @classmethod
    def of(cls, role: str) -> dict[str, _Group]:
        """By name, the preferred ones first."""
        groups: dict[str, _Group] = {}
        for recipe, family in families.with_recipes(role):
            group = groups.setdefault(recipe.name, cls(recipe.title or family.title, (), family.reads_any_words))
            group.families += (family.name,)
        return groups


_DETECTORS, _SEGMENTERS = _Group.of("detector"), _Group.of("segmenter")


def _selecting() -> Iterator[Preset]:
    """Each detector with each segmenter, each segmenter alone, and the detectors that draw alone."""
    for name, group in _SEGMENTERS.items():
        title = tr("Words, clicks and boxes, {0}", group.title) if group.reads else tr("Click or box, {0}", group.title)
        roles = {"segmenter": group.families}
        yield Preset(name, title, "select", roles, takes_text=group.reads, takes_points=True)
    for detector, finds in _DETECTORS.items():
        for segmenter, group in _SEGMENTERS.items():
            roles = {"detector": finds.families, "segmenter": group.families}
            title = tr("Things by name, {0} and {1}", finds.title, group.title)
            yield Preset(f"{detector}+{segmenter}", title, "select", roles, takes_text=True, takes_points=True)
    drawing = [(family.own_masks, family) for family in families.known().values() if family.own_masks]
    for recipe, family in sorted(drawing, key=lambda pair: pair[0].rank):
        title = tr("Things by name, {0} and its own masks", recipe.title or family.title)
        roles = {"detector": (family.name,)}
        yield Preset(recipe.name, title, "select", roles, takes_text=True, own_masks=True, options=recipe.options)


def _main_subject() -> Iterator[Preset]:
    """The cut-outs that families of matting models give their names to."""
    for recipe, family in families.with_recipes("matting"):
        title = tr("{0}, {1}", recipe.purpose, recipe.title or family.title)
        yield _cutout(recipe.name, title, matting=recipe.models or (family.name,))


_LETTERING = tuple(family.name for family in families.known().values() if family.lettering)
_DEPTH = tuple(family.name for family in families.known().values() if "depth" in family.roles)
_SUBJECTS = {preset.name: preset for preset in _main_subject()}

PRESETS: tuple[Preset, ...] = (
    Preset(
        AUTO,
        tr("Best of what is installed"),
        "select",
        {"segmenter": (), "detector": ()},
        optional=("detector",),
        takes_text=True,
        takes_points=True,
    ),
    *_selecting(),
    Preset("parts", tr("Parts of people by name"), "select", {"parser": ()}, takes_text=True),
    Preset("depth", tr("Near and far, by distance"), "select", {"depth": _DEPTH}),
    Preset("lettering", tr("Lettering, its strokes"), "select", {"detector": _LETTERING}, takes_text=True),
    Preset("line-art", "Inside the lines of a drawing", "select", takes_points=True),
    Preset(AUTO, tr("Best of what is installed"), "detect", {"detector": ()}, takes_text=True),
    *(
        Preset(name, tr("Things by name, {0}", group.title), "detect", {"detector": group.families}, takes_text=True)
        for name, group in _DETECTORS.items()
    ),
    _cutout(AUTO, tr("Best of what is installed")),
    _cutout("segmenter+matting", tr("Named or clicked things, with the matting model's edges")),
    _cutout(
        "sam3+birefnet",
        tr("Named or clicked things, SAM 3 and BiRefNet"),
        matting=_SUBJECTS["birefnet-matting"].roles["matting"],
        segmenter=("sam3",),
    ),
    *_SUBJECTS.values(),
    Preset(AUTO, tr("Best of what is installed"), "refine", {"refiner": ()}, optional=("refiner",)),
    Preset("trimap", tr("Edges by matting in a band"), "refine", {"refiner": ()}),
    Preset("guided", tr("Edges that follow the colours, guided filter"), "refine"),
    Preset(
        AUTO,
        tr("Parts of people"),
        "parse",
        {"parser": (), "detector": (), "refiner": ()},
        optional=("detector", "refiner"),
        takes_text=True,
    ),
    Preset("inpaint", tr("Grown and feathered, ready for inpainting"), "refine"),
)


def find(verb: str, name: str) -> Preset:
    """The preset of that verb and name. Raises ``BadInput`` and names the known ones."""
    for preset in PRESETS:
        if preset.verb == verb and preset.name == (name or AUTO):
            return preset
    known = ", ".join(p.name for p in PRESETS if p.verb == verb)
    raise BadInput(
        tr("There is no {0} recipe called {1!r}.", verb, name), hint=tr("Known recipes: {0}.", known), recipe=name
    )


def named(verb: str, entries: Sequence[Entry]) -> str:
    """The name of the recipe that uses exactly these models, not counting parsers and models that only refine edges;
    ``AUTO`` where there is none."""
    entries = [entry for entry in entries if set(entry.roles) != {"parser"} and not entry.needs_trimap]
    names = {name for entry in entries for name in (entry.id, entry.family)}
    for preset in PRESETS:
        groups = list(filter(None, preset.roles.values()))
        fits = preset.verb == verb and not preset.own_masks and len(groups) == len(entries)
        if groups and fits and all(map(names.intersection, groups)):
            return preset.name
    return AUTO


def available(installed: Mapping[str, Installed]) -> list[RecipeInfo]:
    """All recipes as the wire tells of them, with what is missing."""
    infos = []
    for preset in PRESETS:
        missing = preset.missing(installed)
        infos.append(
            RecipeInfo(
                name=preset.name,
                title=preset.title,
                verb=preset.verb,
                models=[preset.models(role)[0] for role in preset.roles if preset.roles[role]],
                takes_text=preset.takes_text,
                takes_points=preset.takes_points,
                available=not missing,
                missing=", ".join(missing),
            )
        )
    return infos
