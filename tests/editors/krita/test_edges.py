"""Cut-outs by prompt, edge settings and inpainting in Krita: what lands is what the server says, in one step."""

import numpy as np
import pytest

from maskwright_protocol import masks
from maskwright_protocol.messages import Cutout, PixelRect, PostProcess, Refine

from ..chroot import Lab
from .actions import closed, open_live, opened, previewed
from .driver import Krita
from .studio import Studio, one_step, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
EDGES = {"edge_width": 30.0, "hair": True, "smooth": 4.0, "contrast": 0.5, "shift_edge": -0.25}


ROUGH = PixelRect(130, 40, 200, 180)


def rough() -> masks.Mask:
    """The selection that there is before, as the server is told of it."""
    return masks.pack(ROUGH, b"\xff" * (ROUGH.width * ROUGH.height))


def colours(answer: object, width: int, height: int) -> np.ndarray:
    found = answer.foreground  # type: ignore[attr-defined]
    box, out = found.box, np.zeros((height, width, 4), np.uint8)
    data = np.frombuffer(bytes(masks.unpack(found)), np.uint8).reshape(box.height, box.width, 4)
    out[box.y : box.y + box.height, box.x : box.x + box.width] = data
    return out


def test_cut_out_by_prompt_with_a_border(studio: Studio, krita: Krita, lab: Lab) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    before = krita.get("tree(d.rootNode())")
    open_live(krita, "maskwright_cut_out")
    krita.wait("QApplication.activeWindow() is panel", "the keyboard")
    lab.xdotool("type", "--delay", 5, "cat")
    krita.wait("panel.prompt.currentText() == 'cat'", "the typed text")
    krita.key("Return")
    previewed(krita)
    assert krita.get("tree(d.rootNode())") == before, "it is only shown"
    krita.run("row('maskwright_edge_width').setValue(30); row('maskwright_outline').setValue(9)")
    krita.key("Return")
    closed(krita, "maskwright_cut_out_dialog")
    studio.settle()
    assert studio.failure() is None
    found = studio.ask(Cutout("", text="cat", foreground=False), cat, BOX).alpha
    alpha = studio.ask(Refine("", mask=found, edge_width=30.0), cat, BOX).instances[0].mask
    job = Cutout("", mask=alpha, edges="given", format="BGRA8", outline=9.0)
    expected = colours(studio.ask(job, cat, BOX), WIDTH, HEIGHT)
    new = studio.pixels("d.rootNode().childNodes()[1]", BOX)
    assert (new == expected).all()
    white = (new[..., :3] == 255).all(axis=2) & (new[..., 3] == 255)
    assert white.sum() > 300, "the border is white"
    assert krita.get("d.rootNode().childNodes()[1].name()") == "cat (cut out)"
    one_step(studio, krita, before)


@pytest.mark.parametrize("kind", ["transparency", "selection"])
def test_a_cut_out_as_mask_or_selection(studio: Studio, krita: Krita, kind: str) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    studio.command(f"cut_out(Cut('cat', pick='best', edge=Edge(30.0, True, 4.0, 0.5, -0.25)), {kind!r})")
    answer = studio.ask(Cutout("", text="cat", pick="best", foreground=False, **EDGES), cat, BOX)
    expected = placed(answer.alpha, WIDTH, HEIGHT)
    if kind == "selection":
        assert (studio.selection() == expected).all()
    else:
        assert (studio.pixels("d.rootNode().childNodes()[0].childNodes()[0]", BOX, 1)[..., 0] == expected).all()
    studio.has_steps(1)


