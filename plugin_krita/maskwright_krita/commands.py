"""What the panel can do: its icon buttons, and all of it in words in the menu behind the last one."""

from typing import Any, Callable, List, NamedTuple

from maskwright_protocol.language import tr

from .cut_panel import ask_cut_out
from .dialogs import ask_prompt, ask_settings
from .edge_dialogs import ask_inpainting
from .edge_panel import ask_refine
from .line_art import ask_flats
from .parts_dialog import ask_parts
from .plugin import Plugin
from .recipe_dialogs import ask_run, ask_save

EXAMPLE = "example"  # it needs a selection, or the click tool with something clicked


class PanelCommand(NamedTuple):
    """``icon``: a name in ``icons.ICONS``; ``needs``: one of ``availability.NEEDS``, or ``EXAMPLE``; ``button``: it has
    one of its own in the panel; ``ends``: a line below it in the menu."""

    name: str
    text: str
    tip: str
    icon: str
    run: Callable[[], Any]
    needs: str = "image"
    button: bool = False
    ends: bool = False


def commands(plugin: Plugin) -> List[PanelCommand]:
    """In the order in which they stand."""
    return [*_selecting(plugin), *_making(plugin), *_keeping(plugin)]


def _selecting(plugin: Plugin) -> List[PanelCommand]:
    controller = plugin.controller
    return [
        PanelCommand(
            "maskwright_subject", tr("Select Subject"), tr("Select the main subject"), "subject",
            controller.select_subject, button=True,
        ),
        PanelCommand(
            "maskwright_background", tr("Remove Background"), tr("Remove the background to a new layer"), "cut",
            controller.remove_background, button=True,
        ),
        PanelCommand(
            "maskwright_refine_button", tr("Refine Edge..."),
            tr("Give the selection a soft edge that follows the picture"), "refine",
            lambda: ask_refine(controller), "selection", button=True,
        ),
        PanelCommand(
            "maskwright_parts_button", tr("Clothes, Face and Body Parts..."),
            tr("Select hair, clothes, faces or parts of them"), "parts", lambda: ask_parts(controller), button=True,
        ),
        PanelCommand(
            "maskwright_similar_button", tr("Select Similar"),
            tr("Select everything that is like the clicked or the selected thing"), "similar",
            plugin.select_similar, EXAMPLE, button=True,
        ),
        PanelCommand(
            "maskwright_line_art_button", tr("Select inside Line Art"),
            tr("Click between the lines of a drawing to select what is inside of them"), "line-art",
            plugin.tool.toggle_line_art,
        ),
        PanelCommand(
            "maskwright_object", tr("Select Object from Selection"),
            tr("Select the object that the selection, a rectangle or a lasso, is around"), "object",
            controller.select_object, "selection", ends=True,
        ),
    ]  # fmt: skip


def _making(plugin: Plugin) -> List[PanelCommand]:
    controller = plugin.controller
    return [
        PanelCommand(
            "maskwright_cut_out_button", tr("Cut Out by Prompt..."),
            tr("Cut out what you name, with an outline if you like"), "cut", lambda: ask_cut_out(controller),
        ),
        PanelCommand(
            "maskwright_mask_button", tr("Add Mask from Prompt..."), tr("Hide all of the layer but what you name"),
            "transparency", lambda: ask_prompt(controller, "transparency"),
        ),
        PanelCommand(
            "maskwright_flats_button", tr("Flat Colours from Line Art..."),
            tr("Fill every region inside the lines with a flat colour of its own, on a layer below"), "fills",
            lambda: ask_flats(controller),
        ),
        PanelCommand(
            "maskwright_inpaint_button", tr("Prepare for Inpainting..."),
            tr("Make the selection ready to be filled by an inpainting tool"), "",
            lambda: ask_inpainting(controller), "selection", ends=True,
        ),
    ]  # fmt: skip


def _keeping(plugin: Plugin) -> List[PanelCommand]:
    return [
        PanelCommand(
            "maskwright_run_button", tr("Run Recipe..."),
            tr("Do what was kept, here or on all images, layers or frames"), "", lambda: ask_run(plugin),
        ),
        PanelCommand(
            "maskwright_save_button", tr("Save Last as Recipe..."), tr("Keep what was done last, for other pictures"),
            "", lambda: ask_save(plugin),
        ),
        PanelCommand(
            "maskwright_copy_button", tr("Copy Last as Command"), tr("For a terminal or a script"),
            "", plugin.saved.copy_command, ends=True,
        ),
        PanelCommand(
            "maskwright_settings_button", tr("Settings..."), tr("The server, and what the click tool shows"),
            "options", lambda: ask_settings(plugin.controller), "",
        ),
    ]  # fmt: skip
