"""The one table of recipes: which roles a composition needs, and which models it prefers for them. Light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskwright.models import catalogue
from maskwright.models.catalogue.abilities import draws
from maskwright.models.catalogue.entries import Entry
from maskwright.models.install.scan import Installed, scan
from maskwright_protocol.errors import BadInput
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


_BIREFNET = ("birefnet", "birefnet-hr", "birefnet-lite", "birefnet-onnx", "birefnet-lite-onnx", "birefnet-512")
_SOFT_BIREFNET = ("birefnet-hr-matting", "birefnet-matting", "birefnet-lite-matting", *_BIREFNET)


def _cutout(
    name: str, title: str, *, matting: tuple[str, ...] = (), segmenter: tuple[str, ...] = (), refiner: bool = True
) -> Preset:
    """A recipe for cut-outs: of the main subject, or of what a prompt names or points at."""
    roles = {"matting": matting, "segmenter": segmenter, "detector": ()} | ({"refiner": ()} if refiner else {})
    optional = ("detector", "refiner") if segmenter else ("segmenter", "detector", "refiner")
    return Preset(name, title, "cutout", roles, optional, takes_text=True, takes_points=True)


# What a recipe's name says -> the family, and its name for people. The better come first.
_DETECTORS = {
    "grounding-dino": ("grounding_dino", "Grounding DINO"),
    "florence2": ("florence2", "Florence-2"),
    "yolo": ("yolo", "YOLO"),
    "rt-detr": ("rt_detr", "RT-DETR"),
    "yolox": ("yolox", "YOLOX"),
}
_SEGMENTERS = {
    "sam3": (("sam3",), "SAM 3"),
    "sam2": (("sam2",), "SAM 2"),
    "sam-hq": (("sam_hq",), "HQ-SAM"),
    "sam": (("sam",), "SAM"),
    "mobile-sam": (("mobile_sam", "mobile_sam_torch"), "MobileSAM"),
    "grabcut": (("grabcut",), "the basic engine"),
}
# Detectors whose own masks will do -> the family, its name for people, and what to ask it for so that there are masks.
_DRAWING = {
    "rf-detr": ("rt_detr", "RF-DETR Seg", {}),
    "yolo": ("yolo", "YOLO", {}),
    "florence2": ("florence2", "Florence-2", {"task": "referring"}),
}
_BY_TEXT_ITSELF = "sam3"  # finds what words name without a detector


def _selecting() -> Iterator[Preset]:
    """Each detector with each segmenter, each segmenter alone, and the detectors that draw alone."""
    for name, (families, title) in _SEGMENTERS.items():
        texts = name == _BY_TEXT_ITSELF
        what = "Words, clicks and boxes" if texts else "Click or box"
        yield Preset(name, f"{what}, {title}", "select", {"segmenter": families}, takes_text=texts, takes_points=True)
    for detector, (finds, found_by) in _DETECTORS.items():
        for segmenter, (families, title) in _SEGMENTERS.items():
            roles = {"detector": (finds,), "segmenter": families}
            name, what = f"{detector}+{segmenter}", f"Things by name, {found_by} and {title}"
            yield Preset(name, what, "select", roles, takes_text=True, takes_points=True)
    for name, (family, title, options) in _DRAWING.items():
        what, roles = f"Things by name, {title} and its own masks", {"detector": (family,)}
        yield Preset(name, what, "select", roles, takes_text=True, own_masks=True, options=options)


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
    *_selecting(),
    Preset("parts", "Parts of people by name", "select", {"parser": ()}, takes_text=True),
    Preset(AUTO, "Best of what is installed", "detect", {"detector": ()}, takes_text=True),
    *(
        Preset(name, f"Things by name, {title}", "detect", {"detector": (family,)}, takes_text=True)
        for name, (family, title) in _DETECTORS.items()
    ),
    _cutout(AUTO, "Best of what is installed"),
    _cutout("segmenter+matting", "Named or clicked things, with the matting model's edges"),
    _cutout(
        "sam3+birefnet", "Named or clicked things, SAM 3 and BiRefNet", matting=_SOFT_BIREFNET, segmenter=("sam3",)
    ),
    _cutout("birefnet", "Main subject, BiRefNet", matting=_BIREFNET),
    _cutout("birefnet-matting", "Main subject with hair and glass, BiRefNet matting", matting=_SOFT_BIREFNET),
    _cutout("rmbg-2.0", "Main subject, RMBG-2.0 (not for commercial use)", matting=("rmbg-2.0",)),
    _cutout("toonout", "Main character of a drawing, ToonOut", matting=("toonout",)),
    _cutout("u2netp", "Main subject, U²-Netp", matting=("u2netp",)),
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


def named(verb: str, entries: Sequence[Entry]) -> str:
    """The recipe that these models are; ``AUTO`` when it is none of the table. Which one sees to edges alone, or to
    parts, tells nothing."""
    entries = [entry for entry in entries if set(entry.roles) != {"parser"} and not entry.needs_trimap]
    for preset in PRESETS:
        groups = [group for group in preset.roles.values() if group]
        playing = [[e for e in entries if e.id in group or e.family in group] for group in groups]
        if preset.verb == verb and not preset.own_masks and groups and len(groups) == len(entries) and all(playing):
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


def recipe_infos(folders: Sequence[Path]) -> list[RecipeInfo]:
    """``available`` for what lies in these model folders and what is embedded."""
    return available(scan(folders))
