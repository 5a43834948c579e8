"""A Krita with plugin and server for scripts (the tests have fixtures for this)."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskwright.plugins import krita as krita_plugin
from tests.shared_data import EVAL

from ..chroot import Lab, unusable
from ..server import Server
from .driver import Krita, choose_theme, install
from .studio import Studio


@contextmanager
def open_studio(width: int = 1400, height: int = 900, ratio: int = 1, theme: str = "Krita dark") -> Iterator[Studio]:
    """Everything running, on a screen of so many pixels of which ``ratio`` are one of Qt's; ends with the message why
    when it cannot."""
    if reason := unusable("krita"):
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as folder, Lab("krita") as lab:
        install(lab, krita_plugin.build(Path(folder)))
        choose_theme(lab, theme)
        lab.open_display(width, height)
        server = Server(lab.path("runtime"), lab.path("out", "server.log"))
        server.start()
        try:
            krita = Krita(lab, {"QT_SCALE_FACTOR": str(ratio)} if ratio != 1 else None)
            with server.client() as client:
                studio = Studio(krita, lab, client, EVAL)
                studio.server = server
                studio.reset()
                yield studio
            krita.quit()
        finally:
            server.stop()
