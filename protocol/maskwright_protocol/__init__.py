"""The wire between the Maskwright server and its clients. Runs on Python 3.8 and later, inside the editors too."""

from .version import __version__

__all__ = ["__version__"]
