"""What a step of a recipe may say: for each verb its options, named as the command line's flags are, and the places in
the job where they belong."""

import math
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Type

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Cutout, Detect, Everything, Flats, Job, Parse, Refine, Select, Similar

from .choices import LOOKS_CLOSELY, USES_TILES

SELECTION = "selection"  # as a mask: what was selected before the recipe began


@dataclass(frozen=True)
class Option:
    """One option. ``kind`` says what may be written: "text", "number", "count", "switch", "texts", "pick", "mask" (the
    name of an earlier step), "points", "boxes", "strokes",
    "settings" or "distance"."""

    name: str
    kind: str
    place: str = ""  # in the job, dotted; empty: the name's own field
    low: float = -math.inf
    high: float = math.inf
    choices: Tuple[str, ...] = ()
    flag: bool = True  # the command line has it too

    @property
    def field(self) -> str:
        return self.place or self.name.replace("-", "_")


@dataclass(frozen=True)
class Verb:
    """A kind of step. ``gives``: what its outputs can be, the usual one first; ``suffix``: of its usual file."""

    name: str
    message: Type[Job]
    suffix: str
    gives: Tuple[str, ...]
    options: Dict[str, Option]
    base: Dict[str, Any] = field(default_factory=dict)  # fields that are not the message's defaults

    def job(self) -> Job:
        """The job of a step without options."""
        return self.message("", **self.base)


def _choice(name: str, choices: Iterable[Any], place: str = "") -> Option:
    return Option(name, "text", place, choices=tuple(one[0] if isinstance(one, tuple) else one for one in choices))


def _model(name: str, role: str, flag: bool = True) -> Option:
    return Option(name, "text", f"models.{role}", flag=flag)


def _without_flag(*options: Option) -> Tuple[Option, ...]:
    return tuple(Option(one.name, one.kind, one.place, one.low, one.high, one.choices, False) for one in options)


_RECIPE = Option("recipe", "text")
_MIN_SCORE = Option("min-score", "number", low=0, high=1)
_PICK = Option("pick", "pick")
_DEPTH = Option("depth", "count", "mask_depth", choices=("8", "16"))
_TEXT, _NOT = Option("text", "text"), Option("not", "text", "exclude_text")
_POINTS = (Option("point", "points", "points+"), Option("exclude", "points", "points-"))
_BOX = Option("box", "boxes", "boxes")
_STROKES = (
    Option("scribble", "strokes", "strokes+"), Option("exclude-scribble", "strokes", "strokes-"),
    Option("lasso", "strokes", "loops+"), Option("exclude-lasso", "strokes", "loops-"),
)  # fmt: skip
_MASK, _REGION = Option("mask", "mask"), Option("region", "mask")
_TILES = _choice("tiles", USES_TILES)
_DETECTOR, _SEGMENTER = _model("detector", "detector"), _model("segmenter", "segmenter")
_SETTINGS = Option("option", "settings", "detector_options")
_THRESHOLD = Option("threshold", "number", "post.threshold", 0, 1)
_FILL = Option("fill-holes", "switch", "post.fill_holes")
_MIN_AREA = Option("min-area", "number", "post.min_area", 0)
_SMOOTH = Option("smooth", "number", "post.smooth", 0)
_GROW = Option("grow", "number", "post.grow")
_FEATHER = Option("feather", "number", "post.feather", 0)
_INVERT = Option("invert", "switch", "post.invert")
_GAP = Option("gap", "number", low=0, high=200)
_ROUND_MASK = Option("smooth-mask", "number", "post.smooth", 0, flag=False)  # --smooth is the edge's where there is one
_EDGE = (
    Option("edge-width", "number", low=0),
    Option("hair", "switch"),
    Option("smooth", "number", low=0),
    Option("contrast", "number", low=0, high=1),
    Option("shift-edge", "number", low=-1, high=1),
)


def _verb(
    name: str, message: Type[Job], suffix: str, gives: Sequence[str], options: Sequence[Option], **base: Any
) -> Verb:  # fmt: skip
    return Verb(name, message, suffix, tuple(gives), {one.name: one for one in options}, base)


