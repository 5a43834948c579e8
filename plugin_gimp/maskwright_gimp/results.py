"""From the server's answer to a change of the image."""

from typing import Any, List, Mapping, NamedTuple

from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import CutoutResult, Instance, Mask, Report, Selection

from . import making, reading
from .options import cut

_LINES = 40  # that a message shows


class Found(NamedTuple):
    """What an answer holds: masks that together are the result, and the objects one by one."""

    union: List[Mask]
    objects: List[Instance]


def found(answer: Any) -> Found:
    """Nothing found gives no masks."""
    if isinstance(answer, CutoutResult):
        return Found([answer.alpha] if answer.alpha is not None and not answer.reason else [], [])
    assert isinstance(answer, Selection)
    objects = [instance for instance in answer.instances if instance.mask is not None]
    if answer.merged is not None and not answer.reason:
        return Found([answer.merged], objects)
    return Found([instance.mask for instance in objects if instance.mask is not None], objects)


def nothing_found(answer: Any) -> str:
    """The sentence for the user when there is nothing to select."""
    message = getattr(answer, "message", "") or "Nothing was found."
    hint = getattr(answer, "hint", "")
    return f"{message} {hint}".strip()


def told(answer: Selection) -> str:
    """What was found and where, a line each."""
    return "\n".join(
        f"{number}. {one.text or one.label} ({one.score:.0%}): "
        f"{one.box.width:.0f} x {one.box.height:.0f} at {one.box.x:.0f}, {one.box.y:.0f}"
        for number, one in enumerate(answer.instances[:_LINES], 1)
    )


def check(subject: reading.Subject, options: Mapping[str, Any]) -> None:
    """Refuse before the server is asked what could not be done with its answer."""
    if options.get("result") == "layer-mask":
        making.check_mask_target(subject)
    if not subject.image.is_valid():
        raise BadInput("The image was closed.", "")


def apply(subject: reading.Subject, answer: Any, options: Mapping[str, Any], name: str) -> int:
    """Change the image in one undo step; the number of objects. ``name`` is for new channels and layers.

    The user may have worked on while the server did: layer and image are looked at again.
    """
    union, objects = found(answer)
    if not union:
        return 0
    image = subject.image
    if not image.is_valid():
        raise BadInput("The image was closed meanwhile.", "Nothing was changed.")
    if subject.layer is not None and not subject.layer.is_valid():
        raise BadInput("The layer was removed meanwhile.", "Nothing was changed.")
    kind, mode = options.get("result", "selection"), options.get("mode", "replace")
    hide = bool(options.get("hide-original", False))
    colours = getattr(answer, "foreground", None)
    context = getattr(answer, "context", None)
    if kind == "selection" and context is not None:
        making.apply_inpainting(image, union, context, "Inpainting context")
    elif kind == "selection":
        making.apply_selection(image, union, mode)
    elif kind == "channel":
        making.apply_channel(image, union, name)
    elif kind == "layer-mask":
        making.apply_layer_mask(subject, union, mode)
    elif kind == "layers" and objects:
        parts = [[instance.mask] for instance in objects if instance.mask is not None]
        making.apply_layers(subject, parts, [instance.label or name for instance in objects], hide)
    elif colours is not None and (colours.format == "RGBA8" or cut(options).painted):
        making.apply_cutout(subject, colours, name, hide)
    else:
        making.apply_layers(subject, [union], [name], hide, colours)
    return max(1, len(objects))


def how(report: Report) -> str:
    """Which models answered, on what device, and what there is to know about it."""
    models = " + ".join(report.models)
    plain = report.recipe in ("", "auto", "+".join(report.models))
    return " ".join([models if plain else f"{models} ({report.recipe})", f"on {report.device}.", *report.notes])
