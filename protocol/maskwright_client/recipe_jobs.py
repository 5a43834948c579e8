"""A step of a recipe -> the job that it means, and back: what was asked for by hand becomes a step.

Places in a picture may be written in per cent of it (``"40%,55.5%"``), so that they fit pictures of any size.
"""

import re
import shlex
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Distance, Job, Mask, PixelRect, Select

from . import coordinates
from .recipe_options import SELECTION, VERBS, Option, Verb

Masks = Mapping[str, Optional[Mask]]  # by the names of earlier steps, and ``SELECTION``
PLACED = ("points", "boxes", "strokes")  # kinds of options that say where
_THAN = {"nearer": "nearer", "as-far": "same", "farther": "farther"}
_PERCENT = re.compile(r"(-?[\d.]+)\s*%")


# ---------------------------------------------------------------- step -> job


def job(verb: Verb, options: Mapping[str, Any], masks: Masks, box: PixelRect) -> Job:
    """The job of a step on a picture whose extent is ``box``.

    Raises ``BadInput`` for places that cannot be read, ``EmptyPrompt`` for a selection that is not there.
    """
    made = verb.job()
    for name, option in verb.options.items():  # in one order, whatever the file's
        if name in options:
            _SETTERS.get(option.kind, _set)(made, option, _at(options[name], box, option), masks)
    return made


def _set(made: Job, option: Option, value: Any, masks: Masks) -> None:
    """Put a plain value into its field, which may lie in a part or in a table of the job."""
    place = option.field
    if place == "distance.softness":
        made.distance = replace(made.distance or Distance(), softness=value / 100)  # type: ignore[attr-defined]
        return
    if place.startswith("!"):
        place, value = place[1:], not value
    outer, dot, inner = place.partition(".")
    if not dot:
        setattr(made, outer, value)
        return
    part = getattr(made, outer)
    if isinstance(part, dict):
        part[inner] = value
    else:
        setattr(part, inner, value)


def _set_mask(made: Job, option: Option, value: str, masks: Masks) -> None:
    mask = masks.get(value)
    if mask is None:
        what = tr("Nothing is selected.") if value == SELECTION else tr('There is no mask of the step "{0}".', value)
        raise EmptyPrompt(what, tr("Select something first, or give a mask."))
    setattr(made, option.field, mask)


def _set_points(made: Job, option: Option, value: List[str], masks: Masks) -> None:
    found = coordinates.points(" ".join(value))
    if option.field == "subject_at":
        if len(found) != 1:
            raise BadInput(tr("The subject is at one place."), tr('Write it as "120,80".'))
        made.subject_at = found[0]  # type: ignore[attr-defined]
        return
    include = option.field == "points+"
    made.points += [replace(point, include=include) for point in found]  # type: ignore[attr-defined]


def _set_strokes(made: Job, option: Option, value: List[str], masks: Masks) -> None:
    include, closed = option.field.endswith("+"), option.field.startswith("loops")
    drawn = [coordinates.stroke(one, include, closed) for one in value]
    made.strokes += drawn  # type: ignore[attr-defined]


def _set_boxes(made: Job, option: Option, value: List[str], masks: Masks) -> None:
    text = " ".join(value)
    if option.field == "boxes":
        made.boxes = coordinates.boxes(text)  # type: ignore[attr-defined]
        return
    wanted = (text, "") if option.field == "examples+" else ("", text)
    made.examples += coordinates.examples(*wanted)  # type: ignore[attr-defined]


def _set_settings(made: Job, option: Option, value: List[str], masks: Masks) -> None:
    from .detector_options import read

    found = read("; ".join(value))
    made.detector_options = found["detector_options"]  # type: ignore[attr-defined]
    if found["min_score"] is not None:
        made.min_score = found["min_score"]  # type: ignore[attr-defined]