def test_a_border_in_a_deep_document_is_a_layer_of_8_bits(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("d = K.activeDocument(); d.setColorSpace('RGBA', 'U16', ''); d.waitForDone()")
    krita.run("c = d.activeNode().duplicate(); c.setColorSpace('RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc')")
    seen = studio.fetch(f"c.pixelData(0, 0, {WIDTH}, {HEIGHT}).data()")
    studio.command("cut_out(Cut('cat', outline=9.0))")
    expected = colours(studio.ask(Cutout("", text="cat", format="BGRA8", outline=9.0), seen, BOX), WIDTH, HEIGHT)
    krita.run("new = d.rootNode().childNodes()[1]")
    assert krita.get("(new.colorDepth(), d.colorDepth())") == ("U8", "U16")
    assert (studio.pixels("new", BOX) == expected).all()


def test_a_border_stays_inside_the_limit(studio: Studio, krita: Krita) -> None:
    cat = studio.photo(CAT)
    studio.open(cat)
    studio.select(ROUGH)
    krita.run("C.options.limit = True")
    studio.command("cut_out(Cut('cat', outline=9.0))")
    expected = colours(studio.ask(Cutout("", text="cat", format="BGRA8", outline=9.0), cat, BOX), WIDTH, HEIGHT)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[40:220, 130:330] = True
    new = studio.pixels("d.rootNode().childNodes()[1]", BOX)
    assert (new[inside] == expected[inside]).all()
    assert not new[~inside, 3].any()


def test_refine_with_all_its_settings(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    mask, steps = rough(), studio.select(ROUGH)
    open_live(krita, "maskwright_refine")
    krita.run(
        """
        row('maskwright_edge_width').setValue(30); row('maskwright_hair').setChecked(True)
        row('maskwright_smooth').setValue(4); row('maskwright_contrast').setValue(50)
        row('maskwright_shift_edge').setValue(-25); row('maskwright_grow').setValue(2)
        """
    )
    previewed(krita)
    krita.run("panel.activateWindow()")
    krita.key("Return")
    closed(krita, "maskwright_refine_dialog")
    studio.settle()
    answer = studio.ask(Refine("", mask=mask, post=PostProcess(grow=2.0), **EDGES), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    studio.has_steps(steps + 1)
    open_live(krita, "maskwright_refine")
    assert krita.get("work.settings.edge_width") == 30, "the next one begins with these"
    krita.run("panel.reset()")
    assert krita.get("work.settings == type(work.settings)()")
    krita.run("panel.last.clear(); panel.reject()")


@pytest.mark.parametrize("show", ["tell", "guides", "mask"])
def test_prepare_for_inpainting(studio: Studio, krita: Krita, show: str) -> None:
    photo = studio.photo(CAT).resize((900, 600))
    studio.open(photo)
    mask, steps = rough(), studio.select(ROUGH)
    old = studio.selection().copy()
    job = Refine("", recipe="inpaint", context=0.5, post=PostProcess(feather=3.0), mask=mask)
    answer = studio.ask(job, photo, PixelRect(0, 0, 900, 600))
    krita.run("QTimer.singleShot(0, K.action('maskwright_inpaint').trigger)")
    opened(krita, "maskwright_inpaint_dialog")
    krita.run("row('maskwright_inpaint_feather').setValue(3); w = row('maskwright_surroundings')")
    krita.run(f"w.setCurrentIndex(w.findData({show!r}))")
    krita.key("Return")
    krita.wait("C.result is not None and not C.busy()", "the answer")
    studio.settle()
    assert (studio.selection() == placed(answer.instances[0].mask, 900, 600)).all()
    box = answer.context
    assert any(f"{box.width} x {box.height}" in note for note in krita.get("TOLD"))
    studio.has_steps(steps + (2 if show == "mask" else 1))
    children = krita.get("tree(d.activeNode())")
    if show == "mask":
        assert [child[:2] for child in children] == [("Inpainting context", "selectionmask")]
        data = studio.fetch("d.activeNode().childNodes()[0].selection().pixelData(0, 0, 900, 600).data()")
        shown = np.frombuffer(data, np.uint8).reshape(600, 900)
        assert (shown[box.y : box.y + box.height, box.x : box.x + box.width] == 255).all()
        assert (shown > 0).sum() == box.width * box.height
        return
    assert children == []
    if show == "guides":
        assert set(krita.get("d.verticalGuides()")) == {box.x, box.x + box.width}
        assert set(krita.get("d.horizontalGuides()")) == {box.y, box.y + box.height}
    else:
        assert not krita.get("d.verticalGuides()")
    studio.undo()
    krita.wait("d.selection() is not None", "undo")
    studio.settle()
    assert (studio.selection() == old).all()


@pytest.mark.parametrize("name", ["maskwright_inpaint", "maskwright_parts"])
def test_escape_from_a_dialog_changes_nothing(studio: Studio, krita: Krita, name: str) -> None:
    studio.open(studio.photo(CAT))
    steps = studio.select(PixelRect(50, 40, 120, 90))  # without one, Krita greys the command for inpainting
    old = studio.selection().copy()
    krita.run(f"QTimer.singleShot(0, K.action({name!r}).trigger)")
    opened(krita, f"{name}_dialog")
    krita.key("Escape")
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to go")
    assert not krita.get("C.busy()")
    assert (studio.selection() == old).all()
    studio.has_steps(steps)
