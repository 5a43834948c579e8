"""Every procedure in the real GIMP, without windows: what it makes is what the server says, pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from maskwright_client.client import Client
from maskwright_protocol.masks import pack, unpack
from maskwright_protocol.messages import Cutout, Mask, Parse, PixelRect, Point, PostProcess, Rect, Refine, Select
from tests.shared_data import EVAL

from ..chroot import Lab
from .asking import Pixels, Plane, answer, plane
from .driver import Gimp
from .pictures import HEIGHT, WIDTH, bus, drawn, selected

pytestmark = pytest.mark.editor
BUS = "prompt"


def test_select_by_prompt_is_the_servers_mask(image: Gimp, client: Client, photo: Plane) -> None:
    called = image.call("maskwright-select-by-prompt", prompt="bus").ok()
    expected = bus(client, photo)
    assert called.count == 1
    assert 0.2 < (expected > 127).mean() < 0.8, "this picture shows a bus"
    assert len(np.unique(expected)) > 50, "its edges are soft"
    assert np.array_equal(selected(image), expected)
    assert called.report["models"] == ["yolox-nano", "mobile-sam"]


def test_several_objects_and_which_of_them(image: Gimp, client: Client, photo: Plane) -> None:
    everyone = answer(client, Select("", text="person", merge=True), Pixels(photo))
    assert len(everyone.instances) >= 3
    assert image.call("maskwright-select-by-prompt", prompt="people").ok().count == len(everyone.instances)
    assert np.array_equal(selected(image), plane(everyone.merged, WIDTH, HEIGHT))
    assert image.call("maskwright-select-by-prompt", prompt="person", pick="2").ok().count == 1
    second = answer(client, Select("", text="person", merge=True, pick="2"), Pixels(photo))
    assert np.array_equal(selected(image), plane(second.merged, WIDTH, HEIGHT))


def test_post_processing_and_leaving_out(image: Gimp, client: Client, photo: Plane) -> None:
    image.call(
        "maskwright-select-by-prompt", prompt="bus", but_not="person", grow=-3.0, feather=2.0, fill_holes=True
    ).ok()
    post = PostProcess(grow=-3.0, feather=2.0, fill_holes=True)
    assert np.array_equal(selected(image), bus(client, photo, exclude_text="person", post=post))


def test_select_subject(image: Gimp, client: Client, photo: Plane) -> None:
    image.call("maskwright-select-subject").ok()
    expected = answer(client, Cutout("", foreground=False), Pixels(photo)).alpha
    assert np.array_equal(selected(image), plane(expected, WIDTH, HEIGHT))


def test_object_from_selection(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 230, 120, 330)")
    rough = pack(PixelRect(20, 230, 120, 330), bytes([255]) * (120 * 330))
    image.call("maskwright-select-object").ok()
    job = Select("", merge=True, pick="best", boxes=[Rect(20.0, 230.0, 120.0, 330.0)], start=rough)
    expected = plane(answer(client, job, Pixels(photo)).merged, WIDTH, HEIGHT)
    assert (expected > 127).sum() > 5000
    assert np.array_equal(selected(image), expected)


def test_refine_keeps_to_the_servers_alpha(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 120, 300, 260)")
    rough = selected(image)
    left, top, right, bottom = image.run("out = list(Gimp.Selection.bounds(image))[2:]")
    mask = pack(PixelRect(left, top, right - left, bottom - top), rough[top:bottom, left:right].tobytes())
    image.call("maskwright-select-refine", edge_width=20.0).ok()
    expected = answer(client, Refine("", edge_width=20.0, mask=mask), Pixels(photo))
    assert expected.merged is not None or expected.instances
    found = expected.merged if expected.merged is not None else expected.instances[0].mask
    assert np.array_equal(selected(image), plane(found, WIDTH, HEIGHT))
    assert not np.array_equal(selected(image), rough)


def test_remove_background_makes_the_servers_layer(image: Gimp, client: Client, photo: Plane) -> None:
    before = image.run("out = state(image)")
    image.call("maskwright-remove-background").ok()
    names = image.run("out = [each.get_name() for each in image.get_layers()]")
    assert names == ["Background cut-out", "Background"]
    expected = answer(client, Cutout("", foreground=True), Pixels(photo))
    colours = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    box = expected.foreground.box
    data = np.frombuffer(bytes(unpack(expected.foreground)), np.uint8).reshape(box.height, box.width, 4)
    colours[box.y : box.y + box.height, box.x : box.x + box.width] = data
    layer = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)
    assert np.array_equal(layer[..., 3], plane(expected.alpha, WIDTH, HEIGHT))
    seen = layer[..., 3] > 0
    assert np.array_equal(layer[seen], colours[seen])
    assert image.run("out = layer.get_visible()") is False, "so that the result is seen"
    image.run("image.remove_layer(image.get_layers()[0]); image.set_selected_layers([layer]); layer.set_visible(True)")
    assert image.run("out = state(image)") == before, "the original was not touched"


def test_remove_background_without_cleaning_keeps_the_colours(image: Gimp, client: Client, photo: Plane) -> None:
    image.call("maskwright-remove-background", clean_colors=False, hide_original=False).ok()
    layer = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)
    seen = layer[..., 3] > 0
    assert np.array_equal(layer[seen][:, :3], photo[seen])
    expected = answer(client, Cutout("", foreground=False), Pixels(photo)).alpha
    assert np.array_equal(layer[..., 3], plane(expected, WIDTH, HEIGHT))
    assert image.run("out = layer.get_visible()") is True


def test_cut_out_by_prompt_makes_the_servers_layer(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("""out = call("maskwright-cut-out", image, [layer], prompt="bus", hair=True, outline=6.0,
        outline_color=Gegl.Color.new("#ff00ff"))""")
    assert image.run("out = image.get_layers()[0].get_name()") == "bus"
    job = Cutout("", text="bus", hair=True, outline=6.0, outline_colour="#ff00ff")
    expected = answer(client, job, Pixels(photo))
    box = expected.foreground.box
    data = np.frombuffer(bytes(unpack(expected.foreground)), np.uint8).reshape(box.height, box.width, 4)
    layer = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)
    assert np.array_equal(layer[box.y : box.y + box.height, box.x : box.x + box.width, 3], data[..., 3])
    pink = (layer == (255, 0, 255, 255)).all(axis=2)
    assert pink.sum() > 500, "the outline"
    assert not pink[300, 240], "the bus itself keeps its colours"
    image.run("image.remove_layer(image.get_layers()[0]); image.set_selected_layers([layer])")
    image.call("maskwright-cut-out", prompt="bus", hair=True, outline=6.0).ok()
    layer = drawn(image, "image.get_layers()[0]", "R'G'B'A u8", 4)
    assert (layer[pink] == 255).all(axis=1).mean() > 0.9, "an outline is white when nobody says otherwise"
    image.run("image.set_selected_layers([layer])")
    # As a selection, by a click, without any outline: only what was clicked.
    image.call("maskwright-cut-out", include="240,250", result="selection").ok()
    clicked = answer(client, Cutout("", points=[Point(240, 250)], foreground=False), Pixels(photo)).alpha
    assert np.array_equal(selected(image), plane(clicked, WIDTH, HEIGHT))


@pytest.fixture
def person(image: Gimp, lab: Lab) -> Plane:
    """A person instead of the street, open as ``image``."""
    path = EVAL / "person_parts" / "000335_image.png"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    inside = lab.put(path, "person.png")
    image.run(f"image = load({inside!r}); layer = image.get_layers()[0]")
    return np.asarray(Image.open(path).convert("RGB"))


def test_parts_of_people(image: Gimp, client: Client, person: Plane) -> None:
    height, width = person.shape[:2]
    image.call("maskwright-select-parts", parts="skin; clothes", find_edges=False).ok()
    expected = answer(client, Parse("", parts=["skin", "clothes"], merge=True), Pixels(person))
    assert 0.02 < (selected(image) > 127).mean() < 0.6
    assert np.array_equal(selected(image), plane(expected.merged, width, height))
    image.call("maskwright-select-parts", parts="clothes #1", find_edges=False).ok()
    clothes = answer(client, Parse("", parts=["clothes"], per_person=True), Pixels(person)).instances[0]
    assert np.array_equal(selected(image), plane(clothes.mask, width, height))
    called = image.call("maskwright-select-parts", parts="tail")
    assert called.status == "execution-error"
    assert "tail" in called.error


def test_preparing_for_inpainting(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 160, 220, 80, 90)")
    rough = selected(image)
    mask = pack(PixelRect(160, 220, 80, 90), rough[220:310, 160:240].tobytes())
    image.call("maskwright-prepare-inpainting", grow=10.0, feather=3.0, context=0.5).ok()
    post = PostProcess(grow=10.0, feather=3.0)
    job = Refine("", recipe="inpaint", context=0.5, post=post, mask=mask)
    expected = answer(client, job, Pixels(photo))
    assert np.array_equal(selected(image), plane(expected.instances[0].mask, WIDTH, HEIGHT))
    box = expected.context
    saved = drawn(image, "image.get_channels()[0]", "Y' u8", 1)[..., 0]
    assert image.run("out = image.get_channels()[0].get_name()") == "Inpainting context"
    assert image.run("out = image.get_channels()[0].get_visible()") is False, "the picture is not tinted"
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[box.y : box.y + box.height, box.x : box.x + box.width] = True
    assert np.array_equal(saved == 255, inside)
    assert not saved[~inside].any()


def test_mask_from_prompt(image: Gimp, client: Client, photo: Plane) -> None:
    image.call("maskwright-mask-from-prompt", prompt="bus").ok()
    expected = bus(client, photo)
    assert np.array_equal(drawn(image, "layer.get_mask()", "Y u8", 1)[..., 0], expected)
    # Once more: now there is a mask, and it is combined.
    image.call("maskwright-mask-from-prompt", prompt="person", mode="subtract").ok()
    people = answer(client, Select("", text="person", merge=True), Pixels(photo)).merged
    left = np.clip(expected.astype(int) - plane(people, WIDTH, HEIGHT), 0, 255)
    assert np.array_equal(drawn(image, "layer.get_mask()", "Y u8", 1)[..., 0], left)
    # With the mask being edited, the layer is still what is looked at.
    image.run("layer.set_edit_mask(True)")
    image.call("maskwright-select-by-prompt", drawables="[layer.get_mask()]", prompt="bus").ok()
    assert np.array_equal(selected(image), expected)


def test_points_and_boxes_of_scripts(image: Gimp, client: Client, photo: Plane) -> None:
    image.call("maskwright-click-to-select", include="240,250", exclude="60,400", boxes="5,120,470,330").ok()
    job = Select(
        "", merge=True, points=[Point(240, 250), Point(60, 400, False)], boxes=[Rect(5.0, 120.0, 470.0, 330.0)]
    )
    assert np.array_equal(selected(image), plane(answer(client, job, Pixels(photo)).merged, WIDTH, HEIGHT))


@pytest.mark.parametrize("mode", ["add", "subtract", "intersect"])
def test_selections_are_combined_as_gimp_does(image: Gimp, client: Client, photo: Plane, mode: str) -> None:
    image.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 100, 200, 300, 300); Gimp.Selection.feather(image, 30)")
    old, new = selected(image).astype(int), bus(client, photo).astype(int)
    image.call("maskwright-select-by-prompt", prompt="bus", mode=mode).ok()
    expected = {"add": np.minimum(old + new, 255), "subtract": np.maximum(old - new, 0)}
    assert np.array_equal(selected(image), expected.get(mode, np.minimum(old, new)))


def test_the_selection_as_limit_and_as_prompt(image: Gimp, client: Client, photo: Plane) -> None:
    image.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 240, 640)")
    box = PixelRect(0, 0, 240, 640)
    half: Mask = pack(box, bytes([255]) * (240 * 640))
    image.call("maskwright-select-by-prompt", prompt="bus", current_selection="limit").ok()
    assert not selected(image)[:, 240:].any()
    assert np.array_equal(selected(image), bus(client, photo, region=half))
    image.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 240, 640)")
    image.call("maskwright-click-to-select", include="100,300", current_selection="prompt").ok()
    job = Select("", merge=True, points=[Point(100, 300)], boxes=[Rect(0.0, 0.0, 240.0, 640.0)], start=half)
    assert np.array_equal(selected(image), plane(answer(client, job, Pixels(photo)).merged, WIDTH, HEIGHT))


def test_saved_channel_and_one_layer_per_object(image: Gimp, client: Client, photo: Plane) -> None:
    image.call("maskwright-select-by-prompt", prompt="bus", result="channel").ok()
    assert not selected(image).any(), "the selection is left alone"
    assert image.run("out = [each.get_name() for each in image.get_selected_layers()]") == ["Background"]
    saved = drawn(image, "image.get_channels()[0]", "Y' u8", 1)[..., 0]
    assert np.array_equal(saved, bus(client, photo))
    assert image.run("out = image.get_channels()[0].get_visible()") is False, "the picture is not tinted"
    image.run("image.select_item(Gimp.ChannelOps.REPLACE, image.get_channels()[0])")
    assert np.array_equal(selected(image), saved), "and GIMP makes the same selection of it"
    image.call("maskwright-select-by-prompt", prompt="person", result="layers").ok()
    people = answer(client, Select("", text="person", merge=True), Pixels(photo)).instances
    assert image.run("out = len(image.get_layers()[0].get_children())") == len(people)
    for number, person in enumerate(people):
        alpha = drawn(image, f"image.get_layers()[0].get_children()[{number}]", "R'G'B'A u8", 4)[..., 3]
        assert np.array_equal(alpha, plane(person.mask, WIDTH, HEIGHT))


def test_a_second_call_sends_no_pixels(image: Gimp, client: Client) -> None:
    from maskwright_protocol.messages import StatusRequest

    image.run("layer.posterize(40); layer.update(0, 0, 480, 640)")  # a picture that no test has shown yet
    first = image.call("maskwright-click-to-select", include="240,250").ok()
    held = client.request(StatusRequest("")).image_bytes  # type: ignore[attr-defined]
    second = image.call("maskwright-click-to-select", include="100,300").ok()
    assert first.report["pixel_bytes"] == WIDTH * HEIGHT * 3
    assert second.report["pixel_bytes"] == 0
    assert client.request(StatusRequest("")).image_bytes == held  # type: ignore[attr-defined]
    assert "embed" in first.report["timings"]
    assert "embed" not in second.report["timings"]


def test_server_procedure(gimp: Gimp) -> None:
    report = gimp.run("out = call('maskwright-server')")
    assert report[0] == "success"
    assert '"running": true' in report[2]
    assert '"mobile-sam"' in report[2]
