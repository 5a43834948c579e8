"""Maskwright's nodes for ComfyUI: masks, cut-outs and boxes from the server that Krita and GIMP use too.

ComfyUI imports this folder from ``custom_nodes``. ``vendor`` beside it holds Maskwright's client and a pure-Python
msgpack, which gives way to one that is installed.
"""

import os
import sys

_VENDOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vendor")
if os.path.isdir(_VENDOR) and _VENDOR not in sys.path:
    try:
        import msgpack  # noqa: F401 - once imported it stays, for others in this process too
    except ImportError:
        pass
    sys.path.insert(0, _VENDOR)

from .nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS  # noqa: E402

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
