"""Changing the image: image_edits selections, masks, channels and layers of masks. The only module that changes one.

Everything is prepared in items that belong to no image yet, so that what fails leaves no trace; only then the undo
group is opened. GIMP's plane of a selection or a mask is linear, that of a channel is native to the channel.
"""

from array import array
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from gi.repository import Babl, Gegl, Gimp

from maskwright_client.coordinates import intersection
from maskwright_protocol import masks
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Mask, PixelRect, Pixels, Rect

from . import edges
from .geometry import crop
from .image_source import NO_ABYSS, Target, canvas, item_box, rectangle

OPERATIONS = {
    "replace": Gimp.ChannelOps.REPLACE,
    "add": Gimp.ChannelOps.ADD,
    "subtract": Gimp.ChannelOps.SUBTRACT,
    "intersect": Gimp.ChannelOps.INTERSECT,
}
STRIP = 64  # rows that are worked on at once
WITH_ALPHA = {
    Gimp.ImageBaseType.RGB: Gimp.ImageType.RGBA_IMAGE,
    Gimp.ImageBaseType.GRAY: Gimp.ImageType.GRAYA_IMAGE,
    Gimp.ImageBaseType.INDEXED: Gimp.ImageType.INDEXEDA_IMAGE,
}


@contextmanager
def one_undo_step(image: Any) -> Iterator[None]:
    """Everything inside is undone by one Ctrl+Z; the group is closed on every path."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()


def _write(drawable: Any, area: PixelRect, origin: PixelRect, encoding: str, data: Any, pixel_bytes: int) -> None:
    """Write packed rows that cover ``area`` into an item that covers ``origin``.

    What lies outside is cut off here: GIMP kills a plug-in that writes left of or above an item.
    """
    inside = intersection(area, origin)
    if not inside.width:
        return
    buffer = drawable.get_buffer()
    buffer.set(rectangle(inside, origin.x, origin.y), encoding, crop(data, area, inside, pixel_bytes))
    buffer.flush()
    drawable.update(0, 0, origin.width, origin.height)


def _model(channel: Any) -> str:
    """Y (linear) or Y' (gamma-encoded): how a channel, a selection or a layer mask holds its values."""
    return Babl.format_get_encoding(channel.get_format()).split()[0]


def _encoding(channel: Any, into: Optional[Any]) -> str:
    """How to write linear values into a channel so that they arrive in the mask ``into`` (None: that channel itself).

    GIMP copies raw values between them. Channels of 8-bit images are Y' and selections Y, but a selection becomes
    Y' too when an effect is merged into a layer.
    """
    return "Y" if into is not None and _model(into) == _model(channel) else _model(channel)


class Shared(List[Mask]):
    """Masks of which only that is meant what all of them have: each shows all but its object."""


