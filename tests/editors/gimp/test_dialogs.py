"""GIMP with its windows under Xvfb: menus, dialogs, undo. Also makes the pictures of the guide."""

import numpy as np
import pytest

from maskwright_protocol.messages import Cutout

from ..chroot import wait_until
from .asking import Pixels, Plane, answer, plane
from .pictures import HEIGHT, WIDTH
from .windows import INTERACTIVE, Windows

pytestmark = pytest.mark.editor


def test_menu_entries(gui: Windows) -> None:
    """Every procedure is in the menu that its name promises."""
    found = gui.gimp.run("""
        names = pdb.query_procedures("maskwright-.*", "", "", "", "", "", "", "")
        found = {n: (pdb.lookup_procedure(n).get_menu_paths(), pdb.lookup_procedure(n).get_menu_label()) for n in names}
        out = sorted((name, " ".join(sorted(paths)), label.replace("_", "")) for name, (paths, label) in found.items())
    """)
    assert found == [
        (
            "maskwright-click-to-select",
            "<Image>/Filters/Maskwright <Image>/Select <Image>/Tools",
            "Click to Select...",
        ),
        ("maskwright-copy-command", "<Image>/Filters/Maskwright", "Copy Last as Command"),
        ("maskwright-cut-out", "<Image>/Layer/Transparency", "Cut Out by Prompt..."),
        ("maskwright-detect", "<Image>/Filters/Maskwright", "Find by Name..."),
        ("maskwright-mask-from-prompt", "<Image>/Layer/Mask", "Add Mask from Prompt..."),
        ("maskwright-prepare-inpainting", "<Image>/Select", "Prepare for Inpainting..."),
        ("maskwright-remove-background", "<Image>/Layer/Transparency", "Remove Background to New Layer"),
        ("maskwright-run-recipe", "<Image>/Filters/Maskwright", "Run Recipe..."),
        ("maskwright-save-recipe", "<Image>/Filters/Maskwright", "Save Last as Recipe..."),
        ("maskwright-select-by-prompt", "<Image>/Select", "By Prompt..."),
        ("maskwright-select-object", "<Image>/Select", "Object from Selection"),
        ("maskwright-select-parts", "<Image>/Select", "Clothes, Face and Body Parts..."),
        ("maskwright-select-refine", "<Image>/Select", "Refine..."),
        ("maskwright-select-subject", "<Image>/Select", "Subject"),
        ("maskwright-server", "<Image>/Filters/Maskwright", "Server and Models..."),
    ]


@pytest.mark.parametrize("name", ["maskwright-select-by-prompt", "maskwright-mask-from-prompt"])
def test_escape_changes_nothing(shown: Windows, name: str) -> None:
    title = "Select by Prompt" if "select" in name else "Add Mask from Prompt"
    call, _ = shown.open(name, title)
    shown.lab.xdotool("key", "Escape")
    assert shown.gimp.finish(call)[0] == "cancel"
    assert shown.unchanged()
    assert shown.gimp.run("out = image.is_dirty()") is False


RESULTS = ("selection", "layer-mask", "layer", "channel", "layers")


@pytest.mark.parametrize("result", RESULTS)
def test_one_undo_takes_everything_back(shown: Windows, result: str) -> None:
    shown.gimp.call("maskwright-select-by-prompt", prompt="person", result=result).ok()
    assert not shown.unchanged()
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


def test_prepare_for_inpainting_dialog(shown: Windows) -> None:
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 160, 220, 80, 90); rough = selected(image)")
    call, window = shown.open("maskwright-prepare-inpainting", "Prepare for Inpainting")
    shown.picture("prepare-inpainting", window)
    shown.lab.xdotool("key", "Return")
    assert shown.gimp.finish(call)[0] == "success"
    assert shown.gimp.run("out = selected(image) != rough and len(image.get_channels()) == 1")
    shown.undo()
    gone = "out = selected(image) == rough and not image.get_channels()"
    wait_until(lambda: shown.gimp.run(gone), "one undo to bring the selection back and take the channel away")


def test_server_dialog(shown: Windows) -> None:
    call = shown.gimp.start(f"out = call('maskwright-server', {INTERACTIVE})")
    window = shown.wait_for("Maskwright Server and Models")
    shown.lab.xdotool("windowactivate", "--sync", window)
    wait_until(lambda: len(np.unique(shown.picture("_look", window).sum(axis=2))) > 40, "the list of models")
    shown.picture("server", window)
    shown.lab.xdotool("key", "Escape")
    assert shown.gimp.finish(call)[1:3] == (0, '{"running": true}')


