"""What painters go on with, in the real Krita: shapes, fill layers, flats, line art, changes in words."""

import numpy as np
import pytest
from PIL import Image

from maskwright_protocol import masks
from maskwright_protocol.messages import Flats, PixelRect, Select

from ...server.masks.line_drawings import Drawing, draw
from ..chroot import wait_until
from .driver import Krita
from .studio import Studio, bgra, one_step, placed

pytestmark = pytest.mark.editor

BUS = "photos/bus.jpg"
CAT = "photos/chelsea.png"
PAGE = draw(2, width=420, height=320, cells=9, gap=4, gaps=5)
HIGH, WIDE = PAGE.truth.shape


@pytest.fixture
def page(studio: Studio, krita: Krita) -> Drawing:
    """Line art on a layer of its own above white paper; the layer is active."""
    studio.create(WIDE, HIGH)
    colours, alpha = PAGE.on_layer((30, 20, 60))
    studio.add_layer("lines", Image.fromarray(np.dstack([colours, alpha])), 0, 0)
    return PAGE


def shows(krita: Krita, node: str, size: tuple[int, int]) -> None:
    """Wait until a layer shows something: Krita draws shapes and fills a little later."""
    krita.wait(f"any(({node}).projectionPixelData(0, 0, {size[0]}, {size[1]}).data())", f"{node} to be drawn", 15)


def small_bus(studio: Studio) -> Image.Image:
    return studio.photo(BUS).resize((480, 640), Image.Resampling.LANCZOS)


def middle(cell: int) -> tuple[int, int]:
    rows, columns = np.nonzero((PAGE.truth == cell) & (PAGE.ink == 0))
    place = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return int(columns[place]), int(rows[place])


def largest(count: int) -> list[int]:
    return np.argsort(-np.bincount(PAGE.truth.ravel()))[:count].tolist()


def share(one: np.ndarray, other: np.ndarray) -> float:
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


# ---------------------------------------------------------------- results