def channel_of(
    image: Any, parts: Sequence[Mask], box: PixelRect, into: Optional[Any] = None, name: str = "Maskwright"
) -> Any:
    """The union of masks, or what they share, as a channel of no image that covers ``box``, to be combined with
    ``into``."""
    operation = OPERATIONS["intersect" if isinstance(parts, Shared) else "add"]
    union = None
    for part in parts:
        channel = Gimp.Channel.new(image, name, box.width, box.height, 50.0, Gegl.Color.new("red"))
        encoding = f"{_encoding(channel, into)} u{part.depth}"
        _write(channel, part.box, box, encoding, masks.unpack(part), part.depth // 8)
        if union is None:
            union = channel
        else:
            union.combine_masks(channel, operation, 0, 0)
            channel.delete()
    assert union is not None, "no masks"
    return union


def apply_selection(image: Any, parts: Sequence[Mask], mode: str) -> None:
    selected = image.get_selection()
    channel = channel_of(image, parts, canvas(image), selected)
    with one_undo_step(image):
        selected.combine_masks(channel, OPERATIONS[mode], 0, 0)
    channel.delete()


def apply_inpainting(image: Any, parts: Sequence[Mask], context: PixelRect, name: str) -> None:
    """The selection, and as a channel the rectangle that an inpainting tool should look at."""
    with one_undo_step(image):
        apply_selection(image, parts, "replace")
        whole = masks.pack(context, bytes([255]) * (context.width * context.height))
        apply_channel(image, [whole], name)


def apply_channel(image: Any, parts: Sequence[Mask], name: str) -> Any:
    """Save as a channel that is not shown, as GIMP's own are; the selected layers stay selected."""
    channel = channel_of(image, parts, canvas(image), name=name)
    channel.set_visible(False)
    layers = image.get_selected_layers()
    with one_undo_step(image):
        image.insert_channel(channel, None, 0)
        image.set_selected_layers(layers)
    return channel


def apply_path(image: Any, parts: Sequence[Mask], name: str) -> None:
    """Their outline as a path that is shown, made by GIMP's own *Selection to Path*; the selection stays as it was."""
    known = {path.get_id() for path in image.get_paths()}
    selected, layers = image.get_selection(), image.get_selected_layers()
    kept = channel_of(image, parts, canvas(image), selected)
    with one_undo_step(image):
        before = Gimp.Selection.save(image)
        selected.combine_masks(kept, OPERATIONS["replace"], 0, 0)
        _run("plug-in-sel2path", image=image, drawables=layers)
        selected.combine_masks(before, OPERATIONS["replace"], 0, 0)
        image.remove_channel(before)
        image.set_selected_layers(layers)
        for path in image.get_paths():
            if path.get_id() not in known:
                path.set_name(name)
                path.set_visible(True)
    kept.delete()


def apply_guides(image: Any, boxes: Sequence[Rect]) -> None:
    """Guides along the sides of boxes, each place once."""
    across, down = set(), set()
    for box in boxes:
        down.update(min(max(0, round(x)), image.get_width()) for x in (box.x, box.x + box.width))
        across.update(min(max(0, round(y)), image.get_height()) for y in (box.y, box.y + box.height))
    with one_undo_step(image):
        for y in sorted(across):
            image.add_hguide(y)
        for x in sorted(down):
            image.add_vguide(x)


def apply_outlines(image: Any, shapes: Sequence[Sequence[Tuple[float, float]]], name: str) -> None:
    """Polygons as the closed strokes of one path that is shown."""
    path = Gimp.Path.new(image, name)
    with one_undo_step(image):
        image.insert_path(path, None, 0)
        for corners in shapes:
            # Straight lines: both handles of each corner lie on it.
            points = [value for corner in corners for value in (*corner, *corner, *corner)]
            path.stroke_new_from_points(Gimp.PathStrokeType.BEZIER, points, True)
        path.set_visible(True)


def _run(procedure: str, image: Any, drawables: Sequence[Any]) -> None:
    """Run one of GIMP's own plug-ins with its defaults. Raises ``BadInput`` where it is not installed or fails."""
    found = Gimp.get_pdb().lookup_procedure(procedure)
    if found is None:
        raise BadInput(
            tr("GIMP's own {0} is not installed.", procedure), tr("Install the whole of GIMP, or take a selection.")
        )
    config = found.create_config()
    config.set_property("image", image)
    if found.find_argument("drawables") is not None:
        config.set_core_object_array("drawables", list(drawables))
    if found.run(config).index(0) != Gimp.PDBStatusType.SUCCESS:
        raise BadInput(
            tr("{0} has failed: {1}", procedure, Gimp.get_pdb().get_last_error()), tr("Take a selection instead.")
        )


def check_mask_target(target: Target) -> None:
    """Raise ``BadInput`` where a layer mask cannot be put."""
    if target.layer is None:
        raise BadInput(tr("No layer is selected."), tr("Select the layer that the mask is for."))
    if len(target.layers) > 1:
        raise BadInput(tr("Several layers are selected."), tr("Select the one that the mask is for."))
    if target.layer.get_mask() is not None and target.layer.get_lock_content():
        raise BadInput(tr("The layer is locked and has a mask already."), tr("Unlock its pixels first."))


def apply_layer_mask(target: Target, parts: Sequence[Mask], mode: str) -> None:
    """As the layer's mask; an existing one is combined, a missing one counts as white."""
    image, layer = target.image, target.layer
    check_mask_target(target)
    assert layer is not None
    box = item_box(layer)
    mask, operation = layer.get_mask(), OPERATIONS[mode]
    fresh = mask is None
    if mask is None:
        white = mode == "subtract"
        mask = layer.create_mask(Gimp.AddMaskType.WHITE if white else Gimp.AddMaskType.BLACK)
        operation = Gimp.ChannelOps.SUBTRACT if white else Gimp.ChannelOps.REPLACE
    channel = channel_of(image, parts, box, mask)
    with one_undo_step(image):
        if fresh:
            layer.add_mask(mask)
        mask.combine_masks(channel, operation, 0, 0)
    channel.delete()


def _copy(target: Target, name: str) -> Any:
    """A layer with alpha that belongs to no image yet and shows the target's pixels, bit for bit."""
    image, box = target.image, target.box
    kind = WITH_ALPHA[image.get_base_type()]
    layer = Gimp.Layer.new(image, name, box.width, box.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    area = Gegl.Rectangle.new(0, 0, box.width, box.height)
    buffer = layer.get_buffer()
    target.source.buffer.copy(area, NO_ABYSS, buffer, area)
    buffer.flush()
    layer.set_offsets(box.x, box.y)
    return layer


def _insert(target: Target, layers: Sequence[Any], bake: bool, group: str = "") -> None:
    """Above the target's layer, in its group, and in a new one of the name ``group``, if any. ``bake`` turns the new
    layers' masks into alpha."""
    image, anchor = target.image, target.layer
    if anchor is not None and anchor.get_image() is not None:
        parent, position = anchor.get_parent(), image.get_item_position(anchor)
    else:
        parent, position = None, 0
    if group:
        holder = Gimp.GroupLayer.new(image, group)
        image.insert_layer(holder, parent, position)
        parent, position = holder, 0
    for layer in reversed(layers):
        image.insert_layer(layer, parent, position)
        layer.update(0, 0, layer.get_width(), layer.get_height())
        if bake and layer.get_mask() is not None:
            layer.remove_mask(Gimp.MaskApplyMode.APPLY)


def _hide(target: Target) -> None:
    """Hide what was looked at, so that the new layer is seen."""
    for layer in target.originals:
        if layer.is_valid():
            layer.set_visible(False)


def _masked_copies(target: Target, parts: Sequence[Sequence[Mask]], names: Sequence[str]) -> List[Any]:
    copies = []
    for masks_of_one, name in zip(parts, names):
        copy = _copy(target, name)
        mask = copy.create_mask(Gimp.AddMaskType.BLACK)
        channel = channel_of(target.image, masks_of_one, target.box)
        old = target.hiding_mask()
        if old is not None:
            _multiply(channel, old, target.box)
        _transfer(channel, mask, target.box)
        copy.add_mask(mask)
        channel.delete()
        copies.append(copy)
    return copies


def _multiply(channel: Any, mask: Any, box: PixelRect) -> None:
    """Darken the channel by a mask of the same size: the lesser of the two stays."""
    other = Gimp.Channel.new(channel.get_image(), "Mask", box.width, box.height, 50.0, Gegl.Color.new("red"))
    area = Gegl.Rectangle.new(0, 0, box.width, box.height)
    buffer = other.get_buffer()
    buffer.set(area, f"{_model(channel)} u16", mask.get_buffer().get(area, 1.0, "Y u16", NO_ABYSS))
    buffer.flush()
    channel.combine_masks(other, Gimp.ChannelOps.INTERSECT, 0, 0)
    other.delete()


def _transfer(channel: Any, mask: Any, box: PixelRect) -> None:
    """The channel's values into a layer mask that is on no layer yet, value for value."""
    area = Gegl.Rectangle.new(0, 0, box.width, box.height)
    data = channel.get_buffer().get(area, 1.0, f"{_model(channel)} u16", NO_ABYSS)
    buffer = mask.get_buffer()
    buffer.set(area, "Y u16", data)
    buffer.flush()


def _clean_edges(layer: Any, target: Target, colours: Pixels) -> None:
    """Give a copy of the target the server's colours (RGBA16) where they are half transparent.

    All other pixels stay bit for bit, and so do those whose colour sRGB cannot hold.
    """
    box, area = target.box, intersection(colours.box, target.box)
    if not area.width:
        return
    base = target.image.get_base_type()
    other = Gimp.Layer.new(target.image, "clean", box.width, box.height, WITH_ALPHA[base], 100.0, Gimp.LayerMode.NORMAL)
    data = crop(masks.unpack(colours), colours.box, area, 8)
    _write(other, area, box, "R'G'B'A u16", data, 8)
    own, clean = layer.get_buffer(), other.get_buffer()
    native = Babl.get_name(layer.get_format())  # with its colour space, which the encoding alone has not
    pixel_bytes = Babl.format_get_bytes_per_pixel(layer.get_format())
    colour_bytes = pixel_bytes - pixel_bytes // (2 if layer.is_gray() else 4)
    for top in range(0, area.height, STRIP):
        rows = min(STRIP, area.height - top)
        strip = Gegl.Rectangle.new(area.x - box.x, area.y - box.y + top, area.width, rows)
        sent = edges.alpha_of(data[top * area.width * 8 : (top + rows) * area.width * 8])
        # The mask may hold fewer steps than the server sent: what it rounds to opaque stays as it is.
        held = layer.get_mask().get_buffer().get(strip, 1.0, "Y u16", NO_ABYSS)
        marks = edges.both(edges.soft(sent), edges.soft(held))
        if 1 not in marks:
            continue
        seen = array("f", own.get(strip, 1.0, "R'G'B' float", NO_ABYSS))
        mixed, fresh = bytearray(own.get(strip, 1.0, None, NO_ABYSS)), clean.get(strip, 1.0, None, NO_ABYSS)
        for start, end in edges.runs(marks, seen):
            edges.replace(mixed, fresh, start, end, pixel_bytes, colour_bytes)
        own.set(strip, native, bytes(mixed))
    own.flush()
    other.delete()


def apply_layers(
    target: Target,
    parts: Sequence[Sequence[Mask]],
    names: Sequence[str],
    hide_original: bool = False,
    colours: Optional[Pixels] = None,
    group: str = "",
) -> None:
    """One new layer for each group of masks, in a layer group called ``group`` if that has a name.

    An indexed image keeps the masks as layer masks: its alpha is on or off.
    ``colours``: the server's, for the first one's soft edge.
    """
    copies = _masked_copies(target, parts, names)
    if colours is not None:
        _clean_edges(copies[0], target, colours)
    bake = target.image.get_base_type() != Gimp.ImageBaseType.INDEXED
    with one_undo_step(target.image):
        _insert(target, copies, bake, group)
        if hide_original:
            _hide(target)


def apply_cutout(target: Target, colours: Pixels, name: str, hide_original: bool = False) -> None:
    """One new layer of the server's own colours, with their alpha; empty outside the colours' box."""
    box, kind = target.box, WITH_ALPHA[target.image.get_base_type()]
    layer = Gimp.Layer.new(target.image, name, box.width, box.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    encoding, pixel_bytes = {"RGBA8": ("R'G'B'A u8", 4), "RGBA16": ("R'G'B'A u16", 8)}[colours.format]
    _write(layer, colours.box, box, encoding, masks.unpack(colours), pixel_bytes)
    layer.set_offsets(box.x, box.y)
    with one_undo_step(target.image):
        _insert(target, [layer], bake=False)
        if hide_original:
            _hide(target)
