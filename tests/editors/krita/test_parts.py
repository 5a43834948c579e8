"""Parts of people in the real Krita: ticked in a list, and what lands is what the server says of them."""

import numpy as np
import pytest

from maskwright_protocol.messages import Parse, PixelRect

from .actions import opened
from .driver import Krita
from .studio import Studio, bgra, one_step, placed

pytestmark = pytest.mark.editor

WIDTH, HEIGHT = 512, 512
BOX = PixelRect(0, 0, WIDTH, HEIGHT)


def test_ticked_parts_become_the_selection(studio: Studio, krita: Krita) -> None:
    person = studio.photo("photos/astronaut.png")
    studio.open(person)
    draft = studio.ask(Parse("", per_person=True, draft=True), person, BOX)
    seen = [instance.part for instance in sorted(draft.instances, key=lambda i: i.person)]
    assert len(seen) > 1
    krita.run("QTimer.singleShot(0, K.action('maskwright_parts').trigger)")
    opened(krita, "maskwright_parts_dialog")
    krita.wait("row('maskwright_parts').count() > 0 and not dialog.task.running()", "the list")
    krita.run("parts = row('maskwright_parts')")
    listed = krita.get("[parts.item(i).text() for i in range(parts.count())]")
    assert listed == [i.label for i in sorted(draft.instances, key=lambda i: i.person)]
    picture = np.frombuffer(
        studio.fetch("(lambda i: (lambda p: (p.setsize(i.sizeInBytes()), bytes(p))[1])(i.bits()))"
                     "(parts.item(0).icon().pixmap(44, 44).toImage().convertToFormat(QImage.Format.Format_ARGB32))"),
        np.uint8,
    ).reshape(-1, 4)  # fmt: skip
    assert 20 < (picture[:, :3] != 120).any(axis=1).sum() < 44 * 44, "a thumbnail of the part"
    assert not krita.get("dialog.ok.isEnabled()"), "nothing is ticked"
    krita.run("[parts.item(i).setCheckState(Qt.CheckState.Checked) for i in (0, 1)]")
    krita.run("dialog.accept()")
    krita.wait("C.result is not None and not C.busy()", "the answer")
    studio.settle()
    answer = studio.ask(Parse("", parts=seen[:2], per_person=True, refine=True), person, BOX)
    chosen = [(i.part, i.person) for i in sorted(draft.instances, key=lambda i: i.person)][:2]
    expected = [placed(i.mask, WIDTH, HEIGHT) for i in answer.instances if (i.part, i.person) in chosen]
    assert len(expected) == 2
    assert (studio.selection() == np.max(expected, axis=0)).all()
    studio.has_steps(1)


def test_parts_in_words(studio: Studio, krita: Krita) -> None:
    person = studio.photo("photos/astronaut.png")
    studio.open(person)
    krita.run("QTimer.singleShot(0, K.action('maskwright_parts').trigger)")
    opened(krita, "maskwright_parts_dialog")
    krita.run("row('maskwright_parts_words').setText('SKIN #1'); row('maskwright_exact').setChecked(False)")
    krita.wait("row('maskwright_parts').count() > 0 and not dialog.task.running()", "the list")
    ticked = "[i.text() for i in map(parts.item, range(parts.count())) if i.checkState() == Qt.CheckState.Checked]"
    krita.run("parts = row('maskwright_parts')")
    assert krita.get(ticked) == ["skin of person 1"], "the list shows what was typed meanwhile"
    krita.run("[parts.item(i).setCheckState(Qt.CheckState.Checked) for i in range(parts.count())]")
    krita.run("[parts.item(i).setCheckState(Qt.CheckState.Unchecked) for i in range(parts.count())]")
    assert krita.get("row('maskwright_parts_words').text()") == ""
    krita.run("row('maskwright_parts_words').setText('SKIN #1')")
    krita.run("dialog.accept()")
    krita.wait("C.result is not None and not C.busy()", "the answer")
    studio.settle()
    answer = studio.ask(Parse("", parts=["skin"], per_person=True), person, BOX)
    expected = [placed(i.mask, WIDTH, HEIGHT) for i in answer.instances if i.person == 1]
    assert (studio.selection() == np.max(expected, axis=0)).all()


def test_one_layer_for_each_part(studio: Studio, krita: Krita) -> None:
    person = studio.photo("photos/astronaut.png")
    studio.open(person)
    before = krita.get("tree(d.rootNode())")
    studio.command("select_parts('Hair #1; skin #1', False, 'instances')")
    answer = studio.ask(Parse("", parts=["hair", "skin"], per_person=True), person, BOX)
    ours = [instance for instance in answer.instances if instance.person == 1]
    group = krita.get("tree(d.rootNode())")[1]
    names = [child[0] for child in group[2]]
    assert len(names) == len(ours) == 2
    original = np.frombuffer(bgra(person), np.uint8).reshape(HEIGHT, WIDTH, 4)
    for name, instance in zip(names, ours, strict=True):
        assert instance.label in name
        layer, mask = studio.pixels(f"d.nodeByName({name!r})", BOX), placed(instance.mask, WIDTH, HEIGHT)
        assert (layer[..., 3] == mask).all()
        assert (layer[mask > 0][:, :3] == original[mask > 0][:, :3]).all()
    one_step(studio, krita, before)


def test_without_people_the_dialog_says_so(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo("photos/coffee.png"))
    draft = studio.ask(Parse("", per_person=True, draft=True), studio.photo("photos/coffee.png"),
                       PixelRect(0, 0, *studio.photo("photos/coffee.png").size))  # fmt: skip
    krita.run("QTimer.singleShot(0, K.action('maskwright_parts').trigger)")
    opened(krita, "maskwright_parts_dialog")
    krita.wait("not dialog.task.running()", "the answer")
    assert krita.get("row('maskwright_parts').count()") == len(draft.instances)
    if not draft.instances:
        assert draft.message in krita.get("row('maskwright_parts_state').text()")
    krita.key("Escape")
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to go")
    assert studio.history()[0] == []
