"""The client for people's own scripts: pictures in, masks and cut-outs back. It needs numpy and Pillow, when used."""

from .answers import Answer, CutOut, Detection, Everything, Guess, Instance, Selected
from .connection import AsyncMaskwright, Maskwright, aconnect, connect

__all__ = [
    "Answer",
    "AsyncMaskwright",
    "CutOut",
    "Detection",
    "Everything",
    "Guess",
    "Instance",
    "Maskwright",
    "Selected",
    "aconnect",
    "connect",
]