_MASKS = ("mask", "cutout", "instances")
VERBS: Dict[str, Verb] = {
    verb.name: verb
    for verb in (
        _verb(
            "select", Select, "mask", _MASKS,
            (
                _TEXT, _NOT, *_POINTS, _BOX, *_STROKES, Option("like", "boxes", "examples+"),
                Option("unlike", "boxes", "examples-"), Option("mask", "mask", "start"), _REGION,
                Option("nearer", "distance"), Option("as-far", "distance"), Option("farther", "distance"),
                Option("range", "distance"), Option("softness", "number", "distance.softness", 0, 100), _GAP, _RECIPE,
                _PICK, _MIN_SCORE, _choice("precise", LOOKS_CLOSELY), _TILES, _DETECTOR, _SEGMENTER, _SETTINGS,
                _THRESHOLD, _GROW, _FEATHER, _SMOOTH, _FILL, _MIN_AREA, _INVERT, _DEPTH,
                _model("parser", "parser", False), _model("distance-model", "depth", False),
            ),
            merge=True,
        ),
        _verb(
            "cutout", Cutout, "cutout", ("cutout", "mask"),
            (
                _TEXT, _NOT, *_POINTS, _BOX, *_STROKES, _MASK, _PICK, Option("subject", "points", "subject_at"),
                _MIN_SCORE,
                _choice("edges", ("auto", "matte", "refined")), *_EDGE, Option("transparency", "switch"),
                _choice("paint-out", ("green", "mean", "blur")), _GROW, _FEATHER, _FILL, _MIN_AREA,
                _choice("colours", ("auto", "own", "fast", "best")), Option("outline", "number", low=0),
                Option("outline-colour", "colour"), Option("shadow", "switch"), Option("background", "colour"),
                Option("crop", "switch"), _RECIPE, _model("model", "matting"), _DEPTH,
                *_without_flag(_THRESHOLD, _INVERT, _DETECTOR, _SEGMENTER), _ROUND_MASK,
                _model("refiner", "refiner", False),
            ),
        ),
        _verb(
            "refine", Refine, "refined", ("mask", "cutout"),
            (
                _MASK, *_EDGE, _GROW, _FEATHER, _INVERT, _choice("recipe", ("auto", "trimap", "guided", "inpaint")),
                Option("context", "number", low=0), _model("model", "matting"), _DEPTH,
                *_without_flag(_THRESHOLD, _FILL, _MIN_AREA), _ROUND_MASK, _model("refiner", "refiner", False),
            ),
        ),
        _verb(
            "parse", Parse, "parts", _MASKS,
            (
                Option("part", "texts", "parts"), _model("model", "parser"), Option("per-person", "switch"),
                Option("person", "count", low=0), Option("whole", "switch", "!find_people"), Option("refine", "switch"),
                _GROW, _FEATHER, _SMOOTH, _MIN_AREA, _DEPTH,
                *_without_flag(_REGION, _MIN_SCORE, _THRESHOLD, _FILL, _INVERT, _RECIPE),
                _model("refiner", "refiner", False),
            ),
            merge=True,
        ),
        _verb(
            "similar", Similar, "similar", _MASKS,
            (
                _MASK, _PICK, _MIN_SCORE, _RECIPE, _DEPTH,
                *_without_flag(_SEGMENTER, _THRESHOLD, _FILL, _MIN_AREA, _SMOOTH, _GROW, _FEATHER, _INVERT),
            ),
            merge=True,
        ),
        _verb("detect", Detect, "boxes", ("boxes",), (_TEXT, _RECIPE, _MIN_SCORE, _TILES, _DETECTOR, _SETTINGS)),
        _verb(
            "everything", Everything, "objects", ("map",),
            (
                Option("points", "count", "points_per_side", 0), Option("layers", "count", low=0, high=2), _MIN_SCORE,
                Option("min-area", "number", low=0), _GAP, _RECIPE, *_without_flag(_SEGMENTER),
            ),
        ),
        _verb(
            "flats", Flats, "flats", ("flats",), (_GAP, Option("min-area", "number", low=0)), recipe="line-art",
        ),
    )
}  # fmt: skip