def test_remove_background_from_the_menu(shown: Windows, photo: Plane) -> None:
    """No dialog: one undo step, and the new layer lies above."""
    result = shown.gimp.run(f"out = call('maskwright-remove-background', image, [layer], {INTERACTIVE})")
    assert result[0] == "success"
    with shown.server.client() as client:
        expected = answer(client, Cutout("", foreground=False), Pixels(photo)).alpha
    data = shown.gimp.run("""out = plane(image.get_layers()[0], "R'G'B'A u8")""")
    alpha = np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., 3]
    assert np.array_equal(alpha, plane(expected, WIDTH, HEIGHT))
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


WITH_LAST_VALS = "run_mode=Gimp.RunMode.WITH_LAST_VALS"


@pytest.mark.parametrize("mode", [INTERACTIVE, WITH_LAST_VALS])
@pytest.mark.parametrize("name", ["maskwright-select-parts", "maskwright-select-subject"])
def test_what_is_not_found_opens_a_window(shown: Windows, name: str, mode: str) -> None:
    """By whatever command, also when it is repeated: nothing else would happen."""
    shown.gimp.run("""
        flat = Gimp.Layer.new(image, "flat", 480, 640, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
        flat.fill(Gimp.FillType.WHITE)
        image.insert_layer(flat, None, 0)
    """)
    call = shown.gimp.start(
        f"out = call({name!r}, image, [flat], {mode}, " + ("parts='hair')" if "parts" in name else ")")
    )
    if "parts" in name and mode == INTERACTIVE:
        window = shown.wait_for("Clothes, Face and Body Parts")
        shown.lab.xdotool("windowactivate", "--sync", window, "key", "Return")
    message = shown.wait_for("GIMP Message")
    shown.lab.xdotool("windowactivate", "--sync", message, "key", "Escape")
    shown.wait_gone("GIMP Message")
    assert shown.gimp.finish(call)[1] == 0


def test_a_note_opens_no_window(shown: Windows) -> None:
    result = shown.gimp.run(f"out = call('maskwright-remove-background', image, [layer], {INTERACTIVE})")
    assert result[0] == "success"
    assert '"notes": ["' in result[2], "there is something to note"
    assert not shown.windows("GIMP Message")


def test_what_needs_a_selection_says_so_before_its_dialog(shown: Windows) -> None:
    call = shown.gimp.start(f"out = call('maskwright-select-refine', image, [layer], {INTERACTIVE})")
    assert shown.gimp.finish(call, 15.0)[0] == "execution-error"
    assert not shown.windows("Refine Selection")


def test_return_in_a_number_runs_the_dialog(shown: Windows) -> None:
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 160, 220, 80, 90)")
    call, _ = shown.open("maskwright-prepare-inpainting", "Prepare for Inpainting")
    for keys in ("alt+g", "ctrl+a", "3", "Return"):
        shown.lab.xdotool("key", keys)
    assert shown.gimp.finish(call)[0] == "success"


OPENED = {  # arguments that are not as usual open their folds
    "maskwright-select-by-prompt": ("Select by Prompt", {"tiles": "on", "min_area": 9.0}),
    "maskwright-mask-from-prompt": ("Add Mask from Prompt", {"tiles": "on", "min_area": 9.0}),
    "maskwright-cut-out": ("Cut Out by Prompt", {"pick": "best", "hair": True, "outline": 3.0, "min_area": 9.0}),
    "maskwright-select-refine": ("Refine Selection", {"source": "visible", "min_area": 9.0}),
    "maskwright-select-parts": ("Clothes, Face and Body Parts", {"source": "visible", "min_area": 9.0}),
    "maskwright-detect": ("Find by Name", {"tiles": "on"}),
    "maskwright-click-to-select": ("Click to Select", {"tiles": "on", "min_area": 9.0}),
}


@pytest.mark.parametrize("name", OPENED)
def test_with_all_folds_open_a_dialog_fits_on_a_small_screen(shown: Windows, name: str) -> None:
    title, options = OPENED[name]
    shown.gimp.run("image.select_ellipse(Gimp.ChannelOps.REPLACE, 160, 220, 80, 90)")
    call, window = shown.open(name, title, **options)
    wait_until(lambda: shown.drawn(window), "the picture in it")
    shown.picture(f"_small-{name.partition('-')[2]}", window)
    _, _, width, height = shown.place(window)
    shown.lab.xdotool("key", "Escape")
    assert shown.gimp.finish(call)[0] == "cancel"
    assert width <= 1280
    assert height <= 800 - 60, "panels and a title bar have room too"
