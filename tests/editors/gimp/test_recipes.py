"""Recipes in GIMP: what was done once is saved, copied, and run on an image, its layers and all open images."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from maskwright_protocol.messages import Cutout, PostProcess, RecipeSave, RecipesRequest, Select
from tests.shared_data import REPOSITORY

from ..chroot import Lab
from ..server import Server
from .asking import Pixels, Plane, answer, plane
from .driver import Gimp, install
from .pictures import HEIGHT, WIDTH, bus, drawn, selected
from .windows import INTERACTIVE, Windows

pytestmark = pytest.mark.editor

BUSES = {"step": [{"verb": "select", "text": "bus", "grow": 3}]}
CUTS = {"step": [{"verb": "cutout"}]}
BOTH = {
    "step": [{"name": "bus", "verb": "select", "text": "bus"}, {"verb": "cutout", "mask": "bus"}],
    "output": [{"step": "bus"}, {"step": "cutout"}],
}
PAGE = (REPOSITORY / "docs" / "automation.md").read_text(encoding="utf-8")
BATCH = PAGE.partition("```python gimp\n")[2].partition("```")[0]  # the page's own example


@pytest.fixture
def saved(server: Server) -> Callable[..., None]:
    def save(**wanted: object) -> None:
        with server.client() as client:
            for name, data in wanted.items():
                client.request(RecipeSave("", name, data, overwrite=True), 10)  # type: ignore[arg-type]

    return save


def test_what_was_done_once_is_saved_and_runs_again(image: Gimp, server: Server) -> None:
    image.call("maskwright-select-by-prompt", prompt="bus", grow=3.0).ok()
    before = selected(image)
    told = image.call("maskwright-copy-command", "None", "()").ok().report
    assert told["command"] == "maskwright select PICTURE --text bus --grow 3"
    kept = image.call("maskwright-save-recipe", "None", "()", title="Buses, larger").ok().report
    assert kept["recipe"] == "buses-larger"
    again = image.call("maskwright-save-recipe", "None", "()", title="Buses, larger")
    assert again.status != "success"
    assert "already" in again.error
    image.call("maskwright-save-recipe", "None", "()", title="Buses, larger", replace=True).ok()
    with server.client() as client:
        listed = client.request(RecipesRequest(""), 10).recipes  # type: ignore[attr-defined]
    assert "Buses, larger" in [one.title for one in listed]
    image.run("Gimp.Selection.none(image)")
    image.call("maskwright-run-recipe", recipe="Buses, larger").ok()
    assert (selected(image) == before).all()


def test_clicks_are_kept_in_per_cent_of_the_picture(image: Gimp) -> None:
    image.call("maskwright-click-to-select", include="240,320").ok()
    told = image.call("maskwright-copy-command", "None", "()").ok().report
    assert told["command"] == "maskwright select PICTURE --point 50%,50%"
    assert "per cent" in told["message"]


def test_all_layers_get_their_own(image: Gimp, saved: Callable[..., None], server: Server, photo: Plane) -> None:
    saved(cuts=CUTS, buses=BUSES)
    image.run("""
        small = Gimp.Layer.new_from_drawable(layer, image); small.set_name("small"); image.insert_layer(small, None, 0)
        small.resize(300, 400, -20, -200); empty = Gimp.Layer.new(image, "flat", 64, 64, Gimp.ImageType.RGB_IMAGE, 100,
            Gimp.LayerMode.NORMAL); image.insert_layer(empty, None, 0); image.clean_all()
    """)
    called = image.call("maskwright-run-recipe", recipe="buses", run_on="layers").ok()
    assert called.count == 2
    assert "flat: " in called.report["message"]
    assert image.run("out = [(l.get_name(), l.get_mask() is not None) for l in image.get_layers()]")[1:] == [
        ("small", True), (image.run("out = layer.get_name()"), True),
    ]  # fmt: skip
    with server.client() as client:
        wanted = bus(client, photo, post=PostProcess(grow=3.0))
    assert (drawn(image, "layer.get_mask()", "Y u8", 1)[..., 0] == wanted).all()
    called = image.call("maskwright-run-recipe", recipe="cuts", run_on="layers").ok()
    assert called.count >= 2


def test_several_outputs(image: Gimp, saved: Callable[..., None], server: Server, photo: Plane) -> None:
    saved(both=BOTH)
    image.call("maskwright-run-recipe", recipe="both").ok()
    assert image.run("out = [l.get_name() for l in image.get_layers()]")[0] == "both cutout"
    with server.client() as client:
        found = answer(client, Select("", text="bus", merge=True), Pixels(photo))
        cut = answer(client, Cutout("", mask=found.merged), Pixels(photo))
    assert (selected(image) == plane(found.merged, WIDTH, HEIGHT)).all()
    alpha = drawn(image, "image.get_layers()[0]", "A u8", 1)[..., 0]
    assert (alpha == plane(cut.alpha, WIDTH, HEIGHT)).all()


def test_one_by_one(image: Gimp, saved: Callable[..., None]) -> None:
    saved(people={"step": [{"verb": "select", "text": "person"}], "output": [{"what": "instances"}]})
    image.call("maskwright-run-recipe", recipe="people").ok()
    top = "image.get_layers()[0]"
    name, is_group, count = image.run(f"out = ({top}.get_name(), {top}.is_group(), len({top}.get_children()))")
    assert (name, is_group) == ("people", True)
    assert count >= 2


def test_all_open_images(image: Gimp, saved: Callable[..., None]) -> None:
    saved(buses=BUSES)
    image.run("""
        grey = Gimp.Image.new(100, 80, Gimp.ImageBaseType.RGB)
        flat = Gimp.Layer.new(grey, "flat", 100, 80, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
        grey.insert_layer(flat, None, 0); grey.set_selected_layers([flat])
        other = load(PHOTO); other.set_selected_layers(other.get_layers())
    """)
    try:
        called = image.call("maskwright-run-recipe", recipe="buses", run_on="images").ok()
        assert (called.count, called.report["images"]) == (2, 3)
        assert "No bus was found" in called.report["message"]
        found = "out = [not Gimp.Selection.is_empty(one) for one in (image, other, grey)]"
        assert image.run(found) == [True, True, False]
    finally:
        image.run("grey.delete(); other.delete()")


def test_what_cannot_be_run_says_so(image: Gimp, saved: Callable[..., None]) -> None:
    saved(boxes={"step": [{"verb": "detect", "text": "bus"}]}, edge={"step": [{"verb": "refine"}]})
    for name, word in (("boxes", "run it on files"), ("edge", "Nothing is selected"), ("buess", "Did you mean")):
        image.run("Gimp.Selection.none(image)")
        called = image.call("maskwright-run-recipe", recipe=name)
        assert called.status != "success"
        assert word in called.error, called.error


# ---------------------------------------------------------------- the next start


@pytest.fixture(scope="module")
def used(open_lab: Callable[[str], Lab], serve: Callable[[Lab], Server], lab: Lab, photo: Plane) -> Lab:
    """A profile in which a recipe was saved, and GIMP left."""
    used = open_lab("gimp")
    install(used)
    used.put(lab.path("photo.png"), "photo.png")
    server = serve(used)
    with server.client() as client:
        client.request(RecipeSave("", "cuts", CUTS), 10)
        client.request(RecipeSave("", "Größe №1", BUSES), 10)
    gimp = Gimp(used)
    gimp.run(f"image = load({used.inside + '/photo.png'!r}); layer = image.get_layers()[0]")
    gimp.call("maskwright-run-recipe", recipe="cuts").ok()
    gimp.close()
    return used


@pytest.mark.parametrize("turn", ["second start", "third start"])
def test_saved_recipes_are_procedures_from_the_next_start_on(used: Lab, turn: str) -> None:
    gimp = Gimp(used)
    try:
        names = gimp.run('out = list(pdb.query_procedures("maskwright-recipe-.*", "", "", "", "", "", "", ""))')
        assert sorted(names) == ["maskwright-recipe-cuts", "maskwright-recipe-grosse-1"]
        gimp.run(f"image = load({used.inside + '/photo.png'!r}); layer = image.get_layers()[0]")
        assert gimp.run(
            'p = pdb.lookup_procedure("maskwright-recipe-grosse-1"); out = (p.get_menu_label(), p.get_menu_paths())'
        ) == ("Größe №1", ["<Image>/Filters/Maskwright/Recipes"])
        gimp.call("maskwright-recipe-grosse-1").ok()
        assert not gimp.run("out = Gimp.Selection.is_empty(image)")
        gimp.call("maskwright-recipe-cuts", run_on="layers").ok()
        assert len(gimp.run("out = [l.get_name() for l in image.get_layers()]")) == 2
    finally:
        gimp.close()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_recipe_in_a_batch_works_every_time(used: Lab, turn: int) -> None:
    code = BATCH
    for old, new in (("photos/cat.jpg", "photo.png"), ("cat.xcf", f"out-{turn}.xcf")):
        assert old in code
        code = code.replace(old, f"{used.inside}/{new}")
    code = code.replace("Every cat", "cuts")
    command = ["gimp-console", "-idf", "--quit", "--batch-interpreter", "python-fu-eval", "-b", code]
    environment = {"GIMP3_DIRECTORY": f"{used.inside}/profile", "NO_AT_BRIDGE": "1"}
    done: subprocess.CompletedProcess[str] = used.run(command, env=environment, check=False)
    assert "success 1 found" in done.stdout + done.stderr, done.stdout + done.stderr
    assert used.path(f"out-{turn}.xcf").stat().st_size > 1000


def test_the_dialogs(shown: Windows) -> None:
    """Select, save under a typed name, and run it from its list."""
    shown.gimp.call("maskwright-select-by-prompt", prompt="bus", grow=3.0).ok()
    call = shown.gimp.start(f"out = call('maskwright-save-recipe', None, (), {INTERACTIVE})")
    window = shown.wait_for("Save as Recipe")
    shown.lab.xdotool("windowactivate", "--sync", window)
    shown.lab.xdotool("type", "--delay", "5", "Typed bus")
    shown.picture("save-recipe", window)
    shown.lab.xdotool("key", "Return")
    status, _, report, error = shown.gimp.finish(call)
    assert status == "success", error
    assert '"typed-bus"' in report
    shown.gimp.run("Gimp.Selection.none(image); image.clean_all()")
    call, window = shown.open("maskwright-run-recipe", "Run Recipe")
    shown.picture("run-recipe", window)
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert not shown.gimp.run("out = Gimp.Selection.is_empty(image)")
