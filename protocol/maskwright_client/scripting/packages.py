"""numpy and Pillow, imported when a script asks for the first picture: the editors' plug-ins do without them."""

from typing import Any

from maskwright_protocol.errors import NeedsPackage

_HINT = "Install what it works on: pip install numpy pillow"


def numpy() -> Any:
    """The module ``numpy``. Raises ``NeedsPackage``."""
    try:
        import numpy
    except ImportError as error:
        raise NeedsPackage("The Python client needs numpy.", _HINT) from error
    return numpy


def pillow() -> Any:
    """The module ``PIL.Image``. Raises ``NeedsPackage``."""
    try:
        from PIL import Image
    except ImportError as error:
        raise NeedsPackage("The Python client needs Pillow.", _HINT) from error
    return Image