def test_objects_become_vector_shapes(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    krita.run("K.activeDocument().setResolution(300); K.activeDocument().waitForDone()")
    before, steps = krita.get("tree(d.rootNode())"), len(studio.history()[0])
    krita.run("C.options.kind = 'vector'")
    studio.command("select_by_prompt('cat')")
    krita.run("new = d.rootNode().childNodes()[-1]; d.refreshProjection(); d.waitForDone()")
    assert krita.get("(new.type(), new.name())") == ("vectorlayer", "cat (shapes)")
    assert krita.get("[s.name() for s in new.shapes()]") == ["cat 1"]
    answer = studio.ask(Select("", text="cat", merge=True), cat, PixelRect(0, 0, *cat.size))
    true = placed(answer.instances[0].mask, *cat.size) > 127
    shows(krita, "new", cat.size)
    studio.lab.screenshot("vector.png")
    shown = studio.pixels("new", PixelRect(0, 0, *cat.size), projection=True)[..., 3] > 127
    assert share(shown, true) > 0.97
    wait_until(lambda: len(studio.history()[0]) == steps + 1, "one step", 5.0)
    studio.undo()
    wait_until(lambda: krita.get("tree(d.rootNode())") == before, "undo", 5.0)
    studio.redo()
    wait_until(lambda: krita.get("d.rootNode().childNodes()[-1].name()") == "cat (shapes)", "redo", 5.0)


def test_each_object_gets_a_fill_layer_with_its_name_and_colour(studio: Studio, krita: Krita) -> None:
    bus = small_bus(studio)
    studio.open(bus)
    before = krita.get("tree(d.rootNode())")
    krita.run("C.options.kind = 'fills'")
    studio.command("select_by_prompt('people')")
    krita.run("new = d.rootNode().childNodes()[-1]; d.refreshProjection(); d.waitForDone()")
    layers = krita.get("[(n.name(), n.type(), n.colorLabel()) for n in new.childNodes()]")
    answer = studio.ask(Select("", text="people", merge=True), bus, PixelRect(0, 0, *bus.size))
    labels = [1, 4, 2, 7, 6, 8][: len(answer.instances)]
    assert layers == [(f"person {n}", "filllayer", label) for n, label in enumerate(labels, 1)]
    assert len(layers) > 1
    studio.lab.screenshot("fills.png")
    for number, instance in enumerate(answer.instances):
        shows(krita, f"new.childNodes()[{number}]", bus.size)
        shown = studio.pixels(f"new.childNodes()[{number}]", PixelRect(0, 0, *bus.size), projection=True)
        true = placed(instance.mask, *bus.size) > 127
        assert share(shown[..., 3] > 127, true) > 0.99
        assert len(np.unique(shown[true][:, :3], axis=0)) == 1
    one_step(studio, krita, before)


def test_layers_of_objects_have_colour_labels(studio: Studio, krita: Krita) -> None:
    studio.open(small_bus(studio))
    krita.run("C.options.kind = 'instances'")
    studio.command("select_by_prompt('people')")
    found = krita.get("[(n.name(), n.colorLabel()) for n in d.rootNode().childNodes()[-1].childNodes()]")
    assert found[:2] == [("person 1", 1), ("person 2", 4)]


# ---------------------------------------------------------------- line art


def test_flat_colours_lie_below_the_lines(studio: Studio, krita: Krita, page: Drawing) -> None:
    before, steps = krita.get("tree(d.rootNode())"), len(studio.history()[0])
    krita.run("flats = maskwright_krita.line_art.ask_flats(C)")
    krita.wait("flats.isVisible()", "the dialog")
    krita.run("flats.findChild(QWidget, 'maskwright_gap').setValue(5)")
    studio.lab.xdotool("mousemove", *krita.get("place(flats.ok)"), "click", 1)
    krita.wait("len(d.rootNode().childNodes()) == 3", "the layer")
    studio.idle()
    names = krita.get("[n.name() for n in d.rootNode().childNodes()]")
    assert names[1:] == ["Flat colours", "lines"]
    krita.run("new = d.rootNode().childNodes()[1]")
    pixels = studio.pixels("new", PixelRect(0, 0, WIDE, HIGH))
    answer = studio.ask(Flats("", gap=5.0, format="BGRA8"), layer_of(page), PixelRect(0, 0, WIDE, HIGH))
    assert (pixels == np.frombuffer(bytes(masks.unpack(answer.colours)), np.uint8).reshape(HIGH, WIDE, 4)).all()
    assert krita.get("new.blendingMode()") == "normal"
    shown = pixels.view(np.uint32)[..., 0]
    for cell in largest(6):
        x, y = middle(cell)
        assert share(shown == shown[y, x], page.truth == cell) > 0.9
    assert any("regions were filled" in text for text in krita.get("TOLD"))
    studio.lab.screenshot("flats.png")
    studio.has_steps(steps + 1)
    studio.undo()
    wait_until(lambda: krita.get("tree(d.rootNode())") == before, "undo", 5.0)


def layer_of(page: Drawing) -> bytes:
    colours, alpha = page.on_layer((30, 20, 60))
    return bgra(Image.fromarray(np.dstack([colours, alpha])))


def test_flat_colours_of_a_scan_multiply(studio: Studio, krita: Krita) -> None:
    studio.open(Image.fromarray(PAGE.on_paper()))
    krita.run("C.run('flats', lambda: maskwright_krita.line_art.flats(C))")
    studio.idle()
    krita.run("new = d.rootNode().childNodes()[-1]")
    assert krita.get("(new.name(), new.blendingMode())") == ("Flat colours", "multiply")


def test_clicks_between_the_lines_select_regions(studio: Studio, krita: Krita, page: Drawing) -> None:
    krita.run("C.options.gap = 5.0; K.action('maskwright_line_art').trigger()")
    krita.wait("T.active and T.line_art", "the tool")
    one, two = largest(2)
    studio.click(*middle(one))
    krita.wait("T.preview() is not None and not T.busy", "the region")
    studio.lab.xdotool(
        "mousemove", *krita.get(f"on_canvas(*{middle(two)})"), "keydown", "shift", "click", 1, "keyup", "shift"
    )
    krita.wait("len(T.session.result()) == 2 and not T.busy", "the second region")
    studio.lab.screenshot("line-art.png")
    studio.lab.xdotool("key", "Return")
    krita.wait("not T.active", "the end of the tool")
    studio.idle()
    studio.settle()
    assert share(studio.selection() > 127, np.isin(page.truth, [one, two])) > 0.95
    assert len(studio.history()[0]) >= 1


def test_another_gap_is_looked_at_again(studio: Studio, krita: Krita, page: Drawing) -> None:
    krita.run("C.options.gap = 0.0; T.toggle_line_art()")
    cell = largest(1)[0]
    studio.click(*middle(cell))
    krita.wait("T.preview() is not None and not T.busy", "the region")
    wide = krita.get("T.preview().area")
    krita.run("T.set_gap(5.0)")
    krita.wait(f"not T.busy and T.preview() is not None and T.preview().area != {wide}", "the smaller region")
    assert krita.get("T.preview().area") < wide
    assert krita.get("C.options.gap") == 5.0
    krita.run("T.stop()")
    assert krita.get("T.line_art") is False


# ---------------------------------------------------------------- changes in words


def test_sentences_change_the_selection_in_one_step_each(studio: Studio, krita: Krita) -> None:
    bus = small_bus(studio)
    studio.open(bus)
    studio.command("select_by_prompt('the leftmost person')")
    left = studio.selection()
    steps = len(studio.history()[0])
    studio.command("select_by_prompt('also the rightmost person')")
    both = studio.selection()
    assert np.count_nonzero(both) > 1.3 * np.count_nonzero(left)
    assert (both >= left).all()
    studio.has_steps(steps + 1)
    studio.command("select_by_prompt('without the leftmost person')")
    right = studio.selection()
    assert np.count_nonzero(right & left) < 0.1 * np.count_nonzero(left)
    studio.command("select_by_prompt('a bit tighter')")
    assert (studio.selection() > 127).sum() < (right > 127).sum()
    studio.command("select_by_prompt('feather 6 px')")
    soft = studio.selection()
    assert ((soft > 20) & (soft < 235)).sum() > 2 * ((right > 20) & (right < 235)).sum()
    studio.command("select_by_prompt('everything else')")
    assert (studio.selection().astype(int) + soft == 255).all()
    studio.has_steps(steps + 5)
    studio.undo()
    wait_until(lambda: (studio.selection() == soft).all(), "undo", 5.0)


def test_only_the_largest_of_those_that_were_found(studio: Studio, krita: Krita) -> None:
    bus = small_bus(studio)
    studio.open(bus)
    studio.command("select_by_prompt('people')")
    all_of_them = studio.selection()
    studio.command("select_by_prompt('only the largest')")
    assert krita.get("len(C.result.ticked)") == 1
    assert 0 < np.count_nonzero(studio.selection() > 127) < np.count_nonzero(all_of_them > 127)


def test_a_layer_is_made_anew_with_one_thing_more(studio: Studio, krita: Krita) -> None:
    studio.open(small_bus(studio))
    krita.run("C.options.kind = 'transparency'; mask = d.activeNode()")
    studio.command("select_by_prompt('the leftmost person')")
    studio.command("select_by_prompt('and the rightmost person')")
    made = krita.get("[(n.name(), n.type()) for n in mask.childNodes()]")
    assert [kind for _, kind in made] == ["transparencymask"] * 2
    assert krita.get("len(C.result.objects)") == 2


def test_words_stay_a_prompt_where_nothing_was_selected(studio: Studio, krita: Krita) -> None:
    studio.open(small_bus(studio))
    krita.run("FAILED.clear(); C.select_by_prompt('tighter')")
    studio.idle()
    failed = studio.failure()
    assert failed is not None
    assert failed[0] == "unknown_word"
