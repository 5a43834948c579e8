"""The client, written once: what the command line and both editor plug-ins need to talk to the server.

Runs on Python 3.8 and later, inside the editors too: standard library and the protocol only. Scripts start with
``connect``, or ``aconnect`` in an event loop; these two work on numpy arrays and Pillow images.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scripting import aconnect, connect

__all__ = ["aconnect", "connect"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import scripting

        return getattr(scripting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
