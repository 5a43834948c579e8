"""Selections in the real Krita equal the server's own masks, pixel by pixel, in one undo step with visible ants."""

import numpy as np
import pytest
from PIL import Image, ImageChops

from maskwright_client.choices import EMPTY_LAYER
from maskwright_protocol import masks
from maskwright_protocol.messages import Cutout, PixelRect, PostProcess, Rect, Refine, Select

from ..chroot import Lab, wait_until
from .driver import Krita
from .studio import Studio, bgra, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
BOX = PixelRect(0, 0, WIDTH, HEIGHT)


def cat_mask(studio: Studio) -> np.ndarray:
    answer = studio.ask(Select("", text="cat", merge=True), studio.photo(CAT), BOX)
    mask = answer.merged if len(answer.instances) > 1 else answer.instances[0].mask
    return placed(mask, WIDTH, HEIGHT)


def test_the_menu_entry_asks_and_selects(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.0)")
    before = lab.screenshot("before.png")
    krita.key("ctrl+alt+p")
    krita.wait("QApplication.activeModalWidget() is not None", "the dialog")
    krita.wait("QApplication.focusWidget() is not None and QApplication.focusWidget().inherits('QLineEdit') or "
               "QApplication.focusWidget().inherits('QComboBox')", "the prompt field")  # fmt: skip
    lab.xdotool("type", "--delay", 5, "cat")
    krita.wait("QApplication.activeModalWidget().findChild(QComboBox).currentText() == 'cat'", "the typed text")
    krita.key("Return")
    krita.wait("C.result is not None and not C.busy()", "the answer")
    studio.settle()
    expected = cat_mask(studio)
    assert expected.max() == 255
    assert (studio.selection() == expected).all()
    studio.has_steps(1)
    assert krita.get("C.options.history[0]") == "cat"

    def ants() -> bool:
        """The outline is drawn in black and white dashes: pixels near the mask's edge differ from before."""
        after = lab.screenshot("after.png")
        changed = ImageChops.difference(Image.open(before).convert("L"), Image.open(after).convert("L"))
        x, y = krita.get("on_canvas(0, 0)")
        near = np.asarray(changed)[y : y + HEIGHT, x : x + WIDTH] > 60
        hard = expected >= 128
        edge = np.zeros_like(hard)
        edge[1:, :] |= hard[1:, :] != hard[:-1, :]
        edge[:, 1:] |= hard[:, 1:] != hard[:, :-1]
        visible = edge[:, : near.shape[1]][: near.shape[0]]
        return bool((near & visible).sum() > 0.2 * visible.sum())

    wait_until(ants, "marching ants", 10.0, pause=0.2)


def becomes(studio: Studio, expected: np.ndarray | None) -> None:
    """Krita undoes and redoes in threads of its own: what counts is what is there when it is at rest, and stays."""

    def is_there() -> bool:
        if studio.krita.get("K.activeDocument().selection() is None"):
            return expected is None
        return expected is not None and bool((studio.selection() == expected).all())

    wait_until(is_there, "the selection", 5.0)
    studio.krita.run("rested = []; QTimer.singleShot(50, lambda: rested.append(True))")
    studio.krita.wait("rested")
    studio.settle()
    assert is_there()


