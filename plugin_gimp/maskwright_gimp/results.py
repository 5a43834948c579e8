"""From the server's answer to a change of the image."""

from typing import Any, Mapping

from maskwright_client.results import found, numbered
from maskwright_protocol.errors import BadInput

from . import image_edits, image_source
from .options import cut


def check(target: image_source.Target, options: Mapping[str, Any]) -> None:
    """Refuse before the server is asked what could not be done with its answer."""
    if options.get("result") == "layer-mask":
        image_edits.check_mask_target(target)
    if not target.image.is_valid():
        raise BadInput("The image was closed.", "")


def apply(target: image_source.Target, answer: Any, options: Mapping[str, Any], name: str) -> int:
    """Change the image in one undo step; the number of instances. ``name`` is for new channels and layers.

    The user may have worked on while the server did: layer and image are looked at again.
    """
    union, instances = found(answer)
    if not union:
        return 0
    image = target.image
    if not image.is_valid():
        raise BadInput("The image was closed meanwhile.", "Nothing was changed.")
    if target.layer is not None and not target.layer.is_valid():
        raise BadInput("The layer was removed meanwhile.", "Nothing was changed.")
    kind, mode = options.get("result", "selection"), options.get("mode", "replace")
    hide = bool(options.get("hide-original", False))
    colours = getattr(answer, "foreground", None)
    context = getattr(answer, "context", None)
    if kind == "selection" and context is not None:
        image_edits.apply_inpainting(image, union, context, "Inpainting context")
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
