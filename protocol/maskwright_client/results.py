"""What an answer holds, and how it is told."""

from typing import Any, Dict, List, NamedTuple, Sequence

from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import CutoutResult, Instance, Mask, ModelInfo, Report, Selection

from .offers import ROLE_NAMES

_LINES = 40  # that a message shows
DOUBTFUL = tr("Doubtful: probably less or more than what is meant. Look at it, or say it with one more click.")


class Found(NamedTuple):
    """Masks that together are the result, and the instances that have one; nothing found gives neither."""

    masks: List[Mask]
    instances: List[Instance]


def found(answer: Any) -> Found:
    """Of a ``selection`` or a ``cutout.result``, which has no instances."""
    if isinstance(answer, CutoutResult):
        return Found([answer.alpha] if answer.alpha is not None and not answer.reason else [], [])
    assert isinstance(answer, Selection)
    instances = [instance for instance in answer.instances if instance.mask is not None]
    if answer.merged is not None and not answer.reason:
        return Found([answer.merged], instances)
    return Found([instance.mask for instance in instances if instance.mask is not None], instances)


def rated(score: float, doubtful: bool) -> str:
    """How good a result is likely to be, for lists: ``83 %``, or ``41 % ?`` where ``DOUBTFUL`` tells more."""
    return f"{score * 100:.0f} %" + (" ?" if doubtful else "")


def nothing_found(answer: Any) -> str:
    """The sentence for the user when there is nothing to select."""
    message = getattr(answer, "message", "") or tr("Nothing was found.")
    return joined(message, getattr(answer, "hint", ""))


def places(answer: Selection) -> str:
    """What was found and where, a line each."""
    return "\n".join(
        tr(
            "{0}. {1} ({2}): {3:.0f} x {4:.0f} at {5:.0f}, {6:.0f}",
            number,
            one.text or one.label,
            rated(one.score, one.doubtful),
            one.box.width,
            one.box.height,
            one.box.x,
            one.box.y,
        )
        for number, one in enumerate(answer.instances[:_LINES], 1)
    )


def how(report: Report) -> str:
    """The recipe that it came to, the models that ran, where, and what is worth knowing of it."""
    models = " + ".join(report.models)
    plain = report.recipe in ("", "auto", "+".join(report.models))
    named = models if plain else f"{report.recipe}: {models}" if models else report.recipe
    ran = tr("{0} on {1}.", named, report.device.upper())
    return joined(ran, *report.notes)


def by_whom(report: Report, models: Sequence[ModelInfo]) -> str:
    """Which models made it, what each of them did, and where. ``models``: those that the server has."""
    known = {model.id: model for model in models}
    named = []
    for name in report.models:
        model = known.get(name)
        roles = ", ".join(ROLE_NAMES.get(role, role) for role in model.roles) if model is not None else ""
        named.append(tr("{0} ({1})", model.title, roles) if model is not None and roles else name)
    if not named:
        return ""
    return tr("Made by {0}, on {1}.", " + ".join(named), report.device.upper())


def numbered(labels: Sequence[str], without: str) -> List[str]:
    """Names for layers: each label with its number among its equals. ``without`` names what has no label."""
    counts: Dict[str, int] = {}
    names = []
    for label in labels:
        label = label or without
        counts[label] = counts.get(label, 0) + 1
        names.append(f"{label} {counts[label]}")
    return names
