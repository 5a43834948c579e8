"""The settings that detectors take: the usual ones, and the check of what a request asks for. Light.

Each family lists its own (``Family.options``). A request brings them in ``detector_options``; ``models.report`` lists
them for user interfaces. Scores have no option: they are the request's ``min_score``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import Sentence, tr
from maskwright_protocol.messages import OptionInfo

MAX_TEXT = 200
_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

CLASSES = OptionInfo("classes", "text", tr("Classes by number or name with commas between, besides the text's."), "")
MAX_DET = OptionInfo("max_det", "integer", tr("At most so many things are found."), 300, 1, 1000)
AGNOSTIC = OptionInfo(
    "agnostic", "switch", tr("One thing in each place: boxes of different classes compete too."), False
)


def iou(default: float | None) -> OptionInfo:
    """The overlap (intersection over union) from which the worse of two boxes is dropped; None where none is."""
    return OptionInfo(
        "iou", "number", tr("How far boxes of one class may overlap before the worse is dropped."), default, 0.0, 1.0
    )


def checked(options: Sequence[OptionInfo], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of all ``options`` by name, defaults where nothing is given.

    Text that spells a number or a switch is understood. Raises ``BadInput`` for an unknown name, a value of another
    kind or one out of range.
    """
    table = {option.name: option for option in options}
    values = {name: option.default for name, option in table.items()}
    for name, value in (given or {}).items():
        if name not in table:
            known = tr("It takes: {0}.", ", ".join(table)) if table else tr("It takes none.")
            raise BadInput(
                tr("The detector has no option called {0!r}.", str(name)[:40]), hint=known, option=str(name)[:40]
            )
        values[name] = _value(table[name], value)
    return values


def described(option: OptionInfo) -> str:
    """The option's sentence, what it may be and its default, for people."""
    allowed = ", ".join(option.choices)
    if option.low is not None and option.high is not None:
        allowed = f"{option.low:g} to {option.high:g}"
    default = "" if option.default in (None, "") else f", {str(option.default).lower()} by default"
    return f"{option.title} ({allowed or option.kind}{default})"


def _value(option: OptionInfo, value: Any) -> Any:
    if option.kind in ("text", "choice"):
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise _wrong(option, tr("The value of the option {0} is not a text of reasonable length."))
        if option.kind == "choice" and value not in option.choices:
            raise _wrong(option, tr("The value of the option {0} is none of {1}."), ", ".join(option.choices))
        return value.strip()
    if option.kind == "switch":
        spelt = value.strip().lower() if isinstance(value, str) else ""
        if spelt in _ON or spelt in _OFF:
            return spelt in _ON
        if not isinstance(value, bool):
            raise _wrong(option, tr("The value of the option {0} is neither true nor false."))
        return value
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (option.kind == "integer" and number != int(number)):
        whole = tr("The value of the option {0} is not a whole number.")
        raise _wrong(option, whole if option.kind == "integer" else tr("The value of the option {0} is not a number."))
    low, high = option.low, option.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise _wrong(option, tr("The value of the option {0} lies outside {1:g} to {2:g}."), low, high)
    return int(number) if option.kind == "integer" else number


def _wrong(option: OptionInfo, why: Sentence, *values: Any) -> BadInput:
    return BadInput(why.with_values(option.name, *values), hint=option.title, option=option.name)