def test_undo_and_redo_restore_exactly(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    studio.command("select_by_prompt('cat')")
    expected = studio.selection()
    assert expected.any()
    studio.has_steps(1)
    studio.undo()
    becomes(studio, None)
    studio.redo()
    becomes(studio, expected)
    # With a selection before: undo brings that one back.
    steps = studio.select(PixelRect(10, 20, 30, 40))
    old = np.zeros((HEIGHT, WIDTH), np.uint8)
    old[20:60, 10:40] = 255
    assert (studio.selection() == old).all()
    studio.command("select_by_prompt('cat')")
    assert (studio.selection() == expected).all()
    studio.has_steps(steps + 1)
    for _ in range(2):
        studio.undo()
        becomes(studio, old)
        studio.redo()
        becomes(studio, expected)


def test_undo_and_redo_of_several_steps(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    studio.command("select_by_prompt('cat')")
    cat = studio.selection()
    studio.command("refine(Edge(24.0))")
    refined = studio.selection()
    studio.command("select_subject()")
    subject = studio.selection()
    studio.has_steps(3)
    for expected in (refined, cat, None):
        studio.undo()
        becomes(studio, expected)
    for expected in (cat, refined, subject):
        studio.redo()
        becomes(studio, expected)


def test_redo_of_the_users_own_deselect_stays_what_it_is(studio: Studio, krita: Krita) -> None:
    """Our step in its place in the history was undone, and is gone."""
    studio.open(studio.photo(CAT))
    studio.command("select_by_prompt('cat')")
    cat = studio.selection()
    studio.command("refine(Edge(24.0))")
    studio.undo()
    becomes(studio, cat)
    krita.run("K.action('deselect').trigger()")
    becomes(studio, None)
    studio.undo()
    becomes(studio, cat)
    studio.redo()
    becomes(studio, None)


@pytest.mark.parametrize("mode", ["add", "subtract", "intersect", "difference"])
def test_result_modes_follow_kritas_rules(studio: Studio, krita: Krita, mode: str) -> None:
    studio.open(studio.photo(CAT))
    krita.run("s = Selection(); s.select(200, 50, 200, 200, 200); d.setSelection(s); d.waitForDone()")
    old = studio.selection().astype(int)
    krita.run(f"C.options.mode = {mode!r}")
    studio.command("select_by_prompt('cat')")
    new = cat_mask(studio).astype(int)
    wanted = {
        "add": np.minimum(old + new, 255),
        "subtract": np.maximum(old - new, 0),
        "intersect": np.minimum(old, new),
        "difference": np.abs(old - new),
    }[mode]
    assert (studio.selection() == wanted).all()


def test_subtracting_from_nothing_explains_itself(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.options.mode = 'subtract'; C.select_by_prompt('cat')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "no selection" in failure[1]
    assert studio.history()[0] == []


def test_subject_and_settings(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.options.grow = 3.0; C.options.feather = 2.0")
    studio.command("select_subject()")
    job = Cutout("", foreground=False)
    job.post.grow, job.post.feather = 3.0, 2.0
    assert (studio.selection() == placed(studio.ask(job, studio.photo(CAT), BOX).alpha, WIDTH, HEIGHT)).all()


def test_the_panel_leaves_out_and_cleans_up(studio: Studio, krita: Krita) -> None:
    street = studio.photo("photos/bus.jpg").resize((540, 720))
    box = PixelRect(0, 0, 540, 720)
    studio.open(street)
    fields = {"smooth": 3.0, "min_area": 50.0, "grow": 1.0}
    krita.run(f"[child('maskwright_' + name).setValue(value) for name, value in {fields}.items()]")
    krita.run("child('maskwright_invert').setChecked(True)")
    post = PostProcess(smooth=3.0, min_area=50.0, grow=1.0, invert=True)
    krita.run("child('maskwright_prompt_field').setEditText('bus')")
    krita.run("w = child('maskwright_but_not'); w.setText('person'); w.editingFinished.emit()")
    studio.press("maskwright_go")
    krita.wait("C.result is not None and not C.busy()", "the answer")
    studio.settle()
    assert studio.failure() is None
    answer = studio.ask(Select("", text="bus", exclude_text="person", merge=True, post=post), street, box)
    assert len(answer.instances) == 1
    assert (studio.selection() == placed(answer.merged, 540, 720)).all()
    assert krita.get("child('maskwright_but_not').text() == C.options.exclude == 'person'")
    # All but these people; then all but those that are still ticked.
    studio.command("select_by_prompt('person')")
    people = studio.ask(Select("", text="person", merge=True, post=post), street, box).instances
    each = [placed(one.mask, 540, 720) for one in people]
    assert len(each) > 1
    assert (studio.selection() == np.min(each, axis=0)).all()
    studio.press("maskwright_show_found")
    krita.run("child('maskwright_found').item(0).setCheckState(Qt.CheckState.Unchecked)")
    studio.press("maskwright_again")
    krita.wait("len(C.result.ticked) == len(C.result.objects) - 1 and not C.busy()")
    studio.settle()
    assert (studio.selection() == np.min(each[1:], axis=0)).all()
    krita.run(f"[child('maskwright_' + name).setValue(0) for name in {list(fields)}]")
    krita.run("child('maskwright_invert').setChecked(False)")


def test_object_from_selection(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("s = Selection(); s.select(120, 10, 280, 280, 255); d.setSelection(s); d.waitForDone()")
    studio.command("select_object()")
    start = masks.pack(PixelRect(120, 10, 280, 280), b"\xff" * 280 * 280)
    answer = studio.ask(Select("", boxes=[Rect(120, 10, 280, 280)], pick="best", start=start), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def test_refine(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    studio.command("select_by_prompt('cat')")
    rough = studio.selection()
    studio.command("refine(Edge(24.0))")
    rows, columns = np.nonzero(rough)
    x, y = int(columns.min()), int(rows.min())
    w, h = int(columns.max()) - x + 1, int(rows.max()) - y + 1
    mask = masks.pack(PixelRect(x, y, w, h), rough[y : y + h, x : x + w].tobytes())
    answer = studio.ask(Refine("", edge_width=24.0, mask=mask), studio.photo(CAT), BOX)
    refined = studio.selection()
    assert (refined == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    assert (refined != rough).any()


def test_a_selection_limits_the_search(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("s = Selection(); s.select(0, 0, 200, 300, 255); d.setSelection(s); d.waitForDone()")
    krita.run("C.options.limit = True")
    studio.command("select_by_prompt('cat')")
    found = studio.selection()
    assert found[:, :200].any()
    assert not found[:, 200:].any()


def test_unticked_instances_are_left_out(studio: Studio, krita: Krita) -> None:
    image = studio.photo("photos/bus.jpg").resize((608, 810))
    studio.open(image)
    studio.command("select_by_prompt('person')")
    answer = studio.ask(Select("", text="person", merge=True), image, PixelRect(0, 0, 608, 810))
    assert len(answer.instances) > 1
    assert (studio.selection() == placed(answer.merged, 608, 810)).all()
    krita.run("found = docker().findChild(QListWidget, 'maskwright_found')")
    studio.press("maskwright_show_found")
    assert krita.get("found.count()") == len(answer.instances)
    assert "person" in krita.get("found.item(0).text()")
    krita.run("found.item(0).setCheckState(Qt.CheckState.Unchecked)")
    studio.press("maskwright_again")
    krita.wait("len(C.result.ticked) == len(C.result.objects) - 1 and not C.busy()")
    studio.settle()
    rest = [placed(instance.mask, 608, 810) for instance in answer.instances[1:]]
    wait_until(lambda: (studio.selection() == np.max(rest, axis=0)).all(), "the remaining instances")


def test_pointing_at_a_line_shows_it_on_the_canvas(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo("photos/bus.jpg").resize((608, 810)))
    studio.command("select_by_prompt('person')")
    studio.press("maskwright_show_found")
    krita.run("found = docker().findChild(QListWidget, 'maskwright_found')")
    krita.wait("found.isVisible()", "the list")
    krita.run("quiet = []; QTimer.singleShot(300, lambda: quiet.append(True))")
    krita.wait("quiet", "the window to be placed")
    krita.run("line = found.visualItemRect(found.item(1))")
    assert krita.get("found.item(1).text().startswith(f'person  {round(C.result.objects[1].score * 100)} %')")
    assert krita.get("found.item(1).text().endswith('?') == C.result.objects[1].doubtful")
    assert krita.get("('Doubtful' in found.item(1).toolTip()) == C.result.objects[1].doubtful")
    assert not krita.get("found.item(1).icon().isNull()")
    x, y = krita.get("place(found.viewport(), line.center().x(), line.center().y())")
    lab.xdotool("mousemove", x - 2, y, "mousemove", x, y)
    shown = "[w for w in QApplication.allWidgets() if w.objectName() == 'maskwright_overlay' and w.isVisible()]"
    krita.wait(f"any(w._hover is not None for w in {shown})", "the object on the canvas")
    assert krita.get(f"{shown}[0]._hover[0].box == C.result.objects[1].plane.box")
    lab.xdotool("mousemove", *krita.get("on_canvas(300, 400)"))
    krita.wait(f"not {shown}", "the object to vanish again")


@pytest.mark.parametrize(
    ("model", "depth"), [("RGBA", "U16"), ("RGBA", "F32"), ("GRAYA", "U8"), ("CMYKA", "U8"), ("LABA", "U16")]
)
def test_other_depths_and_colour_models(studio: Studio, krita: Krita, model: str, depth: str) -> None:
    studio.open(studio.photo(CAT))
    krita.run(
        f"""
        d = K.activeDocument(); d.setColorSpace({model!r}, {depth!r}, ''); d.waitForDone()
        c = d.activeNode().duplicate(); c.setColorSpace('RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc')
        """
    )
    data = studio.fetch(f"c.pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    untouched = studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    studio.command("select_subject()")
    expected = placed(studio.ask(Cutout("", foreground=False), data, BOX).alpha, WIDTH, HEIGHT)
    assert (studio.selection() == expected).all()
    assert krita.get("(d.colorModel(), d.colorDepth())") == (model, depth)
    assert studio.fetch(f"d.activeNode().pixelData(0, 0, {WIDTH}, {HEIGHT}).data()") == untouched
    assert "Converted a copy" in studio.said()[1]
    assert krita.get("TOLD") == [], "it need not be told at each command"


def test_layers_off_the_canvas(studio: Studio, krita: Krita) -> None:
    """A layer that is moved and larger than the canvas: the part on the canvas is what is looked at."""
    cat = studio.photo(CAT)
    studio.create(300, 200)
    studio.add_layer("moved", cat, -100, -50)
    studio.command("select_subject()")
    seen = cat.crop((100, 50, 400, 250))
    answer = studio.ask(Cutout("", foreground=False), seen, PixelRect(0, 0, 300, 200))
    assert (studio.selection() == placed(answer.alpha, 300, 200)).all()


def test_a_small_layer_in_a_corner(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.create(700, 500)
    studio.add_layer("corner", cat, 230, 180)
    studio.command("select_subject()")
    answer = studio.ask(Cutout("", foreground=False), cat, PixelRect(230, 180, WIDTH, HEIGHT))
    assert (studio.selection() == placed(answer.alpha, 700, 500)).all()


def test_groups_masks_and_the_visible_image(studio: Studio, krita: Krita) -> None:
    """A group is read as its projection; for an active mask its layer is meant; "effects" and "image" see masks."""
    cat = studio.photo(CAT)
    studio.create(WIDTH, HEIGHT)
    studio.add_layer("cat", cat, 0, 0)
    krita.run(
        """
        n = d.activeNode(); s = Selection(); s.select(0, 0, 300, 300, 255)
        t = d.createTransparencyMask("half"); t.setSelection(s); n.addChildNode(t, None)
        d.waitForDone(); QTimer.singleShot(0, lambda: d.setActiveNode(t))
        """
    )
    krita.wait("d.activeNode().type() == 'transparencymask'")
    whole = placed(studio.ask(Cutout("", foreground=False), cat, BOX).alpha, WIDTH, HEIGHT)
    studio.command("select_subject()")
    assert (studio.selection() == whole).all()
    krita.run("C.options.source = 'effects'")
    studio.command("select_subject()")
    half = np.frombuffer(bgra(cat), np.uint8).reshape(HEIGHT, WIDTH, 4).copy()
    half[:, 300:] = 0
    seen = studio.fetch(f"n.projectionPixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    assert (np.frombuffer(seen, np.uint8).reshape(half.shape)[:, :300] == half[:, :300]).all()
    expected = studio.ask(Cutout("", foreground=False), seen, BOX)
    assert (studio.selection() == placed(expected.alpha, WIDTH, HEIGHT)).all()
    krita.run("C.options.source = 'image'")
    studio.command("select_subject()")
    merged = studio.fetch(f"d.pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    expected = studio.ask(Cutout("", foreground=False), merged, BOX)
    assert (studio.selection() == placed(expected.alpha, WIDTH, HEIGHT)).all()


@pytest.mark.parametrize("source", ["layer", "effects"])
def test_on_an_empty_layer_the_visible_image_is_looked_at(studio: Studio, krita: Krita, source: str) -> None:
    studio.open(studio.photo(CAT))
    krita.run("n = d.createNode('lines', 'paintlayer'); d.rootNode().addChildNode(n, None); d.waitForDone()")
    krita.run("QTimer.singleShot(0, lambda: d.setActiveNode(n))")
    krita.wait("d.activeNode().name() == 'lines'")
    krita.run(f"C.options.source = {source!r}; C.select_by_prompt('cat')")
    studio.idle()
    assert studio.failure() is None
    alone = studio.selection()
    assert krita.get("C.result.notes[0]") == EMPTY_LAYER
    krita.run("C.options.source = 'image'; C.select_by_prompt('cat')")
    studio.idle()
    assert (studio.selection() == alone).all()
    assert (alone > 127).any()


def test_no_document_and_an_empty_layer(studio: Studio, krita: Krita) -> None:
    for call in ("select_by_prompt('cat')", "remove_background()", "refine()"):
        krita.run(f"C.{call}")
        studio.idle()
        failure = studio.failure()
        assert failure is not None
        assert failure[1] == "No image is open."
    studio.create(100, 80)
    krita.run("n = d.createNode('empty', 'paintlayer'); d.rootNode().addChildNode(n, None); d.waitForDone()")
    krita.run("QTimer.singleShot(0, lambda: d.setActiveNode(n))")
    krita.wait("d.activeNode().name() == 'empty'")
    krita.run("C.select_subject()")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert failure[1] == "No main subject was found.", "the visible image was looked at: a plain ground"
    krita.run("C.select_by_prompt('   ')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert failure[0] == "empty_prompt"


def test_nothing_found_says_so_and_changes_nothing(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.select_by_prompt('bus')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "bus" in failure[1]
    assert krita.get("d.selection() is None")
    assert studio.history()[0] == []