# ---------------------------------------------------------------- what may be written


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the known word that is most alike, or all of them."""
    known = sorted(known)
    near = get_close_matches(word, known, 1, 0.6)
    return tr('Did you mean "{0}"?', near[0]) if near else tr("There is: {0}.", ", ".join(known))


def option_of(verb: Verb, name: str) -> Option:
    """Hyphens and underscores are the same. Raises ``BadInput`` for what the verb does not have."""
    name = name.replace("_", "-")
    option = verb.options.get(name)
    if option is None:
        others = [other.name for other in VERBS.values() if name in other.options]
        near = get_close_matches(name, verb.options, 1, 0.6)
        hint = did_you_mean(name, verb.options)
        if others and not near:
            hint = tr('"{0}" is an option of {1}.', name, ", ".join(others))
        raise BadInput(tr('"{0}" has no option "{1}".', verb.name, name), hint)
    return option


def checked(option: Option, value: Any) -> Any:
    """The value as the option keeps it. Raises ``BadInput``."""
    return _CHECKS[option.kind](option, value)


def _refuse(option: Option, value: Any, wanted: str, hint: str = "") -> BadInput:
    return BadInput(
        tr('"{0}" cannot be {1}: it is {2}.', option.name, _shown(value), wanted), hint or tr("Write it so.")
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(option: Option, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(option, value, tr("a text"), tr('Write {0} = "...".', option.name))
    if option.choices and value not in option.choices:
        raise _refuse(option, value, tr("one of {0}", ", ".join(option.choices)), did_you_mean(value, option.choices))
    return value.strip()


def _number(option: Option, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _refuse(option, value, tr("a number"), tr("Write {0} = 1.5.", option.name))
    if not option.low <= value <= option.high:
        raise _refuse(option, value, _range(option))
    return float(value)


def _range(option: Option) -> str:
    if math.isinf(option.high):
        return tr("a number from {0:g} on", option.low)
    return tr("a number from {0:g} to {1:g}", option.low, option.high)


def _count(option: Option, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(option, value, tr("a whole number"), tr("Write {0} = 1.", option.name))
    if option.choices and str(value) not in option.choices:
        raise _refuse(option, value, tr("one of {0}", ", ".join(option.choices)))
    if not option.low <= value <= option.high:
        raise _refuse(option, value, _range(option))
    return value


def _switch(option: Option, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(option, value, tr("true or false"))
    return value


def _texts(option: Option, value: Any) -> List[str]:
    """One text, or several."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) and one.strip() for one in found):
        raise _refuse(option, value, tr("a text, or a list of texts"), tr('Write {0} = ["...", "..."].', option.name))
    return [one.strip() for one in found]


def _pick(option: Option, value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not (text in ("all", "best") or (text.isdigit() and int(text) > 0)):
        raise _refuse(option, value, tr('"all", "best" or a number that counts from 1'))
    return text


def _mask(option: Option, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _refuse(
            option, value, tr("the name of an earlier step"), tr('Or "{0}": what is selected already.', SELECTION)
        )
    return value


def _settings(option: Option, value: Any) -> List[str]:
    """``["iou=0.5"]``, or a table."""
    if isinstance(value, dict):
        value = [f"{name}={one}" for name, one in value.items()]
    found = _texts(option, value)
    if not all("=" in one for one in found):
        raise _refuse(option, value, tr("a list of settings"), tr('Write option = ["iou=0.5"].'))
    return found


def _colour(option: Option, value: Any) -> str:
    digits = value[1:] if isinstance(value, str) and value[:1] == "#" else ""
    if len(digits) != 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise _refuse(option, value, tr('a colour, "#rrggbb"'))
    return str(value)


def _distance(option: Option, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(
            option, value, tr("a range") if option.name == "range" else tr("a place"), tr("Write it as a text.")
        )
    return value


_CHECKS: Dict[str, Callable[[Option, Any], Any]] = {
    "text": _text, "number": _number, "count": _count, "switch": _switch, "texts": _texts, "pick": _pick,
    "mask": _mask, "points": _texts, "boxes": _texts, "strokes": _texts, "settings": _settings, "colour": _colour,
    "distance": _distance,
}  # fmt: skip


def check_all(verb: Verb, options: Dict[str, Any]) -> Optional[str]:
    """Of options that exclude each other, a sentence."""
    far = [name for name in options if verb.options[name].kind == "distance"]
    if len(far) > 1:
        return tr("Only one distance can be selected at a time: not {0} and {1}.", far[0], far[1])
    return None
