"""What goes wrong leaves the image, the selection and the layers as they were, and says why in a sentence."""

import stat
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from maskwright_protocol.messages import StatusRequest

from ..chroot import Lab, wait_until
from ..server import Server
from .asking import Plane
from .driver import Gimp, install
from .halting import halted

pytestmark = pytest.mark.editor
PROMPTS = ("maskwright-select-by-prompt", "maskwright-select-subject", "maskwright-remove-background")


@pytest.fixture(scope="module")
def own_lab(open_lab: Callable[[str], Lab]) -> Lab:
    lab = open_lab("gimp")
    install(lab)
    return lab


@pytest.fixture(scope="module")
def own_server(own_lab: Lab, serve: Callable[[Lab], Server]) -> Server:
    return serve(own_lab)


@pytest.fixture(scope="module")
def own_gimp(own_lab: Lab, own_server: Server, photo: Plane, lab: Lab) -> Iterator[Gimp]:
    own_lab.put(lab.path("photo.png"), "photo.png")
    gimp = Gimp(own_lab)
    gimp.run(f"PHOTO = {own_lab.inside + '/photo.png'!r}")
    yield gimp
    gimp.close()


@pytest.fixture
def image(own_gimp: Gimp, own_server: Server) -> Iterator[Gimp]:
    """The photo with a soft selection and a layer mask, and what it looks like in ``before``."""
    if own_server.process is None or own_server.process.poll() is not None:
        own_server.start()
    own_gimp.run("""
        image = load(PHOTO)
        layer = image.get_layers()[0]
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 100, 100, 200, 300)
        Gimp.Selection.feather(image, 20)
        image.clean_all()
        before = state(image)
    """)
    yield own_gimp
    own_gimp.run("[each.delete() for each in Gimp.get_images()]")


def unchanged(gimp: Gimp) -> bool:
    """Nothing differs, and GIMP has no unsaved change to tell of either (so nothing is in the undo history)."""
    return gimp.run("out = state(image) == before and not image.is_dirty()")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("select-by-prompt", {}, "There is nothing to look for. Type what to select, click on it, or drag a box"),
        ("click-to-select", {"include": "12"}, "'12' is not a point. Write a point as"),
        ("click-to-select", {"include": "5000,1"}, "lies outside the picture"),
        ("select-by-prompt", {"prompt": "bus", "models": "mobile-sam"}, "does not name a role and a model"),
        ("select-by-prompt", {"prompt": "bus", "models": "segmenter=nothing"}, "nothing"),
        ("select-by-prompt", {"prompt": "bus", "recipe": "magic"}, "no select recipe called 'magic'"),
        ("select-by-prompt", {"prompt": "a blue chrysanthemum"}, "chrysanthemum"),
    ],
)
def test_what_cannot_be_done_is_said(image: Gimp, name: str, options: dict[str, str], message: str) -> None:
    called = image.call(f"maskwright-{name}", **options)
    assert called.status == "execution-error"
    assert message in called.error
    assert called.error.endswith((".", "?")), "a sentence with a hint"
    assert unchanged(image)


def test_nothing_found_is_an_answer_that_changes_nothing(image: Gimp) -> None:
    called = image.call("maskwright-select-by-prompt", prompt="elephant").ok()
    assert called.count == 0
    assert called.report["message"].startswith("No elephant was found.")
    assert unchanged(image)


def test_without_a_selection_there_is_no_object_in_it(image: Gimp) -> None:
    image.run("Gimp.Selection.none(image); image.clean_all(); before = state(image)")
    for name, hint in (("object", "Draw a rectangle or a lasso"), ("refine", "Select something roughly")):
        called = image.call(f"maskwright-select-{name}")
        assert called.error.startswith("Nothing is selected. " + hint)
    assert unchanged(image)


@pytest.mark.parametrize("name", PROMPTS)
def test_the_server_is_killed_while_it_works(image: Gimp, own_server: Server, name: str) -> None:
    with halted(own_server) as halt:
        options = ", prompt='bus'" if "prompt" in name else ""
        call = image.start(f"out = call({name!r}, image, [layer]{options})")
        halt.wait_for_job()
        own_server.kill()
        status, _, _, error = image.finish(call)
    assert status == "execution-error"
    assert error.startswith(("The Maskwright server", "Maskwright is not installed")), error
    assert unchanged(image)
    own_server.start()
    image.call("maskwright-select-by-prompt", prompt="bus").ok()


