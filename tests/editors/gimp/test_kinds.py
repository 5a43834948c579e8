"""Where layers lie and what pixels they hold: offsets, groups, precisions, profiles, alpha, locks, effects."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from maskwright_client.client import Client
from maskwright_protocol import masks
from maskwright_protocol.messages import Cutout, Point, Select

from .asking import Pixels, Plane, answer, plane
from .driver import Gimp
from .pictures import HEIGHT, WIDTH, drawn, selected

pytestmark = pytest.mark.editor


@pytest.fixture
def closing(gimp: Gimp, photo: Plane) -> Iterator[Gimp]:
    yield gimp
    gimp.run("[each.delete() for each in Gimp.get_images()]")


def click(client: Client, pixels: Pixels, depth: int = 8) -> Any:
    x, y = pixels.box.x + 240.0, pixels.box.y + 250.0
    return answer(client, Select("", points=[Point(x, y)], merge=True, mask_depth=depth), pixels).merged


def as_bytes(gimp: Gimp, item: str, encoding: str | None, kind: Any, channels: int) -> Plane:
    size, data = gimp.run(f"out = ({item}.get_width(), {item}.get_height()), plane({item}, {encoding!r})")
    return np.frombuffer(data, kind).reshape(size[1], size[0], channels)


# ---------------------------------------------------------------- places


@pytest.mark.parametrize(("x", "y", "width", "height"), [(-70, 45, 400, 500), (130, -90, 900, 800), (0, 300, 200, 350)])
def test_layers_off_the_canvas(
    image: Gimp, client: Client, photo: Plane, x: int, y: int, width: int, height: int
) -> None:
    image.run(f"layer.set_offsets({x}, {y}); image.resize({width}, {height}, 0, 0)")
    masked = click(client, Pixels(photo, x, y))
    image.call("maskwright-click-to-select", include=f"{x + 240},{y + 250}").ok()
    assert np.array_equal(selected(image), plane(masked, width, height))
    image.call("maskwright-click-to-select", include=f"{x + 240},{y + 250}", result="layer-mask").ok()
    assert np.array_equal(drawn(image, "layer.get_mask()", "Y u8", 1)[..., 0], plane(masked, WIDTH, HEIGHT, x, y))
    image.run("layer.remove_mask(Gimp.MaskApplyMode.DISCARD)")
    image.call("maskwright-remove-background").ok()
    expected = answer(client, Cutout("", foreground=False), Pixels(photo, x, y)).alpha
    new = "image.get_layers()[0]"
    assert image.run(f"out = tuple({new}.get_offsets())[1:]") == (x, y)
    assert np.array_equal(drawn(image, new, "R'G'B'A u8", 4)[..., 3], plane(expected, WIDTH, HEIGHT, x, y))


def test_a_layer_in_a_moved_group_and_the_group_itself(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("""
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        image.reorder_item(layer, group, 0)
        group.set_offsets(35, -20)
    """)
    masked = plane(click(client, Pixels(photo, 35, -20)), WIDTH, HEIGHT)
    image.call("maskwright-click-to-select", include="275,230").ok()
    assert np.array_equal(selected(image), masked)
    image.call("maskwright-click-to-select", include="275,230", result="layer").ok()
    assert image.run("out = [each.get_name() for each in group.get_children()]") == ["Background cut-out", "Background"]
    image.run("image.remove_layer(group.get_children()[0]); Gimp.Selection.none(image)")
    image.call("maskwright-click-to-select", drawables="[group]", include="275,230", result="layer").ok()
    names = image.run("out = [(each.get_name(), each.is_group()) for each in image.get_layers()]")
    assert names == [("group cut-out", False), ("group", True)]
    alpha = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)[..., 3]
    assert np.array_equal(alpha, plane(answer_alpha(client, photo), WIDTH, HEIGHT, 35, -20))


def answer_alpha(client: Client, photo: Plane) -> Any:
    with_alpha = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])  # groups have alpha
    return click(client, Pixels(with_alpha, 35, -20))


def test_the_visible_image(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("""
        cover = Gimp.Layer.new(image, "cover", 480, 100, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(cover, None, 0)
        put(cover, "R'G'B'A u8", bytes([10, 20, 30, 255]) * (480 * 100))
        image.set_selected_layers([cover])
        before = state(image)
    """)
    image.call("maskwright-click-to-select", drawables="[cover]", include="240,250", source="visible").ok()
    seen = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)]).copy()
    seen[:100, :, :3] = (10, 20, 30)
    assert np.array_equal(selected(image), plane(click(client, Pixels(seen)), WIDTH, HEIGHT))
    assert image.run("Gimp.Selection.none(image); out = state(image) == before"), "the temporary item is gone"


def test_transparent_pixels_travel_with_their_alpha(image: Gimp, client: Client, photo: Plane) -> None:
    holed = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    holed[:, 300:, 3] = 0
    image.run("layer.add_alpha()")
    image.lab.path("holed.raw").write_bytes(holed.tobytes())
    image.run(f"""put(layer, "R'G'B'A u8", open({image.lab.inside + "/holed.raw"!r}, "rb").read())""")
    image.call("maskwright-click-to-select", include="240,250").ok()
    assert np.array_equal(selected(image), plane(click(client, Pixels(holed)), WIDTH, HEIGHT))


# ---------------------------------------------------------------- pixels

PRECISIONS = ["U8_LINEAR", "U16_NON_LINEAR", "U16_LINEAR", "HALF_LINEAR", "FLOAT_LINEAR", "FLOAT_NON_LINEAR"]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_deep_and_linear_images_show_the_same_picture(
    closing: Gimp, client: Client, photo: Plane, precision: str
) -> None:
    """Seen through babl they are the photo, so the answer is the photo's; masks arrive in 16 bits where it counts."""
    closing.run(f"""
        image = image_like(PHOTO, precision=Gimp.Precision.{precision})
        layer = image.get_layers()[0]
    """)
    depth = 8 if precision.startswith("U8") else 16
    seen = as_bytes(closing, "layer", "R'G'B' u8", np.uint8, 3)
    if precision == "U8_LINEAR":
        assert np.abs(seen.astype(int) - photo).max() <= 13, "8-bit linear has few dark values"
    else:
        assert np.array_equal(seen, photo)
    masked = click(client, Pixels(seen), depth)
    closing.call("maskwright-click-to-select", include="240,250").ok()
    if precision == "HALF_LINEAR":  # 11 bits of mantissa
        got = as_bytes(closing, "image.get_selection()", "Y u16", "<u2", 1)[..., 0]
        assert np.abs(got.astype(int) - plane(masked, WIDTH, HEIGHT)).max() <= 16
    else:
        kind = "<u2" if depth == 16 else np.uint8
        got = as_bytes(closing, "image.get_selection()", f"Y u{depth}", kind, 1)[..., 0]
        assert np.array_equal(got, plane(masked, WIDTH, HEIGHT))
        assert len(np.unique(got)) > 50
    native = closing.run("out = native(layer), plane(layer, None)")
    closing.call("maskwright-click-to-select", include="240,250", result="layer").ok()
    assert closing.run("out = native(layer), plane(layer, None)") == native
    rgb = "R'G'B' float"
    kept, new = (as_bytes(closing, item, rgb, "<f4", 3) for item in ("layer", "image.get_layers()[0]"))
    inside = as_bytes(closing, "image.get_layers()[0]", "R'G'B'A u16", "<u2", 4)[..., 3] > 0
    assert np.abs(new[inside] - kept[inside]).max() < 1e-6, "colours are kept"


def test_16_bit_cutout_keeps_16_bits(closing: Gimp, client: Client) -> None:
    closing.run("""
        image = image_like(PHOTO, precision=Gimp.Precision.U16_NON_LINEAR)
        layer = image.get_layers()[0]
    """)
    called = closing.call("maskwright-remove-background").ok()
    assert called.report["models"]
    new = as_bytes(closing, "image.get_layers()[0]", "R'G'B'A u16", "<u2", 4)
    old = as_bytes(closing, "layer", "R'G'B' u16", "<u2", 3)
    opaque = new[..., 3] == 65535
    assert opaque.sum() > 1000
    assert np.array_equal(new[opaque][:, :3], old[opaque])
    assert len(np.unique(new[..., 3])) > 300, "more steps of alpha than 8 bits have"


def test_gray_and_indexed_images(closing: Gimp, client: Client) -> None:
    closing.run("image = image_like(PHOTO, Gimp.ImageBaseType.GRAY); layer = image.get_layers()[0]")
    seen = as_bytes(closing, "layer", "Y' u8", np.uint8, 1)
    closing.call("maskwright-click-to-select", include="240,250").ok()
    masked = click(client, Pixels(seen))
    assert np.array_equal(selected(closing), plane(masked, WIDTH, HEIGHT))
    closing.call("maskwright-click-to-select", include="240,250", result="layer").ok()
    alpha = as_bytes(closing, "image.get_layers()[0]", "Y'A u8", np.uint8, 2)
    assert np.array_equal(alpha[..., 1], plane(masked, WIDTH, HEIGHT))
    assert np.array_equal(alpha[..., 0][alpha[..., 1] > 0], seen[..., 0][alpha[..., 1] > 0])

    closing.run("image = image_like(PHOTO, Gimp.ImageBaseType.INDEXED); layer = image.get_layers()[0]")
    seen = as_bytes(closing, "layer", "R'G'B' u8", np.uint8, 3)
    closing.call("maskwright-click-to-select", include="240,250").ok()
    masked = click(client, Pixels(seen))
    assert np.array_equal(selected(closing), plane(masked, WIDTH, HEIGHT))
    closing.call("maskwright-remove-background").ok()
    new = "image.get_layers()[0]"
    assert np.array_equal(as_bytes(closing, new, "R'G'B' u8", np.uint8, 3), seen), "the palette's colours stay"
    expected = answer(client, Cutout("", foreground=False), Pixels(seen)).alpha
    assert np.array_equal(drawn(closing, f"{new}.get_mask()", "Y u8", 1)[..., 0], plane(expected, WIDTH, HEIGHT))


WIDE = {
    "adobe": "image.convert_color_profile(Gimp.ColorProfile.new_rgb_adobe(), INTENT, False)",
    "adobe16": "image.convert_precision(Gimp.Precision.U16_NON_LINEAR); "
    "image.convert_color_profile(Gimp.ColorProfile.new_rgb_adobe(), INTENT, False)",
    "float": "image.convert_precision(Gimp.Precision.FLOAT_LINEAR)",
    "half": "image.convert_precision(Gimp.Precision.HALF_NON_LINEAR)",
}


@pytest.mark.parametrize("kind", WIDE)
def test_soft_edges_are_cleaned_where_srgb_cannot_hold_the_image(closing: Gimp, client: Client, kind: str) -> None:
    """What is opaque stays bit for bit; of the soft edge only what is outside sRGB keeps its colour."""
    closing.run(f"""
        image = image_like(PHOTO)
        INTENT = Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC
        {WIDE[kind]}
        layer = image.get_layers()[0]
        layer.add_alpha()
        hot = [2.0, 0.5, -0.25, 1.0]
        image.clean_all()
    """)
    if kind == "float":  # a column of colours that no integer holds
        closing.run("""
            import struct
            layer.get_buffer().set(R(240, 0, 1, 640), "R'G'B'A float", struct.pack("<4f", *hot) * 640)
            layer.update(0, 0, 480, 640)
        """)
    seen = as_bytes(closing, "layer", "R'G'B'A u8", np.uint8, 4)
    size = closing.run("out = Babl.format_get_bytes_per_pixel(layer.get_format())")
    before = as_bytes(closing, "layer", None, np.uint8, size)
    closing.call("maskwright-remove-background").ok()
    new = "image.get_layers()[0]"
    alpha = as_bytes(closing, new, "R'G'B'A u16", "<u2", 4)[..., 3]
    after = as_bytes(closing, new, None, np.uint8, size)
    colour = slice(0, size - size // 4)
    whole, edge = alpha == 65535, (alpha > 0) & (alpha < 65535)
    assert whole.sum() > 1000
    assert edge.sum() > 1000
    assert np.array_equal(after[whole][:, colour], before[whole][:, colour])
    expected = answer(client, Cutout("", foreground=True), Pixels(seen)).foreground
    box = expected.box
    clean = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    data = np.frombuffer(bytes(masks.unpack(expected)), np.uint8).reshape(box.height, box.width, 4)
    clean[box.y : box.y + box.height, box.x : box.x + box.width] = data
    shown = as_bytes(closing, new, "R'G'B' u8", np.uint8, 3).astype(int)
    inner = edge & (alpha > 6553)
    if kind == "float":
        assert edge[:, 240].any()
        hot = as_bytes(closing, new, "R'G'B' float", "<f4", 3)[:, 240][edge[:, 240]]
        assert np.allclose(hot, (2.0, 0.5, -0.25), atol=1e-5), "colours beyond sRGB are the image's own"
        inner[:, 239:242] = False
    off = np.abs(shown[inner] - clean[inner][:, :3]).mean()
    was = np.abs(seen[inner][:, :3].astype(int) - clean[inner][:, :3]).mean()
    assert was > 1.0, "this picture has edges to clean"
    assert off < 0.3 * was


def adobe_to_srgb(rgb: tuple[int, int, int]) -> Plane:
    """By the two standards' matrices and curves, independent of babl."""
    linear = (np.array(rgb) / 255) ** (563 / 256)
    adobe = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
    srgb = np.array([[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]])
    out = np.clip(srgb @ (adobe @ linear), 0, 1)
    return np.round(255 * np.where(out <= 0.0031308, 12.92 * out, 1.055 * out ** (1 / 2.4) - 0.055))


def test_the_models_get_srgb_whatever_the_profile(closing: Gimp) -> None:
    """What the plug-in's own source reads, by numbers."""
    closing.run("""
        image = Gimp.Image.new(64, 64, Gimp.ImageBaseType.RGB)
        layer = Gimp.Layer.new(image, "flat", 64, 64, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        put(layer, "R'G'B' u8", bytes([190, 60, 90]) * (64 * 64))
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
        import sys
        home = os.path.join(os.environ["GIMP3_DIRECTORY"], "plug-ins", "maskwright")
        sys.path[:0] = [home, os.path.join(home, "vendor")]
        from maskwright_gimp import image_source
        from maskwright_protocol.messages import PixelRect
    """)
    overview = closing.run("out = bytes(image_source.Target(image, [layer]).source.overview().data)[:3]")
    assert np.abs(np.array(list(overview)) - adobe_to_srgb((190, 60, 90))).max() <= 1
    assert list(overview) != [190, 60, 90]
    detail = "image_source.Target(image, [layer]).source.detail(PixelRect(3, 3, 5, 5))"
    assert closing.run(f"out = bytes({detail}.data)[:3]") == overview
    assert closing.run("out = image_source.Target(image, [layer]).is_plain") is False, "sRGB would clip its colours"


def test_an_overview_is_the_picture_and_not_blank(closing: Gimp, photo: Plane) -> None:
    """GIMP's own buffers give zeros when they are read at another scale."""
    closing.run("""
        import sys
        home = os.path.join(os.environ["GIMP3_DIRECTORY"], "plug-ins", "maskwright")
        sys.path[:0] = [home, os.path.join(home, "vendor")]
        from maskwright_gimp import image_source
        image = load(PHOTO)
        image.scale(3000, 4000)
        layer = image.get_layers()[0]
        seen = image_source.Target(image, [layer]).source.overview()
    """)
    width, height = closing.run("out = seen.raster.width, seen.raster.height")
    assert (width, height) == (768, 1024)
    data = np.frombuffer(closing.run("out = bytes(seen.data)"), np.uint8).reshape(height, width, 3)
    from PIL import Image

    small = np.asarray(Image.fromarray(photo).resize((768, 1024), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(data.astype(int) - small).mean() < 4


# ---------------------------------------------------------------- locks and effects


def test_a_locked_layer_is_not_written_to(image: Gimp) -> None:
    image.run("layer.set_lock_content(True)")
    image.call("maskwright-click-to-select", include="240,250", result="layer-mask").ok()
    before = image.run("out = state(image)")
    refused = image.call("maskwright-click-to-select", include="240,250", result="layer-mask")
    assert refused.status == "execution-error"
    assert refused.error == "The layer is locked and has a mask already. Unlock its pixels first."
    assert image.run("out = state(image)") == before
    image.call("maskwright-remove-background").ok()


def test_effects_on_the_layer_are_seen_and_stay(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("""
        effect = Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "invert")
        layer.append_filter(effect)
        image.clean_all()
    """)
    image.call("maskwright-click-to-select", include="240,250").ok()
    assert np.array_equal(selected(image), plane(click(client, Pixels(255 - photo)), WIDTH, HEIGHT))
    assert image.run("out = len(layer.get_filters()), len(image.get_layers())") == (1, 1)


def test_a_hidden_part_stays_hidden_in_the_new_layer(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("""
        mask = layer.create_mask(Gimp.AddMaskType.BLACK)
        layer.add_mask(mask)
        mask.get_buffer().set(R(0, 0, 240, 640), "Y u8", bytes([255]) * (240 * 640))
    """)
    image.call("maskwright-click-to-select", include="240,250", result="layer").ok()
    alpha = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)[..., 3]
    expected = plane(click(client, Pixels(photo)), WIDTH, HEIGHT).copy()
    expected[:, 240:] = 0
    assert np.array_equal(alpha, expected)
    image.run("image.remove_layer(image.get_layers()[0])")
    image.call("maskwright-remove-background").ok()
    alpha = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)[..., 3]
    assert alpha.any()
    assert not alpha[:, 240:].any()
