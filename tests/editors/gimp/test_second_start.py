"""A profile that has been used before: GIMP then knows the procedures from its cache, and scripts meet another GIMP."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from maskwright_gimp.procedures import ALL, Procedure
from maskwright_protocol.messages import RecipeSave

from ..chroot import Lab
from ..server import Server
from .asking import Plane
from .driver import Gimp, install

pytestmark = pytest.mark.editor
# What a call needs to find something; all else keeps its default, as in a script.
NEEDED = {
    "maskwright-select-by-prompt": {"prompt": "bus"},
    "maskwright-cut-out": {"prompt": "bus"},
    "maskwright-mask-from-prompt": {"prompt": "bus"},
    "maskwright-click-to-select": {"include": "240,330"},
    "maskwright-detect": {"prompt": "person"},
    "maskwright-select-parts": {"parts": "clothes"},
    "maskwright-run-recipe": {"recipe": "cut"},
    "maskwright-save-recipe": {"title": "What was done last", "replace": True},
}
BATCH = """
from gi.repository import Gio
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({photo!r}))
procedure = Gimp.get_pdb().lookup_procedure("maskwright-remove-background")
config = procedure.create_config()
config.set_property("image", image)
config.set_core_object_array("drawables", image.get_layers())
values = procedure.run(config)
assert values.index(0).value_nick == "success", Gimp.get_pdb().get_last_error()
print("made", len(image.get_layers()), "layers")
"""
SCHEME = """(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{photo}"))))
 (maskwright-select-by-prompt #:run-mode RUN-NONINTERACTIVE #:image image
  #:drawables (vector (vector-ref (car (gimp-image-get-layers image)) 0)) #:prompt "bus")
 (gimp-message (number->string (car (gimp-selection-is-empty image)))))"""


@pytest.fixture(scope="module")
def used(open_lab: Callable[[str], Lab], serve: Callable[[Lab], Server], lab: Lab, photo: Plane) -> Lab:
    """A profile in which GIMP was started and left once, with a server that runs already."""
    used = open_lab("gimp")
    install(used)
    used.put(lab.path("photo.png"), "photo.png")
    with serve(used).client() as client:
        client.request(RecipeSave("", "cut", {"step": [{"verb": "cutout"}]}), 10)
    Gimp(used).close()
    assert used.path("profile", "pluginrc").exists(), "GIMP wrote down what the plug-in offers"
    return used


@pytest.fixture(scope="module", params=["second start", "third start"])
def again(used: Lab, request: pytest.FixtureRequest) -> Iterator[Gimp]:
    gimp = Gimp(used)
    gimp.run(f"PHOTO = {used.inside + '/photo.png'!r}")
    yield gimp
    gimp.close()


@pytest.mark.parametrize("procedure", ALL, ids=lambda procedure: procedure.name)
def test_every_procedure_runs_with_what_a_script_leaves_out(again: Gimp, procedure: Procedure) -> None:
    again.run("image = load(PHOTO); layer = image.get_layers()[0]")
    try:
        if procedure.name in ("maskwright-select-refine", "maskwright-prepare-inpainting", "maskwright-select-object"):
            again.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 20, 230, 300, 330)")
        needed = NEEDED.get(procedure.name, {})
        if procedure.needs_image:
            called = again.call(procedure.name, **needed)
        else:
            called = again.call(procedure.name, "None", "()", **needed)
        called.ok()
    finally:
        again.run("[each.delete() for each in Gimp.get_images()]")


def gimp_batch(lab: Lab, interpreter: str, code: str) -> subprocess.CompletedProcess[str]:
    command = ["gimp-console", "-idf", "--quit", "--batch-interpreter", interpreter, "-b", code]
    environment = {"GIMP3_DIRECTORY": f"{lab.inside}/profile", "NO_AT_BRIDGE": "1"}
    return lab.run(command, env=environment, check=False)


@pytest.mark.parametrize("turn", [1, 2])
def test_the_batch_recipe_works_every_time(used: Lab, turn: int) -> None:
    done = gimp_batch(used, "python-fu-eval", BATCH.format(photo=f"{used.inside}/photo.png"))
    assert "made 2 layers" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("turn", [1, 2])
def test_script_fu_works_every_time(used: Lab, turn: int) -> None:
    done = gimp_batch(used, "plug-in-script-fu-eval", SCHEME.format(photo=f"{used.inside}/photo.png"))
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "execution error" not in told.lower(), told
