"""Recipes in Krita: what was done once is saved, copied, and run on images, layers and frames."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from maskwright_client import recipe, saved_recipes
from maskwright_protocol.messages import Cutout, PixelRect, RecipeSave, SavedRecipe, Select

from ..chroot import Lab, wait_until
from ..server import Server
from .driver import Krita, install
from .studio import Studio, bgra, one_step, placed
from .test_menus import FIND

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
FINDS_CATS = {"step": [{"verb": "select", "text": "cat", "grow": 4}]}
CUTS = {"step": [{"verb": "cutout"}]}
THREE = {
    "step": [
        {"name": "cat", "verb": "select", "text": "cat"},
        {"name": "soft", "verb": "refine"},
        {"name": "cut", "verb": "cutout", "mask": "soft"},
    ],
    "output": [{"step": "soft"}, {"step": "cut"}],
}


@pytest.fixture
def saved(studio: Studio, krita: Krita) -> Callable[..., None]:
    """Saves recipes at the server, and waits until Krita has them."""

    def save(**wanted: dict[str, Any]) -> None:
        for name, data in wanted.items():
            studio.client.request(RecipeSave("", name, data, overwrite=True), 10)
        krita.run("P.saved.refresh()")
        krita.wait(f"{set(wanted)!r} <= {{one.name for one in P.saved.list}}", "the recipes", 10.0)

    return save


def run(studio: Studio, krita: Krita, name: str, scope: str = "image") -> None:
    krita.run(f"FAILED.clear(); TOLD.clear(); P.saved.run({name!r}, {scope!r})")
    studio.idle(120.0)
    studio.settle()
    assert studio.failure() is None, studio.failure()


def entries(krita: Krita) -> list[str]:
    """Of the menu Recipes, as it hangs in the menu Select."""
    krita.run(FIND + "menu = next(a for a in entry(bar, 'select').menu().actions() "
              "if a.objectName() == 'maskwright_recipes').menu()")  # fmt: skip
    return krita.get("[a.text() for a in menu.actions() if not a.isSeparator()]")


def test_what_was_done_once_is_saved_and_runs_again(studio: Studio, krita: Krita, lab: Lab, server: Server) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.options.grow = 4.0")
    studio.command("select_by_prompt('cat')")
    before = studio.selection().copy()
    krita.run("from maskwright_krita.recipe_dialogs import ask_run, ask_save; D = ask_save(P)")
    assert krita.get("D.findChild(QLabel, 'maskwright_recipe_told').text()") == "select (text cat, grow 4)."
    assert not krita.get("D.ok.isEnabled()")
    krita.run("D.findChild(QLineEdit, 'maskwright_recipe_name').setText('Every cat'); D.ok.click()")
    krita.wait("'every-cat' in [one.name for one in P.saved.list]", "the saved recipe", 10.0)
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to close")
    assert "Every cat" in entries(krita)
    # The entry is chosen with another image in front, whose options are others.
    studio.reset()
    studio.open(studio.photo(CAT))
    krita.run("[a for a in menu.actions() if a.text() == 'Every cat'][0].trigger()")
    studio.idle()
    studio.settle()
    assert studio.failure() is None
    assert (studio.selection() == before).all()
    studio.has_steps(1)
    # The command line does the same with a file.
    studio.photo(CAT).save(lab.path("cat.png"))
    command = [sys.executable, "-m", "maskwright.cli", "run", "every-cat", "cat.png", "-o", "mask.png"]
    subprocess.run(command, cwd=lab.path("cat.png").parent, env=server.environment(), check=True)
    assert (np.asarray(Image.open(lab.path("mask.png"))) == before).all()
    # A second one of that name is not lost sight of.
    studio.command("select_by_prompt('cat')")
    krita.run("D = ask_save(P); D.findChild(QLineEdit, 'maskwright_recipe_name').setText('every CAT'); D.ok.click()")
    krita.wait("D.findChild(QWidget, 'maskwright_replace').isVisible()", "the question", 10.0)
    assert "already" in krita.get("D.findChild(QLabel, 'maskwright_save_problem').text()")
    krita.run("D.findChild(QCheckBox, 'maskwright_replace').setChecked(True); D.ok.click()")
    krita.wait("QApplication.activeModalWidget() is None", "the dialog to close")
    actions = lab.path("home", ".local", "share", "krita", "actions", "maskwright_recipes.action").read_text()
    assert 'name="maskwright_recipe_every-cat"' in actions


def test_the_command_of_what_was_done(studio: Studio, krita: Krita) -> None:
    krita.run("P.controller.connection.asked = None; FAILED.clear(); P.saved.copy_command()")
    failure = studio.failure()
    assert failure is not None
    assert "yet" in failure[1]
    studio.open(studio.photo(CAT))
    studio.command("select_by_prompt('cat', exclude='dog')")
    krita.run("P.saved.copy_command()")
    assert krita.get("QApplication.clipboard().text()") == "maskwright select PICTURE --text cat --not dog"


def test_a_click_is_kept_in_per_cent(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("T.start()")
    studio.click(225.5, 150)
    krita.wait("T.preview() is not None", "the preview", 60.0)
    krita.run("T.commit()")
    studio.idle()
    krita.run("L = P.saved.last()")
    kept = krita.get("(L.recipe.steps[0].options.get('point'), L.notes)")
    assert kept[0] is not None
    assert len(kept[0]) == 1
    x, y = (float(number.rstrip("%")) for number in kept[0][0].split(","))
    assert abs(x - 50) < 1
    assert abs(y - 50) < 1
    assert "per cent" in kept[1][0]


def test_several_outputs_are_one_group_and_one_step(studio: Studio, krita: Krita, saved: Any) -> None:
    saved(three=THREE)
    studio.open(studio.photo(CAT))
    before = krita.get("tree(d.rootNode())")
    run(studio, krita, "three")
    assert krita.get("tree(d.rootNode())")[-1] == (
        "three", "grouplayer", [("soft", "paintlayer", []), ("cut", "paintlayer", [])],
    )  # fmt: skip
    one_step(studio, krita, before)


def test_all_layers(studio: Studio, krita: Krita, saved: Any) -> None:
    saved(cuts=CUTS)
    person = studio.photo("photos/astronaut.png").resize((200, 200))
    studio.open(studio.photo(CAT))
    studio.add_layer("person", person, 100, 50)
    steps = len(studio.history()[0])
    run(studio, krita, "cuts", "layers")
    assert krita.get("tree(d.rootNode())")[-1] == (
        "cuts", "grouplayer", [("Background (cuts)", "paintlayer", []), ("person (cuts)", "paintlayer", [])],
    )  # fmt: skip
    assert krita.get("TOLD[-1]") == "cuts: 2 layers."
    studio.has_steps(steps + 1)
    answer = studio.ask(Cutout(""), person, PixelRect(100, 50, 200, 200))
    got = studio.pixels("d.topLevelNodes()[-1].childNodes()[1]", BOX)[..., 3]
    assert (got == placed(answer.alpha, WIDTH, HEIGHT)).all()
    studio.undo()
    wait_until(lambda: len(krita.get("tree(d.rootNode())")) == 2, "undo", 5.0)


def test_all_open_images(studio: Studio, krita: Krita, saved: Any) -> None:
    saved(cats=FINDS_CATS)
    studio.open(studio.photo(CAT))
    studio.open(Image.new("RGB", (200, 100), (120, 120, 120)))
    studio.open(ImageOps.mirror(studio.photo(CAT)))
    run(studio, krita, "cats", "images")
    told = krita.get("TOLD[-1]")
    assert told.startswith("cats: 2 of 3 images.")
    assert "No cat was found" in told
    krita.run("areas = [int(sum(1 for b in mask_bytes(o.selection(), o.width(), o.height()) if b)) > 0"
              " for o in K.documents()]")  # fmt: skip
    assert sorted(krita.get("areas")) == [False, True, True]


def animated(studio: Studio, krita: Krita, lab: Lab, frames: dict[int, Image.Image]) -> None:
    """An animated layer ``n`` with those frames."""
    studio.create(WIDTH, HEIGHT)
    krita.run(
        "n = d.createNode('film', 'paintlayer'); d.rootNode().addChildNode(n, None); d.waitForDone()\n"
        "d.setActiveNode(n)"
    )
    krita.wait("d.activeNode() is not None and d.activeNode().name() == 'film'", "the layer")
    krita.run("d.setFullClipRangeEndTime(12); n.enableAnimation()")
    for time, image in frames.items():
        path = lab.path("exchange", "frame.raw")
        path.write_bytes(bgra(image))
        krita.run(f"d.setCurrentTime({time}); d.waitForDone()")
        krita.run("K.action('add_blank_frame').trigger(); d.waitForDone()")
        krita.wait(f"n.hasKeyframeAtTime({time})", "the frame")
        krita.run(
            f"n.setPixelData(QByteArray(open({lab.within(path)!r}, 'rb').read()), 0, 0, {WIDTH}, {HEIGHT})\n"
            "d.waitForDone()"
        )
    krita.run("d.setCurrentTime(3); d.waitForDone()")


def frame(studio: Studio, node: str, time: int) -> np.ndarray:
    data = studio.fetch(f"{node}.pixelDataAtTime(0, 0, {WIDTH}, {HEIGHT}, {time}).data()")
    return np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 4)


def test_all_frames(studio: Studio, krita: Krita, lab: Lab, saved: Any) -> None:
    saved(cats=FINDS_CATS)
    cat = studio.photo(CAT)
    shown = {0: cat, 3: ImageOps.mirror(cat), 7: Image.new("RGB", cat.size, (128, 128, 128))}
    animated(studio, krita, lab, shown)
    steps = len(studio.history()[0])
    run(studio, krita, "cats", "frames")
    krita.run("made = d.topLevelNodes()[-1]")
    assert krita.get("(made.name(), d.currentTime(), [t for t in range(13) if made.hasKeyframeAtTime(t)])") == (
        "film (cats)", 3, [0, 3, 7],
    )  # fmt: skip
    studio.has_steps(steps + 1)
    for time in (0, 3):
        answer = studio.ask(Select("", text="cat", merge=True, post=_grown()), shown[time], BOX)
        assert (frame(studio, "made", time)[..., 3] == placed(answer.merged, WIDTH, HEIGHT)).all()
        solid = frame(studio, "made", time)[..., 3] == 255
        assert (frame(studio, "made", time)[solid] == frame(studio, "n", time)[solid]).all()
    assert not frame(studio, "made", 7).any()
    assert krita.get("TOLD[-1]") == "cats: 2 of 3 frames. frame 7: No cat was found."


def _grown() -> Any:
    return recipe.recipe_jobs.job(recipe.VERBS["select"], {"grow": 4.0}, {}, BOX).post  # type: ignore[attr-defined]


def test_cancelling_leaves_everything_as_it_was(studio: Studio, krita: Krita, lab: Lab, saved: Any) -> None:
    saved(cuts=CUTS)
    cat = studio.photo(CAT)
    animated(studio, krita, lab, {0: cat, 3: ImageOps.mirror(cat), 7: cat})
    before, steps = krita.get("tree(d.rootNode())"), studio.history()[0]
    krita.run("FAILED.clear(); said = []; C.progressed.connect(lambda text, done: said.append(text))")
    krita.run("P.saved.run('cuts', 'frames')")
    krita.wait("any(text.startswith('2 of 3') for text in said)", "the second frame", 60.0)
    krita.run("C.cancel()")
    studio.idle()
    studio.settle()
    assert krita.get("tree(d.rootNode())") == before
    assert studio.history()[0] == steps


def test_what_cannot_be_run_says_so(studio: Studio, krita: Krita, saved: Any) -> None:
    saved(boxes={"step": [{"verb": "detect", "text": "cat"}]}, edge={"step": [{"verb": "refine"}]}, cats=FINDS_CATS)
    studio.open(studio.photo(CAT))
    for name, scope, word in (
        ("boxes", "image", "run it on files"), ("edge", "image", "Nothing is selected"),
        ("cats", "frames", "has no frames"), ("gone", "image", "is gone"),
    ):  # fmt: skip
        krita.run(f"FAILED.clear(); P.saved.run({name!r}, {scope!r})")
        studio.idle()
        failure = studio.failure()
        assert failure is not None
        assert word in " ".join(failure), failure
    studio.has_steps(0)


def test_a_saved_recipe_can_have_a_shortcut(open_lab: Callable[[str], Lab], plugin_zip: Path) -> None:
    """What the plugin wrote down is there at the next start, and Krita gives it the keys that its settings say."""
    lab = open_lab("krita")
    install(lab, plugin_zip)
    saved = [SavedRecipe("all-cats", "All <cats> & dogs", recipe=FINDS_CATS)]
    kritarc = lab.path("home", ".config", "kritarc")
    kritarc.write_text(kritarc.read_text() + f"[maskwright]\nrecipes={saved_recipes.to_text(saved)}\n")
    lab.path("home", ".config", "kritashortcutsrc").write_text("[Shortcuts]\nmaskwright_recipe_all-cats=Ctrl+Alt+J\n")
    lab.open_display()
    first = Krita(lab)
    try:
        first.run("from maskwright_krita import saved; from maskwright_krita.plugin import plugin")
        first.run("saved.write_actions(plugin().saved.list)")
    finally:
        first.quit()
    second = Krita(lab)
    try:
        action = "K.action('maskwright_recipe_all-cats')"
        assert second.get(f"({action}.text(), {action}.shortcut().toString())") == ("All <cats> && dogs", "Ctrl+Alt+J")
    finally:
        second.quit()