def test_cancel_ends_the_job_and_changes_nothing(image: Gimp, own_server: Server) -> None:
    """GIMP's own Cancel kills the plug-in's process; the server drops its job."""
    with halted(own_server) as halt:
        call = image.start("out = call('maskwright-remove-background', image, [layer])")
        halt.wait_for_job()
        mine = [p for p in plug_ins(image) if not image.finished(call)]
        assert len(mine) == 1
        mine[0].kill()
        status, *_ = image.finish(call)
        assert status != "success"
        with own_server.client() as client:
            wait_until(lambda: client.request(StatusRequest("")).sessions == 1, "the session's end")  # type: ignore[attr-defined]
    assert unchanged(image)
    image.call("maskwright-select-by-prompt", prompt="bus").ok()


def test_no_server_at_all(image: Gimp, own_server: Server) -> None:
    own_server.stop()
    called = image.call("maskwright-select-by-prompt", prompt="bus")
    assert called.status == "execution-error"
    assert called.error.startswith("Maskwright is not installed, or not where it is looked for. Install it")
    assert unchanged(image)
    assert image.run("out = call('maskwright-server')[2]") == '{"running": false}'


def test_a_server_of_another_version(image: Gimp, own_server: Server) -> None:
    own_server.stop()
    code = (
        "import maskwright_protocol.messages as m; m.PROTOCOL_VERSION += 1\n"
        "import sys; sys.argv = ['maskwright', 'serve']\n"
        "from maskwright.cli import main; main()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], env=own_server.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until((own_server.runtime / "server.json").exists, "the other server")
        called = image.call("maskwright-select-by-prompt", prompt="bus")
        assert called.status == "execution-error"
        assert "version" in called.error
        assert "Update the plugin and the server" in called.error
        assert unchanged(image)
    finally:
        other.terminate()
        other.wait(10)


def test_the_plug_in_starts_the_server(image: Gimp, own_server: Server, own_lab: Lab) -> None:
    """The command is found where the settings say; here it asks for the real server outside the chroot."""
    own_server.stop()
    asked = own_lab.path("asked")
    command = own_lab.path("maskwright")
    endpoint = f"{own_lab.inside}/runtime/server.json"
    command.write_text(
        f'#!/bin/sh\necho "$@" > {own_lab.within(asked)}\nwhile [ ! -e {endpoint} ]; do sleep 0.05; done\nsleep 2\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    settings = own_lab.path("profile", "maskwright.json")
    settings.write_text(f'{{"command": "{own_lab.within(command)}"}}')
    try:
        call = image.start("out = call('maskwright-select-by-prompt', image, [layer], prompt='bus')")
        wait_until(asked.exists, "the plug-in to start the server")
        own_server.start()
        assert image.finish(call)[0] == "success"
        assert asked.read_text().split()[0] == "serve"
    finally:
        settings.unlink()


def test_starting_gimp_costs_next_to_nothing(open_lab: Callable[[str], Lab]) -> None:
    """The interpreter itself tells what it imports: little when GIMP asks for the procedures, nothing after that."""
    lab = open_lab("gimp")
    install(lab)
    told = []
    for _ in range(2):
        lab.path("out", "gimp-console.log").unlink(missing_ok=True)
        gimp = Gimp(lab, PYTHONPROFILEIMPORTTIME="1")
        gimp.close()
        lines = gimp.log().splitlines()
        told.append({line.rsplit("|", 1)[1].strip() for line in lines if line.startswith("import time:")})
    asked, again = told
    assert "maskwright_gimp.register" in asked, "GIMP asked for the procedures"
    ours = {name for name in asked if name.startswith(("maskwright", "msgpack"))}
    client = {"maskwright_client", "maskwright_client.choices"}  # two small files without imports of their own
    texts = {"maskwright_protocol", "maskwright_protocol.version", "maskwright_protocol.language"}  # of the menus
    own = {"maskwright_gimp", *(f"maskwright_gimp.{name}" for name in ("procedures", "register", "remembered"))}
    assert ours - client - texts == own
    assert not any(name.startswith(("maskwright", "msgpack")) for name in again), "GIMP remembers them"


# ---------------------------------------------------------------- helpers


def plug_ins(gimp: Gimp) -> list[psutil.Process]:
    """The running processes of our plug-in below that GIMP."""
    found = []
    for process in psutil.Process(gimp.process.pid).children(recursive=True):
        try:
            if any("maskwright.py" in part for part in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            pass
    return found
