"""The one table of recipes: which roles a composition needs, and which models it prefers for them. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskwright.models import catalogue
from maskwright.models.installed import Installed, scan
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import RecipeInfo

AUTO = "auto"
VERBS = ("select", "detect", "cutout", "refine", "parse")


@dataclass(frozen=True)
class Preset:
    """``roles``: role -> model ids, best first; none named means whatever is installed, in the catalogue's order.

    ``optional`` roles are used when the request asks for them (a detector for text) and may be missing otherwise.
    """

    name: str
    title: str
    verb: str
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    takes_text: bool = False
    takes_points: bool = False

    def models(self, role: str) -> tuple[str, ...]:
        if self.roles.get(role):
            return self.roles[role]
        # A refiner is a matter that works from a trimap.
        entries = catalogue.load().with_role("matter" if role == "refiner" else role)  # type: ignore[arg-type]
        return tuple(entry.id for entry in entries if entry.needs_trimap == (role == "refiner"))

    def missing(self, installed: Mapping[str, Installed]) -> list[str]:
        """For each needed role without a sound installed model, the model to install."""
        needed = [role for role in self.roles if role not in self.optional]
        return [
            self.models(role)[0]
            for role in needed
            if not any(i in installed and not installed[i].problem for i in self.models(role))
        ]


def _cutout(
    name: str, title: str, *, matter: tuple[str, ...] = (), segmenter: tuple[str, ...] = (), refiner: bool = True
) -> Preset:
    """A recipe for cut-outs: of the main subject, or of what a prompt names or points at."""
    roles = {"matter": matter, "segmenter": segmenter, "detector": ()} | ({"refiner": ()} if refiner else {})
    optional = ("detector", "refiner") if segmenter else ("segmenter", "detector", "refiner")
    return Preset(name, title, "cutout", roles, optional, takes_text=True, takes_points=True)


PRESETS: tuple[Preset, ...] = (
    Preset(
        AUTO,
        "Best of what is installed",
        "select",
        {"segmenter": (), "detector": ()},
        optional=("detector",),
        takes_text=True,
        takes_points=True,
    ),
    Preset("mobile-sam", "Click or box, MobileSAM", "select", {"segmenter": ("mobile-sam",)}, takes_points=True),
    Preset(
        "yolox+mobile-sam",
        "Everyday things by name, YOLOX and MobileSAM",
        "select",
        {"detector": ("yolox-nano",), "segmenter": ("mobile-sam",)},
        takes_text=True,
        takes_points=True,
    ),
    Preset(
        "yolox+grabcut",
        "Everyday things by name, YOLOX and the basic engine",
        "select",
        {"detector": ("yolox-nano",), "segmenter": ("grabcut",)},
        takes_text=True,
        takes_points=True,
    ),
    Preset("grabcut", "Click or box, basic engine", "select", {"segmenter": ("grabcut",)}, takes_points=True),
    Preset(AUTO, "Best of what is installed", "detect", {"detector": ()}, takes_text=True),
    Preset("yolox", "Everyday things by name, YOLOX", "detect", {"detector": ("yolox-nano",)}, takes_text=True),
    _cutout(AUTO, "Best of what is installed"),
    _cutout("segmenter+matter", "Named or clicked things, with the matter's edges"),
    _cutout("u2netp", "Main subject, U²-Netp", matter=("u2netp",)),
    Preset(AUTO, "Best of what is installed", "refine", {"refiner": ()}, optional=("refiner",)),
    Preset("trimap", "Edges by matting in a band", "refine", {"refiner": ()}),
    Preset("guided", "Edges that follow the colours, guided filter", "refine"),
    Preset(
        AUTO,
        "Parts of people",
        "parse",
        {"parser": (), "detector": (), "refiner": ()},
        optional=("detector", "refiner"),
        takes_text=True,
    ),
    Preset("inpaint", "Grown and feathered, ready for inpainting", "refine"),
)


def find(verb: str, name: str) -> Preset:
    """The preset of that verb and name. Raises ``BadInput`` and names the known ones."""
    for preset in PRESETS:
        if preset.verb == verb and preset.name == (name or AUTO):
            return preset
    known = ", ".join(p.name for p in PRESETS if p.verb == verb)
    raise BadInput(f"There is no {verb} recipe called {name!r}.", hint=f"Known recipes: {known}.", recipe=name)


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


def recipe_infos(folders: Sequence[Path]) -> list[RecipeInfo]:
    """``available`` for what lies in these model folders and what is embedded."""
    return available(scan(folders))
