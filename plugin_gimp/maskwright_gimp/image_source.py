"""Reading the image: pixels, selections, and where things lie. Changes nothing.

Boxes are in image coordinates; a layer's own begin at its offsets.
"""

from typing import Any, List, Optional, Sequence, Tuple

from gi.repository import Babl, Gegl, Gimp

from maskwright_client.ask import PictureSource, RasterData, overview_side, raster_data
from maskwright_client.choices import EMPTY_LAYER
from maskwright_client.coordinates import intersection
from maskwright_protocol import masks
from maskwright_protocol.errors import OutsideImage
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Mask, PixelRect
from maskwright_protocol.pixels import FORMATS

from .geometry import overview_size

NO_ABYSS = Gegl.AbyssPolicy.NONE
EIGHT_BIT = Gimp.Precision.U8_NON_LINEAR
INTEGER = (
    EIGHT_BIT,
    Gimp.Precision.U8_LINEAR,
    Gimp.Precision.U8_PERCEPTUAL,
    Gimp.Precision.U16_NON_LINEAR,
    Gimp.Precision.U16_LINEAR,
    Gimp.Precision.U16_PERCEPTUAL,
)


def rectangle(box: PixelRect, x: int = 0, y: int = 0) -> Any:
    """The box as GEGL's rectangle, in coordinates that begin at ``(x, y)``."""
    return Gegl.Rectangle.new(box.x - x, box.y - y, box.width, box.height)


def item_box(item: Any) -> PixelRect:
    """Where an item lies in its image."""
    _, x, y = item.get_offsets()
    return PixelRect(x, y, item.get_width(), item.get_height())


def canvas(image: Any) -> PixelRect:
    return PixelRect(0, 0, image.get_width(), image.get_height())


def hex_colour(colour: Any) -> str:
    """A colour as ``"#rrggbb"``, in sRGB."""
    return "#" + bytes(colour.get_bytes(Babl.format("R'G'B' u8")).get_data()).hex()


def layers_of(image: Any, drawables: Sequence[Any]) -> List[Any]:
    """The layers that the user works on, the topmost first: also when a mask is being edited. Empty for a channel."""
    found = [Gimp.Layer.from_mask(one) if isinstance(one, Gimp.LayerMask) else one for one in drawables]
    layers = [one for one in found if isinstance(one, Gimp.Layer)]
    return sorted(layers, key=lambda layer: _place(image, layer)) if len(layers) > 1 else layers


def _place(image: Any, item: Any) -> List[int]:
    """Where an item is in the tree: its groups' positions and its own, from the top."""
    places: List[int] = []
    while item is not None:
        places.insert(0, image.get_item_position(item))
        item = item.get_parent()
    return places


def mask_depth(image: Any) -> int:
    """Bits per pixel in which masks are worth having for this image."""
    name = image.get_precision().value_nick
    return 8 if name.startswith("u8") else 16


class BufferSource(PictureSource):
    """A layer, or the visible image, as the server looks at it: converted to sRGB by babl, alpha kept.

    ``buffer`` holds GIMP's own pixels; ``local`` a copy of them in this process, because GIMP's buffers give zeros
    when they are read at another scale.
    """

    def __init__(self, drawable: Any, box: PixelRect, deep: bool = False) -> None:
        self.box = box
        self.buffer = drawable.get_buffer()
        names = ("Y'", "GRAY") if drawable.is_gray() else ("R'G'B'", "RGB")
        alpha = "A" if drawable.has_alpha() else ""
        self._babl, self._wire = names[0] + alpha, names[1] + alpha
        self._detail_bits = 16 if deep else 8
        self._local: Optional[Any] = None
        self._overview: Optional[RasterData] = None
        self._details: List[RasterData] = []

    @property
    def local(self) -> Any:
        """The pixels in this process, converted, in coordinates that begin at the box' corner."""
        if self._local is None:
            Gegl.init(None)
            area = Gegl.Rectangle.new(0, 0, self.box.width, self.box.height)
            encoding = f"{self._babl} u{self._detail_bits}"
            self._local = Gegl.Buffer.new(encoding, area.x, area.y, area.width, area.height)
            self.buffer.copy(area, NO_ABYSS, self._local, area)
        return self._local

    @property
    def is_transparent(self) -> bool:
        """Nothing is on it, as far as the overview shows."""
        if not self._wire.endswith("A"):
            return False
        channels = FORMATS[f"{self._wire}8"].pixel_bytes
        return not bytes(self.overview().data)[channels - 1 :: channels].strip(b"\0")

    def overview_size(self) -> Tuple[int, int]:
        width, height, _ = self._overview_size()
        return width, height

    def _overview_size(self) -> Tuple[int, int, float]:
        width, height = self.box.width, self.box.height
        return overview_size(width, height, overview_side(width, height))

    def overview(self) -> RasterData:
        if self._overview is None:
            width, height, scale = self._overview_size()
            area = Gegl.Rectangle.new(0, 0, width, height)
            buffer = self.buffer if scale == 1.0 else self.local
            data = buffer.get(area, scale, f"{self._babl} u8", NO_ABYSS)
            self._overview = raster_data(data, width, height, f"{self._wire}8", self.box)
        return self._overview

    def detail(self, box: PixelRect) -> RasterData:
        inside = intersection(box, self.box)
        inside = inside if inside.width else self.box
        for known in self._details:
            if known.raster.box == inside:
                return known
        bits = self._detail_bits
        data = self.buffer.get(rectangle(inside, self.box.x, self.box.y), 1.0, f"{self._babl} u{bits}", NO_ABYSS)
        self._details.append(raster_data(data, inside.width, inside.height, f"{self._wire}{bits}", inside))
        return self._details[-1]


