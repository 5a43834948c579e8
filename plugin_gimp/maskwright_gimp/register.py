"""Tells GIMP about the procedures. Runs in the query phase too, so it imports next to nothing."""

from gi.repository import Babl, Gegl, Gimp, GObject

from maskwright_protocol.language import tr

from . import remembered

READWRITE = GObject.ParamFlags.READWRITE


def recipe_names():
    """The procedures of the saved recipes, as they were known last."""
    return list(remembered.procedures(Gimp.directory()))


def create_procedure(plug_in, name):
    """The ``Gimp.Procedure`` of that name, with menu entry and arguments."""
    entry = remembered.procedure(Gimp.directory(), name)
    if entry.needs_image:
        made = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, _run_image, None)
        made.set_image_types("*")
        mask = Gimp.ProcedureSensitivityMask
        made.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES)
    else:
        made = Gimp.Procedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, _run_plain, None)
        made.add_enum_argument(
            "run-mode", tr("Run mode"), tr("The run mode"), Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE, READWRITE
        )
    made.set_menu_label(entry.label)
    for menu in (entry.menu, *entry.more_menus):
        made.add_menu_path(menu)
    made.set_documentation(entry.blurb, entry.help, None)
    made.set_attribution(tr("The Maskwright developers"), tr("The Maskwright developers, GPL-3.0-or-later"), "2026")
    for argument in entry.arguments:
        _add(made, argument)
    made.add_int_return_value("count", tr("Objects"), tr("How many objects were found"), 0, 1 << 30, 0, READWRITE)
    made.add_string_return_value("report", tr("Report"), tr("How the answer was made, as JSON"), "", READWRITE)
    return made


def _add(made, argument):
    name, kind, nick, blurb, default, low, high, choices = argument
    if kind == "string":
        made.add_string_argument(name, nick, blurb, default, READWRITE)
    elif kind == "double":
        made.add_double_argument(name, nick, blurb, low, high, default, READWRITE)
    elif kind == "boolean":
        made.add_boolean_argument(name, nick, blurb, default, READWRITE)
    elif kind == "color":
        Babl.init()  # else the colour cannot be made in the phase in which GIMP asks what there is
        made.add_color_argument(name, nick, blurb, False, Gegl.Color.new(default), READWRITE)
    else:
        choice = Gimp.Choice.new()
        for number, (identity, label) in enumerate(choices):
            choice.add(identity, number, label, "")
        made.add_choice_argument(name, nick, blurb, choice, default, READWRITE)


def _run_image(procedure, run_mode, image, drawables, config, data):
    from . import run_procedure

    return run_procedure.run(procedure, run_mode, image, list(drawables), config)


def _run_plain(procedure, config, data):
    from . import run_procedure

    return run_procedure.run(procedure, config.get_property("run-mode"), None, [], config)