def _set_distance(made: Job, option: Option, value: str, masks: Masks) -> None:
    old = made.distance or Distance()  # type: ignore[attr-defined]
    if option.name == "range":
        near, far = coordinates.span(value)
        new = replace(old, near=near / 100, far=far / 100)
    else:
        places = coordinates.points(value)
        if len(places) != 1:
            raise BadInput(tr("A distance goes by one place."), tr('Write it as "120,80".'))
        new = replace(old, at=places[0], than=_THAN[option.name])
    made.distance = new  # type: ignore[attr-defined]


_SETTERS: Dict[str, Callable[[Job, Option, Any, Masks], None]] = {
    "mask": _set_mask, "points": _set_points, "boxes": _set_boxes, "strokes": _set_strokes,
    "settings": _set_settings, "distance": _set_distance,
}  # fmt: skip


def _at(value: Any, box: PixelRect, option: Option) -> Any:
    """Places in per cent as pixels of this picture."""
    if option.kind not in PLACED and not (option.kind == "distance" and option.name != "range"):
        return value
    if isinstance(value, str):
        return _pixels(value, box)
    return [_pixels(one, box) for one in value]


def _pixels(text: str, box: PixelRect) -> str:
    if "%" not in text:
        return text
    origin, size = (box.x, box.y, 0, 0), (box.width, box.height, box.width, box.height)
    groups = []
    for group in re.sub(r"\s*,\s*", ",", text).replace(";", " ").split():
        numbers = group.split(",")
        for place, number in enumerate(numbers[:4]):
            match = _PERCENT.fullmatch(number)
            if match:
                try:
                    numbers[place] = repr(origin[place] + float(match.group(1)) / 100 * size[place])
                except ValueError:
                    raise BadInput(tr("{0!r} is not a place.", group), tr('Write it as "40%,55.5%".')) from None
        groups.append(",".join(numbers))
    return " ".join(groups)


# ---------------------------------------------------------------- job -> step


class Kept(NamedTuple):
    """What of a job can be done again on other pictures. ``notes`` tell what the user should know of it."""

    verb: str
    options: Dict[str, Any]
    notes: List[str]


PLACES_KEPT = tr(
    "The clicks and boxes are kept in per cent of the picture: they fit only pictures of the same framing."
)
EVERYBODY = tr("The recipe takes the parts of everybody; person = 2 in its file would take those of the second one.")
BRUSH_LEFT_OUT = tr("What the edge brush painted fits this picture alone, and is left out.")
NOT_REPEATABLE = tr("An object that was pointed at in the map of objects cannot be found again in other pictures.")


def from_job(asked: Job, box: PixelRect) -> Kept:
    """The step that asks the same of a picture of another size. Masks become ``SELECTION``.

    Raises ``BadInput`` for what cannot be repeated.
    """
    verb = _verb_of(asked)
    unasked, options = verb.job(), {}
    for option in verb.options.values():
        value = _GETTERS.get(option.kind, _get)(asked, option, box)
        if value not in (None, [], "") and value != _GETTERS.get(option.kind, _get)(unasked, option, box):
            options[option.name] = value
    if isinstance(asked, Select) and asked.start is not None and asked.boxes == [coordinates.rect_of(asked.start)]:
        options.pop("box", None)  # it only said where the selection is
    placed = any(verb.options[name].kind in PLACED for name in options)
    if getattr(asked, "continue_from", "") and not placed:
        raise BadInput(NOT_REPEATABLE, tr("Select it by words or by clicks, then save that."))
    notes: List[str] = [EVERYBODY] if getattr(asked, "per_person", False) else []
    if getattr(asked, "edge_strokes", None):
        notes.append(BRUSH_LEFT_OUT)
    return Kept(verb.name, options, [PLACES_KEPT, *notes] if placed else notes)


def _verb_of(asked: Job) -> Verb:
    for verb in VERBS.values():
        if type(asked) is verb.message:
            return verb
    raise BadInput(tr("That cannot be repeated on other pictures."), tr("Select or cut something out first."))