class Target:
    """What a call looks at: ``source`` for the server, ``drawable`` with the same pixels, ``layer`` to put things on.

    Several selected layers are looked at together; instead of an empty one the visible image is, and ``notes`` say so.
    Close it: what is no plain layer is looked at through something temporary.
    """

    def __init__(self, image: Any, drawables: Sequence[Any], look_at: str = "layer") -> None:
        self.image = image
        self.layers = layers_of(image, drawables)
        self.layer = self.layers[0] if self.layers else None
        self.notes: List[str] = []
        self._temporary: Optional[Any] = None
        self._flat = True  # looked at through a picture of several layers
        if look_at == "visible" or self.layer is None:
            self._look_at_visible()
        elif len(self.layers) > 1:
            self._temporary = self.drawable = _together(image, self.layers)
            self.box = canvas(image)
        else:
            self._flat = False
            self.drawable, self.box = self.layer, item_box(self.layer)
            if self.layer.get_filters() and image.get_base_type() != Gimp.ImageBaseType.INDEXED:
                self._temporary, self.drawable = _with_effects(image, self.layer)
        if self.box.width < 1 or self.box.height < 1:
            raise OutsideImage(tr("The layer is empty."), tr("Choose a layer with something on it."))
        self._read()
        if not self._flat and self.source.is_transparent:
            self.close()
            self.notes.append(EMPTY_LAYER)
            self._look_at_visible()
            self._read()
        self.originals = self._looked_at()

    def _look_at_visible(self) -> None:
        self._flat = True
        self._temporary = self.drawable = Gimp.Layer.new_from_visible(self.image, self.image, "Visible")
        self.box = canvas(self.image)

    def _read(self) -> None:
        self.source = BufferSource(self.drawable, self.box, deep=self.image.get_precision() != EIGHT_BIT)

    def _looked_at(self) -> List[Any]:
        """The layers whose pixels are seen, where these are few enough to be told."""
        if not self._flat or len(self.layers) > 1:
            return self.layers
        empty = [self.layer] if self.notes else []
        shown = [one for one in self.image.get_layers() if one.get_visible() and one not in empty]
        return shown if len(shown) == 1 else []

    @property
    def cut_out_name(self) -> str:
        """What a cut-out of it is called when no words name it."""
        if self.layer is not None and not self.notes:
            return tr("{0} cut-out", self.layer.get_name())
        return tr("Visible cut-out")

    def hiding_mask(self) -> Optional[Any]:
        """The layer's own mask, if it is in use: what it hides stays hidden in new layers."""
        if self._flat or self.layer is None or not self.layer.get_apply_mask():
            return None
        return self.layer.get_mask()

    @property
    def is_plain(self) -> bool:
        """Whether the server can send all pixels of a new layer without loss.

        Float pixels may lie outside 0..1 and other profiles' colours outside sRGB, and what a mask hides is not sent.
        """
        profile = self.image.get_color_profile()
        plain = profile is None or profile.is_equal(Gimp.ColorProfile.new_rgb_srgb())
        integer = self.image.get_precision() in INTEGER and self.image.get_base_type() != Gimp.ImageBaseType.INDEXED
        return plain and integer and self.hiding_mask() is None

    def clean_colours(self) -> str:
        """The format in which the server shall send cleaned colours; empty for a palette: it has no room for them."""
        if self.image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            return ""
        return "RGBA8" if self.is_plain and self.image.get_precision() == EIGHT_BIT else "RGBA16"

    def close(self) -> None:
        if self._temporary is not None:
            self._temporary.delete()
            self._temporary = None


def _together(image: Any, layers: Sequence[Any]) -> Any:
    """A temporary layer that shows some layers as they lie on each other, without all others."""
    wanted = {tuple(_place(image, layer)) for layer in layers}
    apart = image.duplicate()
    apart.undo_disable()

    def show(items: Sequence[Any], places: Tuple[int, ...]) -> bool:
        some = False
        for position, item in enumerate(items):
            place = (*places, position)
            seen = place in wanted or (item.is_group() and show(item.get_children(), place))
            item.set_visible(seen)
            some = some or seen
        return some

    show(apart.get_layers(), ())
    try:
        return Gimp.Layer.new_from_visible(apart, image, "Layers")
    finally:
        apart.delete()


def _with_effects(image: Any, layer: Any) -> Tuple[Any, Any]:
    """A temporary image, and in it the layer with its effects made permanent.

    Not in the user's image: there it would change how the selection's values are held.
    """
    apart = Gimp.Image.new_with_precision(
        layer.get_width(), layer.get_height(), image.get_base_type(), image.get_precision()
    )
    apart.undo_disable()
    profile = image.get_color_profile()
    if profile is not None:
        apart.set_color_profile(profile)
    copy = Gimp.Layer.new_from_drawable(layer, apart)
    apart.insert_layer(copy, None, 0)
    copy.merge_filters()
    return apart, copy


def selection(image: Any, depth: int) -> Optional[Mask]:
    """The current selection, cropped to its bounds; None when nothing is selected."""
    _, some, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not some:
        return None
    box = PixelRect(left, top, right - left, bottom - top)
    plane = image.get_selection().get_buffer().get(rectangle(box), 1.0, f"Y u{depth}", NO_ABYSS)
    return masks.pack(box, plane, depth)
