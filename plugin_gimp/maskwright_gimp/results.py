"""From the server's answer to a change of the image."""

import math
from typing import Any, List, Mapping, Tuple

from maskwright_client import told
from maskwright_client.results import found, numbered
from maskwright_protocol import masks
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Instance, Mask, PixelRect, Rect, Selection

from . import image_edits, image_source
from .options import cut


def check(target: image_source.Target, options: Mapping[str, Any]) -> None:
    """Refuse before the server is asked what could not be done with its answer."""
    if not target.image.is_valid():
        raise told.problem(told.CLOSED)
    if options.get("result") == "layer-mask":
        image_edits.check_mask_target(target)


def colours(target: image_source.Target, chosen: Mapping[str, Any]) -> str:
    """The format in which a cut-out's colours are to come; empty when they are not needed. Raises ``BadInput``."""
    painted = cut(chosen).painted
    if chosen["result"] != "layer" or not (painted or chosen["clean-colors"]):
        return ""
    if painted and not target.is_plain:
        raise BadInput(
            tr("Outlines, backgrounds and shadows can only be drawn in 8- and 16-bit images in sRGB."),
            tr("Leave them out, or convert the image first."),
        )
    return target.clean_colours()


def apply(target: image_source.Target, answer: Any, options: Mapping[str, Any], name: str) -> int:
    """Change the image in one undo step; the number of instances. ``name`` is for new channels and layers.

    The user may have worked on while the server did: layer and image are looked at again.
    """
    union, instances = found(answer)
    if not union:
        return 0
    image = target.image
    if not image.is_valid():
        raise told.problem(told.CLOSED)
    if target.layer is not None and not target.layer.is_valid():
        raise told.problem(told.LAYER_GONE)
    if options.get("invert"):
        union = image_edits.Shared(union)
    kind, mode = options.get("result", "selection"), options.get("mode", "replace")
    hide = bool(options.get("hide-original", False))
    colours = getattr(answer, "foreground", None)
    context = getattr(answer, "context", None)
    if kind == "selection" and context is not None:
        image_edits.apply_inpainting(image, union, context, tr("Inpainting context"))
    elif kind == "selection":
        image_edits.apply_selection(image, union, mode)
    elif kind == "channel":
        image_edits.apply_channel(image, union, name)
    elif kind == "path":
        image_edits.apply_path(image, union, name)
    elif kind == "layer-mask":
        image_edits.apply_layer_mask(target, union, mode)
    elif kind == "layers" and instances:
        masks = [[instance.mask] for instance in instances if instance.mask is not None]
        names = numbered([instance.label for instance in instances], name)
        image_edits.apply_layers(target, masks, names, hide, group=name)
    elif colours is not None and (colours.format == "RGBA8" or cut(options).painted):
        image_edits.apply_cutout(target, colours, name, hide)
    else:
        image_edits.apply_layers(target, [union], [name], hide, colours)
    return max(1, len(instances))


def apply_boxes(target: image_source.Target, answer: Selection, options: Mapping[str, Any], name: str) -> int:
    """Mark the boxes of what was found as the options say, in one undo step; their number."""
    image, kind, instances = target.image, options["result"], answer.instances
    if not image.is_valid():
        raise told.problem(told.CLOSED)
    if not instances or kind == "tell":
        return len(instances)
    if kind == "guides":
        image_edits.apply_guides(image, [one.box for one in instances])
    elif kind == "path":
        image_edits.apply_outlines(image, [corners(one) for one in instances], name)
    else:
        image_edits.apply_selection(image, [boxed(one.box) for one in instances], options["mode"])
    return len(instances)


def corners(one: Instance) -> List[Tuple[float, float]]:
    """Of a line of writing as it is slanted, of other things those of the box."""
    if one.quad:
        return [(point.x, point.y) for point in one.quad]
    box = one.box
    right, bottom = box.x + box.width, box.y + box.height
    return [(box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom)]


def boxed(box: Rect) -> Mask:
    """A mask of all pixels that a box touches."""
    left, top = math.floor(box.x), math.floor(box.y)
    width, height = math.ceil(box.x + box.width) - left, math.ceil(box.y + box.height) - top
    return masks.pack(PixelRect(left, top, width, height), b"\xff" * (width * height), compress=False)
