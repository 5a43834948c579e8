"""New layers and masks in the real Krita hold the server's own pixels, at the right place, in one undo step."""

import numpy as np
import pytest

from maskwright_protocol import masks
from maskwright_protocol.messages import Cutout, PixelRect, Select

from .driver import Krita
from .studio import Studio, bgra, one_step, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300


def test_background_goes_to_a_new_layer(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    before = krita.get("tree(d.rootNode())")
    original = studio.pixels("d.activeNode()", PixelRect(0, 0, WIDTH, HEIGHT))
    krita.run("first = d.activeNode()")
    studio.command("remove_background()")
    answer = studio.ask(Cutout("", foreground=True, format="BGRA8"), cat, PixelRect(0, 0, WIDTH, HEIGHT))
    box = answer.foreground.box
    expected = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    colours = np.frombuffer(bytes(masks.unpack(answer.foreground)), np.uint8).reshape(box.height, box.width, 4)
    expected[box.y : box.y + box.height, box.x : box.x + box.width] = colours
    assert expected[..., 3].any()
    krita.run("new = d.rootNode().childNodes()[1]")
    assert (studio.pixels("new", PixelRect(0, 0, WIDTH, HEIGHT)) == expected).all()
    assert (studio.pixels("first", PixelRect(0, 0, WIDTH, HEIGHT)) == original).all()
    one_step(studio, krita, before)


def test_a_layer_larger_than_the_canvas_is_cut_out_whole(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.create(200, 150)
    studio.add_layer("large", cat, -120, -60)
    studio.command("remove_background()")
    extent = PixelRect(-120, -60, WIDTH, HEIGHT)
    answer = studio.ask(Cutout("", foreground=True, format="BGRA8"), cat, extent)
    box = answer.foreground.box
    colours = np.frombuffer(bytes(masks.unpack(answer.foreground)), np.uint8).reshape(box.height, box.width, 4)
    krita.run("new = d.rootNode().childNodes()[-1]")
    assert (studio.pixels("new", box) == colours).all()
    assert box.x < 0
    assert krita.get("(new.bounds().x() >= -120, new.bounds().right() > 200)") == (True, True)


@pytest.mark.parametrize(("model", "depth", "kind"), [("RGBA", "U16", np.uint16), ("RGBA", "F32", np.float32),
                                                      ("CMYKA", "U8", np.uint8)])  # fmt: skip
def test_other_depths_keep_their_own_colours(
    studio: Studio, krita: Krita, model: str, depth: str, kind: type[np.generic]
) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    krita.run(
        f"""
        d = K.activeDocument(); d.setColorSpace({model!r}, {depth!r}, ''); d.waitForDone()
        first = d.activeNode(); c = first.duplicate(); c.setColorSpace('RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc')
        """
    )
    steps = len(studio.history()[0])
    seen = studio.fetch(f"c.pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    studio.command("remove_background()")
    alpha = studio.ask(Cutout("", foreground=False), seen, PixelRect(0, 0, WIDTH, HEIGHT)).alpha
    expected = placed(alpha, WIDTH, HEIGHT)
    studio.has_steps(steps + 1)
    krita.run("new = d.rootNode().childNodes()[1]")
    assert krita.get("(new.colorModel(), new.colorDepth())") == (model, depth)
    area = f"pixelData(0, 0, {WIDTH}, {HEIGHT}).data()"
    old, new = (np.frombuffer(studio.fetch(f"{n}.{area}"), kind).reshape(HEIGHT, WIDTH, -1) for n in ("first", "new"))
    shown = expected > 0
    assert (new[..., :-1][shown] == old[..., :-1][shown]).all()
    full = 1 if kind is np.float32 else np.iinfo(kind).max  # type: ignore[type-var]
    assert np.allclose(new[..., -1].astype(float), expected / 255 * full, atol=1e-6 * full)


def test_half_transparent_layers_stay_half_transparent(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    cat.putalpha(128)
    studio.create(WIDTH, HEIGHT)
    studio.add_layer("veil", cat, 0, 0)
    krita.run("C.options.kind = 'layer'")
    studio.command("select_by_prompt('cat')")
    answer = studio.ask(Select("", text="cat", merge=True), cat, PixelRect(0, 0, WIDTH, HEIGHT))
    mask = placed(answer.instances[0].mask, WIDTH, HEIGHT).astype(int)
    new = studio.pixels("d.rootNode().childNodes()[-1]", PixelRect(0, 0, WIDTH, HEIGHT))
    assert np.abs(new[..., 3].astype(int) - mask * 128 / 255).max() <= 1


def test_mask_from_prompt(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    before = krita.get("tree(d.rootNode())")
    studio.command("select_by_prompt('cat', 'transparency')")
    answer = studio.ask(Select("", text="cat", merge=True), cat, PixelRect(0, 0, WIDTH, HEIGHT))
    expected = placed(answer.instances[0].mask, WIDTH, HEIGHT)
    krita.run("mask = d.rootNode().childNodes()[0].childNodes()[0]")
    assert krita.get("mask.type()") == "transparencymask"
    assert (studio.pixels("mask", PixelRect(0, 0, WIDTH, HEIGHT), 1)[..., 0] == expected).all()
    shown = studio.pixels("d.rootNode().childNodes()[0]", PixelRect(0, 0, WIDTH, HEIGHT), projection=True)
    assert (shown[..., 3] == expected).all()
    one_step(studio, krita, before)


def test_selection_mask_layer(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    before = krita.get("tree(d.rootNode())")
    krita.run("C.options.kind = 'selection-mask'")
    studio.command("select_by_prompt('cat')")
    answer = studio.ask(Select("", text="cat", merge=True), cat, PixelRect(0, 0, WIDTH, HEIGHT))
    krita.run("mask = d.rootNode().childNodes()[0].childNodes()[0]")
    assert krita.get("mask.type()") == "selectionmask"
    data = studio.fetch(f"mask.selection().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    assert data == placed(answer.instances[0].mask, WIDTH, HEIGHT).tobytes()
    one_step(studio, krita, before)


def test_one_layer_for_each_instance(studio: Studio, krita: Krita) -> None:
    image = studio.photo("photos/bus.jpg").resize((608, 810))
    studio.open(image)
    before = krita.get("tree(d.rootNode())")
    krita.run("C.options.kind = 'instances'")
    studio.command("select_by_prompt('person')")
    area = PixelRect(0, 0, 608, 810)
    answer = studio.ask(Select("", text="person", merge=True), image, area)
    group = krita.get("tree(d.rootNode())")[1]
    names = [f"person {number}" for number in range(1, len(answer.instances) + 1)]
    assert group[1] == "grouplayer"
    assert [child[0] for child in group[2]] == names
    original = np.frombuffer(bgra(image), np.uint8).reshape(810, 608, 4)
    for name, instance in zip(names, answer.instances, strict=True):
        layer = studio.pixels(f"d.nodeByName({name!r})", area)
        mask = placed(instance.mask, 608, 810)
        assert (layer[..., 3] == mask).all()
        assert (layer[mask > 0][:, :3] == original[mask > 0][:, :3]).all()
    assert krita.get("[document.name() for document in K.documents()]") == [krita.get("d.name()")]
    one_step(studio, krita, before)


def test_a_locked_layer_is_left_alone(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("d.activeNode().setLocked(True); C.select_by_prompt('cat', 'transparency')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "locked" in failure[1]
    assert studio.history()[0] == []
