"""Maskwright for Krita: AI selections made by the local Maskwright server."""

import importlib.util
import os
import sys

_VENDOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vendor")
if os.path.isdir(_VENDOR) and _VENDOR not in sys.path:
    # Only the pure-Python part of msgpack is in there; without the variable it would look for its C part first.
    os.environ.setdefault("MSGPACK_PUREPYTHON", "1")
    sys.path.insert(0, _VENDOR)

if importlib.util.find_spec("krita") is not None:  # absent in the unit tests
    from maskwright_protocol import language

    from .editor.languages import of_krita

    language.use(of_krita())  # before what has texts is loaded
    from .extension import register

    register()