def _get(asked: Job, option: Option, box: PixelRect) -> Any:
    place = option.field
    if place == "distance.softness":
        return None if asked.distance is None else round(asked.distance.softness * 100, 4)  # type: ignore[attr-defined]
    negated = place.startswith("!")
    outer, dot, inner = place.lstrip("!").partition(".")
    part = getattr(asked, outer)
    if dot:
        part = part.get(inner) if isinstance(part, dict) else getattr(part, inner)
    if option.kind == "number" and part is not None:
        return round(float(part), 6)
    return not part if negated else part


def _get_mask(asked: Job, option: Option, box: PixelRect) -> Optional[str]:
    return SELECTION if getattr(asked, option.field) is not None else None


def _share(value: float, start: float, length: float) -> str:
    return f"{round((value - start) / max(1, length) * 100, 2):g}%"


def _place(x: float, y: float, box: PixelRect) -> str:
    return f"{_share(x, box.x, box.width)},{_share(y, box.y, box.height)}"


def _get_points(asked: Job, option: Option, box: PixelRect) -> List[str]:
    if option.field == "subject_at":
        at = asked.subject_at  # type: ignore[attr-defined]
        return [] if at is None else [_place(at.x, at.y, box)]
    include = option.field == "points+"
    return [_place(one.x, one.y, box) for one in asked.points if one.include == include]  # type: ignore[attr-defined]


def _get_strokes(asked: Job, option: Option, box: PixelRect) -> List[str]:
    include, closed = option.field.endswith("+"), option.field.startswith("loops")
    drawn = asked.strokes  # type: ignore[attr-defined]
    paths = [one.path for one in drawn if (one.include, one.closed) == (include, closed)]
    return [" ".join(_place(x, y, box) for x, y in zip(path[0::2], path[1::2])) for path in paths]


def _get_boxes(asked: Job, option: Option, box: PixelRect) -> List[str]:
    if option.field == "boxes":
        found = asked.boxes  # type: ignore[attr-defined]
    else:
        found = [one for one in asked.examples if one.include == (option.field == "examples+")]  # type: ignore[attr-defined]
    return [
        f"{_place(one.x, one.y, box)},{_share(one.width, 0, box.width)},{_share(one.height, 0, box.height)}"
        for one in found
    ]


def _get_settings(asked: Job, option: Option, box: PixelRect) -> List[str]:
    return [f"{name}={value}" for name, value in asked.detector_options.items()]  # type: ignore[attr-defined]


def _get_distance(asked: Job, option: Option, box: PixelRect) -> Optional[str]:
    distance = asked.distance  # type: ignore[attr-defined]
    if distance is None:
        return None
    if option.name == "range":
        return None if distance.at is not None else f"{distance.near * 100:g},{distance.far * 100:g}"
    if distance.at is None or _THAN[option.name] != distance.than:
        return None
    return _place(distance.at.x, distance.at.y, box)


_GETTERS: Dict[str, Callable[[Job, Option, PixelRect], Any]] = {
    "mask": _get_mask, "points": _get_points, "boxes": _get_boxes, "strokes": _get_strokes,
    "settings": _get_settings, "distance": _get_distance,
}  # fmt: skip


# ---------------------------------------------------------------- step -> command


def command(verb: Verb, options: Mapping[str, Any], picture: str = "PICTURE") -> Tuple[str, List[str]]:
    """The command that does a step, for a POSIX shell; and notes on options that the command line has no flag for.

    Masks of ``SELECTION`` are named ``MASK.png``.
    """
    words, missing = ["maskwright", verb.name, picture], []
    for name, value in options.items():
        option = verb.options[name]
        if not option.flag:
            missing.append(name)
            continue
        words += _flags(option, value)
    notes: List[str] = (
        [tr("The command has no flag for: {0}. A recipe keeps it.", ", ".join(missing))] if missing else []
    )
    return " ".join(shlex.quote(word) for word in words), notes


def _flags(option: Option, value: Any) -> Sequence[str]:
    flag = f"--{option.name}"
    if isinstance(value, bool):
        return [flag] if value else []
    if isinstance(value, list):
        return [word for one in value for word in (flag, one)]
    if option.kind == "mask":
        value = "MASK.png" if value == SELECTION else f"{value}.png"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]
