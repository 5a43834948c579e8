"""Reading the image: pixels, selections, and where things lie. Changes nothing.

Boxes are in image coordinates; a layer's own begin at its offsets.
"""

from typing import Any, List, Optional, Sequence, Tuple

from gi.repository import Babl, Gegl, Gimp

from maskwright_client.ask import PROXY_SIDE, PictureSource, RasterData, raster_data
from maskwright_client.coordinates import intersection
from maskwright_protocol import masks
from maskwright_protocol.errors import OutsideImage
from maskwright_protocol.messages import Mask, PixelRect

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


def layer_of(drawables: Sequence[Any]) -> Optional[Any]:
    """The layer that the user works on: also when its mask is being edited. None for a channel."""
    drawable = drawables[0] if drawables else None
    if isinstance(drawable, Gimp.LayerMask):
        return Gimp.Layer.from_mask(drawable)
    return drawable if isinstance(drawable, Gimp.Layer) else None


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

    def overview_size(self) -> Tuple[int, int]:
        width, height, _ = overview_size(self.box.width, self.box.height, PROXY_SIDE)
        return width, height

    def overview(self) -> RasterData:
        if self._overview is None:
            width, height, scale = overview_size(self.box.width, self.box.height, PROXY_SIDE)
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

    Close it: a visible image, or a layer with effects, is looked at through something temporary.
    """

    def __init__(self, image: Any, drawables: Sequence[Any], look_at: str = "layer") -> None:
        self.image = image
        self.layer = layer_of(drawables)
        self._temporary: Optional[Any] = None
        self._visible = look_at == "visible" or self.layer is None
        if self._visible:
            self._temporary = Gimp.Layer.new_from_visible(image, image, "Visible")
            self.drawable, self.box = self._temporary, canvas(image)
        else:
            assert self.layer is not None
            self.drawable, self.box = self.layer, item_box(self.layer)
            if self.layer.get_filters() and image.get_base_type() != Gimp.ImageBaseType.INDEXED:
                self._temporary, self.drawable = _with_effects(image, self.layer)
        if self.box.width < 1 or self.box.height < 1:
            raise OutsideImage("The layer is empty.", "Choose a layer with something on it.")
        self.source = BufferSource(self.drawable, self.box, deep=image.get_precision() != EIGHT_BIT)

    @property
    def cut_out_name(self) -> str:
        """What a cut-out of it is called when no words name it."""
        return f"{self.layer.get_name() if self.layer is not None else 'Visible'} cut-out"

    def hiding_mask(self) -> Optional[Any]:
        """The layer's own mask, if it is in use: what it hides stays hidden in new layers."""
        if self._visible or self.layer is None or not self.layer.get_apply_mask():
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
