"""Runs inside the real GIMP as its batch script: answers small command files with what they leave in ``out``.

Everything below is there for the commands too.
"""

import hashlib
import os
import time
import traceback

import gi  # pyright: ignore[reportMissingImports]

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp, Gio  # noqa: E402  # pyright: ignore[reportMissingImports]

FOLDER = os.environ["MASKWRIGHT_TESTBRIDGE"]
R = Gegl.Rectangle.new
NO_ABYSS = Gegl.AbyssPolicy.NONE
pdb = Gimp.get_pdb()


def call(name, image=None, drawables=(), run_mode=Gimp.RunMode.NONINTERACTIVE, **options):
    """Call a procedure; ``(status, count, report, error)``."""
    procedure = pdb.lookup_procedure(name)
    config = procedure.create_config()
    if procedure.find_argument("run-mode"):
        config.set_property("run-mode", run_mode)
    if image is not None:
        config.set_property("image", image)
        config.set_core_object_array("drawables", list(drawables))
    for option, value in options.items():
        config.set_property(option.replace("_", "-"), value)
    values = procedure.run(config)
    status = values.index(0).value_nick
    if status != "success":
        return status, 0, "", pdb.get_last_error()
    return status, values.index(1), values.index(2), ""


def load(path):
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    image.clean_all()
    return image


def image_like(path, base=Gimp.ImageBaseType.RGB, precision=Gimp.Precision.U8_NON_LINEAR):
    """The picture converted to another kind of image."""
    image = load(path)
    if precision != Gimp.Precision.U8_NON_LINEAR:
        image.convert_precision(precision)
    if base == Gimp.ImageBaseType.GRAY:
        image.convert_grayscale()
    elif base == Gimp.ImageBaseType.INDEXED:
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 255, False, False, "")
    image.clean_all()
    return image


def plane(drawable, encoding: "str | None" = "Y u8", box=None):
    """Bytes of a drawable in its own coordinates; encoding None is its own."""
    area = R(*box) if box else R(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(area, 1.0, encoding, NO_ABYSS)


def put(drawable, encoding, data):
    width, height = drawable.get_width(), drawable.get_height()
    buffer = drawable.get_buffer()
    buffer.set(R(0, 0, width, height), encoding, data)
    buffer.flush()
    drawable.update(0, 0, width, height)


def selected(image, encoding="Y u8"):
    return plane(image.get_selection(), encoding)


def native(drawable):
    return Babl.format_get_encoding(drawable.get_format())


def _item(item):
    what = [type(item).__name__, item.get_name(), item.get_offsets()[1:], item.get_width(), item.get_height()]
    what += [item.get_visible(), hashlib.sha1(plane(item, None)).hexdigest()]
    if isinstance(item, Gimp.Layer):
        mask = item.get_mask()
        what.append(hashlib.sha1(plane(mask)).hexdigest() if mask else None)
        if item.is_group():
            what.append([_item(child) for child in item.get_children()])
    return what


def state(image):
    """All that a user would call the image; equal states mean that nothing was changed."""
    try:
        return repr(
            [
                [_item(layer) for layer in image.get_layers()],
                [_item(channel) for channel in image.get_channels()],
                hashlib.sha1(selected(image)).hexdigest(),
                [item.get_name() for item in image.get_selected_layers()],
            ]
        )
    except AttributeError:  # an undo took something away while it was looked at
        return "changing"


def _serve():
    space = globals()
    while True:
        for name in sorted(os.listdir(FOLDER)):
            if not name.endswith(".py"):
                continue
            path = os.path.join(FOLDER, name)
            with open(path) as file:
                source = file.read()
            os.remove(path)
            space["out"] = None
            try:
                exec(compile(source, name, "exec"), space)
                answer = "ok" + repr(space["out"])
            except SystemExit:
                return
            except BaseException:
                answer = "no" + traceback.format_exc()
            with open(path + ".part", "w") as file:
                file.write(answer)
            os.rename(path + ".part", path[:-3] + ".out")
        time.sleep(0.01)


open(os.path.join(FOLDER, "ready"), "w").close()
_serve()
