#!/usr/bin/env python3
"""The GIMP plug-in's entry: GIMP runs this file once to learn the procedures, and again for each call of one.

Nothing is imported here that only a call needs, because GIMP waits for the first kind of run when it starts.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "vendor")]
os.environ.setdefault("MSGPACK_PUREPYTHON", "1")
# By default babl chooses among conversions by how fast each runs just then, and their last bits differ: the same deep
# image would look like another one at the next call, and its pixels would travel again. Exact ones only.
os.environ.setdefault("BABL_TOLERANCE", "0")

import gi  # noqa: E402

for library, version in (("Gimp", "3.0"), ("GimpUi", "3.0"), ("Gegl", "0.4"), ("Gdk", "3.0"), ("Gtk", "3.0")):
    gi.require_version(library, version)
from gi.repository import Gimp, GLib  # noqa: E402

from maskwright_protocol import language  # noqa: E402

language.use(GLib.get_language_names())  # GIMP's own; before what has texts is loaded

from maskwright_gimp import procedures  # noqa: E402
from maskwright_gimp.register import create_procedure, recipe_names  # noqa: E402


class Maskwright(Gimp.PlugIn):
    def do_set_i18n(self, name):
        """GIMP has nothing to translate: it gets all texts in its language."""
        return False

    def do_query_procedures(self):
        """Asked when this file is newer than what GIMP remembers: so it is made newer when a recipe comes or goes."""
        return [procedure.name for procedure in procedures.ALL] + recipe_names()

    def do_create_procedure(self, name):
        return create_procedure(self, name)


Gimp.main(Maskwright.__gtype__, sys.argv)
