"""Images of several layers, as retouchers have them: an empty layer on top, several selected, what is hidden."""

import numpy as np
import pytest

from maskwright_client.choices import EMPTY_LAYER

from .driver import Gimp
from .pictures import selected

pytestmark = pytest.mark.editor

EMPTY = """
    top = Gimp.Layer.new(image, "top", {size}, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(top, None, 0)
    top.set_offsets({offsets})
"""
CALLS = {
    "select-by-prompt": {"prompt": "bus"},
    "click-to-select": {"include": "240,250"},
    "select-subject": {},
    "select-parts": {"parts": "hair; clothes"},
    "cut-out": {"prompt": "bus"},
    "remove-background": {},
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("size", "offsets"), [("480, 640", "0, 0"), ("90, 70", "200, 300"), ("700, 900", "-50, -60")])
def test_on_an_empty_layer_the_visible_image_is_meant(image: Gimp, name: str, size: str, offsets: str) -> None:
    image.run("image.undo_disable()")
    image.run(EMPTY.format(size=size, offsets=offsets))
    called = image.call(f"maskwright-{name}", drawables="[top]", **CALLS[name]).ok()
    assert called.count > 0
    assert called.report["notes"][0] == EMPTY_LAYER
    if "select" in name:
        alone = selected(image)
        image.run("Gimp.Selection.none(image)")
        image.call(f"maskwright-{name}", **CALLS[name], source="visible").ok()
        assert np.array_equal(alone, selected(image))
    else:
        assert image.run("out = [one.get_name() for one in image.get_layers()][1:]") == ["top", "Background"]


def test_a_layer_with_a_speck_on_it_is_no_empty_one(image: Gimp) -> None:
    image.run(EMPTY.format(size="480, 640", offsets="0, 0"))
    image.run("put(top, \"R'G'B'A u8\", bytes(4 * 480 * 320) + b'\\xff' * 4 * 480 * 20 + bytes(4 * 480 * 300))")
    called = image.call("maskwright-click-to-select", drawables="[top]", include="100,330").ok()
    assert EMPTY_LAYER not in called.report["notes"]


def test_an_empty_image_is_said_to_be_empty(image: Gimp) -> None:
    image.run("image.remove_layer(layer)")
    image.run(EMPTY.format(size="480, 640", offsets="0, 0"))
    called = image.call("maskwright-select-subject", drawables="[top]")
    assert called.status == "execution-error"
    assert "empty" in called.error


def test_selected_layers_are_looked_at_together(image: Gimp) -> None:
    """A picture that is cut in two layers, in a group and out of it, with something in front that is not selected."""
    whole = image.call("maskwright-click-to-select", include="240,250").ok()
    expected = selected(image)
    image.run("""
        Gimp.Selection.none(image)
        left, right = layer.copy(), layer.copy()
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        image.insert_layer(right, group, 0)
        image.insert_layer(left, None, 2)
        left.resize(240, 640, 0, 0)
        right.resize(240, 640, -240, 0)
        cover = Gimp.Layer.new(image, "cover", 480, 640, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(cover, None, 0)
        layer.set_visible(False)
        seen = state(image)
    """)
    together = image.call("maskwright-click-to-select", drawables="[left, right]", include="240,250").ok()
    assert together.count == whole.count
    assert np.abs(selected(image).astype(int) - expected).max() <= 1
    image.run("Gimp.Selection.none(image)")
    assert image.run("out = state(image) == seen"), "nobody's eyes were switched"


def test_a_mask_for_several_layers_is_refused(image: Gimp) -> None:
    image.run("other = layer.copy(); image.insert_layer(other, None, 0)")
    called = image.call("maskwright-mask-from-prompt", drawables="[layer, other]", prompt="bus")
    assert "Several layers are selected" in called.error


def test_what_was_cut_out_of_is_hidden_where_it_can_be_told(image: Gimp) -> None:
    image.run("other = layer.copy(); image.insert_layer(other, None, 0)")
    image.call("maskwright-remove-background", drawables="[layer, other]").ok()
    assert image.run("out = [one.get_visible() for one in image.get_layers()]") == [True, False, False]
    image.run("image.remove_layer(other); image.remove_layer(image.get_layers()[0]); layer.set_visible(True)")
    image.run(EMPTY.format(size="480, 640", offsets="0, 0"))
    image.call("maskwright-remove-background", drawables="[top]").ok()
    assert image.run("out = [one.get_visible() for one in image.get_layers()]") == [True, True, False]


def test_where_layers_below_stay_in_sight_a_note_says_so(image: Gimp) -> None:
    image.run("other = layer.copy(); image.insert_layer(other, None, 0)")
    called = image.call("maskwright-remove-background", drawables="[other]", source="visible").ok()
    assert image.run("out = [one.get_visible() for one in image.get_layers()]") == [True, True, True]
    assert "The layers below the new one still show." in called.report["notes"]


def test_each_object_gets_a_layer_in_a_group_of_its_own(image: Gimp) -> None:
    image.call("maskwright-select-by-prompt", prompt="person", result="layers").ok()
    group, background = image.run("""
        layers = image.get_layers()
        out = [(one.get_name(), [child.get_name() for child in one.get_children()] if one.is_group() else None)
               for one in layers]
    """)
    assert group[0] == "person"
    assert group[1] == [f"person {number}" for number in range(1, len(group[1]) + 1)]
    assert background == ("Background", None)
    assert len(group[1]) > 1


@pytest.mark.parametrize("before", ["nothing", "an ellipse"])
def test_a_path_follows_the_selection(image: Gimp, before: str) -> None:
    if before != "nothing":
        image.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 40, 100, 120)")
    kept = selected(image)
    image.call("maskwright-select-by-prompt", prompt="bus", result="path").ok()
    assert np.array_equal(selected(image), kept)
    names, channels = image.run("""
        out = ([path.get_name() for path in image.get_paths()], len(image.get_channels()))
    """)
    assert names == ["bus"]
    assert channels == 0
    image.run("image.select_item(Gimp.ChannelOps.REPLACE, image.get_paths()[0])")
    outline = selected(image) > 127
    image.call("maskwright-select-by-prompt", prompt="bus").ok()
    mask = selected(image) > 127
    assert (outline & mask).sum() / (outline | mask).sum() > 0.97
